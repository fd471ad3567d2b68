//! Copies that exist before xrs runs, or that someone adds.

use aws_xregion_sync::provider::sandbox::automated_id;
use jiff::SignedDuration;

use crate::support::*;

use super::random::Random;
use super::rules;

/// Adds a copy of some snapshot or image of a job, as made by the gem, xrs or a person.
pub fn add(random: &mut Random, job: &SyncJob, world: &mut World) -> Option<String> {
    if job.rules.parent().is_some() {
        older_snapshot(random, job, world)
    } else {
        older_image(random, job, world)
    }
}

fn older_snapshot(random: &mut Random, job: &SyncJob, world: &mut World) -> Option<String> {
    let (from, database) = (&job.source_region, job.rules.parent()?);
    let account = rules::account_of(&job.client_config);
    let mut databases = world.region(from)?.databases(job.kind()).iter();
    let made = databases.find(|db| db.id == *database && db.account == *account)?;
    // Of a snapshot that still exists, or of one that has expired since.
    let there: Vec<_> = rules::snapshots_of(world, job, from, database)
        .filter(|s| s.snapshot_type == SnapshotType::Automated)
        .map(|s| s.data_time)
        .collect();
    let is_of_these = random.chance(50);
    let taken = random.pick(&there).filter(|_| is_of_these);
    let age = SignedDuration::from_secs(random.within(3000, 1_000_000));
    let taken = taken.copied().flatten().unwrap_or(world.now - age);
    let source = automated_id(database, taken);
    let name = source.as_str().replace(':', "-");
    let tag = rules::tag_value(taken, source.as_str());
    let mut copy = WorldArtifact::snapshot(made, &name, SnapshotType::Manual, taken)
        .tag(&rules::copy_key(job), &tag);
    copy.copied_from = Some(arn_of(job.kind(), from, account, &source));
    copy.created = Some(taken + SignedDuration::from_mins(20));
    match random.weighted(&[50, 15, 8, 10, 8, 4]) {
        0 => {}
        1 => (copy.copied_from, copy.data_time) = (None, None),
        // The gem was stopped before it wrote the tag, or a backup tool made a copy under the same name.
        2 => {
            copy.tags.clear();
            if random.chance(50) {
                copy.tags.insert("BackupTool", "nightly");
            } else if let Some(snapshot) = rules::snapshot_mut(world, job, from, &source) {
                let value = rules::tag_value(taken, &name);
                snapshot
                    .tags
                    .insert(format!("Sync-{}", job.destination_region), value);
            }
        }
        3 => {
            copy.tags.clear();
            copy.id = ArtifactId::from(format!("by-hand-{name}"));
        }
        4 => copy.state = ArtifactState::from("failed"),
        // Something else with the name that a copy would get.
        _ => {
            copy.tags.clear();
            (copy.copied_from, copy.data_time) = (None, None);
        }
    }
    let description = format!("{} ({}) is there, a copy of {source}", copy.id, copy.state);
    let here = world.region_mut(&job.destination_region)?;
    let here = here.artifacts_mut(job.kind());
    let is_same = |s: &WorldArtifact| s.id == copy.id && s.account == copy.account;
    if here.iter().any(is_same) {
        return None;
    }
    here.push(copy);
    Some(description)
}

/// Adds a copy of an image that is gone, as xrs made it.
fn copy_of_gone_image(random: &mut Random, job: &SyncJob, world: &mut World) -> Option<String> {
    let account = rules::account_of(&job.client_config);
    let identifier = &selector(job).sync_identifiers[0];
    let (id, source) = (world.new_image_id(), world.new_image_id());
    let made = world.now - SignedDuration::from_secs(random.within(3000, 1_000_000));
    let tag = rules::tag_value(made, source.as_str());
    let mut copy = WorldArtifact::image(id.as_str(), account, "gone", made)
        .tag("Sync-Identifier", identifier)
        .tag(&rules::copy_key(job), &tag);
    copy.copied_from = Some(Arn::of_image(&job.source_region, &source));
    if random.chance(10) {
        copy.state = ArtifactState::from("failed");
    }
    world.add_image(&job.destination_region, copy);
    Some(format!("{id} is there, a copy of {source}, which is gone"))
}

fn older_image(random: &mut Random, job: &SyncJob, world: &mut World) -> Option<String> {
    if random.chance(40) {
        return copy_of_gone_image(random, job, world);
    }
    let (from, to) = (&job.source_region, &job.destination_region);
    let account = rules::account_of(&job.client_config);
    let identifier = &selector(job).sync_identifiers[0];
    let images = world.region(from)?.images.iter();
    let sources: Vec<WorldArtifact> = images
        .filter(|i| i.account == *account && i.tags.get("Sync-Identifier") == Some(identifier))
        .cloned()
        .collect();
    let source = random.pick(&sources)?;
    let id = world.new_image_id();
    let name = if random.chance(80) {
        source.name.as_str()
    } else {
        "by hand"
    };
    let mut copy = WorldArtifact::image(id.as_str(), account, name, world.now);
    let created = source.created.expect("a time");
    if random.chance(60) {
        copy.copied_from = Some(Arn::of_image(from, &source.id));
    }
    if random.chance(50) {
        let value = rules::tag_value(created, source.id.as_str());
        copy.tags.insert(rules::copy_key(job), value);
    }
    if random.chance(50) {
        let value = rules::tag_value(created, id.as_str());
        let image = world.image_mut(from, &source.id)?;
        image.tags.insert(format!("Sync-{to}"), value);
    }
    world.add_image(to, copy);
    Some(format!("{id} is made of {} by hand", source.id))
}
