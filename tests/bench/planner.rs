//! The planner alone: from jobs and an inventory to a plan.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use aws_xregion_sync::model::artifact::{Artifact, ArtifactState, SnapshotDetails};
use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::{AccountId, Arn, ArtifactId, JobName, ParentId, Region};
use aws_xregion_sync::model::inventory::{CallerIdentity, Inventory, Observation, ProviderKind};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::sync_tag::{SyncTag, key_on_copy};
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::planner;
use aws_xregion_sync::sync_types::{DbSnapshotOptions, SyncJob};
use jiff::{SignedDuration, Timestamp};

use crate::moto::world::{EAST, WEST};
use crate::reach::{Goal, Unit};
use crate::table::{self, seconds, times};
use crate::timing::{median, timed};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const SNAPSHOTS: u32 = 30;
const REPEATS: usize = 7;

/// What AWS states about each of them: snapshots share it.
static DETAILS: LazyLock<Arc<SnapshotDetails>> = LazyLock::new(|| {
    Arc::new(SnapshotDetails {
        parent_created: None,
        option_group: Some("default:postgres-16".into()),
        ..SnapshotDetails::default()
    })
});

/// What planning took, measured in a process of its own.
struct Alone {
    /// Seconds of processor time for the median plan.
    seconds: f64,
    /// The peak of its memory, with jobs and inventory alone, and at the end.
    peak_mb: [f64; 2],
}

pub(crate) fn measure() -> Vec<Goal> {
    let measured = SIZES.map(|jobs| {
        eprintln!("planning {jobs} jobs");
        in_a_process(jobs)
    });
    let row = |(at, jobs): (usize, &usize)| {
        let time = measured[at].seconds;
        let before = at.checked_sub(1).map(|before| measured[before].seconds);
        let growth = before.map_or_else(|| "-".to_owned(), |before| times(time / before));
        let [given, planned] = measured[at].peak_mb.map(|mb| format!("{mb:.0} MB"));
        [jobs.to_string(), seconds(time), growth, given, planned]
    };
    let rows: Vec<_> = SIZES.iter().enumerate().map(row).collect();
    let head = [
        "jobs",
        "processor time",
        "growth",
        "jobs and inventory",
        "peak memory",
    ];
    table::print(
        "The planner alone, 30 snapshots in each region",
        head,
        &rows,
    );
    let [_, thousand, ten_thousand] = &measured;
    let goal = |what, number, unit, must, aim| Goal {
        what,
        today: "-".to_owned(),
        xrs: Ok(number),
        unit,
        must,
        aim,
    };
    vec![
        goal(
            "growth of planning from 1,000 to 10,000 jobs",
            ten_thousand.seconds / thousand.seconds,
            Unit::TimesAsLong,
            12.0,
            10.0,
        ),
        goal(
            "planning 10,000 jobs, time",
            ten_thousand.seconds,
            Unit::Seconds,
            1.0,
            1.0,
        ),
        goal(
            "planning 10,000 jobs, memory",
            ten_thousand.peak_mb[1],
            Unit::Mb,
            500.0,
            500.0,
        ),
    ]
}

fn in_a_process(jobs: usize) -> Alone {
    let this = std::env::current_exe().expect("this program");
    let (output, _) = timed(Command::new(this).args(["--plan-alone", &jobs.to_string()]));
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    let numbers = printed.split_whitespace();
    let numbers: Vec<f64> = numbers
        .map(|number| number.parse().expect("a number"))
        .collect();
    Alone {
        seconds: numbers[0],
        peak_mb: [numbers[1], numbers[2]],
    }
}

/// Plans in this process, and prints what that took.
pub(crate) fn alone(jobs: usize) {
    let (jobs, inventory) = world(jobs);
    let given = peak_mb();
    let runs = (0..REPEATS).map(|_| {
        let start = processor_seconds();
        let plan = planner::plan(&jobs, &inventory);
        let time = processor_seconds() - start;
        let is_complete = plan.iter().all(|job| job.actions.len() == 3);
        assert!(
            is_complete,
            "each job copies, tags and deletes: {:?}",
            plan.first()
        );
        time
    });
    let time = median(runs.collect());
    println!("{time} {given} {}", peak_mb());
}

/// Returns the processor time that this process has used so far. Planning waits for nothing, so other work of the machine does not
/// count.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/schedstat").expect("Linux");
    let nanoseconds = stat.split_whitespace().next();
    let nanoseconds: Option<f64> = nanoseconds.and_then(|number| number.parse().ok());
    nanoseconds.expect("the time") / 1e9
}

/// Returns the peak of this process's memory.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("the peak") * 1024.0 / 1e6
}

/// Databases with copies of all snapshots of a month but the newest: each has a snapshot to copy and a copy to delete.
fn world(jobs: usize) -> (Vec<SyncJob>, Inventory) {
    let now: Timestamp = "2026-01-15T06:00:00Z".parse().expect("a time");
    let client_config = Arc::new(ClientConfig::default());
    let identity = CallerIdentity {
        account_id: AccountId::from("123456789012"),
        endpoint_url: None,
        unconfirmed: None,
    };
    let job = |database: ParentId| SyncJob {
        name: JobName::from(format!("sync_{database}")),
        source_region: Region::from(EAST),
        destination_region: Region::from(WEST),
        client_config: Arc::clone(&client_config),
        kms_key_id: None,
        has_shared_parent_name: false,
        rules: Arc::new(DbSnapshotOptions {
            retain_earlier_databases: None,
            db_instance: database,
            max_snapshots_to_retain: SNAPSHOTS - 1,
            option_group_name: None,
        }),
    };
    let names = (0..jobs).map(|number| ParentId::from(format!("database-{number}")));
    let jobs: Vec<SyncJob> = names.map(job).collect();
    let observation = |job: &SyncJob| {
        let database = job.rules.parent().expect("a database");
        let time = |day: u32| now - SignedDuration::from_hours(24 * i64::from(day));
        let automated = |day| automated(database, time(day));
        let observation = Observation {
            cluster: None,
            limit: None,
            references: BTreeMap::new(),
            options: BTreeMap::new(),
            identity: Ok(identity.clone()),
            sources: Ok((0..SNAPSHOTS).map(automated).collect()),
            copies: Ok((1..=SNAPSHOTS).map(|day| copy(automated(day))).collect()),
        };
        (job.name.clone(), observation)
    };
    let inventory = Inventory {
        provider: ProviderKind::Aws,
        observed_at: now,
        jobs: jobs.iter().map(observation).collect(),
    };
    (jobs, inventory)
}

fn automated(database: &ParentId, time: Timestamp) -> Artifact {
    let id = format!("rds:{database}-{}", time.strftime("%Y-%m-%d-%H-%M"));
    let id = ArtifactId::from(id);
    Artifact {
        kind: Kind::DbSnapshot,
        arn: arn(EAST, &id),
        id,
        parent: Some(database.clone()),
        state: ArtifactState::available(),
        created: Some(time),
        data_time: Some(time),
        copied_from: None,
        encrypted: Some(false),
        size_gib: Some(100),
        percent: Some(100),
        tags: Tags::from([("Team", "data")]),
        has_unknown_tags: false,
        database_time: None,
        image: None,
        snapshot: Some(Arc::clone(&DETAILS)),
    }
}

fn copy(source: Artifact) -> Artifact {
    let id = ArtifactId::from(source.id.as_str().replace(':', "-"));
    let time = source.source_time().expect("a time");
    let mut tags = source.tags;
    let sync_tag = SyncTag::new(time, source.id.as_str()).to_string();
    tags.insert(key_on_copy(&Region::from(EAST)), sync_tag);
    Artifact {
        arn: arn(WEST, &id),
        id,
        copied_from: Some(source.arn),
        tags,
        ..source
    }
}

fn arn(region: &str, id: &ArtifactId) -> Arn {
    Arn::from(format!("arn:aws:rds:{region}:123456789012:snapshot:{id}"))
}
