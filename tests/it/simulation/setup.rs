//! Random configs and worlds.

use std::any::Any;
use std::sync::Arc;

use aws_xregion_sync::executor::Callers;
use jiff::SignedDuration;

use super::environment;
use super::random::Random;
use super::rules;
use crate::support::prelude::*;
use crate::support::{ami_options, change_ami, east, selector, start, west};

/// A secret that no plan or result may show.
pub const SECRETS: [&str; 3] = [
    "AKIASIMULATED0EXAMPLE",
    "wJalrXUtnFEMI7MDENGsimulated",
    "FwoGZXIvYXdzEJrSIMULATED",
];

const OTHER_ACCOUNT: &str = "210987654321";
pub const KEY: &str = "alias/backup";
const OTHER_KEY: &str = "alias/other";

pub struct Setup {
    pub jobs: Vec<SyncJob>,
    pub callers: Callers,
    /// The databases and images that jobs are about, each with its region.
    pub databases: Vec<(Region, ParentId, AccountId)>,
    pub images: Vec<(Region, String, AccountId)>,
}

impl Setup {
    pub fn job(&self, name: &JobName) -> &SyncJob {
        let found = self.jobs.iter().find(|job| job.name == *name);
        found.expect("a job of the config")
    }

    /// Returns true if a job is one of several destinations.
    pub fn has_destinations(&self) -> bool {
        let mut names = self.jobs.iter().map(|job| &job.name);
        names.any(|name| name.key() != name.as_str())
    }

    /// Returns a line for each job.
    pub fn description(&self) -> String {
        let lines = self.jobs.iter().map(|job| {
            let (from, to) = (&job.source_region, &job.destination_region);
            let what = format!("{:?}", job.rules);
            let key = job.kms_key_id.as_deref().unwrap_or("no key");
            format!(
                "  {}: {what}, {from} to {to}, {key}, account {}",
                job.name,
                rules::account_of(&job.client_config)
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn eu() -> Region {
    Region::from("eu-west-1")
}

pub fn regions() -> [Region; 3] {
    [east(), west(), eu()]
}

pub fn random(random: &mut Random) -> (Setup, World) {
    let mut world = World::new(start());
    world.listing_seed = random.next();
    world.copy_seconds = u64::try_from(random.within(300, 4000)).expect("a length");
    world.add_account(&AccountId::from(OTHER_ACCOUNT));
    for region in regions() {
        let here = world.add_region(&region);
        here.kms_keys = vec![KEY.to_owned(), OTHER_KEY.to_owned()];
    }
    let mut setup = Setup {
        jobs: Vec::new(),
        callers: Callers::new(),
        databases: Vec::new(),
        images: Vec::new(),
    };
    for n in 0..random.within(1, 4) {
        add_job(random, &mut setup, n);
    }
    for (region, id, account) in &setup.databases {
        let mut database = WorldDatabase::new(
            id.as_str(),
            account,
            start() - SignedDuration::from_hours(9000),
        );
        if random.chance(15) {
            database.kms_key_id = Some(KEY.to_owned());
        }
        world.add_region(region).databases.push(database);
    }
    environment::furnish(random, &setup, &mut world);
    (setup, world)
}

fn add_job(random: &mut Random, setup: &mut Setup, n: i64) {
    // The last four close rings of two and three regions.
    let (from, to) = match random.weighed(&[6, 2, 2, 1, 1]) {
        0 => (east(), west()),
        1 => (west(), east()),
        2 => (eu(), west()),
        3 => (west(), eu()),
        _ => (eu(), east()),
    };
    let client = Arc::new(match random.weighed(&[6, 2, 2]) {
        0 => ClientConfig::default(),
        1 => with_keys(None),
        _ => with_keys(Some(AccountId::from(OTHER_ACCOUNT))),
    });
    let other = client.account_id.is_some();
    let number = random.below(2);
    let rules: Arc<dyn SyncTypeRules> = if random.chance(65) {
        // The other account has its own databases and images.
        let id = ParentId::from(format!("{}{number}", if other { "their" } else { "db" }));
        Arc::new(DbSnapshotOptions {
            retain_earlier_databases: random
                .chance(40)
                .then_some(SignedDuration::from_hours(24 * 3)),
            db_instance: id,
            max_snapshots_to_retain: u32::try_from(random.below(5)).expect("a small number"),
            option_group_name: None,
        })
    } else {
        let identifier = format!("{} {number}", if other { "their app" } else { "app" });
        Arc::new(AmiOptions {
            ami_owner: "self".to_owned(),
            sync_identifier: Some(identifier),
            filters: Vec::new(),
            most_recent: random.chance(60),
            include_copies: false,
            max_images_to_retain: random_max_images(random),
            keep_launched_within: Some(SignedDuration::from_hours(24 * 3)),
            copy_within: random.chance(20).then(|| SignedDuration::from_mins(30)),
        })
    };
    let job = SyncJob {
        name: JobName::from(format!("sync_{n}")),
        source_region: from,
        destination_region: to,
        client_config: client,
        kms_key_id: random_key(random),
        has_shared_parent_name: false,
        rules,
    };
    if !random.chance(25) {
        return register(setup, job);
    }
    // The config lists destinations, each with options of its own.
    let others = regions().into_iter();
    let mut others =
        others.filter(|other| ![&job.source_region, &job.destination_region].contains(&other));
    let other = others.next().expect("a third region");
    let other = SyncJob {
        kms_key_id: random_key(random),
        destination_region: other,
        rules: with_other_retention(random, &job),
        ..job.clone()
    };
    for job in [job, other] {
        let name = JobName::of_destination(job.name.as_str(), &job.destination_region);
        register(setup, SyncJob { name, ..job });
    }
}

fn random_max_images(random: &mut Random) -> Option<u32> {
    random
        .chance(35)
        .then(|| u32::try_from(random.below(3)).expect("a small number"))
}

fn random_key(random: &mut Random) -> Option<String> {
    match random.weighed(&[7, 4, 1]) {
        0 => None,
        1 => Some(KEY.to_owned()),
        _ => Some(OTHER_KEY.to_owned()),
    }
}

/// Returns the rules of a job, but with a retention of their own.
fn with_other_retention(random: &mut Random, job: &SyncJob) -> Arc<dyn SyncTypeRules> {
    if let Some(options) = ami_options(job) {
        return Arc::new(AmiOptions {
            max_images_to_retain: random_max_images(random),
            ..options.clone()
        });
    }
    let rules: &dyn Any = &*job.rules;
    match rules.downcast_ref::<DbSnapshotOptions>() {
        Some(options) => Arc::new(DbSnapshotOptions {
            max_snapshots_to_retain: u32::try_from(random.below(5)).expect("a small number"),
            ..options.clone()
        }),
        None => Arc::clone(&job.rules),
    }
}

/// Adds a job, unless that would make the config invalid because it copies the same database to the same place twice.
fn register(setup: &mut Setup, mut job: SyncJob) {
    let account = rules::account_of(&job.client_config).clone();
    let destination = &job.destination_region;
    let has_name = |name: &ParentId| {
        let mut others = setup.jobs.iter();
        others.any(|other| {
            other.rules.parent() == Some(name) && other.destination_region == *destination
        })
    };
    match job.rules.parent().cloned() {
        Some(parent) => {
            let place = (job.source_region.clone(), parent.clone(), account);
            let same = |other: &SyncJob| {
                other.rules.parent() == Some(&parent)
                    && other.source_region == job.source_region
                    && other.destination_region == job.destination_region
            };
            if setup.jobs.iter().any(same) {
                return;
            }
            job.has_shared_parent_name = has_name(&parent);
            if !setup.databases.contains(&place) {
                setup.databases.push(place);
            }
        }
        None => {
            let identifier = selector(&job).sync_identifiers[0].clone();
            // Of two jobs that count the same copies, neither may delete any.
            let is_rival = |job: &SyncJob, other: &SyncJob| {
                let is_same = other.rules.identifier() == job.rules.identifier();
                let retains = |job: &SyncJob| job.rules.retention().is_some();
                is_same
                    && other.source_region == job.source_region
                    && other.destination_region == job.destination_region
                    && (retains(other) || retains(job))
            };
            let has_rival = |job: &SyncJob| setup.jobs.iter().any(|other| is_rival(job, other));
            if has_rival(&job) {
                change_ami(&mut job, |ami| ami.max_images_to_retain = None);
            }
            if has_rival(&job) {
                return;
            }
            let place = (job.source_region.clone(), identifier, account);
            if !setup.images.contains(&place) {
                setup.images.push(place);
            }
        }
    }
    let client = Arc::clone(&job.client_config);
    setup.callers.insert(job.name.clone(), Ok(client));
    setup.jobs.push(job);
}

fn with_keys(account_id: Option<AccountId>) -> ClientConfig {
    ClientConfig {
        access_key: Some(Secret::new(SECRETS[0])),
        secret_key: Some(Secret::new(SECRETS[1])),
        session_token: Some(Secret::new(SECRETS[2])),
        account_id,
        ..ClientConfig::default()
    }
}
