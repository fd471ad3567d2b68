//! The planner alone: jobs and what was observed in, a plan out.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::id::{
    AccountId, DbInstance, JobName, Region, SnapshotArn, SnapshotId,
};
use aws_xregion_sync::model::inventory::{
    CallerIdentity, Found, Inventory, Observation, ProviderKind, Snapshot, State,
};
use aws_xregion_sync::model::job::{JobKind, SnapshotJob, SyncJob};
use aws_xregion_sync::model::sync_tag::{SyncTag, key_on_copy};
use aws_xregion_sync::planner;
use jiff::{SignedDuration, Timestamp};

use crate::moto::world::{EAST, WEST};
use crate::reach::{Goal, Unit};
use crate::table::{self, seconds, times};
use crate::timing::{median, timed};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const SNAPSHOTS: u32 = 30;
const REPEATS: usize = 7;

/// What a process of its own tells of planning.
struct Alone {
    /// Of processor time, for the median plan.
    seconds: f64,
    /// The most memory it ever had, with jobs and inventory alone, and in the end.
    peak_mb: [f64; 2],
}

pub(crate) fn measure() -> Vec<Goal> {
    let measured = SIZES.map(|jobs| {
        eprintln!("planning {jobs} jobs");
        in_a_process(jobs)
    });
    let rows: Vec<_> = SIZES
        .iter()
        .enumerate()
        .map(|(at, jobs)| {
            let Alone {
                seconds: time,
                peak_mb,
            } = &measured[at];
            let before = at
                .checked_sub(1)
                .map(|before| time / measured[before].seconds);
            let [given, planned] = peak_mb.map(|mb| format!("{mb:.0} MB"));
            [
                jobs.to_string(),
                seconds(*time),
                before.map_or_else(|| "-".to_owned(), times),
                given,
                planned,
            ]
        })
        .collect();
    let head = [
        "jobs",
        "processor time",
        "growth",
        "jobs and inventory",
        "peak memory",
    ];
    table::print("The planner alone, 30 snapshots on each side", head, &rows);
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
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = said
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    Alone {
        seconds: numbers[0],
        peak_mb: [numbers[1], numbers[2]],
    }
}

/// What that process does.
pub(crate) fn alone(jobs: usize) {
    let (jobs, inventory) = world(jobs);
    let given = peak_mb();
    let taken = (0..REPEATS).map(|_| {
        let start = processor_seconds();
        let plan = planner::plan(&jobs, &inventory);
        let taken = processor_seconds() - start;
        let due = plan.iter().all(|job| job.actions.len() == 3);
        assert!(due, "each job copies, tags and deletes: {:?}", plan.first());
        taken
    });
    let taken = median(taken.collect());
    println!("{taken} {given} {}", peak_mb());
}

/// The processor time that this process used so far. Planning waits for nothing, and what else the machine is busy with
/// does not count.
fn processor_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/schedstat").expect("a Linux that tells");
    let nanoseconds = stat.split_whitespace().next();
    let nanoseconds: Option<f64> = nanoseconds.and_then(|number| number.parse().ok());
    nanoseconds.expect("the time") / 1e9
}

/// The most memory that this process ever had.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux that tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("the peak") * 1024.0 / 1e6
}

/// Databases whose snapshots of a month are copied, but for the newest: each has one to copy and one to retire.
fn world(jobs: usize) -> (Vec<SyncJob>, Inventory) {
    let (east, west) = (Region::from(EAST), Region::from(WEST));
    let now: Timestamp = "2026-01-15T06:00:00Z".parse().expect("a time");
    let client_config = Arc::new(ClientConfig::default());
    let identity = CallerIdentity {
        account_id: AccountId::from("123456789012"),
        endpoint_url: None,
    };
    let jobs: Vec<SyncJob> = (0..jobs)
        .map(|number| SyncJob {
            name: JobName::from(format!("sync_database_{number}")),
            source_region: east.clone(),
            destination_region: west.clone(),
            client_config: Arc::clone(&client_config),
            kms_key_id: None,
            kind: JobKind::Snapshot(SnapshotJob {
                db_instance: DbInstance::from(format!("database-{number}")),
                max_snapshots_to_retain: SNAPSHOTS - 1,
                option_group_name: None,
                is_namesake: false,
            }),
        })
        .collect();
    let observed = |job: &SyncJob| {
        let JobKind::Snapshot(snapshots) = &job.kind else {
            panic!("{job:?}")
        };
        let taken = |day: u32| now - SignedDuration::from_hours(24 * i64::from(day));
        let automated = |day| automated(&snapshots.db_instance, taken(day));
        let found = Found::Snapshots {
            source: Ok((0..SNAPSHOTS).map(automated).collect()),
            copies: Ok((1..=SNAPSHOTS).map(|day| copy(automated(day))).collect()),
        };
        let identity = Ok(identity.clone());
        (job.name.clone(), Observation { identity, found })
    };
    let inventory = Inventory {
        provider: ProviderKind::Aws,
        observed_at: now,
        jobs: jobs.iter().map(observed).collect(),
    };
    (jobs, inventory)
}

fn automated(database: &DbInstance, taken: Timestamp) -> Snapshot {
    let id = SnapshotId::from(format!(
        "rds:{database}-{}",
        taken.strftime("%Y-%m-%d-%H-%M")
    ));
    Snapshot {
        arn: arn(EAST, &id),
        id,
        db_instance: database.clone(),
        status: State::available(),
        created: Some(taken),
        original_created: Some(taken),
        copied_from: None,
        instance_created: None,
        encrypted: false,
        option_group_name: Some("default:postgres-16".into()),
        size_gib: Some(100),
        percent: Some(100),
        tags: [("Team".to_owned(), "data".to_owned())].into(),
    }
}

fn copy(source: Snapshot) -> Snapshot {
    let id = SnapshotId::from(source.id.as_str().replace(':', "-"));
    let mut tags = source.tags;
    if let Some(taken) = source.original_created {
        let tag = SyncTag::new(taken, source.id.as_str());
        tags.insert(key_on_copy(&Region::from(EAST)), tag.to_string());
    }
    Snapshot {
        arn: arn(WEST, &id),
        id,
        copied_from: Some(source.arn),
        tags,
        ..source
    }
}

fn arn(region: &str, id: &SnapshotId) -> SnapshotArn {
    SnapshotArn::from(format!("arn:aws:rds:{region}:123456789012:snapshot:{id}"))
}
