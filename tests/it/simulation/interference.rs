//! What people and the gem do to copies and sources.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::SignedDuration;

use super::faulty_provider::yield_turns;
use super::ledger::RecordedSandbox;
use super::older_copies;
use super::random::Random;
use super::rules;
use super::setup::{Setup, regions};
use crate::support::prelude::*;

/// What someone did: its name, a line for the report, and the copy that was changed.
#[derive(Default)]
pub struct Change {
    pub what: &'static str,
    pub description: String,
    pub copy: Option<String>,
}

impl Change {
    /// Returns a change that affects no copy. It is called `nothing` if nothing was done.
    fn new(what: &'static str, description: Option<String>) -> Self {
        Self {
            what: description.as_ref().map_or("nothing", |_| what),
            description: description.unwrap_or_default(),
            copy: None,
        }
    }
}

/// What plans are about: the copies that they delete, keep or tag, and the names that they give to copies.
#[derive(Default)]
pub struct Targets {
    pub copies: Vec<(Kind, String)>,
    pub names: Vec<(JobName, ArtifactId)>,
}

impl Targets {
    /// Returns what plans are about. Changes to these matter most.
    pub fn of(plans: &[Arc<SavedPlan>]) -> Self {
        let mut targets = Self::default();
        for job in plans.iter().flat_map(|plan| &plan.jobs) {
            for action in &job.actions {
                let copy = |id: &ArtifactId| (action.kind(), id.to_string());
                match action {
                    Action::Delete(deletion) => {
                        let kept = deletion.expects.kept.iter().map(|kept| copy(&kept.id));
                        let deleted = copy(&deletion.artifact.id);
                        targets.copies.extend(kept.chain([deleted]));
                    }
                    Action::TagCopy(tag) => targets.copies.push(copy(&tag.copy.id)),
                    Action::Copy(copy) => {
                        let id = copy.copy.id.clone();
                        targets.names.extend(id.map(|id| (job.name.clone(), id)));
                    }
                    Action::TagSource(_) => {}
                }
            }
        }
        targets
    }
}

/// Changes the world a few times while plans are applied.
pub async fn meanwhile(
    recorded: &RecordedSandbox,
    setup: &Setup,
    targets: Targets,
    mut random: Random,
) -> Option<Vec<SyncResult>> {
    for _ in 0..=random.below(3) {
        yield_turns(random.below(60)).await;
        let change = recorded.edit(|world| interfere(&mut random, setup, &targets, world));
        let mut ledger = recorded.ledger();
        ledger.count("someone interferes with an apply");
        ledger.log_line(|| format!("    meanwhile: {}", change.description));
        drop(ledger);
        recorded.record_interference(change.copy);
    }
    None
}

/// Changes a copy as someone else would, more often than not one that plans are about.
pub fn interfere(
    random: &mut Random,
    setup: &Setup,
    targets: &Targets,
    world: &mut World,
) -> Change {
    let region = random.pick(&regions()).cloned().expect("a region");
    match random.weighted(&[60, 25, 10, 5, 6]) {
        0 => change_snapshot(random, setup, world, &region, &targets.copies),
        1 => change_image(random, world, &region, &targets.copies),
        2 => {
            let job = random.pick(&setup.jobs).expect("a job");
            let made = older_copies::add(random, job, world);
            Change::new("a copy is made by hand", made)
        }
        3 => {
            let garbled = garble_source(random, world, &region);
            Change::new("a tag of a source is garbled", garbled)
        }
        _ => {
            let taken = take_name(random, setup, targets, world);
            Change::new("the name of a copy is taken", taken)
        }
    }
}

/// The state of a copy that is to be removed from the world.
const REMOVED: &str = "removed";

/// How often a copy is changed in this way, the name of the change, and what is done.
type CopyChange = (usize, &'static str, fn(&mut Random, &mut WorldArtifact));

const SNAPSHOT_CHANGES: [CopyChange; 10] = [
    (24, "a copy is deleted by hand", |_, copy| {
        set(copy, REMOVED)
    }),
    (12, "a copy is marked to be kept", |_, copy| {
        copy.tags.insert("Sync-Keep", "yes");
    }),
    (10, "a sync tag is removed", |_, copy| remove_sync_tag(copy)),
    (4, "a sync tag names something else", |_, copy| {
        let value = "20260101000000+0000 / rds:elsewhere-2026-01-01-00-00";
        garble(&mut copy.tags, is_copy_key, value);
    }),
    (6, "a sync tag is garbled", |_, copy| {
        garble(&mut copy.tags, is_copy_key, "yesterday");
    }),
    (6, "what AWS states about a copy is gone", |random, copy| {
        copy.copied_from = None;
        if random.chance(50) {
            copy.data_time = None;
        }
    }),
    (8, "a copy fails", |_, copy| set(copy, "failed")),
    (6, "a copy is made available by hand", |_, copy| {
        set(copy, "available")
    }),
    (3, "what AWS states about a database is gone", |_, copy| {
        copy.parent_created = None
    }),
    (8, "a copy is being deleted by hand", |_, copy| {
        set(copy, "deleting")
    }),
];

const IMAGE_CHANGES: [CopyChange; 13] = [
    (1, "a copy of an image is removed", |_, copy| {
        set(copy, REMOVED)
    }),
    (1, "a copy of an image is deregistered", |_, copy| {
        set(copy, "deregistered")
    }),
    (1, "a copy of an image is disabled", |_, copy| {
        set(copy, "disabled")
    }),
    (1, "a copy of an image fails", |_, copy| set(copy, "failed")),
    (1, "a sync tag of an image is removed", |_, copy| {
        remove_sync_tag(copy)
    }),
    (1, "a sync tag of an image is garbled", |_, copy| {
        garble(&mut copy.tags, is_copy_key, "yesterday");
    }),
    (1, "a copy has another identifier", |_, copy| {
        copy.tags.insert("Sync-Identifier", "of last year");
    }),
    (1, "what AWS states about an image is gone", |_, copy| {
        copy.copied_from = None
    }),
    (
        1,
        "a copy of an image is made available by hand",
        |_, copy| set(copy, "available"),
    ),
    (1, "a copy of an image is launched", |random, copy| {
        let hours = SignedDuration::from_hours(random.within(0, 200));
        copy.last_launched = copy.created.map(|created| created + hours);
    }),
    (
        1,
        "the protection of a copy of an image is toggled",
        |_, copy| copy.deregistration_protection ^= true,
    ),
    (
        1,
        "a copy of an image becomes used or unused",
        |_, copy| match copy.references.pop() {
            Some(_) => {}
            None => copy.references.push("instance i-1".to_owned()),
        },
    ),
    (1, "a copy of an image is marked to be kept", |_, copy| {
        copy.tags.insert("Sync-Keep", "yes");
    }),
];

fn set(copy: &mut WorldArtifact, state: &str) {
    (copy.state, copy.copying) = (ArtifactState::from(state), None);
}

fn remove_sync_tag(copy: &mut WorldArtifact) {
    copy.tags.retain(|key, _| !is_copy_key(key));
}

fn is_copy_key(key: &str) -> bool {
    key.starts_with("Sync-From-")
}

fn garble(tags: &mut Tags, which: impl Fn(&str) -> bool, value: &str) {
    let given = |(key, old)| (key, if which(key) { value } else { old });
    *tags = tags.iter().map(given).collect();
}

/// Changes one of the copies at these places, at random.
fn change_copy(
    random: &mut Random,
    artifacts: &mut Vec<WorldArtifact>,
    copies: &[usize],
    changes: &[CopyChange],
    region: &Region,
) -> Change {
    let Some(at) = random.pick(copies).copied() else {
        return Change::new("nothing", None);
    };
    let weights: Vec<usize> = changes.iter().map(|change| change.0).collect();
    let (_, what, change) = changes[random.weighted(&weights)];
    let copy = &mut artifacts[at];
    let id = copy.id.to_string();
    change(random, copy);
    if copy.state.as_str() == REMOVED {
        artifacts.remove(at);
    }
    Change {
        what,
        description: format!("{what}: {id} in {region}"),
        copy: Some(id),
    }
}

fn places(artifacts: &[WorldArtifact], is_wanted: impl Fn(&WorldArtifact) -> bool) -> Vec<usize> {
    let numbered = artifacts.iter().enumerate();
    let wanted = numbered.filter(|(_, artifact)| is_wanted(artifact));
    wanted.map(|(at, _)| at).collect()
}

fn change_snapshot(
    random: &mut Random,
    setup: &Setup,
    world: &mut World,
    region: &Region,
    of_plans: &[(Kind, String)],
) -> Change {
    let Some(any) = random.pick(&setup.databases) else {
        return Change::new("nothing", None);
    };
    let target = random.pick(of_plans).filter(|_| of_plans.len() > 1);
    let kind = target.map_or(any.kind, |target| target.0);
    let is_target =
        |snapshot: &WorldArtifact| target.is_some_and(|target| snapshot.id.as_str() == target.1);
    let holds = |region: &&Region| {
        let here = world.region(region);
        here.is_some_and(|here| here.artifacts(kind).iter().any(is_target))
    };
    let region = &regions().iter().find(holds).unwrap_or(region).clone();
    let here = world.region_mut(region).expect("a region");
    let here = here.artifacts_mut(kind);
    let mut copies = places(here, |s| s.snapshot_type == SnapshotType::Manual);
    // The newest ones matter most.
    copies.sort_by_key(|at| Reverse(here[*at].data_time));
    copies.truncate(if random.chance(50) { 2 } else { usize::MAX });
    if let Some(target) = here.iter().position(is_target)
        && random.chance(70)
    {
        copies = vec![target];
    }
    change_copy(random, here, &copies, &SNAPSHOT_CHANGES, region)
}

fn change_image(
    random: &mut Random,
    world: &mut World,
    region: &Region,
    of_plans: &[(Kind, String)],
) -> Change {
    let here = &mut world.region_mut(region).expect("a region").images;
    let mut copies = places(here, |image| {
        image.copied_from.is_some() || image.tags.keys().any(is_copy_key)
    });
    let targets = places(here, |image| {
        of_plans.iter().any(|(_, id)| *id == *image.id.as_str())
    });
    if !targets.is_empty() && random.chance(60) {
        copies = targets;
    }
    change_copy(random, here, &copies, &IMAGE_CHANGES, region)
}

fn garble_source(random: &mut Random, world: &mut World, region: &Region) -> Option<String> {
    let keys = regions().map(|region| format!("Sync-{region}"));
    let here = &mut world.region_mut(region).expect("a region").images;
    let sources = places(here, |image| {
        keys.iter().any(|key| image.tags.contains_key(key))
    });
    let source = &mut here[*random.pick(&sources)?];
    let is_sync_tag = |key: &str| key.starts_with("Sync-") && key != "Sync-Identifier";
    garble(&mut source.tags, is_sync_tag, "yesterday");
    Some(format!("the sync tags of {} are garbled", source.id))
}

/// Gives another snapshot of the database the name that a copy is to have.
fn take_name(
    random: &mut Random,
    setup: &Setup,
    targets: &Targets,
    world: &mut World,
) -> Option<String> {
    let (job, name) = random.pick(&targets.names)?;
    let job = setup.job(job);
    let mut databases = world
        .region(&job.source_region)?
        .databases(job.kind())
        .iter();
    let database = databases.find(|database| Some(&database.id) == job.rules.parent())?;
    let taken = world.now - SignedDuration::from_hours(random.within(1, 2000));
    let mut other = WorldArtifact::snapshot(database, name.as_str(), SnapshotType::Manual, taken);
    other.account = rules::account_of(&job.client_config).clone();
    if random.chance(30) {
        other.data_time = None;
    }
    let to = &job.destination_region;
    let here = world.region_mut(to)?.artifacts_mut(job.kind());
    if here.iter().any(|s| s.id == *name) {
        return None;
    }
    here.push(other);
    Some(format!("{name} in {to} is taken for something else"))
}
