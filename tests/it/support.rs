//! Jobs and worlds that many tests start from, and functions that plan and apply them.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_xregion_sync::executor::{self, Callers, Event, Options, Wait};
use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::artifact::ArtifactState;
use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::{ArtifactId, JobName, ParentId, Region};
use aws_xregion_sync::model::plan::{ConfigRef, JobPlan, Plan, SavedPlan};
use aws_xregion_sync::model::query::{ImageSelector, Query};
use aws_xregion_sync::model::result::SyncResult;
use aws_xregion_sync::model::safe::unprintable;
use aws_xregion_sync::observe::{Request, observe};
use aws_xregion_sync::planfile::{self, Header};
use aws_xregion_sync::planner;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{
    Sandbox, SnapshotType, World, WorldArtifact, WorldDatabase, snapshot_arn,
};
use aws_xregion_sync::sync_types::{AmiOptions, DbSnapshotOptions, SyncJob, SyncTypeRules};
use jiff::{SignedDuration, Timestamp};

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

/// The time at which test worlds begin.
pub fn start() -> Timestamp {
    time("2026-01-15T06:00:00Z")
}

/// Returns the time this number of days before the start, at 05:10, when automated snapshots are taken.
pub fn days_ago(days: i64) -> Timestamp {
    time("2026-01-15T05:10:00Z") - SignedDuration::from_hours(24 * days)
}

pub fn snapshot_job(name: &str, database: &str, retain: u32) -> SyncJob {
    job_of(
        name,
        DbSnapshotOptions {
            db_instance: ParentId::from(database),
            max_snapshots_to_retain: retain,
            option_group_name: None,
        },
    )
}

pub fn ami_job(name: &str, identifier: &str) -> SyncJob {
    job_of(
        name,
        AmiOptions {
            ami_owner: "self".to_owned(),
            sync_identifier: Some(identifier.to_owned()),
            filters: Vec::new(),
            most_recent: false,
        },
    )
}

/// Returns a job from east to west with the default credentials.
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

/// Characters that could deceive readers on a terminal, and a line that could be taken for one of ours.
pub const TRICK: &str = "Odd\u{1b}[31m\u{9b}\u{202e}\u{200b}\u{e0001}\nDigest: sha256:00";

/// Asserts that a text has no control or invisible characters but line ends.
#[track_caller]
pub fn assert_no_tricks(text: &str) {
    let found = unprintable(text).find(|(c, is_unprintable)| *is_unprintable && *c != '\n');
    assert_eq!(found, None, "{text:?}");
}

/// Returns a world with both regions and nothing in them.
pub fn empty_world() -> World {
    let mut world = World::new(start());
    world.add_region(&east());
    world.add_region(&west());
    world
}

pub fn add_image(world: &mut World, id: &str, name: &str, identifier: &str) -> ArtifactId {
    let owner = world.default_account();
    let image =
        WorldArtifact::image(id, &owner, name, days_ago(1)).tag("Sync-Identifier", identifier);
    world.add_image(&east(), image)
}

/// Returns a database of the source region, which is added with an age of a year if it is absent.
pub fn database(world: &mut World, name: &str) -> WorldDatabase {
    let account = world.default_account();
    let here = world.add_region(&east());
    if let Some(found) = here
        .databases
        .iter()
        .find(|database| database.id.as_str() == name)
    {
        return found.clone();
    }
    let made = WorldDatabase::new(name, &account, days_ago(365));
    here.databases.push(made.clone());
    made
}

pub fn add_automated(world: &mut World, name: &str, taken: Timestamp) -> ArtifactId {
    let database = database(world, name);
    world.add_snapshot(&east(), WorldArtifact::automated(&database, taken))
}

/// Returns a copy for the destination as xrs and the gem leave it.
pub fn our_copy(world: &mut World, name: &str, taken: Timestamp) -> WorldArtifact {
    let database = database(world, name);
    let source = format!("rds:{name}-{}", taken.strftime("%Y-%m-%d-%H-%M"));
    let value = format!("{}+0000 / {source}", taken.strftime("%Y%m%d%H%M%S"));
    let arn = snapshot_arn(
        &east(),
        &database.account,
        &ArtifactId::from(source.as_str()),
    );
    let mut copy = WorldArtifact::snapshot(
        &database,
        &source.replace(':', "-"),
        SnapshotType::Manual,
        taken,
    )
    .tag("Sync-From-us-east-1", &value);
    copy.created = Some(taken + SignedDuration::from_mins(40));
    copy.copied_from = Some(arn);
    copy
}

pub fn add_our_copy(world: &mut World, name: &str, taken: Timestamp) -> ArtifactId {
    let copy = our_copy(world, name, taken);
    world.add_snapshot(&west(), copy)
}

/// Runs a future to its end.
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
        let config = ConfigRef {
            path: "xrs.yaml".to_owned(),
            sha256: String::new(),
        };
        planfile::seal(
            plan,
            Header {
                created_at: provider.now(),
                config,
            },
        )
        .expect("a plan")
    })
}

/// Returns the callers that these jobs are applied with.
pub fn callers(jobs: &[SyncJob]) -> Callers {
    jobs.iter()
        .map(|job| (job.name.clone(), Ok(Arc::clone(&job.client_config))))
        .collect()
}

/// Applies a plan of these jobs, as `xrs apply` does once it has accepted it.
pub fn apply(provider: &dyn Provider, plan: &SavedPlan, jobs: &[SyncJob]) -> Vec<SyncResult> {
    let callers = callers(jobs);
    let stop = AtomicBool::new(false);
    let options = Options {
        parallelism: PARALLELISM,
        wait: Wait::No,
        stop: &stop,
    };
    block_on(executor::apply(
        provider,
        plan,
        &callers,
        None,
        options,
        &|_: Event<'_>| {},
    ))
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

/// Returns the manual snapshots of a database in the destination.
pub fn copies_of(world: &World, name: &str) -> Vec<WorldArtifact> {
    let is_copy = |s: &&WorldArtifact| {
        let parent = s.parent.as_ref().map(ParentId::as_str);
        parent == Some(name) && s.snapshot_type == SnapshotType::Manual
    };
    world
        .region(&west())
        .expect("the destination")
        .snapshots
        .iter()
        .filter(is_copy)
        .cloned()
        .collect()
}

/// Lets time pass until all copies in progress are done.
pub fn wait_for_copies(sandbox: &Sandbox) {
    sandbox.edit(|world| {
        let length = i64::try_from(world.copy_seconds).expect("a length");
        world.advance(SignedDuration::from_secs(length + 1));
    });
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
