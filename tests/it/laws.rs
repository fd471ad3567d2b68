//! The laws, each with tests that try to break it.

use std::collections::{BTreeMap, BTreeSet};

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::job::{JobKind, SyncJob};
use aws_xregion_sync::model::plan::{Outcome, SavedPlan};
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox, World, WorldArtifact};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::random_world::{Recipe, recipes};
use crate::support::*;

/// So many random cases, or more where PROPTEST_CASES asks for more.
fn cases(n: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: n.max(usual.cases),
        failure_persistence: None,
        ..usual
    }
}

/// One job of each type with something to copy, and copies to retire.
fn both_types() -> (Sandbox, Vec<SyncJob>) {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 1..5 {
        add_our_copy(&mut world, "mydatabase", days_ago(day));
    }
    let jobs = vec![
        ami_job("sync_my_web_app", "Web Application"),
        snapshot_job("sync_my_database", "mydatabase", 2),
    ];
    (Sandbox::new(world), jobs)
}

fn written(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .calls()
        .into_iter()
        .filter(|call| call.write)
        .map(|call| call.call.to_owned())
        .collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_1_planning_never_writes(recipe in recipes()) {
        let sandbox = Sandbox::new(recipe.world());
        let before = sandbox.world();
        plan(&sandbox, &recipe.jobs());
        prop_assert_eq!(written(&sandbox), Vec::<String>::new());
        prop_assert_eq!(before.regions, sandbox.world().regions);
    }

    #[test]
    fn law_2_the_order_of_listings_and_the_hour_change_nothing(recipe in recipes(), other in any::<u64>(), hours in 0..9i64) {
        let jobs = recipe.jobs();
        let first = plan(&Sandbox::new(recipe.world()), &jobs);
        let mut world = recipe.world();
        world.listing_seed = other;
        for region in world.regions.values_mut() {
            region.snapshots.reverse();
            region.images.reverse();
        }
        world.now += SignedDuration::from_hours(hours);
        let second = plan(&Sandbox::new(world), &jobs);
        prop_assert_eq!(&first.jobs, &second.jobs);
        prop_assert_eq!(first.digest, second.digest);
    }

    #[test]
    fn law_3_after_an_apply_nothing_is_left_to_do(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        let results = apply(&sandbox, &planned, &jobs);
        for result in &results {
            let planned = job(&planned, result.name.as_str());
            prop_assert_eq!(result.failed(), planned.outcome == Outcome::Failed, "{:?}", result);
        }
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new(), "while copies are pending");
        // What is to do when copies have become available is done by one more apply.
        wait_for_copies(&sandbox);
        apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new(), "when copies are done");
    }

    #[test]
    fn law_5_nothing_is_deleted_but_by_the_rules(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        for round in 0..2 {
            let before = sandbox.world();
            let planned = plan(&sandbox, &jobs);
            let results = apply(&sandbox, &planned, &jobs);
            let after = sandbox.world();
            let allowed: BTreeSet<String> = deletions(&planned).iter().map(ToString::to_string).collect();
            let reported: BTreeSet<String> =
                results.iter().flat_map(|result| result.deleted_resources.clone()).collect();
            for (n, database) in recipe.databases.iter().enumerate() {
                let name = format!("db{n}");
                let gone = gone(&before, &after, &name);
                prop_assert!(gone.iter().all(|copy| allowed.contains(copy.id.as_str())), "round {}: unplanned", round);
                prop_assert!(gone.iter().all(|copy| reported.contains(copy.id.as_str())), "round {}: unsaid", round);
                if let Err(breach) = retention_held(&copies_of(&before, &name), &gone, database.retain) {
                    prop_assert!(false, "round {}: {}", round, breach);
                }
            }
            wait_for_copies(&sandbox);
        }
    }

    #[test]
    fn law_10_apply_writes_what_the_plan_lists_and_says_what_it_skips(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        let results = apply(&sandbox, &planned, &jobs);
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        for action in planned.jobs.iter().flat_map(|job| &job.actions) {
            *listed.entry(call_of(action)).or_default() += 1;
        }
        let mut made: BTreeMap<String, usize> = BTreeMap::new();
        for call in written(&sandbox) {
            *made.entry(call).or_default() += 1;
        }
        for (call, times) in made {
            prop_assert!(times <= listed.get(call.as_str()).copied().unwrap_or(0), "{} x {}", call, times);
        }
        for (result, job) in results.iter().zip(&planned.jobs) {
            let said: Vec<&str> = result.actions.iter().map(|action| action.id.as_str()).collect();
            let planned: Vec<&str> = job.actions.iter().map(|action| action.id().as_str()).collect();
            prop_assert_eq!(said, planned);
        }
    }
}

/// The call that an action is.
fn call_of(action: &Action) -> &'static str {
    use aws_xregion_sync::model::action::Resource;
    match action {
        Action::Copy(_) => "CopyImage",
        Action::Copy(_) => "CopyDBSnapshot",
        Action::Delete(_) => "DeleteDBSnapshot",
        Action::TagCopy(tag) => match tag.copy {
            Resource::Image(_) => "CreateTags",
            Resource::Snapshot(_) => "AddTagsToResource",
        },
        Action::TagSource(tag) => match tag.source {
            Resource::Image(_) => "CreateTags",
            Resource::Snapshot(_) => "AddTagsToResource",
        },
    }
}

/// Copies of a database that an apply took away.
fn gone(before: &World, after: &World, name: &str) -> Vec<WorldArtifact> {
    let left: BTreeSet<_> = copies_of(after, name)
        .into_iter()
        .map(|copy| copy.id)
        .collect();
    copies_of(before, name)
        .into_iter()
        .filter(|copy| !left.contains(&copy.id))
        .collect()
}

/// The rule of retention, said a second time and naively: what an apply that began with these copies may have
/// deleted.
fn retention_held(
    before: &[WorldArtifact],
    gone: &[WorldArtifact],
    retain: u32,
) -> Result<(), String> {
    let time_of = |copy: &WorldArtifact| -> Option<Timestamp> {
        let value = copy.tags.get("Sync-From-us-east-1")?;
        let digits = value.strip_suffix(&format!("+0000 / {}", value.split(" / ").nth(1)?))?;
        let text = format!(
            "{}-{}-{}T{}:{}:{}Z",
            digits.get(0..4)?,
            digits.get(4..6)?,
            digits.get(6..8)?,
            digits.get(8..10)?,
            digits.get(10..12)?,
            digits.get(12..14)?
        );
        text.parse().ok()
    };
    // One that the older tool left without a tag is as good as tagged: AWS states what it is.
    let age_of = |copy: &WorldArtifact| {
        let stated = copy.copied_from.is_some() && copy.id.as_str().starts_with("rds-");
        time_of(copy).or(copy.data_time.filter(|_| stated))
    };
    let is_available = |copy: &&WorldArtifact| copy.state.is_available();
    let known: Vec<&WorldArtifact> = before
        .iter()
        .filter(|copy| age_of(copy).is_some())
        .collect();
    let newest = known
        .iter()
        .copied()
        .filter(is_available)
        .max_by_key(|copy| age_of(copy));
    // The newest copy of all, made by whatever hand, tells which database is the present one of that name.
    let dated = |copy: &&WorldArtifact| copy.copied_from.is_some() || time_of(copy).is_some();
    let latest = before
        .iter()
        .filter(|copy| !copy.state.is_gone())
        .filter(dated)
        .max_by_key(|copy| (copy.data_time.or(time_of(copy)), copy.id.clone()));
    for copy in gone {
        let id = &copy.id;
        let time = time_of(copy).ok_or(format!("{id} had no readable sync tag of this job"))?;
        if copy.tags.contains_key("Sync-Keep") {
            return Err(format!("{id} was to be kept"));
        }
        if !["available", "failed"].contains(&copy.state.as_str()) {
            return Err(format!("{id} was {}", copy.state));
        }
        if copy
            .copied_from
            .as_ref()
            .is_some_and(|arn| !arn.as_str().starts_with("arn:aws:rds:us-east-1:"))
        {
            return Err(format!("{id} came from elsewhere"));
        }
        let newest = newest.ok_or(format!("{id} was deleted, and nothing was available"))?;
        if *id == newest.id {
            return Err(format!("{id} was the newest available copy"));
        }
        let newer = known
            .iter()
            .copied()
            .filter(is_available)
            .filter(|other| age_of(other) > Some(time))
            .count();
        let wanted = usize::try_from(retain).unwrap_or(usize::MAX).max(1);
        if copy.state.is_available() && newer < wanted {
            return Err(format!(
                "{id} was deleted with {newer} newer ones left, of {wanted} to retain"
            ));
        }
        // All databases here were made a year before the start, but for the earlier ones of that name.
        if copy.parent_created == Some(days_ago(900))
            && latest.is_some_and(|c| c.parent_created != copy.parent_created)
        {
            return Err(format!("{id} was of an earlier database"));
        }
    }
    Ok(())
}

/// Answers that leave open what is there, or say that it may not be seen.
const UNKNOWN: [(&str, &str); 5] = [
    ("RequestLimitExceeded", "Request limit exceeded."),
    ("Throttling", "Rate exceeded"),
    (
        "UnauthorizedOperation",
        "You are not authorized to perform this operation.",
    ),
    (
        "InternalFailure",
        "The request processing has failed because of an unknown error.",
    ),
    (
        "ExpiredToken",
        "The security token included in the request is expired",
    ),
];

#[test]
fn law_6_a_look_that_fails_never_leads_to_a_copy_or_a_deletion() {
    for call in ["DescribeImages", "DescribeDBSnapshots", "GetCallerIdentity"] {
        for place in [east(), west()] {
            for (code, message) in UNKNOWN {
                let (sandbox, jobs) = both_types();
                let mut fault = Fault::new(call, code, message, None);
                fault.region = Some(place.clone());
                sandbox.edit(|world| world.faults.push(fault));
                let planned = plan(&sandbox, &jobs);
                for job in &planned.jobs {
                    let concerned = call == "GetCallerIdentity" && place == west()
                        || call == "DescribeImages" && job.name.as_str() == "sync_my_web_app"
                        || call == "DescribeDBSnapshots" && job.name.as_str() == "sync_my_database";
                    let context = format!("{call} in {place} answers {code}: {job:?}");
                    assert_eq!(job.outcome == Outcome::Failed, concerned, "{context}");
                    assert_eq!(job.actions.is_empty(), concerned, "{context}");
                    if concerned {
                        let aws = job.errors[0].aws.as_ref().expect("AWS's own words");
                        assert_eq!(
                            (aws.call.as_str(), &aws.region),
                            (call, &place),
                            "{context}"
                        );
                        assert_eq!(
                            (aws.code.as_str(), aws.message.as_str()),
                            (code, message),
                            "{context}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn law_6_a_look_that_fails_before_an_action_stops_that_action() {
    for call in ["DescribeImages", "DescribeDBSnapshots", "GetCallerIdentity"] {
        // Expired credentials stop more than one job; that has a test of its own.
        for (code, message) in UNKNOWN
            .into_iter()
            .filter(|(code, _)| *code != "ExpiredToken")
        {
            let (sandbox, jobs) = both_types();
            let planned = plan(&sandbox, &jobs);
            sandbox.edit(|world| world.faults.push(Fault::new(call, code, message, None)));
            let results = apply(&sandbox, &planned, &jobs);
            for result in results {
                let blind = call == "GetCallerIdentity"
                    || (call == "DescribeImages") == (result.name.as_str() == "sync_my_web_app");
                assert_eq!(result.failed(), blind, "{call} answers {code}: {result:?}");
                if blind {
                    assert!(
                        result
                            .actions
                            .iter()
                            .all(|a| a.outcome == ActionOutcome::Skipped),
                        "{result:?}"
                    );
                    assert_eq!(
                        result.errors[0].aws.as_ref().map(|aws| aws.code.as_str()),
                        Some(code)
                    );
                }
            }
            let wrote = written(&sandbox);
            match call {
                "DescribeImages" => {
                    assert!(!wrote.iter().any(|call| call == "CopyImage"), "{wrote:?}")
                }
                "DescribeDBSnapshots" => {
                    assert!(
                        !wrote.iter().any(|call| call.contains("DBSnapshot")),
                        "{wrote:?}"
                    );
                }
                _ => assert_eq!(wrote, Vec::<String>::new()),
            }
        }
    }
}

#[test]
fn law_6_deletions_wait_for_a_look_of_their_own() {
    let (sandbox, jobs) = both_types();
    let planned = plan(&sandbox, &jobs);
    // The looks before copies succeed: an identity, and both ends. Whatever is asked after the copy is denied.
    let reads = |sandbox: &Sandbox| {
        sandbox
            .calls()
            .iter()
            .filter(|call| call.call == "DescribeDBSnapshots")
            .count()
    };
    let before = reads(&sandbox);
    sandbox.edit(|world| {
        let mut fault = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
        fault.region = Some(east());
        world.faults.push(fault);
    });
    let results = apply(&sandbox, &planned, &jobs);
    no_failures(&results);
    assert!(
        results[1]
            .warnings
            .iter()
            .any(|w| w.contains("AccessDenied")),
        "{:?}",
        results[1].warnings
    );
    assert_eq!(
        results[1].deleted_resources.len(),
        2,
        "a refused source tag stops nothing"
    );
    assert_eq!(
        reads(&sandbox) - before,
        4,
        "two reads before the copy, two before the deletions"
    );
}

#[test]
fn law_7_one_job_s_failure_never_stops_another_s() {
    for call in [
        "CopyImage",
        "CopyDBSnapshot",
        "DescribeImages",
        "DescribeDBSnapshots",
    ] {
        let (sandbox, jobs) = both_types();
        sandbox.edit(|world| {
            world
                .faults
                .push(Fault::new(call, "UnauthorizedOperation", "no", None))
        });
        let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        let failed: Vec<&str> = results
            .iter()
            .filter(|r| r.failed())
            .map(|r| r.name.as_str())
            .collect();
        let expected = if call.contains("Image") {
            "sync_my_web_app"
        } else {
            "sync_my_database"
        };
        assert_eq!(failed, [expected], "{call}");
        assert!(
            results
                .iter()
                .any(|result| result.created_resource.is_some()),
            "{call}"
        );
    }
}

#[test]
fn law_7_a_refused_deletion_does_not_stop_the_other_deletions() {
    let (sandbox, jobs) = both_types();
    sandbox.edit(|world| {
        world.faults.push(Fault::new(
            "DeleteDBSnapshot",
            "AccessDenied",
            "no",
            Some(1),
        ))
    });
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    assert!(results[1].failed());
    assert_eq!(results[1].deleted_resources.len(), 1);
    assert!(!results[0].failed());
}

#[test]
fn law_8_no_secret_in_plans_results_or_debug_output() {
    let (sandbox, mut jobs) = both_types();
    let secrets = [
        "AKIDEXAMPLE12345",
        "wJalrXUtnFEMIK7MDENG",
        "FwoGZXIvYXdzEJr",
    ];
    let config = ClientConfig {
        access_key: Some(Secret::new(secrets[0])),
        secret_key: Some(Secret::new(secrets[1])),
        session_token: Some(Secret::new(secrets[2])),
        ..ClientConfig::default()
    };
    for job in &mut jobs {
        job.client_config = std::sync::Arc::new(config.clone());
    }
    sandbox.edit(|world| {
        world
            .faults
            .push(Fault::new("CopyImage", "AccessDenied", "no", None))
    });
    let planned = plan(&sandbox, &jobs);
    let results = apply(&sandbox, &planned, &jobs);
    let shown = [
        aws_xregion_sync::planfile::to_text(&planned),
        serde_json::to_string(&results).expect("results as JSON"),
        format!("{planned:?}{results:?}{jobs:?}{:?}", jobs[0].source()),
        sandbox.world().to_json(),
    ];
    for secret in secrets {
        assert!(
            shown.iter().all(|text| !text.contains(secret)),
            "{secret} is shown"
        );
    }
}

#[test]
fn law_10_actions_that_a_failure_leaves_out_are_named_with_the_reason() {
    let (sandbox, jobs) = both_types();
    let planned: SavedPlan = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        world
            .faults
            .push(Fault::new("CopyDBSnapshot", "AccessDenied", "no", None))
    });
    let results = apply(&sandbox, &planned, &jobs);
    let database = &results[1];
    assert_eq!(database.actions[0].outcome, ActionOutcome::Failed);
    for skipped in &database.actions[1..] {
        assert_eq!(skipped.outcome, ActionOutcome::Skipped);
        assert_eq!(
            skipped.detail.as_deref(),
            Some("sync_my_database/copy was not done")
        );
    }
    assert_eq!(
        written(&sandbox)
            .iter()
            .filter(|call| *call == "DeleteDBSnapshot")
            .count(),
        0
    );
}

#[test]
fn law_3_a_job_of_each_type_is_in_view_of_every_random_world() {
    // Guards the random tests against recipes that no longer make what they are for.
    let (mut copies, mut retired, mut tagged) = (0, 0, 0);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let recipe: Recipe = recipes().new_tree(&mut runner).expect("a recipe").current();
        let jobs = recipe.jobs();
        assert!(
            jobs.iter()
                .all(|job| matches!(job.kind, JobKind::Ami(_) | JobKind::Snapshot(_)))
        );
        let summary = plan(&Sandbox::new(recipe.world()), &jobs).summary;
        copies += summary.copy_image + summary.copy_snapshot;
        retired += summary.delete_snapshot;
        tagged += summary.tag_copy;
    }
    assert!(
        copies > 50 && retired > 50 && tagged > 10,
        "{copies} copies, {retired} deletions, {tagged} tags"
    );
}
