//! What happens between a plan and its apply, or while it is applied: hands, time, and listings that lag behind.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::executor::{self, Event, Options, Wait};
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::model::action::{Action, Copy, Resource};
use aws_xregion_sync::model::location::Location;
use aws_xregion_sync::model::ids::{ParentId, ArtifactId, Region};
use aws_xregion_sync::model::inventory::{CallerIdentity, Image, ImageRef, Answer, ProviderKind, Snapshot};
use aws_xregion_sync::model::job::{ImageSelector, SyncJob};
use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::{ActionOutcome, SyncResult};
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox, World, WorldArtifact};
use jiff::{SignedDuration, Timestamp};

use crate::support::*;

/// A database with copies of the days before its newest snapshot, or of that, too.
fn copied(days: std::ops::Range<i64>) -> World {
    let mut world = empty_world();
    add_automated(&mut world, "db", days_ago(0));
    for day in days {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    world
}

fn one_image() -> (Sandbox, [SyncJob; 1]) {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    (Sandbox::new(world), [ami_job("sync_web", "Web")])
}

fn database_job() -> [SyncJob; 1] {
    [snapshot_job("sync_db", "db", 2)]
}

fn wrote(sandbox: &Sandbox) -> usize {
    let calls = sandbox.calls();
    let written = |call: &&aws_xregion_sync::provider::sandbox::CallRecord| {
        call.write && call.error.is_none()
    };
    calls.iter().filter(written).count()
}

/// Images in the destination, in order of id.
fn images_there(sandbox: &Sandbox) -> Vec<WorldArtifact> {
    let world = sandbox.world();
    let mut images = world
        .region(&west())
        .expect("the destination")
        .images
        .clone();
    images.sort_by_key(|image| image.id.clone());
    images
}

/// Applies a plan; at the beginning of each action somebody does something.
fn apply_with(
    provider: &dyn Provider,
    plan: &SavedPlan,
    jobs: &[SyncJob],
    deed: impl Fn(&Action) + Sync,
) -> Vec<SyncResult> {
    let (callers, stop) = (callers(jobs), AtomicBool::new(false));
    let options = Options {
        parallelism: PARALLELISM,
        wait: Wait::No,
        stop: &stop,
    };
    let on_event = |event: Event<'_>| {
        if let Event::ActionStarted { action, .. } = event {
            deed(action);
        }
    };
    block_on(executor::apply(
        provider, plan, &callers, None, options, &on_event,
    ))
}

/// The copy of four that `retain: 2` deletes.
fn doomed() -> ArtifactId {
    ArtifactId::from("rds-db-2026-01-12-05-10")
}

fn is_there(sandbox: &Sandbox, id: &ArtifactId) -> bool {
    sandbox.world().snapshot(&west(), id).is_some()
}

#[test]
fn law_5_an_old_plan_deletes_no_copy_of_a_database_that_was_made_anew_since() {
    let sandbox = Sandbox::new(copied(0..4));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned), [doomed()]);
    sandbox.edit(|world| {
        let mut newer = our_copy(world, "db", days_ago(-1));
        newer.parent_created = Some(days_ago(0));
        world.add_manual_snapshot(&west(), newer);
    });
    let results = apply(&sandbox, &planned, &jobs);
    let result = &results[0].actions[0];
    assert_eq!(result.outcome, ActionOutcome::Stale);
    let detail = result.detail.as_deref().expect("a difference");
    assert!(detail.contains("database of"), "{detail}");
    assert!(is_there(&sandbox, &doomed()));
}

#[test]
fn law_5_an_old_plan_deletes_nothing_while_it_cannot_be_told_which_database_is_the_present_one() {
    // The newest copy does not say when its database was made; its source does, if it is there.
    for (source_says, outcome) in [
        (None, ActionOutcome::Stale),
        (Some(days_ago(0)), ActionOutcome::Stale),
        (Some(days_ago(365)), ActionOutcome::Done),
    ] {
        let sandbox = Sandbox::new(copied(0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(|world| {
            let mut newer = our_copy(world, "db", days_ago(-1));
            newer.parent_created = None;
            world.add_manual_snapshot(&west(), newer);
            if source_says.is_some() {
                let source = add_automated(world, "db", days_ago(-1));
                let source = world.snapshot_mut(&east(), &source).expect("it");
                source.parent_created = source_says;
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        let found = results[0].actions[0].outcome;
        assert_eq!(found, outcome, "{source_says:?}: {results:?}");
        let kept = outcome == ActionOutcome::Stale;
        assert_eq!(is_there(&sandbox, &doomed()), kept, "{source_says:?}");
        // The planner sees it no other way.
        let anew = deletions(&plan(&sandbox, &jobs));
        assert!(!kept || !anew.contains(&doomed()), "{source_says:?}");
    }
}

/// A copy with our tag that AWS says was made of something else; somebody wants it kept.
fn lookalike(world: &mut World, taken: Timestamp) -> WorldArtifact {
    let mut other = our_copy(world, "db", taken).tag("Sync-Keep", "yes");
    other.id = ArtifactId::from(format!("{}-by-hand", other.id));
    other.copied_from = Some("arn:aws:rds:us-east-1:123456789012:snapshot:rds:other".into());
    other
}

#[test]
fn law_5_a_copy_of_something_else_that_is_to_be_kept_pushes_out_none_of_ours() {
    let mut world = copied(0..3);
    for day in 0..3 {
        let other = lookalike(&mut world, days_ago(day));
        world.add_manual_snapshot(&west(), other);
    }
    let planned = plan(&Sandbox::new(world), &database_job());
    assert_eq!(deletions(&planned), Vec::<ArtifactId>::new());
}

#[test]
fn law_5_a_kept_copy_that_is_one_of_something_else_by_now_no_longer_counts_as_kept() {
    let sandbox = Sandbox::new(copied(0..4));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        let other = lookalike(world, days_ago(1));
        let kept = ArtifactId::from("rds-db-2026-01-14-05-10");
        let kept = world.snapshot_mut(&west(), &kept).expect("it");
        (kept.copied_from, kept.tags) = (other.copied_from, other.tags);
    });
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Stale);
    assert!(is_there(&sandbox, &doomed()));
}

#[test]
fn a_doomed_copy_that_somebody_else_deletes_is_as_good_as_deleted() {
    for word in ["deleting", "deleted"] {
        let sandbox = Sandbox::new(copied(0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(|world| {
            world.snapshot_mut(&west(), &doomed()).expect("it").state = state(word);
        });
        let results = apply(&sandbox, &planned, &jobs);
        no_failures(&results);
        let outcome = results[0].actions[0].outcome;
        assert_eq!(outcome, ActionOutcome::AlreadyDone, "{word}");
        assert_eq!(wrote(&sandbox), 0, "{word}");
    }
}

#[test]
fn a_deletion_that_comes_second_looks_what_has_become_of_the_copy() {
    // What somebody does between the look and the deletion; none takes the copy away altogether.
    for (found, outcome) in [
        (None, ActionOutcome::AlreadyDone),
        (Some("deleting"), ActionOutcome::AlreadyDone),
        (Some("modifying"), ActionOutcome::Failed),
    ] {
        let sandbox = Sandbox::new(copied(0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        let results = apply_with(&sandbox, &planned, &jobs, |_| {
            sandbox.edit(|world| {
                let code = "InvalidDBSnapshotState";
                let refused = Fault::new("DeleteDBSnapshot", code, "being deleted", Some(1));
                world.faults.push(refused);
                match found {
                    Some(word) => {
                        world.snapshot_mut(&west(), &doomed()).expect("it").state = state(word);
                    }
                    None => {
                        let here = world.region_mut(&west()).expect("the destination");
                        here.snapshots.retain(|snapshot| snapshot.id != doomed());
                    }
                }
            });
        });
        assert_eq!(results[0].actions[0].outcome, outcome, "{found:?}");
        assert_eq!(results[0].deleted_resources, Vec::<String>::new());
    }
}

#[test]
fn a_copy_that_is_being_deleted_is_none_and_is_made_anew_under_the_next_name() {
    let mut world = copied(0..2);
    let going = ArtifactId::from("rds-db-2026-01-15-05-10");
    world.snapshot_mut(&west(), &going).expect("it").state = state("deleting");
    let sandbox = Sandbox::new(world);
    let jobs = database_job();
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    no_failures(&results);
    assert_eq!(
        results[0].created_resource.as_ref().map(ArtifactId::as_str),
        Some("rds-db-2026-01-15-05-10-us-east-1")
    );
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn beside_a_copy_that_is_being_deleted_the_other_one_is_the_copy() {
    let mut world = copied(0..0);
    let mut going = our_copy(&mut world, "db", days_ago(0));
    going.id = ArtifactId::from(format!("{}-us-east-1", going.id));
    going.state = state("deleting");
    world.add_manual_snapshot(&west(), going);
    let mut bare = our_copy(&mut world, "db", days_ago(0));
    bare.tags.clear();
    bare.state = state("creating");
    let bare = world.add_manual_snapshot(&west(), bare);
    let planned = plan(&Sandbox::new(world), &database_job());
    assert_eq!(
        actions(&planned),
        ["sync_db/tag-copy", "sync_db/tag-source"]
    );
    let observed = planned.jobs[0].observed.as_ref().expect("a look");
    let newest = observed.newest_copy.as_ref().expect("a copy");
    assert_eq!(newest.id, bare.as_str());
}

#[test]
fn a_copy_to_be_tagged_of_which_something_else_holds_by_now_is_not_tagged_nor_its_source() {
    type Deed = fn(&mut WorldArtifact);
    let deeds: [(&str, Deed); 4] = [
        ("fails", |copy| copy.state = state("failed")),
        ("is being deleted", |copy| copy.state = state("deleting")),
        ("is one that states another time", |copy| {
            copy.data_time = None;
        }),
        ("is one of which nothing can be told", |copy| {
            (copy.copied_from, copy.data_time) = (None, None);
            copy.created = Some(days_ago(0));
        }),
    ];
    for (what, deed) in deeds {
        let mut world = copied(0..0);
        let mut bare = our_copy(&mut world, "db", days_ago(0));
        bare.tags.clear();
        let bare = world.add_manual_snapshot(&west(), bare);
        let sandbox = Sandbox::new(world);
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        assert_eq!(
            actions(&planned),
            ["sync_db/tag-copy", "sync_db/tag-source"]
        );
        sandbox.edit(|world| deed(world.snapshot_mut(&west(), &bare).expect("it")));
        let results = apply(&sandbox, &planned, &jobs);
        let outcomes: Vec<ActionOutcome> = results[0].actions.iter().map(|a| a.outcome).collect();
        assert_eq!(
            outcomes,
            [ActionOutcome::Stale, ActionOutcome::Skipped],
            "{what}"
        );
        assert_eq!(wrote(&sandbox), 0, "{what}");
    }
}

#[test]
fn a_copy_that_is_gone_is_not_named_in_the_tag_of_its_source() {
    for how in ["removed", "deregistered"] {
        let (sandbox, jobs) = one_image();
        sandbox.edit(|world| {
            let owner = world.default_account();
            let mut bare = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0));
            bare.copied_from = Some(ImageRef {
                id: "ami-0a".into(),
                region: east(),
            });
            world.add_image(&west(), bare);
        });
        let planned = plan(&sandbox, &jobs);
        assert_eq!(
            actions(&planned),
            ["sync_web/tag-copy", "sync_web/tag-source"]
        );
        sandbox.edit(|world| {
            let here = world.region_mut(&west()).expect("the destination");
            match how {
                "removed" => here.images.clear(),
                word => here.images[0].state = state(word),
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        let outcomes: Vec<ActionOutcome> = results[0].actions.iter().map(|a| a.outcome).collect();
        assert_eq!(
            outcomes,
            [ActionOutcome::Stale, ActionOutcome::Skipped],
            "{how}"
        );
        assert_eq!(wrote(&sandbox), 0, "{how}");
    }
}

#[test]
fn a_source_that_is_gone_has_nothing_to_be_tagged() {
    let (mut world, mut jobs) = (copied(1..5), database_job().to_vec());
    add_image(&mut world, "ami-0a", "web", "Web");
    jobs.push(ami_job("sync_web", "Web"));
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    no_failures(&apply(&sandbox, &planned, &jobs));
    sandbox.edit(|world| {
        let here = world.region_mut(&east()).expect("the source");
        here.snapshots.clear();
        here.images.clear();
    });
    let results = apply(&sandbox, &planned, &jobs);
    no_failures(&results);
    for (result, planned) in results.iter().zip(&planned.jobs) {
        assert_eq!(result.warnings, planned.warnings);
        let done = |a: &aws_xregion_sync::model::result::ActionResult| {
            a.outcome == ActionOutcome::AlreadyDone
        };
        assert!(result.actions.iter().all(done), "{result:?}");
        let tag = &result.actions[1];
        assert_eq!(tag.detail.as_deref(), Some("the source is gone"));
    }
}

#[test]
fn law_9_an_image_that_somebody_else_shares_is_no_copy_of_ours() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    // As like ours as can be: AWS and their tags say what it is a copy of, and the source's tag names it.
    sandbox.edit(|world| {
        let account = world.default_account();
        let tag = "20260114051000+0000 / ami-0a";
        let mut theirs = WorldArtifact::image("ami-0f", &"999999999999".into(), "web", days_ago(0))
            .tag("Sync-From-us-east-1", tag);
        theirs.copied_from = Some(ImageRef {
            id: "ami-0a".into(),
            region: east(),
        });
        theirs
            .tags_by_others
            .insert(account.clone(), theirs.tags.clone());
        theirs.shared_with.push(account);
        world.add_image(&west(), theirs);
        let source = world.image_mut(&east(), &"ami-0a".into()).expect("it");
        source.tags.insert(
            "Sync-us-west-1".to_owned(),
            "20260114051000+0000 / ami-0f".to_owned(),
        );
    });
    let results = apply(&sandbox, &planned, &jobs);
    no_failures(&results);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Done);
    assert_eq!(images_there(&sandbox).len(), 2);
}

#[test]
fn law_9_of_several_copies_that_failed_each_is_one_link_however_it_is_come_upon() {
    // Ids tell nothing of the order in which images were made.
    for ids in [["ami-01", "ami-02"], ["ami-02", "ami-01"]] {
        let (sandbox, jobs) = one_image();
        let one = plan(&sandbox, &jobs);
        for id in ids {
            no_failures(&apply(&sandbox, &one, &jobs));
            sandbox.edit(|world| {
                let here = world.region_mut(&west()).expect("the destination");
                let image = here.images.last_mut().expect("the copy");
                (image.state, image.copying) = (state("failed"), None);
                image.id = id.into();
                here.client_tokens.last_mut().expect("its token").image_id = id.into();
            });
        }
        wait_for_copies(&sandbox);
        // The same copy with other tags is another request for tokens that are used already.
        sandbox.edit(|world| {
            let source = world.image_mut(&east(), &"ami-0a".into()).expect("it");
            source.tags.insert("Team".to_owned(), "web".to_owned());
        });
        no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
        // Who does not see that copy yet comes to its token by the same links.
        let lagging = Lagging(&sandbox, SignedDuration::from_mins(1));
        no_failures(&apply(&lagging, &one, &jobs));
        let images = images_there(&sandbox);
        let live = images.iter().filter(|image| !image.state.is_failed());
        assert_eq!(live.count(), 1, "{ids:?}");
    }
}

#[test]
fn a_throttled_look_for_the_image_just_made_is_taken_again() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    let results = apply_with(&sandbox, &planned, &jobs, |action| {
        if matches!(action, Action::Copy(_)) {
            let throttled = Fault::new("DescribeImages", "Throttling", "Rate exceeded", Some(2));
            sandbox.edit(|world| world.faults.push(throttled));
        }
    });
    no_failures(&results);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Done);
    assert_eq!(images_there(&sandbox).len(), 1);
}

#[test]
fn law_9_where_listings_lag_two_minutes_behind_one_image_is_made() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    let lagging = Lagging(&sandbox, SignedDuration::from_mins(2));
    let results = apply(&lagging, &planned, &jobs);
    no_failures(&results);
    assert_eq!(images_there(&sandbox).len(), 1);
    no_failures(&apply(&lagging, &planned, &jobs));
    assert_eq!(images_there(&sandbox).len(), 1);
}

/// A sandbox whose new images are listed only after so long.
struct Lagging<'a>(&'a Sandbox, SignedDuration);

impl Lagging<'_> {
    fn listed(&self, mut images: Vec<Image>) -> Vec<Image> {
        let until = self.0.now() - self.1;
        images.retain(|image| image.created.is_none_or(|created| created <= until));
        images
    }
}

#[async_trait]
impl Provider for Lagging<'_> {
    fn kind(&self) -> ProviderKind {
        self.0.kind()
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn pause(&self, length: Duration) {
        self.0.pause(length).await;
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        self.0.caller_identity(at).await
    }

    async fn source_images(&self, at: &Location, selector: &ImageSelector) -> Answer<Vec<Image>> {
        let images = self.0.source_images(at, selector).await?;
        Ok(self.listed(images))
    }

    async fn images(&self, at: &Location, ids: &[ArtifactId]) -> Answer<Vec<Image>> {
        let images = self.0.images(at, ids).await?;
        Ok(self.listed(images))
    }

    async fn image_copies(&self, at: &Location, from: &Region, of: &[ArtifactId]) -> Answer<Vec<Image>> {
        let images = self.0.image_copies(at, from, of).await?;
        Ok(self.listed(images))
    }

    async fn images_from(&self, at: &Location, from: &Region) -> Answer<Vec<Image>> {
        let images = self.0.images_from(at, from).await?;
        Ok(self.listed(images))
    }

    async fn automated_snapshots(&self, at: &Location, of: &[ParentId]) -> Answer<Vec<Snapshot>> {
        self.0.automated_snapshots(at, of).await
    }

    async fn manual_snapshots(&self, at: &Location, of: &[ParentId]) -> Answer<Vec<Snapshot>> {
        self.0.manual_snapshots(at, of).await
    }

    async fn all_manual_snapshots(&self, at: &Location) -> Answer<Vec<Snapshot>> {
        self.0.all_manual_snapshots(at).await
    }

    async fn snapshots(&self, at: &Location, ids: &[ArtifactId]) -> Answer<Vec<Snapshot>> {
        self.0.snapshots(at, ids).await
    }

    async fn copy_image(&self, at: &Location, copy: &Copy, token: &str) -> Answer<ArtifactId> {
        self.0.copy_image(at, copy, token).await
    }

    async fn copy_snapshot(&self, at: &Location, copy: &Copy) -> Answer<ArtifactId> {
        self.0.copy_snapshot(at, copy).await
    }

    async fn tag(&self, at: &Location, resource: &Resource, tags: &Tags) -> Answer<()> {
        self.0.tag(at, resource, tags).await
    }

    async fn delete_snapshot(&self, at: &Location, id: &ArtifactId) -> Answer<()> {
        self.0.delete_snapshot(at, id).await
    }
}
