//! Checks every condition under which a whole plan is refused, before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::config_file::ConfigFile;
use super::operation_error::Error;
use super::operation_options::Options;
use crate::executor::Callers;
use crate::model::client_config::ClientConfig;
use crate::model::inventory::{CallerIdentity, Inventory, ProviderKind};
use crate::model::location::Location;
use crate::model::plan::{ClientConfigRef, CredentialsFrom, JobPlan, SavedPlan, Summary};
use crate::model::problem::Problem;
use crate::model::words::{count, span, utc};
use crate::observe::identities;
use crate::provider::Provider;

/// How much the clocks of the machine that planned and the one that applies may differ.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A plan that may be carried out.
#[derive(Clone, Debug)]
pub struct Approved {
    pub(super) plan: SavedPlan,
    pub(super) callers: Callers,
    pub(super) observed: Option<Inventory>,
}

/// Checks every condition under which a whole plan is refused. Nothing is written.
///
/// A job with credentials of an unknown account fails; the others are carried out. What was `observed` when planning, if that is
/// recent, is not observed again.
///
/// # Errors
///
/// If the plan is refused.
pub async fn approve(
    provider: &dyn Provider,
    plan: &SavedPlan,
    observed: Option<Inventory>,
    config: Option<&ConfigFile>,
    options: &Options,
) -> Result<Approved, Error> {
    refuse_other_provider(plan, provider.kind())?;
    check_conditions(provider, plan, options)?;
    let destinations = destinations(plan, config)?;
    let known = |job: &JobPlan| Some(&observed.as_ref()?.jobs.get(&job.name)?.identity);
    let unknown = destinations.iter().filter(|(job, _)| known(job).is_none());
    let unknown = unknown.map(|(_, destination)| destination);
    let answers = identities(provider, unknown, options.parallelism).await;
    let mut callers = Callers::new();
    for (job, destination) in &destinations {
        let Some(identity) = known(job).or_else(|| answers.get(destination)) else {
            continue;
        };
        let caller = match identity {
            Ok(identity) => check_caller(job, identity).map(|()| Ok(destination)),
            Err(error) => Ok(Err(error.problem(format!(
                "failed to find out which AWS account the credentials of {} belong to",
                job.name
            )))),
        };
        // A job without actions is here only to count its copy in progress. Without that count, AWS may refuse another copy, but
        // nothing worse can happen.
        if job.actions.is_empty() && !matches!(caller, Ok(Ok(_))) {
            continue;
        }
        let caller = caller?.map(|destination| Arc::clone(&destination.credentials));
        callers.insert(job.name.clone(), caller);
    }
    Ok(Approved {
        plan: plan.clone(),
        callers,
        observed,
    })
}

/// Refuses a plan that was made on AWS and is applied to a sandbox, or the other way round.
///
/// # Errors
///
/// If the plan was made on the other provider.
pub fn refuse_other_provider(plan: &SavedPlan, actual: ProviderKind) -> Result<(), Error> {
    let planned = plan.provider;
    if planned == actual {
        return Ok(());
    }
    let (planned_on, this) = (planned.name(), actual.name());
    let help = match planned {
        ProviderKind::Sandbox => "pass the sandbox's file with --sandbox",
        ProviderKind::Aws => "omit --sandbox, or plan on the sandbox",
    };
    let message = format!("the plan was made on {planned_on}, and this is {this}");
    Err(Error::refused(message, help))
}

/// Checks what the caller demands of the plan.
fn check_conditions(
    provider: &dyn Provider,
    plan: &SavedPlan,
    options: &Options,
) -> Result<(), Error> {
    if let Some(expected) = &options.expect_digest
        && *expected != plan.digest
    {
        let message = format!(
            "the plan's digest is {}, not {expected} as expected",
            plan.digest
        );
        let help = "apply the plan that was approved, or have this plan approved";
        return Err(Error::refused(message, help));
    }
    if let Some(limit) = options.max_age {
        let (created_at, now) = (plan.created_at, provider.now());
        let made = format!("the plan was made {}", utc(created_at));
        let age = now.duration_since(created_at);
        // The plan is dated in the future, so its age is unknown.
        if age < -MAX_SKEW {
            let help = "set the clock of this machine, or plan again";
            let message = format!("{made}, and now it is {}", utc(now));
            return Err(Error::refused(message, help));
        }
        if age > limit {
            let (age, limit) = (span(age.as_secs()), span(limit.as_secs()));
            let message = format!("{made}, which is {age} ago; the limit is {limit}");
            let help = "plan again, and have the new plan approved";
            return Err(Error::refused(message, help));
        }
    }
    let planned = Summary::of(&plan.jobs).delete;
    if let Some(limit) = options.max_deletes.filter(|limit| planned > *limit) {
        let deletions = count(planned, "deletion", "deletions");
        let message = format!("the plan has {deletions}; the limit is {limit}");
        let help = "review the deletions; then plan again, or raise --max-deletes";
        return Err(Error::refused(message, help));
    }
    Ok(())
}

/// Returns the destination of every job with actions, with the credentials that it was planned with. Also returns the
/// destinations of jobs without actions if their copy in progress takes up a slot that another job needs, and if their
/// credentials are known.
fn destinations<'a>(
    plan: &'a SavedPlan,
    config: Option<&ConfigFile>,
) -> Result<Vec<(&'a JobPlan, Location)>, Error> {
    let mut configured = match config {
        Some(file) => file.read().map_err(Error::RefusedConfig)?.client_configs,
        None => BTreeMap::new(),
    };
    // As AWS counts copies in progress.
    let slots = |job: &'a JobPlan| {
        let region = job.destination.as_ref().map(|end| &end.region);
        (job.account_id.as_ref(), region, job.kind())
    };
    let copying = plan.jobs.iter().filter(|job| job.has_copy());
    let needed: BTreeSet<_> = copying.map(slots).collect();
    let mut destinations = Vec::new();
    for job in &plan.jobs {
        let takes_slot = job.copy_being_made().is_some() && needed.contains(&slots(job));
        let (Some(planned), Some(end)) = (&job.client_config, &job.destination) else {
            continue;
        };
        if job.actions.is_empty() && !takes_slot {
            continue;
        }
        match credentials(job, planned, configured.remove(&job.name), config) {
            Ok(credentials) => {
                let location = Location {
                    credentials: Arc::new(credentials),
                    region: end.region.clone(),
                };
                destinations.push((job, location));
            }
            Err(_) if job.actions.is_empty() => {}
            Err(refused) => return Err(refused),
        }
    }
    Ok(destinations)
}

/// Returns the credentials of a job. `configured` are its settings in the config.
fn credentials(
    job: &JobPlan,
    planned: &ClientConfigRef,
    configured: Option<Result<ClientConfig, Vec<Problem>>>,
    config: Option<&ConfigFile>,
) -> Result<ClientConfig, Error> {
    let name = &job.name;
    let settings = match (configured, planned.from, config) {
        (Some(Ok(settings)), ..) => settings,
        (Some(Err(problems)), _, Some(file)) => {
            return Err(Error::RefusedConfig(file.problems(problems)));
        }
        (_, CredentialsFrom::DefaultChain, _) => ClientConfig::default(),
        (_, CredentialsFrom::Config, _) => {
            let message = match config {
                Some(file) => format!(
                    "the config {} has no job {name} to take credentials from",
                    file.path()
                ),
                None => format!("no config was given to take the credentials of {name} from"),
            };
            return Err(Error::refused(
                message,
                "pass the config that the plan was made from with --config, or plan again",
            ));
        }
    };
    if settings.fingerprint() == planned.fingerprint {
        return Ok(settings);
    }
    let now_from = match config {
        Some(file) if !settings.is_default_chain() => file.path(),
        _ => "the default chain".into(),
    };
    Err(Error::refused(
        format!(
            "{name} was planned with client settings that differ (secrets aside) from those of {now_from}"
        ),
        "plan again with these settings, or apply with the old ones",
    ))
}

/// Refuses an account or endpoint other than the planned one.
fn check_caller(job: &JobPlan, identity: &CallerIdentity) -> Result<(), Error> {
    let name = &job.name;
    let actual = &identity.account_id;
    if let Some(planned) = job.account_id.as_ref().filter(|planned| *planned != actual) {
        return Err(Error::refused(
            format!(
                "{name} was planned in account {planned}, and its credentials now belong to account {actual}"
            ),
            "sign in to the account of the plan, or plan again in this one",
        ));
    }
    let config = job.client_config.as_ref();
    let planned = config.and_then(|config| config.endpoint_url.as_deref());
    let actual = identity.endpoint_url.as_deref();
    if planned == actual {
        return Ok(());
    }
    let [planned, actual] = [planned, actual].map(|url| url.unwrap_or("AWS's own endpoints"));
    Err(Error::refused(
        format!("{name} was planned at {planned}, and its calls would now go to {actual}"),
        "set the endpoint of the plan (endpoint_url, AWS_ENDPOINT_URL), or plan again",
    ))
}
