//! Checks every condition under which a whole plan is refused, before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::config_file::ConfigFile;
use super::operation_error::Error;
use super::operation_options::Options;
use super::refused::Refused;
use crate::executor::Callers;
use crate::model::client_config::ClientConfig;
use crate::model::inventory::{Answer, CallerIdentity, Inventory, ProviderKind};
use crate::model::location::Location;
use crate::model::plan::{ClientConfigRef, CredentialsFrom, JobPlan, SavedPlan, Summary};
use crate::model::problem::Problem;
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
        let caller = match check_caller(job, identity) {
            Ok(None) => Ok(Arc::clone(&destination.credentials)),
            // Nothing is to be done for it. If its copy in progress is not counted, AWS may refuse another, and no more.
            _ if job.actions.is_empty() => continue,
            Ok(Some(problem)) => Err(problem),
            Err(refused) => return Err(refused.into()),
        };
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
/// If it was.
pub fn refuse_other_provider(plan: &SavedPlan, actual: ProviderKind) -> Result<(), Refused> {
    let planned = plan.provider;
    if planned == actual {
        Ok(())
    } else {
        Err(Refused::OtherProvider { planned, actual })
    }
}

/// Checks what the caller demands of the plan.
fn check_conditions(
    provider: &dyn Provider,
    plan: &SavedPlan,
    options: &Options,
) -> Result<(), Refused> {
    if let Some(expected) = &options.expect_digest
        && *expected != plan.digest
    {
        return Err(Refused::OtherDigest {
            expected: expected.clone(),
            actual: plan.digest.clone(),
        });
    }
    if let Some(limit) = options.max_age {
        let (made, now) = (plan.created_at, provider.now());
        let age = now.duration_since(made);
        if age < -MAX_SKEW {
            return Err(Refused::FromTheFuture { made, now });
        }
        if age > limit {
            let (age, limit) = (age.as_secs(), limit.as_secs());
            return Err(Refused::TooOld { made, age, limit });
        }
    }
    let planned = Summary::of(&plan.jobs).delete;
    match options.max_deletes {
        Some(limit) if planned > limit => Err(Refused::TooManyDeletions { planned, limit }),
        _ => Ok(()),
    }
}

/// Returns the destination of every job with actions, with the credentials that it was planned with, and, where they are known,
/// those of jobs with a copy in progress that takes up a slot which these need.
fn destinations<'a>(
    plan: &'a SavedPlan,
    config: Option<&ConfigFile>,
) -> Result<Vec<(&'a JobPlan, Location)>, Error> {
    let mut configured = match config {
        Some(file) => file.client_configs().map_err(Refused::Config)?,
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
            Err(refused) => return Err(refused.into()),
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
) -> Result<ClientConfig, Refused> {
    let path = config.map(|file| file.path().into_owned());
    let settings = match (configured, planned.from, config) {
        (Some(Ok(settings)), ..) => settings,
        (Some(Err(problems)), _, Some(file)) => {
            return Err(Refused::Config(file.problems(problems)));
        }
        (_, CredentialsFrom::DefaultChain, _) => ClientConfig::default(),
        (_, CredentialsFrom::Config, _) => {
            let job = job.name.clone();
            return Err(Refused::NoJob { job, path });
        }
    };
    if settings.fingerprint() == planned.fingerprint {
        return Ok(settings);
    }
    let path = path.filter(|_| !settings.is_default_chain());
    Err(Refused::OtherClientConfig {
        job: job.name.clone(),
        now_from: path.unwrap_or_else(|| "the default chain".to_owned()),
    })
}

/// Refuses another account or endpoint than planned; returns the problem if the account is not known.
fn check_caller(
    job: &JobPlan,
    identity: &Answer<CallerIdentity>,
) -> Result<Option<Problem>, Refused> {
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => {
            let message = format!(
                "failed to find out which AWS account the credentials of {} belong to",
                job.name
            );
            return Ok(Some(error.problem(message)));
        }
    };
    let actual = &identity.account_id;
    if let Some(planned) = job.account_id.as_ref().filter(|planned| *planned != actual) {
        return Err(Refused::OtherAccount {
            job: job.name.clone(),
            planned: planned.clone(),
            actual: actual.clone(),
        });
    }
    let config = job.client_config.as_ref();
    let planned = config.and_then(|config| config.endpoint_url.as_ref());
    let actual = identity.endpoint_url.as_ref();
    if planned == actual {
        return Ok(None);
    }
    let shown =
        |url: Option<&String>| url.map_or_else(|| "AWS's own endpoints".to_owned(), Clone::clone);
    Err(Refused::OtherEndpoint {
        job: job.name.clone(),
        planned: shown(planned),
        actual: shown(actual),
    })
}
