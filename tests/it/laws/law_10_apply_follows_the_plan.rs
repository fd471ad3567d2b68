//! Law 10: apply does nothing that the plan does not list, and reports what it skips.

use std::collections::BTreeMap;

use aws_xregion_sync::planfile;
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

/// Returns the call that performs an action.
fn call_of(kind: Kind, action: ActionName) -> &'static str {
    match (kind, action) {
        (Kind::Image, ActionName::Copy) => "CopyImage",
        (Kind::DbSnapshot, ActionName::Copy) => "CopyDBSnapshot",
        (Kind::DbClusterSnapshot, ActionName::Copy) => "CopyDBClusterSnapshot",
        (Kind::Image, ActionName::TagCopy | ActionName::TagSource) => "CreateTags",
        (_, ActionName::TagCopy | ActionName::TagSource) => "AddTagsToResource",
        (Kind::Image, ActionName::Delete) => "DeregisterImage",
        (Kind::DbSnapshot, ActionName::Delete) => "DeleteDBSnapshot",
        (Kind::DbClusterSnapshot, ActionName::Delete) => "DeleteDBClusterSnapshot",
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_10_apply_writes_what_the_plan_lists_and_reports_every_action(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        let results = apply(&sandbox, &planned, &jobs);
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        for action in planned.jobs.iter().flat_map(|job| &job.actions) {
            *listed.entry(call_of(action.kind(), action.name())).or_default() += 1;
        }
        let mut made: BTreeMap<String, usize> = BTreeMap::new();
        for call in writes(&sandbox) {
            *made.entry(call).or_default() += 1;
        }
        for (call, times) in made {
            prop_assert!(times <= listed.get(call.as_str()).copied().unwrap_or(0), "{} x {}", call, times);
        }
        for (result, job) in results.iter().zip(&planned.jobs) {
            let reported: Vec<&str> = result.actions.iter().map(|action| action.id.as_str()).collect();
            let planned: Vec<&str> = job.actions.iter().map(|action| action.id().as_str()).collect();
            prop_assert_eq!(reported, planned);
        }
    }
}

#[test]
fn law_10_actions_that_are_skipped_after_a_failure_are_reported_with_the_reason() {
    let (sandbox, jobs) = both_types();
    let planned = plan(&sandbox, &jobs);
    let refused = Fault::new("CopyDBSnapshot", "AccessDenied", "no", None);
    sandbox.edit(|world| world.faults.push(refused));
    let results = apply(&sandbox, &planned, &jobs);
    let [copy, rest @ ..] = results[1].actions.as_slice() else {
        panic!("actions of the database: {results:?}")
    };
    assert_eq!(copy.outcome, ActionOutcome::Failed);
    assert_eq!(rest.len(), 3);
    for skipped in rest {
        assert_eq!(skipped.outcome, ActionOutcome::Skipped);
        let reason = "sync_my_database/copy was not done";
        assert_eq!(skipped.detail.as_deref(), Some(reason));
    }
    assert!(!writes(&sandbox).contains(&"DeleteDBSnapshot".to_owned()));
}

/// Returns a world with copies from these days and an untagged one from today, and a fault that refuses the next tag.
fn with_refused_tag(days: std::ops::Range<i64>) -> World {
    let mut world = copied("db", days);
    add_copy_of_the_gem(&mut world, "db");
    let refused = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
    world.faults.push(in_region(&west(), refused));
    world
}

#[test]
fn law_10_what_waits_for_a_refused_action_is_skipped() {
    let sandbox = Sandbox::new(with_refused_tag(0..0));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    let tags = ["sync_db/tag-copy", "sync_db/tag-source"];
    assert_eq!(actions(&planned), tags);
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].actions[1].outcome, ActionOutcome::Skipped);
    assert_eq!(written(&sandbox), 0);
}

#[test]
fn law_10_a_job_that_fails_in_one_stage_has_no_later_one() {
    let sandbox = Sandbox::new(with_refused_tag(1..5));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    let deletions = deletions(&planned);
    assert_eq!(deletions.len(), 2, "they wait for no action of their own");
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].deleted_resources, NONE);
    assert_eq!(written(&sandbox), 0);
}

/// Seals a plan again after a change, and reads it back as apply does.
fn read_after(plan: &SavedPlan, change: impl Fn(&mut Action)) -> Result<SavedPlan, Problem> {
    let mut jobs = plan.jobs.clone();
    let actions = jobs.iter_mut().flat_map(|job| &mut job.actions);
    actions.for_each(change);
    let changed = Plan {
        provider: plan.provider,
        selection: None,
        jobs,
    };
    let sealed = planfile::seal(changed, plan.created_at, plan.config.clone()).expect("a plan");
    planfile::read(planfile::to_text(&sealed).expect("JSON").as_bytes())
}

/// Changes a copy, a tag on a copy, a tag on a source, or a deletion. Leaves other actions unchanged.
type Edit = fn(&mut Action);

#[test]
fn law_10_a_sealed_plan_sends_nothing_that_does_not_follow_from_its_jobs() {
    let (sandbox, mut jobs) = both_types();
    sandbox.edit(|world| {
        add_automated(world, "tagged", days_ago(0));
        add_copy_of_the_gem(world, "tagged");
    });
    jobs.push(snapshot_job("sync_tagged", "tagged", 2));
    let planned = plan(&sandbox, &jobs);
    assert_eq!(read_after(&planned, |_| {}).as_ref(), Ok(&planned));
    let edits: [(&str, Edit); 16] = [
        ("the ARN of the source", |action| {
            if let Action::Copy(copy) = action {
                let arn = copy.source.arn.as_str();
                copy.source.arn = arn.replace("123456789012", "999999999999").as_str().into();
                copy.source.arn = copy
                    .source
                    .arn
                    .as_str()
                    .replace("ami-0a", "ami-0b")
                    .as_str()
                    .into();
            }
        }),
        ("the id of the copy", |action| {
            if let Action::Copy(copy) = action {
                copy.copy.id = Some("elsewhere".into());
            }
        }),
        ("the sync tag", |action| {
            if let Action::Copy(copy) = action {
                copy.sync_tag.key = "Sync-From-eu-west-1".to_owned();
            }
        }),
        ("the sync tag", |action| {
            if let Action::Copy(copy) = action {
                copy.sync_tag.value = "20260115051000+0000 / other".to_owned();
            }
        }),
        ("a tag", |action| {
            if let Action::Copy(copy) = action {
                copy.tags.insert("aws:origin", "x");
            }
        }),
        ("a tag", |action| {
            if let Action::Copy(copy) = action {
                copy.tags
                    .insert("Sync-From-eu-west-1", "20260115051000+0000 / x");
            }
        }),
        ("the ARN of the copy", |action| {
            if let Action::TagCopy(tag) = action {
                tag.copy.arn = "arn:aws:rds:us-west-1:123456789012:snapshot:other".into();
            }
        }),
        ("the ARN of the source", |action| {
            if let Action::TagCopy(tag) = action {
                tag.source.arn = tag.copy.arn.clone();
            }
        }),
        ("the sync tag", |action| {
            if let Action::TagCopy(tag) = action {
                tag.sync_tag.key = "Owner".to_owned();
            }
        }),
        ("a tag", |action| {
            if let Action::TagCopy(tag) = action {
                tag.tags.insert("Sync-us-west-1", "x");
            }
        }),
        ("the key of the sync tag", |action| {
            if let Action::TagSource(tag) = action {
                tag.key = "Owner".to_owned();
            }
        }),
        ("the ARN of the source", |action| {
            if let Action::TagSource(tag) = action {
                tag.source.arn = "arn:aws:rds:us-east-1:123456789012:db:production".into();
            }
        }),
        ("the copy in the sync tag", |action| {
            if let Action::TagSource(tag) = action {
                tag.copy = KnownCopy::Id("elsewhere".into());
            }
        }),
        ("the copy in the sync tag", |action| {
            if let Action::TagSource(tag) = action {
                tag.copy = KnownCopy::OfAction(tag.id.clone());
            }
        }),
        ("the ARN of the copy", |action| {
            if let Action::Delete(delete) = action {
                delete.artifact.arn = "arn:aws:rds:us-west-1:999999999999:snapshot:x".into();
            }
        }),
        ("the sync tag", |action| {
            if let Action::Delete(delete) = action {
                delete.expects.sync_tag.key = "Owner".to_owned();
            }
        }),
    ];
    for (what, edit) in edits {
        let error = read_after(&planned, edit).expect_err(what).to_string();
        assert!(
            error.contains(&format!("{what} of sync_")),
            "{what}: {error}"
        );
    }
}

/// Changes a deletion.
type DeletionEdit = fn(&mut Delete);

#[test]
fn law_10_a_sealed_plan_with_another_deletion_of_an_image_is_refused_or_stale() {
    let deletion = |edit: DeletionEdit| {
        move |action: &mut Action| {
            if let Action::Delete(delete) = action {
                edit(delete);
            }
        }
    };
    let planned = Planned::new(copied_images(0..5), [retaining_job(2)]);
    let refused: [(&str, DeletionEdit); 5] = [
        ("the sync identifier", |delete| {
            delete.expects.sync_identifier = None;
        }),
        ("the ARN of the copy", |delete| {
            delete.artifact.id = "ami-c01".into()
        }),
        ("the ARN of the copy", |delete| {
            delete.artifact.arn = Arn::of_image(&east(), &delete.artifact.id);
        }),
        ("the sync tag", |delete| {
            delete.expects.sync_tag.key = "Owner".to_owned()
        }),
        ("no copy as new is kept", |delete| {
            delete.expects.kept.clear()
        }),
    ];
    for (what, edit) in refused {
        let error = read_after(&planned.plan, deletion(edit)).expect_err(what);
        assert_says(&error.to_string(), what);
    }
    let stale: [DeletionEdit; 5] = [
        |delete| delete.snapshots = vec!["snap-c00".into()],
        |delete| delete.expects.last_launched = Some(days_ago(90)),
        |delete| delete.expects.sync_identifier = Some("Web 2".to_owned()),
        |delete| delete.expects.sync_tag.value = "20260101000000+0000 / ami-00".to_owned(),
        // The newest copy of all.
        |delete| {
            delete.artifact.id = "ami-c00".into();
            delete.artifact.arn = Arn::of_image(&west(), &delete.artifact.id);
            delete
                .expects
                .kept
                .retain(|kept| kept.id.as_str() != "ami-c00");
            delete.expects.kept[0].data_time = days_ago(0);
        },
    ];
    for (n, edit) in stale.into_iter().enumerate() {
        let plan = read_after(&planned.plan, deletion(edit)).unwrap_or_else(|error| {
            panic!("edit {n}: {error}");
        });
        let results = apply(&planned.sandbox, &plan, &planned.jobs);
        assert_eq!(outcomes(&results[0])[0], ActionOutcome::Stale, "edit {n}");
    }
    assert_eq!(written(&planned.sandbox), 0);
}

#[test]
fn law_10_a_sealed_plan_tags_no_snapshots_of_other_images() {
    let mut world = copied_images(0..2);
    copied_image_mut(&mut world, "ami-c00")
        .tags
        .insert("Sync-Identifier", "Web 1");
    let planned = Planned::new(world, [retaining_job(2)]);
    let plan = read_after(&planned.plan, |action| {
        if let Action::TagCopy(tag) = action {
            assert_ne!(tag.snapshots.len(), 0);
            tag.snapshots.push("snap-of-another".into());
        }
    });
    let results = apply(&planned.sandbox, &plan.expect("a plan"), &planned.jobs);
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Stale);
    assert_eq!(written(&planned.sandbox), 0);
}
