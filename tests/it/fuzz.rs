//! Random edits of plans, configs and sandboxes: no matter what they say, nothing panics, nothing hangs, and nothing is written
//! that the laws forbid.
//!
//! `hostile.rs` damages the text of files; most files that are edited here can be read, and are applied. `XRS_FUZZ_CASES=100000`
//! runs more cases.

mod edits;
mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aws_xregion_sync::model::identity::{copy_time, is_ours, ours};
use aws_xregion_sync::model::plan::Summary;
use aws_xregion_sync::ops::{self, ConfigFile, Options};
use aws_xregion_sync::planfile;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::simulation::random::Random;
use crate::support::*;
use edits::Editor;
use limits::run_within_limits;

/// A wait that ends even if a copy does not.
const WAIT: Wait = Wait::UpTo(SignedDuration::from_mins(20));

/// Returns a wait for every other case.
fn wait(case: u64) -> Wait {
    if case.is_multiple_of(2) {
        WAIT
    } else {
        Wait::No
    }
}

fn cases() -> u64 {
    let more = std::env::var("XRS_FUZZ_CASES").ok();
    more.map_or(3_000, |number| number.parse().expect("a number"))
}

/// Returns a world with something to copy, to tag and to delete, and with copies that must stay: a person's, one of an earlier
/// database, another tool's, and one with `Sync-Keep`.
fn world() -> World {
    let mut world = empty_world();
    world.copy_seconds = 60;
    add_automated(&mut world, "db", days_ago(0));
    add_image(&mut world, "ami-0a", "web", "Web");
    add_automated(&mut world, "other", days_ago(0));
    for day in 1..4 {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    let edit: [fn(&mut WorldArtifact); 4] = [
        |copy| copy.tags.clear(),
        |copy| copy.tags.insert("Sync-Keep", "yes"),
        |copy| copy.parent_created = Some(days_ago(900)),
        |copy| (copy.id, copy.tags, copy.copied_from) = ("by-hand".into(), Tags::default(), None),
    ];
    for (edit, day) in edit.into_iter().zip(4..) {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        edit(&mut copy);
        world.add_snapshot(&west(), copy);
    }
    add_copy_of_the_gem(&mut world, "other");
    add_our_copy(&mut world, "other", days_ago(1));
    world
}

fn jobs() -> Vec<SyncJob> {
    vec![
        ami_job("sync_web", "Web"),
        snapshot_job("sync_db", "db", 1),
        snapshot_job("sync_other", "other", 0),
    ]
}

/// Returns every text of a document.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

fn pool(documents: &[&Value]) -> Vec<String> {
    let mut found = BTreeSet::new();
    documents.iter().for_each(|value| texts(value, &mut found));
    found.into_iter().collect()
}

fn json_of(world: &World) -> Value {
    serde_json::from_str(&world.to_json()).expect("JSON")
}

/// An artifact of a world: its region, its kind, its account and its id.
type Place = (Region, Kind, AccountId, ArtifactId);

fn contents(world: &World) -> BTreeMap<Place, &WorldArtifact> {
    let regions = world.regions.iter();
    let contents = regions.flat_map(|(region, here)| {
        let images = here.images.iter().map(|image| (Kind::Image, image));
        let snapshots = here.snapshots.iter().map(|one| (Kind::DbSnapshot, one));
        images.chain(snapshots).map(|(kind, artifact)| {
            let (account, id) = (artifact.account.clone(), artifact.id.clone());
            ((region.clone(), kind, account, id), artifact)
        })
    });
    contents.collect()
}

/// Returns the manual snapshots of a region, as xrs sees them.
fn manual_snapshots(world: &World, region: &Region) -> Vec<Artifact> {
    let mut world = world.clone();
    world.faults.clear();
    let at = Location {
        credentials: Arc::default(),
        region: region.clone(),
    };
    let sandbox = Sandbox::new(world);
    block_on(sandbox.find(&at, Kind::DbSnapshot, &Query::AllManual)).unwrap_or_default()
}

/// Asserts that applying this plan did nothing that the laws forbid.
fn assert_lawful(before: &World, sandbox: &Sandbox, plan: &SavedPlan) {
    let after = sandbox.world();
    let (old, new) = (contents(before), contents(&after));
    let actions = || plan.jobs.iter().flat_map(|job| &job.actions);
    let deletions = || {
        actions().filter_map(|action| match action {
            Action::Delete(delete) => Some(&delete.artifact),
            _ => None,
        })
    };
    assert!(
        written(sandbox) <= actions().count(),
        "more writes than actions"
    );
    let copies = new.keys().filter(|place| !old.contains_key(place));
    let planned = actions().filter(|action| matches!(action, Action::Copy(_)));
    assert!(
        copies.count() <= planned.count(),
        "more copies than planned"
    );
    let mut deleted: BTreeMap<&Region, Vec<&ArtifactId>> = BTreeMap::new();
    for (place, artifact) in &old {
        let (region, kind, _, id) = place;
        let Some(now) = new.get(place) else {
            assert_eq!(*kind, Kind::DbSnapshot, "an image was deleted: {id}");
            let is_planned = deletions().any(|other| other.region == *region && other.id == *id);
            assert!(is_planned, "{id} was deleted without an action");
            deleted.entry(region).or_default().push(id);
            continue;
        };
        let is_changed = |key: &str| artifact.tags.get(key) != now.tags.get(key);
        let keys = artifact.tags.keys().chain(now.tags.keys());
        let changed: Vec<&str> = keys.filter(|key| is_changed(key)).collect();
        assert!(
            changed.is_empty() || is_to_tag(plan, region, id),
            "{changed:?} of {id} changed without an action"
        );
    }
    for (region, ids) in deleted {
        let found = manual_snapshots(before, region);
        let left = manual_snapshots(&after, region);
        for id in ids {
            assert_may_be_deleted(before, &found, &left, id);
        }
    }
}

fn is_to_tag(plan: &SavedPlan, region: &Region, id: &ArtifactId) -> bool {
    let mut actions = plan.jobs.iter().flat_map(|job| &job.actions);
    actions.any(|action| {
        let tagged = match action {
            Action::TagCopy(tag) => &tag.copy,
            Action::TagSource(tag) => &tag.source,
            Action::Copy(_) | Action::Delete(_) => return false,
        };
        tagged.region == *region && tagged.id == *id
    })
}

/// Asserts that a deleted snapshot was a copy that xrs made and may delete, and not the newest usable one of its database.
fn assert_may_be_deleted(world: &World, found: &[Artifact], left: &[Artifact], id: &ArtifactId) {
    let copy = found.iter().find(|copy| copy.id == *id);
    let copy = copy.expect("a manual snapshot of this account");
    let mut sources = world.regions.keys();
    let source = sources.find(|from| ours(copy, from).is_ok());
    let source = source.expect("a copy that xrs may delete");
    let is_as_new = |other: &Artifact| {
        other.state.is_available()
            && is_ours(other, source)
            && other.parent == copy.parent
            && copy_time(other, source) >= copy_time(copy, source)
    };
    assert!(
        left.iter().any(is_as_new),
        "{id} was the newest usable copy"
    );
}

/// Applies a plan on a world of its own.
fn apply_lawfully(world: &World, plan: &SavedPlan, jobs: &[SyncJob], wait: Wait) {
    let sandbox = Sandbox::new(world.clone());
    let results = apply_with(&sandbox, plan, jobs, wait, &AtomicBool::new(false), &|_| {});
    assert_eq!(results.len(), plan.jobs.len());
    assert_lawful(world, &sandbox, plan);
}

/// Returns the text of an edited plan, with the summary and digest of its content. A document that is not a plan needs neither.
fn sealed(mut plan: Value) -> Vec<u8> {
    if let Ok(saved) = serde_json::from_value::<SavedPlan>(plan.clone()) {
        plan["summary"] = json!(Summary::of(&saved.jobs));
        plan["digest"] = planfile::digest(&plan).unwrap_or_default().into();
    }
    plan.to_string().into_bytes()
}

/// Makes a deletion of a plan delete a different snapshot of the destination, with preconditions that hold for it.
fn delete_another(plan: &mut Value, world: &World, random: &mut Random) {
    let snapshots = &world.region(&west()).expect("the destination").snapshots;
    let snapshot = random.pick(snapshots).expect("one");
    let jobs = plan["jobs"].as_array_mut().expect("jobs");
    let actions = jobs
        .iter_mut()
        .filter_map(|job| job["actions"].as_array_mut());
    let mut deletions: Vec<&mut Value> = actions
        .flatten()
        .filter(|action| action["action"] == "delete")
        .collect();
    let at = random.below(deletions.len());
    let Some(deletion) = deletions.get_mut(at) else {
        return;
    };
    let arn = arn_of(Kind::DbSnapshot, &west(), &snapshot.account, &snapshot.id);
    deletion["artifact"]["id"] = json!(snapshot.id);
    deletion["artifact"]["arn"] = json!(arn);
    if let Some(time) = snapshot.data_time {
        deletion["expects"]["data_time"] = json!(time);
    }
    if let Some(tag) = snapshot.tags.get("Sync-From-us-east-1") {
        deletion["expects"]["sync_tag"]["value"] = tag.into();
    }
    if random.chance(50)
        && let Some(kept) = deletion["expects"]["kept"].as_array_mut()
    {
        kept.retain(|_| random.chance(70));
    }
}

#[test]
fn an_edited_plan_does_nothing_that_the_laws_forbid() {
    let (world, jobs) = (world(), jobs());
    let planned = |jobs: &[SyncJob]| json!(plan(&Sandbox::new(world.clone()), jobs));
    // Plans of one database are small, and have most of the editable parts.
    let valid = [&jobs[..], &jobs[1..2], &jobs[1..2], &jobs[2..]].map(planned);
    let pool = pool(&[&valid[0], &json_of(&world)]);
    let accepted = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&accepted);
    run_within_limits(cases(), move |case| {
        let random = &mut Random::new(case);
        let mut edited = random.pick(&valid).expect("a plan").clone();
        for nth in 0..=random.below(2) {
            let kind = random.weighted(&[4, 1, 2, 4, 1, 2, 2]);
            let mut editor = Editor {
                random: &mut *random,
                pool: &pool,
            };
            match kind {
                1 => editor.edit_below(&mut edited, "observed"),
                2 => editor.edit_below(&mut edited, "tags"),
                // Only if the document is still a plan.
                3 if nth == 0 => delete_another(&mut edited, &world, random),
                0 | 3 => editor.edit_below(&mut edited, "expects"),
                4 => editor.edit_below(&mut edited, "reason"),
                5 => editor.rename(&mut edited),
                _ => editor.edit(&mut edited),
            }
        }
        if let Ok(plan) = planfile::read(&sealed(edited)) {
            counted.fetch_add(1, Ordering::Relaxed);
            for wait in [Wait::No, WAIT] {
                apply_lawfully(&world, &plan, &jobs, wait);
            }
        }
    });
    let accepted = accepted.load(Ordering::Relaxed);
    assert!(accepted * 2 > cases(), "only {accepted} were applied");
}

#[test]
fn an_edited_config_does_nothing_that_the_laws_forbid() {
    let world = world();
    let job = |sync_type: &str, more: Value| {
        let mut job = json!({
            "sync_type": sync_type, "source_region": "us-east-1", "destination_region": "us-west-1",
        });
        let fields = job.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        job
    };
    let snapshots = |more| job("rds_automated_snapshot", more);
    let valid = json!({
        "sync_web": job("ec2_ami", json!({
            "sync_identifier": "Web", "filters": ["name=w*"], "most_recent": false, "ami_owner": "self",
        })),
        "sync_db": snapshots(json!({"db_instance": "db", "max_snapshots_to_retain": 1})),
        "sync_other": snapshots(json!({
            "db_instance": "other",
            "destination_region": null,
            "destinations": [{"region": "us-west-1", "max_snapshots_to_retain": 0}],
        })),
        "aws_client_config": {"max_attempts": 3, "aws_account_id": world.default_account()},
    });
    let mut pool = pool(&[&valid, &json_of(&world)]);
    pool.extend(
        [
            "db_instance",
            "kms_key_id",
            "filters",
            "destinations",
            "sync_x",
        ]
        .map(str::to_owned),
    );
    let applied = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&applied);
    run_within_limits(cases(), move |case| {
        let random = &mut Random::new(case);
        let mut edited = valid.clone();
        for _ in 0..=random.below(2) {
            let mut editor = Editor {
                random: &mut *random,
                pool: &pool,
            };
            editor.edit(&mut edited);
        }
        let config = ConfigFile::from_text("xrs.yaml", edited.to_string());
        let options = Options {
            wait: wait(case),
            ..Options::default()
        };
        let sandbox = Sandbox::new(world.clone());
        let planned = block_on(async {
            if case % 4 == 0 {
                ops::status(&config, &sandbox, &options).await?;
            }
            ops::plan(&config, &sandbox, &options).await
        });
        let Ok(plan) = planned else { return };
        if case % 10 == 0 {
            let text = planfile::to_text(&plan).expect("JSON");
            assert_eq!(planfile::read(text.as_bytes()).as_ref(), Ok(&plan));
        }
        let done = block_on(ops::apply(&sandbox, &plan, Some(&config), &options));
        assert_lawful(&world, &sandbox, &plan);
        counted.fetch_add(u64::from(done.is_ok()), Ordering::Relaxed);
    });
    let applied = applied.load(Ordering::Relaxed);
    assert!(applied * 2 > cases(), "only {applied} were applied");
}

#[test]
fn an_edited_sandbox_does_nothing_that_the_laws_forbid() {
    let valid = json_of(&world());
    let pool = pool(&[&valid]);
    let used = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&used);
    run_within_limits(cases(), move |case| {
        let random = &mut Random::new(case);
        let mut edited = valid.clone();
        for _ in 0..=random.below(2) {
            let is_renamed = random.chance(20);
            let mut editor = Editor {
                random: &mut *random,
                pool: &pool,
            };
            if is_renamed {
                editor.rename(&mut edited);
            } else {
                editor.edit(&mut edited);
            }
        }
        let Ok(world) = World::from_json(&edited.to_string()) else {
            return;
        };
        counted.fetch_add(1, Ordering::Relaxed);
        let jobs = jobs();
        status_within(&Sandbox::new(world.clone()), &jobs, None);
        let plan = plan(&Sandbox::new(world.clone()), &jobs);
        apply_lawfully(&world, &plan, &jobs, wait(case));
    });
    let used = used.load(Ordering::Relaxed);
    assert!(used * 3 > cases(), "only {used} were used");
}
