//! Jobs and worlds that many tests start from, and functions that plan and apply them.

mod altered;
mod planned;
pub mod prelude;
mod worlds;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_xregion_sync::executor::{self, Callers, OnEvent, Options};
use aws_xregion_sync::model::safe::unprintable;
use aws_xregion_sync::observe::observe_destinations;
use aws_xregion_sync::planfile;
use aws_xregion_sync::planner;
use aws_xregion_sync::status::status;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::ProptestConfig;

pub use altered::{Altered, Alters};
pub use planned::*;
pub use prelude::*;
pub use worlds::*;

pub const PARALLELISM: usize = 10;

pub fn east() -> Region {
    Region::from("us-east-1")
}

pub fn west() -> Region {
    Region::from("us-west-1")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn snapshot_job(name: &str, database: &str, retain: u32) -> SyncJob {
    job_of(
        name,
        DbSnapshotOptions {
            retain_earlier_databases: None,
            db_instance: ParentId::from(database),
            max_snapshots_to_retain: retain,
            option_group_name: None,
        },
    )
}

pub fn cluster_job(name: &str, cluster: &str, retain: u32) -> SyncJob {
    job_of(
        name,
        DbClusterSnapshotOptions {
            retain_earlier_databases: None,
            db_cluster: ParentId::from(cluster),
            max_snapshots_to_retain: retain,
        },
    )
}

pub fn ami_job(name: &str, identifier: &str) -> SyncJob {
    job_of(
        name,
        AmiOptions {
            include_copies: false,
            max_images_to_retain: None,
            keep_launched_within: None,
            copy_within: None,
            ami_owner: "self".to_owned(),
            sync_identifier: Some(identifier.to_owned()),
            filters: Vec::new(),
            most_recent: false,
        },
    )
}

/// Returns a job from east to west with default credentials.
pub fn job_of(name: &str, rules: impl SyncTypeRules) -> SyncJob {
    SyncJob {
        name: JobName::from(name),
        source_region: east(),
        destination_region: west(),
        client_config: Arc::new(ClientConfig::default()),
        kms_key_id: None,
        has_shared_parent_name: false,
        rules: Arc::new(rules),
    }
}

/// Returns the options of a job, if it is an image job.
pub fn ami_options(job: &SyncJob) -> Option<&AmiOptions> {
    let rules: &dyn Any = &*job.rules;
    rules.downcast_ref()
}

/// Returns the selector of an image job.
pub fn selector(job: &SyncJob) -> ImageSelector {
    match job.rules.queries().sources {
        Query::Matching(selector) => selector,
        other => panic!("{} selects no image: {other:?}", job.name),
    }
}

/// Changes the options of an image job.
pub fn change_ami(job: &mut SyncJob, change: impl FnOnce(&mut AmiOptions)) {
    let mut options = ami_options(job).expect("an image job").clone();
    change(&mut options);
    job.rules = Arc::new(options);
}

/// Characters that could deceive readers on a terminal, and a line that could be mistaken for one of ours.
pub const TRICK: &str = "Odd\u{1b}[31m\u{9b}\u{202e}\u{200b}\u{e0001}\nDigest: sha256:00";

/// Asserts that a text has no control or invisible characters other than line ends.
#[track_caller]
pub fn assert_no_tricks(text: &str) {
    let found = unprintable(text).find(|(c, is_unprintable)| *is_unprintable && *c != '\n');
    assert_eq!(found, None, "{text:?}");
}

/// Returns the texts between bars.
pub fn each(texts: &'static str) -> impl Iterator<Item = &'static str> {
    texts.split('|').map(str::trim)
}

/// Returns the cells of a table, one row per line.
pub fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.trim_matches(['\n', ' ']).lines().map(|line| {
        let cells: Vec<&str> = each(line).collect();
        cells.try_into().expect("as many cells")
    })
}

/// Asserts that a text contains this part.
#[track_caller]
pub fn assert_says(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is not in\n{text}");
}

/// Asserts that the help of a problem contains this part.
#[track_caller]
pub fn assert_help(problem: &Problem, part: &str) {
    assert_says(problem.help.as_deref().unwrap_or_default(), part);
}

/// Runs a future to completion.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Plans these jobs, as `xrs plan` does.
pub fn plan(provider: &dyn Provider, jobs: &[SyncJob]) -> SavedPlan {
    block_on(async {
        let requests: Vec<Request> = jobs.iter().map(Request::of_job).collect();
        let inventory = observe(provider, &requests, PARALLELISM).await;
        let plan = Plan {
            provider: provider.kind(),
            selection: None,
            jobs: planner::plan(jobs, &inventory),
        };
        planfile::seal(plan, provider.now(), config_ref()).expect("a plan")
    })
}

pub fn config_ref() -> ConfigRef {
    ConfigRef {
        path: "xrs.yaml".to_owned(),
        sha256: String::new(),
    }
}

/// Returns the callers for applying these jobs.
pub fn callers(jobs: &[SyncJob]) -> Callers {
    jobs.iter()
        .map(|job| (job.name.clone(), Ok(Arc::clone(&job.client_config))))
        .collect()
}

/// Applies a plan of these jobs, as `xrs apply` does once it has accepted the plan.
pub fn apply(provider: &dyn Provider, plan: &SavedPlan, jobs: &[SyncJob]) -> Vec<SyncResult> {
    apply_with(
        provider,
        plan,
        jobs,
        Wait::No,
        &AtomicBool::new(false),
        &|_| {},
    )
}

pub fn apply_with(
    provider: &dyn Provider,
    plan: &SavedPlan,
    jobs: &[SyncJob],
    wait: Wait,
    stop: &AtomicBool,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let (callers, parallelism) = (callers(jobs), PARALLELISM);
    let options = Options {
        parallelism,
        wait,
        stop,
    };
    block_on(executor::apply(
        provider, plan, &callers, None, options, on_event,
    ))
}

/// Observes the destinations of these jobs, and returns their status with this age limit.
pub fn status_within(
    sandbox: &Sandbox,
    jobs: &[SyncJob],
    max_age: Option<SignedDuration>,
) -> Vec<JobStatus> {
    let requests: Vec<Request> = jobs.iter().map(Request::of_job).collect();
    let observed = block_on(observe_destinations(sandbox, &requests, PARALLELISM));
    status(jobs, &observed, max_age)
}

/// Plans these jobs and applies the plan, which must not fail.
#[track_caller]
pub fn sync(provider: &dyn Provider, jobs: &[SyncJob]) -> Vec<SyncResult> {
    let results = apply(provider, &plan(provider, jobs), jobs);
    no_failures(&results);
    results
}

#[track_caller]
pub fn assert_nothing_to_do(provider: &dyn Provider, jobs: &[SyncJob]) {
    assert_eq!(actions(&plan(provider, jobs)), Vec::<String>::new());
}

/// Returns the id of the copy that a job made.
pub fn created(result: &SyncResult) -> Option<&str> {
    result.created_resource.as_ref().map(ArtifactId::as_str)
}

/// Returns the ids of the actions of a plan.
pub fn actions(plan: &SavedPlan) -> Vec<String> {
    plan.jobs
        .iter()
        .flat_map(|job| &job.actions)
        .map(|action| action.id().to_string())
        .collect()
}

/// Returns the plan of one job.
pub fn job<'a>(plan: &'a SavedPlan, name: &str) -> &'a JobPlan {
    plan.jobs
        .iter()
        .find(|job| job.name.as_str() == name)
        .expect("a job of that name")
}

/// Returns the ids of the snapshots that a plan deletes.
pub fn deletions(plan: &SavedPlan) -> Vec<ArtifactId> {
    let deleted = |action: &Action| match action {
        Action::Delete(delete) => Some(delete.artifact.id.clone()),
        _ => None,
    };
    plan.jobs
        .iter()
        .flat_map(|job| &job.actions)
        .filter_map(deleted)
        .collect()
}

#[track_caller]
pub fn no_failures(results: &[SyncResult]) {
    for result in results {
        assert!(
            !result.failed(),
            "{} failed: {:?}",
            result.name,
            result.errors
        );
    }
}

pub fn state(word: &str) -> ArtifactState {
    ArtifactState::from(word)
}

/// Returns this number of random cases, or more if `PROPTEST_CASES` asks for more.
pub fn cases(number: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: number.max(usual.cases),
        failure_persistence: None,
        ..usual
    }
}
