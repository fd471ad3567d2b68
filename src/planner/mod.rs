//! Decides: jobs and what was observed in, what is to be done about each out. Synchronous and pure; the same
//! jobs and the same observations give the same plan, in whatever order AWS listed things.

mod ami;
mod claims;
mod invariants;
mod retention;
mod snapshot;
mod snapshot_copy;
mod tags;

use crate::model::action::Action;
use crate::model::id::{AccountId, ActionId, JobName};
use crate::model::inventory::{CallerIdentity, Found, Inventory};
use crate::model::job::{JobKind, SyncJob};
use crate::model::plan::{
    ClientConfigRef, CredentialsFrom, End, JobPlan, Observed, Outcome, Subject,
};
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;

use claims::Claims;

/// Plans every job, in the order given. A job that cannot be planned says why and stops no other.
pub fn plan(jobs: &[SyncJob], inventory: &Inventory) -> Vec<JobPlan> {
    let mut claims = Claims::default();
    jobs.iter()
        .map(|job| plan_job(job, inventory, &mut claims))
        .collect()
}

/// The plan of a config entry that is too broken to be a job: failed, with the config's problems.
pub fn broken(name: &JobName, problems: &[Problem]) -> JobPlan {
    JobPlan {
        name: name.clone(),
        sync_type: None,
        source: None,
        destination: None,
        subject: None,
        account_id: None,
        client_config: None,
        outcome: Outcome::Failed,
        reason: "its configuration is broken".to_owned(),
        observed: None,
        actions: Vec::new(),
        warnings: Vec::new(),
        errors: problems.to_vec(),
    }
}

/// What is decided about a job that can be planned.
struct Decision {
    reason: String,
    actions: Vec<Action>,
}

/// What is to be said of a job whatever is decided.
#[derive(Default)]
struct Notes {
    subject: Option<Subject>,
    observed: Option<Observed>,
    warnings: Vec<String>,
}

impl Notes {
    fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }
}

fn plan_job(job: &SyncJob, inventory: &Inventory, claims: &mut Claims) -> JobPlan {
    let observation = inventory.jobs.get(&job.name);
    let identity = observation.map(|observation| &observation.identity);
    let mut notes = Notes::default();
    let decision = match observation {
        Some(seen) => seen
            .account_of(job)
            .and_then(|account| claim(job, account, claims).map(|()| account))
            .and_then(|account| decide(job, account, &seen.found, claims, &mut notes)),
        None => Err(Problem::new(format!(
            "nothing was observed for {}",
            job.name
        ))),
    };
    let (outcome, reason, actions, errors) = match decision {
        Ok(Decision { reason, actions }) if actions.is_empty() => {
            (Outcome::UpToDate, reason, actions, Vec::new())
        }
        Ok(Decision { reason, actions }) => (Outcome::Changes, reason, actions, Vec::new()),
        Err(problem) => (
            Outcome::Failed,
            problem.message.clone(),
            Vec::new(),
            vec![problem],
        ),
    };
    let identity = identity.and_then(|identity| identity.as_ref().ok());
    invariants::checked(JobPlan {
        name: job.name.clone(),
        sync_type: Some(job.sync_type()),
        source: Some(End {
            region: job.source_region.clone(),
        }),
        destination: Some(End {
            region: job.destination_region.clone(),
        }),
        subject: notes.subject,
        account_id: identity.map(|identity| identity.account_id.clone()),
        client_config: Some(client_config(job, identity)),
        outcome,
        reason,
        observed: notes.observed,
        actions,
        warnings: notes.warnings,
        errors,
    })
}

fn client_config(job: &SyncJob, identity: Option<&CallerIdentity>) -> ClientConfigRef {
    let default_chain = job.client_config.is_default_chain();
    ClientConfigRef {
        from: if default_chain {
            CredentialsFrom::DefaultChain
        } else {
            CredentialsFrom::Config
        },
        fingerprint: job.client_config.fingerprint(),
        endpoint_url: identity.and_then(|identity| identity.endpoint_url.clone()),
    }
}

fn decide(
    job: &SyncJob,
    account: &AccountId,
    found: &Found,
    claims: &mut Claims,
    notes: &mut Notes,
) -> Result<Decision, Problem> {
    match (&job.kind, found) {
        (JobKind::Ami(ami), Found::Images { source, copies }) => {
            let source = source
                .as_ref()
                .map_err(|error| failed_to_look(job, "for its source image", error))?;
            let copies = copies
                .as_ref()
                .map_err(|error| failed_to_look(job, "for copies of its image", error))?;
            ami::decide(job, ami, account, source, copies, claims, notes)
        }
        (JobKind::Snapshot(snapshot), Found::Snapshots { source, copies }) => {
            let source = source
                .as_ref()
                .map_err(|error| failed_to_look(job, "for its automated snapshots", error))?;
            let copies = copies
                .as_ref()
                .map_err(|error| failed_to_look(job, "for copies of its snapshots", error))?;
            snapshot::decide(job, snapshot, account, source, copies, claims, notes)
        }
        _ => Err(Problem::new(format!(
            "what was observed for {} is of another type",
            job.name
        ))),
    }
}

/// Takes what two jobs must not share, before anything that may fail is looked at.
fn claim(job: &SyncJob, account: &AccountId, claims: &mut Claims) -> Result<(), Problem> {
    let JobKind::Snapshot(options) = &job.kind else {
        return Ok(());
    };
    if let Some(first) = claims.database(account, job, &options.db_instance) {
        return Err(Problem::new(format!(
            "{first} and {} sync the same database {} of account {account} to {}",
            job.name, options.db_instance, job.destination_region
        ))
        .help("remove one of them, or set its max_snapshots_to_retain at the other"));
    }
    Ok(())
}

fn failed_to_look(job: &SyncJob, what: &str, error: &ProviderError) -> Problem {
    error.problem(format!("failed to look {what} ({})", job.name))
}

/// The id of an action of `job`.
fn action_id(job: &JobName, rest: &str) -> ActionId {
    ActionId::from(format!("{job}/{rest}"))
}
