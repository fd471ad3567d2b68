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

/// A database or cluster that a job is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The kind of its snapshots.
    pub kind: Kind,
    pub region: Region,
    pub id: ParentId,
    pub account: AccountId,
}

impl Database {
    fn of_job(job: &SyncJob) -> Option<Self> {
        Some(Self {
            kind: job.kind(),
            region: job.source_region.clone(),
            id: job.rules.parent()?.clone(),
            account: rules::account_of(&job.client_config).clone(),
        })
    }

    /// Finds it in a world.
    pub fn find<'w>(&self, world: &'w World) -> Option<&'w WorldDatabase> {
        let mut all = world.region(&self.region)?.databases(self.kind).iter();
        all.find(|other| other.id == self.id && other.account == self.account)
    }

    /// Returns true for its automated snapshots.
    pub fn has(&self, snapshot: &WorldArtifact) -> bool {
        snapshot.snapshot_type == SnapshotType::Automated
            && snapshot.parent.as_ref() == Some(&self.id)
            && snapshot.account == self.account
    }
}

pub struct Setup {
    pub jobs: Vec<SyncJob>,
    pub callers: Callers,
    pub databases: Vec<Database>,
    /// The images that jobs are about, each with its region.
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
    for database in &setup.databases {
        let created = start() - SignedDuration::from_hours(9000);
        let mut made = WorldDatabase::new(database.id.as_str(), &database.account, created);
        let mut jobs = setup.jobs.iter();
        let has_key = jobs.any(|job| {
            job.kms_key_id.is_some() && Database::of_job(job).as_ref() == Some(database)
        });
        // A copy of an unencrypted cluster can't have a key.
        let needs_key = database.kind == Kind::DbClusterSnapshot && has_key;
        if random.chance(if needs_key { 85 } else { 15 }) {
            made.kms_key_id = Some(KEY.to_owned());
        }
        let here = world.add_region(&database.region);
        here.add_database(database.kind, made);
    }
    environment::furnish(random, &setup, &mut world);
    (setup, world)
}

fn add_job(random: &mut Random, setup: &mut Setup, n: i64) {
    // The last four close rings of two and three regions.
    let (from, to) = match random.weighted(&[6, 2, 2, 1, 1]) {
        0 => (east(), west()),
        1 => (west(), east()),
        2 => (eu(), west()),
        3 => (west(), eu()),
        _ => (eu(), east()),
    };
    let client = Arc::new(match random.weighted(&[6, 2, 2]) {
        0 => ClientConfig::default(),
        1 => with_keys(None),
        _ => with_keys(Some(AccountId::from(OTHER_ACCOUNT))),
    });
    let other = client.account_id.is_some();
    let number = random.below(2);
    let rules: Arc<dyn SyncTypeRules> = if random.chance(65) {
        random_database(random, if other { "their" } else { "db" }, number)
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

/// Returns the rules of a job for a database or a cluster. Both have the same names; each account has its own.
fn random_database(random: &mut Random, name: &str, number: usize) -> Arc<dyn SyncTypeRules> {
    let id = ParentId::from(format!("{name}{number}"));
    let earlier = random.chance(40);
    let retain_earlier_databases = earlier.then_some(SignedDuration::from_hours(24 * 3));
    let max_snapshots_to_retain = random_retention(random);
    if random.chance(35) {
        return Arc::new(DbClusterSnapshotOptions {
            retain_earlier_databases,
            db_cluster: id,
            max_snapshots_to_retain,
        });
    }
    Arc::new(DbSnapshotOptions {
        retain_earlier_databases,
        db_instance: id,
        max_snapshots_to_retain,
        option_group_name: None,
    })
}

fn random_retention(random: &mut Random) -> u32 {
    u32::try_from(random.below(5)).expect("a small number")
}

fn random_key(random: &mut Random) -> Option<String> {
    match random.weighted(&[7, 4, 1]) {
        0 => None,
        1 => Some(KEY.to_owned()),
        _ => Some(OTHER_KEY.to_owned()),
    }
}

/// Returns the rules of a job, but with different retention.
fn with_other_retention(random: &mut Random, job: &SyncJob) -> Arc<dyn SyncTypeRules> {
    if let Some(options) = ami_options(job) {
        return Arc::new(AmiOptions {
            max_images_to_retain: random_max_images(random),
            ..options.clone()
        });
    }
    let rules: &dyn Any = &*job.rules;
    if let Some(options) = rules.downcast_ref::<DbSnapshotOptions>() {
        return Arc::new(DbSnapshotOptions {
            max_snapshots_to_retain: random_retention(random),
            ..options.clone()
        });
    }
    if let Some(options) = rules.downcast_ref::<DbClusterSnapshotOptions>() {
        return Arc::new(DbClusterSnapshotOptions {
            max_snapshots_to_retain: random_retention(random),
            ..options.clone()
        });
    }
    Arc::clone(&job.rules)
}

/// Adds a job, unless that would make the config invalid because it copies the same database to the same place twice.
fn register(setup: &mut Setup, mut job: SyncJob) {
    let account = rules::account_of(&job.client_config).clone();
    match Database::of_job(&job) {
        Some(database) => {
            let has_name = |other: &&SyncJob| {
                other.kind() == job.kind()
                    && other.rules.parent() == job.rules.parent()
                    && other.destination_region == job.destination_region
            };
            let mut others = setup.jobs.iter().filter(has_name);
            let has_shared_parent_name = others.clone().next().is_some();
            if others.any(|other| other.source_region == job.source_region) {
                return;
            }
            job.has_shared_parent_name = has_shared_parent_name;
            if !setup.databases.contains(&database) {
                setup.databases.push(database);
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
