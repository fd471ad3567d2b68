//! Everything for which a plan is refused whole, settled before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::Options;
use super::config_file::ConfigFile;
use super::error::{Error, Refused};
use crate::config;
use crate::executor::Callers;
use crate::model::client_config::{ClientConfig, Place};
use crate::model::id::{JobName, Region};
use crate::model::inventory::{CallerIdentity, Inventory, Looked, ProviderKind};
use crate::model::plan::{ClientConfigRef, CredentialsFrom, JobPlan, SavedPlan, Summary};
use crate::model::problem::Problem;
use crate::observe::identities;
use crate::provider::Provider;

/// How far the clocks of the machine that planned and the one that applies may be apart.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// As whom each job of a plan is applied.
type Clients = BTreeMap<JobName, Arc<ClientConfig>>;

/// A plan that may be carried out.
#[derive(Clone, Debug)]
pub struct Approved {
    pub(super) plan: SavedPlan,
    pub(super) callers: Callers,
    pub(super) seen: Option<Inventory>,
}

/// Settles everything for which a plan is refused whole. Nothing is written.
///
/// A job of which it cannot be found out to which account its credentials belong fails; the others go on. What was
/// `seen` when planning, if just now, is not asked again.
///
/// # Errors
///
/// If the plan is refused.
pub async fn approve(
    provider: &dyn Provider,
    plan: &SavedPlan,
    seen: Option<Inventory>,
    config: Option<&ConfigFile>,
    options: &Options,
) -> Result<Approved, Error> {
    refuse_other_provider(plan, provider.kind())?;
    conditions(provider, plan, options)?;
    let clients = clients(plan, config)?;
    let places: Vec<Option<Place>> = plan
        .jobs
        .iter()
        .map(|job| destination(job, &clients))
        .collect();
    let known = |job: &JobPlan| Some(&seen.as_ref()?.jobs.get(&job.name)?.identity);
    let asked = plan.jobs.iter().zip(&places);
    let asked = asked.filter(|(job, _)| known(job).is_none());
    let asked = asked.filter_map(|(_, place)| place.as_ref());
    let identities = identities(provider, asked, options.parallelism).await;
    let mut callers = Callers::new();
    for (job, place) in plan.jobs.iter().zip(&places) {
        let Some(place) = place else { continue };
        let Some(identity) = known(job).or_else(|| identities.get(place)) else {
            continue;
        };
        let caller = match same_caller(job, identity) {
            Ok(None) => Ok(Arc::clone(&place.credentials)),
            // Nothing is to be done for it; that its copy is not counted may cost a refusal, and no more.
            _ if job.actions.is_empty() => continue,
            Ok(Some(problem)) => Err(problem),
            Err(refused) => return Err(refused.into()),
        };
        callers.insert(job.name.clone(), caller);
    }
    Ok(Approved {
        plan: plan.clone(),
        callers,
        seen,
    })
}

/// Refuses a plan that was made on another kind of world.
///
/// # Errors
///
/// If it was.
pub fn refuse_other_provider(plan: &SavedPlan, actual: ProviderKind) -> Result<(), Refused> {
    if plan.provider == actual {
        Ok(())
    } else {
        Err(Refused::OtherProvider {
            planned: plan.provider,
            actual,
        })
    }
}

/// What the one who applies asks of the plan.
fn conditions(provider: &dyn Provider, plan: &SavedPlan, options: &Options) -> Result<(), Refused> {
    if let Some(expected) = &options.expect_digest
        && *expected != plan.digest
    {
        return Err(Refused::OtherDigest {
            expected: expected.clone(),
            actual: plan.digest.clone(),
        });
    }
    let age = provider.now().duration_since(plan.created_at);
    if options.max_age.is_some() && age < -MOST_SKEW {
        return Err(Refused::FromTheFuture {
            made: plan.created_at,
            now: provider.now(),
        });
    }
    if let Some(limit) = options.max_age
        && age > limit
    {
        return Err(Refused::TooOld {
            made: plan.created_at,
            age: age.as_secs(),
            limit: limit.as_secs(),
        });
    }
    let planned = Summary::of(&plan.jobs).delete_snapshot;
    match options.max_deletes {
        Some(limit) if planned > limit => Err(Refused::TooManyDeletions { planned, limit }),
        _ => Ok(()),
    }
}

/// The client settings of every job that has something to do, the same as it was planned with; and, where they can be had,
/// of those whose copy takes a place that others could have.
fn clients(plan: &SavedPlan, config: Option<&ConfigFile>) -> Result<Clients, Error> {
    let mut stated = match config {
        Some(file) => config::client_configs(file.bytes())
            .map_err(|problems| Refused::Config(file.problems(problems)))?,
        None => BTreeMap::new(),
    };
    // As AWS counts copies in flight.
    let counted = |job: &JobPlan| (job.account_id.clone(), region(job).cloned(), job.sync_type);
    let copying = plan.jobs.iter().filter(|job| job.has_a_copy_to_make());
    let copied_to: BTreeSet<_> = copying.map(counted).collect();
    let mut clients = Clients::new();
    for job in &plan.jobs {
        let has_to_do = !job.actions.is_empty();
        let counts = job.copy_in_flight().is_some() && copied_to.contains(&counted(job));
        if !has_to_do && !counts {
            continue;
        }
        let Some(planned) = &job.client_config else {
            continue;
        };
        let settings = settings(plan, job, planned, stated.remove(&job.name), config);
        if let Ok(settings) = settings {
            clients.insert(job.name.clone(), Arc::new(settings));
        } else if has_to_do {
            settings?;
        }
    }
    Ok(clients)
}

/// The client settings of one job, as `stated` in the config.
fn settings(
    plan: &SavedPlan,
    job: &JobPlan,
    planned: &ClientConfigRef,
    stated: Option<Result<ClientConfig, Vec<Problem>>>,
    config: Option<&ConfigFile>,
) -> Result<ClientConfig, Refused> {
    let path = || config.map_or_else(|| plan.config.path.clone(), |file| file.path().into_owned());
    let settings = match (stated, planned.from, config) {
        (Some(Ok(settings)), ..) => settings,
        (Some(Err(problems)), _, Some(file)) => {
            return Err(Refused::Config(file.problems(problems)));
        }
        (_, CredentialsFrom::DefaultChain, _) => ClientConfig::default(),
        (_, CredentialsFrom::Config, _) => {
            return Err(Refused::JobGone {
                job: job.name.clone(),
                path: path(),
            });
        }
    };
    if settings.fingerprint() == planned.fingerprint {
        return Ok(settings);
    }
    let now_from = if settings.is_default_chain() {
        "the default chain".to_owned()
    } else {
        path()
    };
    Err(Refused::OtherClientConfig {
        job: job.name.clone(),
        now_from,
    })
}

/// Where a job writes, and as whom; nothing for a job of which that does not matter.
fn destination(job: &JobPlan, clients: &Clients) -> Option<Place> {
    Some(Place {
        credentials: Arc::clone(clients.get(&job.name)?),
        region: region(job)?.clone(),
    })
}

fn region(job: &JobPlan) -> Option<&Region> {
    Some(&job.destination.as_ref()?.region)
}

/// Refuses another account or endpoint than planned; gives the problem where it cannot be told.
fn same_caller(
    job: &JobPlan,
    identity: &Looked<CallerIdentity>,
) -> Result<Option<Problem>, Refused> {
    let CallerIdentity {
        account_id,
        endpoint_url,
    } = match identity {
        Ok(identity) => identity,
        Err(error) => {
            let message = format!(
                "failed to find out which AWS account the credentials of {} belong to",
                job.name
            );
            return Ok(Some(error.problem(message)));
        }
    };
    if let Some(planned) = &job.account_id
        && planned != account_id
    {
        let (job, planned, actual) = (job.name.clone(), planned.clone(), account_id.clone());
        return Err(Refused::OtherAccount {
            job,
            planned,
            actual,
        });
    }
    let planned = job
        .client_config
        .as_ref()
        .and_then(|config| config.endpoint_url.as_ref());
    if planned != endpoint_url.as_ref() {
        let shown = |url: Option<&String>| {
            url.map_or_else(|| "AWS's own endpoints".to_owned(), Clone::clone)
        };
        let (planned, actual) = (shown(planned), shown(endpoint_url.as_ref()));
        return Err(Refused::OtherEndpoint {
            job: job.name.clone(),
            planned,
            actual,
        });
    }
    Ok(None)
}
