//! What people and the older tool do to copies.

use aws_xregion_sync::model::artifact::ArtifactState;
use aws_xregion_sync::model::ids::{ArtifactId, JobName, Region};
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::sandbox::{
    SnapshotType, World, WorldArtifact, automated_id, snapshot_arn,
};
use aws_xregion_sync::sync_types::SyncJob;
use jiff::SignedDuration;

use super::environment;
use super::random::Random;
use super::rules;
use super::setup::{KindDatabase, Setup, regions};

/// What somebody did: its kind, a line for the history, and the copy it was done to.
pub struct Change {
    pub what: &'static str,
    pub description: String,
    pub copy: Option<String>,
}

/// What plans are about: copies that they delete, keep or tag, and the names that jobs are to give.
#[derive(Default)]
pub struct Aims {
    pub copies: Vec<String>,
    pub names: Vec<(JobName, ArtifactId)>,
}

/// Somebody has a hand in a copy; more often than not in one that plans are about.
pub fn interfere(random: &mut Random, setup: &Setup, aims: &Aims, world: &mut World) -> Change {
    let region = random.pick(&regions()).cloned().expect("a region");
    match random.weighed(&[60, 25, 10, 5, 6]) {
        0 => on_a_snapshot(random, world, &region, &aims.copies),
        1 => on_an_image(random, world, &region),
        2 => {
            let job = random.pick(&setup.jobs).expect("a job");
            let made = older_copy(random, job, world);
            change("a copy is made by hand", made)
        }
        3 => on_a_source(random, world, &region),
        _ => change(
            "the name of a copy is taken",
            take_a_name(random, setup, aims, world),
        ),
    }
}

fn change(what: &'static str, description: Option<String>) -> Change {
    match description {
        Some(description) => Change {
            what,
            description,
            copy: None,
        },
        None => Change {
            what: "nothing",
            description: String::new(),
            copy: None,
        },
    }
}

fn on_a_snapshot(
    random: &mut Random,
    world: &mut World,
    region: &Region,
    of_plans: &[String],
) -> Change {
    let aimed = random
        .pick(of_plans)
        .filter(|_| of_plans.len() > 1)
        .cloned();
    let is_aimed = |snapshot: &WorldArtifact| Some(snapshot.id.as_str()) == aimed.as_deref();
    let holds = |region: &&Region| {
        world
            .region(region)
            .is_some_and(|here| here.snapshots.iter().any(is_aimed))
    };
    let region = &regions().iter().find(holds).unwrap_or(region).clone();
    let here = world.region_mut(region).expect("a region");
    let mut copies: Vec<usize> = (0..here.snapshots.len())
        .filter(|at| here.snapshots[*at].snapshot_type == SnapshotType::Manual)
        .collect();
    // The newest ones matter most.
    copies.sort_by_key(|at| std::cmp::Reverse(here.snapshots[*at].data_time));
    copies.truncate(if random.chance(50) { 2 } else { usize::MAX });
    if let Some(aimed) = here.snapshots.iter().position(is_aimed)
        && random.chance(70)
    {
        copies = vec![aimed];
    }
    let Some(at) = random.pick(&copies).copied() else {
        return change("nothing", None);
    };
    let copy = &mut here.snapshots[at];
    let id = copy.id.to_string();
    let what = match random.weighed(&[24, 12, 10, 4, 6, 6, 8, 6, 3, 8]) {
        0 => {
            here.snapshots.remove(at);
            "a copy is deleted by hand"
        }
        1 => {
            copy.tags.insert("Sync-Keep".to_owned(), "yes".to_owned());
            "a copy is marked to be kept"
        }
        2 => {
            copy.tags.retain(|key, _| !key.starts_with("Sync-From-"));
            "a sync tag is removed"
        }
        3 => {
            garble(
                &mut copy.tags,
                "20260101000000+0000 / rds:elsewhere-2026-01-01-00-00",
            );
            "a sync tag names something else"
        }
        4 => {
            garble(&mut copy.tags, "yesterday");
            "a sync tag is garbled"
        }
        5 => {
            copy.copied_from = None;
            if random.chance(50) {
                copy.data_time = None;
            }
            "what AWS states of a copy is gone"
        }
        6 => {
            (copy.state, copy.copying) = (ArtifactState::from("failed"), None);
            "a copy fails"
        }
        7 => {
            (copy.state, copy.copying) = (ArtifactState::available(), None);
            "a copy is made available by hand"
        }
        8 => {
            copy.parent_created = None;
            "what AWS states of a database is gone"
        }
        _ => {
            (copy.state, copy.copying) = (ArtifactState::from("deleting"), None);
            "a copy is being deleted by hand"
        }
    };
    Change {
        what,
        description: format!("{what}: {id} in {region}"),
        copy: Some(id),
    }
}

fn garble(tags: &mut Tags, value: &str) {
    garble_those(tags, |key| key.starts_with("Sync-From-"), value);
}

fn garble_those(tags: &mut Tags, which: impl Fn(&str) -> bool, value: &str) {
    let given = |(key, old)| (key, if which(key) { value } else { old });
    *tags = tags.iter().map(given).collect();
}

/// Somebody gives another snapshot of the database the name that a copy is to have.
fn take_a_name(
    random: &mut Random,
    setup: &Setup,
    aims: &Aims,
    world: &mut World,
) -> Option<String> {
    let (job, name) = random.pick(&aims.names)?;
    let job = setup.job(job);
    let account = rules::account_of(job);
    let from = world.region(&job.source_region)?;
    let database = from
        .databases
        .iter()
        .find(|db| Some(&db.id) == job.kind_database())?;
    let taken = world.now - SignedDuration::from_hours(random.within(1, 2000));
    let mut other = WorldArtifact::snapshot(database, name.as_str(), SnapshotType::Manual, taken);
    other.account = account;
    if random.chance(30) {
        other.data_time = None;
    }
    let here = world.region_mut(&job.destination_region)?;
    if here.snapshots.iter().any(|s| s.id == *name) {
        return None;
    }
    here.snapshots.push(other);
    Some(format!(
        "{name} in {} is taken for something else",
        job.destination_region
    ))
}

fn on_an_image(random: &mut Random, world: &mut World, region: &Region) -> Change {
    let here = world.region_mut(region).expect("a region");
    let is_copy = |image: &WorldArtifact| {
        image.copied_from.is_some() || image.tags.keys().any(|key| key.starts_with("Sync-From-"))
    };
    let copies: Vec<usize> = (0..here.images.len())
        .filter(|at| is_copy(&here.images[*at]))
        .collect();
    let Some(at) = random.pick(&copies).copied() else {
        return change("nothing", None);
    };
    let copy = &mut here.images[at];
    let id = copy.id.to_string();
    let what = match random.below(8) {
        0 => {
            here.images.remove(at);
            "a copy of an image is removed"
        }
        1 => {
            (copy.state, copy.copying) = (ArtifactState::from("deregistered"), None);
            "a copy of an image is deregistered"
        }
        2 => {
            (copy.state, copy.copying) = (ArtifactState::from("disabled"), None);
            "a copy of an image is disabled"
        }
        3 => {
            (copy.state, copy.copying) = (ArtifactState::from("failed"), None);
            "a copy of an image fails"
        }
        4 => {
            copy.tags.retain(|key, _| !key.starts_with("Sync-From-"));
            "a sync tag of an image is removed"
        }
        5 => {
            garble(&mut copy.tags, "yesterday");
            "a sync tag of an image is garbled"
        }
        6 => {
            copy.copied_from = None;
            "what AWS states of an image is gone"
        }
        _ => {
            (copy.state, copy.copying) = (ArtifactState::available(), None);
            "a copy of an image is made available by hand"
        }
    };
    Change {
        what,
        description: format!("{what}: {id} in {region}"),
        copy: Some(id),
    }
}

fn on_a_source(random: &mut Random, world: &mut World, region: &Region) -> Change {
    let here = world.region_mut(region).expect("a region");
    let sources: Vec<usize> = (0..here.images.len())
        .filter(|at| {
            here.images[*at]
                .tags
                .keys()
                .any(|key| regions().iter().any(|r| *key == format!("Sync-{r}")))
        })
        .collect();
    let Some(at) = random.pick(&sources).copied() else {
        return change("nothing", None);
    };
    let source = &mut here.images[at];
    let is_of_sync = |key: &str| key.starts_with("Sync-") && key != "Sync-Identifier";
    garble_those(&mut source.tags, is_of_sync, "yesterday");
    change(
        "a tag of a source is garbled",
        Some(format!("the sync tags of {} are garbled", source.id)),
    )
}

/// A copy of some snapshot or image of a job, as the older tool, this one or a person leaves it.
pub fn older_copy(random: &mut Random, job: &SyncJob, world: &mut World) -> Option<String> {
    let Some(database) = job.kind_database() else {
        return environment::image_copy_by_hand(random, job, world);
    };
    let account = rules::account_of(job);
    let from = world.region(&job.source_region)?;
    let made = from
        .databases
        .iter()
        .find(|db| db.id == *database && db.account == account)?;
    // Of a snapshot that is still there, or of one that has expired since.
    let there: Vec<WorldArtifact> = from
        .snapshots
        .iter()
        .filter(|s| s.parent.as_ref() == Some(database) && s.account == account)
        .filter(|s| s.snapshot_type == SnapshotType::Automated)
        .cloned()
        .collect();
    let coin = random.chance(50);
    let taken = random
        .pick(&there)
        .filter(|_| coin)
        .and_then(|s| s.data_time);
    let age = SignedDuration::from_secs(random.within(3000, 1_000_000));
    let taken = taken.unwrap_or(world.now - age);
    let source = automated_id(database, taken);
    let name = source.as_str().replace(':', "-");
    let mut copy = WorldArtifact::snapshot(made, &name, SnapshotType::Manual, taken);
    copy.copied_from = Some(snapshot_arn(&job.source_region, &account, &source));
    copy.created = Some(taken + SignedDuration::from_mins(20));
    let key = format!("Sync-From-{}", job.source_region);
    copy.tags
        .insert(key.clone(), rules::tag_value(taken, source.as_str()));
    match random.weighed(&[50, 15, 8, 10, 8, 4]) {
        0 => {}
        1 => (copy.copied_from, copy.data_time) = (None, None),
        2 => copy.tags.clear(),
        3 => {
            copy.tags.clear();
            copy.id = ArtifactId::from(format!("by-hand-{name}"));
        }
        4 => copy.state = ArtifactState::from("failed"),
        // Something else under the name that a copy would get.
        _ => {
            copy.tags.clear();
            (copy.copied_from, copy.data_time) = (None, None);
        }
    }
    let here = world.region_mut(&job.destination_region)?;
    if here
        .snapshots
        .iter()
        .any(|s| s.id == copy.id && s.account == copy.account)
    {
        return None;
    }
    let description = format!("{} ({}) is there, a copy of {source}", copy.id, copy.state);
    here.snapshots.push(copy);
    Some(description)
}
