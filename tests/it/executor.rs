//! An apply that is interrupted, loses its credentials, or reaches AWS's limits.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_xregion_sync::executor::{self, Event, Options, Wait};
use aws_xregion_sync::model::result::{ActionOutcome, SyncResult};
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox};
use aws_xregion_sync::sync_types::SyncJob;

use crate::support::*;

/// Databases, each with a copy to make and two to delete.
fn databases(number: usize) -> (Sandbox, Vec<SyncJob>) {
    let mut world = empty_world();
    world.quotas.manual_snapshots = 10 * number;
    let mut jobs = Vec::new();
    for n in 0..number {
        let name = format!("db{n}");
        add_automated(&mut world, &name, days_ago(0));
        for day in 1..5 {
            add_our_copy(&mut world, &name, days_ago(day));
        }
        jobs.push(snapshot_job(&format!("sync_{name}"), &name, 2));
    }
    (Sandbox::new(world), jobs)
}

fn writes(sandbox: &Sandbox) -> usize {
    sandbox.calls().iter().filter(|call| call.write).count()
}

/// Checks the detail of a job's first action, which is shown after its id and outcome and does not repeat them.
fn assert_detail(result: &SyncResult, start: &str) {
    let detail = result.actions[0].detail.as_deref().expect("a detail");
    assert!(detail.starts_with(start), "{detail}");
}

#[test]
fn after_an_interrupt_no_action_starts_and_everything_is_reported() {
    let (sandbox, jobs) = databases(20);
    let planned = plan(&sandbox, &jobs);
    let stop = AtomicBool::new(false);
    let finished = AtomicBool::new(false);
    let on_event = |event: Event<'_>| match event {
        Event::ActionFinished { .. } => stop.store(true, Ordering::Relaxed),
        Event::JobFinished(_) => finished.store(true, Ordering::Relaxed),
        Event::ActionStarted { .. } | Event::CopyDeferred { .. } | Event::CopyProgress { .. } => {}
    };
    let options = Options {
        parallelism: PARALLELISM,
        wait: Wait::No,
        stop: &stop,
    };
    let results = block_on(executor::apply(
        &sandbox,
        &planned,
        &callers(&jobs),
        None,
        options,
        &on_event,
    ));

    assert!(finished.into_inner());
    assert_eq!(results.len(), 20);
    let done = results
        .iter()
        .flat_map(|r| &r.actions)
        .filter(|a| a.outcome == ActionOutcome::Done)
        .count();
    assert_eq!(
        done,
        writes(&sandbox),
        "what was running is finished and reported"
    );
    assert!(
        (1..=PARALLELISM).contains(&done),
        "{done} actions were started"
    );
    let untouched = results.last().expect("a result");
    assert!(untouched.failed());
    assert!(
        untouched.errors[0].message.contains("interrupted"),
        "{:?}",
        untouched.errors
    );
    assert!(
        untouched
            .actions
            .iter()
            .all(|action| action.outcome == ActionOutcome::Skipped)
    );

    let again = apply(&sandbox, &planned, &jobs);
    no_failures(&again);
    let copies: usize = (0..20)
        .map(|n| copies_of(&sandbox.world(), &format!("db{n}")).len())
        .sum();
    assert_eq!(
        copies,
        20 * 3,
        "applied again, it ends as without the interrupt"
    );
}

#[test]
fn after_credentials_have_expired_no_more_calls_are_made_with_them() {
    let (sandbox, jobs) = databases(150);
    let planned = plan(&sandbox, &jobs);
    let before = sandbox.calls().len();
    sandbox.edit(|world| {
        let account = world.default_account();
        world.expired_credentials.push(account);
    });
    let results = apply(&sandbox, &planned, &jobs);
    assert!(results.iter().all(|result| result.failed()));
    assert!(results.iter().all(|result| {
        result.errors[0]
            .aws
            .as_ref()
            .is_some_and(|aws| aws.code.starts_with("Expired"))
    }));
    let asked = sandbox.calls().len() - before;
    // A hundred jobs are observed together.
    assert!(
        asked <= 1 + 2 * 100 + 3 * PARALLELISM,
        "{asked} calls, though one round of reads tells it all"
    );
    assert_eq!(writes(&sandbox), 0);
}

#[test]
fn copies_over_the_limit_are_deferred_and_made_by_applying_again() {
    let (sandbox, jobs) = databases(4);
    sandbox.edit(|world| world.quotas.snapshot_copies_in_flight = 3);
    let planned = plan(&sandbox, &jobs);
    let results = apply(&sandbox, &planned, &jobs);
    let deferred: Vec<_> = results.iter().filter(|result| result.failed()).collect();
    assert_eq!(deferred.len(), 1);
    assert_eq!(deferred[0].actions[0].outcome, ActionOutcome::Deferred);
    let detail = "AWS accepts no more copies at the moment: CopyDBSnapshot in us-west-1: ";
    assert_detail(deferred[0], detail);
    let id = &deferred[0].actions[0].id;
    let message = format!("{id} is deferred: AWS accepts no more copies at the moment");
    assert_eq!(deferred[0].errors[0].message, message);
    assert!(
        deferred[0].errors[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("apply")),
        "{deferred:?}"
    );
    assert!(
        deferred[0].actions[1..]
            .iter()
            .all(|action| action.outcome == ActionOutcome::Skipped)
    );
    wait_for_copies(&sandbox);
    no_failures(&apply(&sandbox, &planned, &jobs));
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn the_limit_of_concurrent_copies_is_known_by_every_spelling_of_its_code() {
    for (call, code, message) in [
        (
            "CopyImage",
            "Client.ResourceLimitExceeded",
            "Too many copies",
        ),
        (
            "CopyDBSnapshot",
            "SnapshotQuotaExceededFault",
            "Cannot copy more than 20 snapshots across regions",
        ),
    ] {
        let (sandbox, mut jobs) = databases(1);
        jobs.push(ami_job("sync_app", "Web Application"));
        sandbox.edit(|world| {
            add_image(world, "ami-0a", "web", "Web Application");
            world.faults.push(Fault::new(call, code, message, None));
        });
        let planned = plan(&sandbox, &jobs);
        let outcomes: Vec<_> = apply(&sandbox, &planned, &jobs)
            .iter()
            .map(|result| result.actions[0].outcome)
            .collect();
        assert!(outcomes.contains(&ActionOutcome::Deferred), "{outcomes:?}");
        sandbox.edit(|world| world.faults.clear());
        no_failures(&apply(&sandbox, &planned, &jobs));
    }
}

#[test]
fn a_used_up_quota_of_snapshots_is_a_failure() {
    let (sandbox, jobs) = databases(1);
    sandbox.edit(|world| world.quotas.manual_snapshots = 4);
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Failed);
    assert_detail(
        &results[0],
        "CopyDBSnapshot in us-west-1: SnapshotQuotaExceeded: ",
    );
    assert_eq!(results[0].errors[0].message, "sync_db0/copy failed");
    let aws = results[0].errors[0].aws.as_ref().expect("AWS's own words");
    assert_eq!(aws.code, "SnapshotQuotaExceeded");
    assert!(aws.message.contains("manual snapshots"), "{}", aws.message);
}

#[test]
fn a_copy_does_not_adopt_another_snapshot_that_has_its_id() {
    let (sandbox, jobs) = databases(1);
    let planned = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        let mut other = our_copy(world, "db0", days_ago(0));
        other.copied_from = None;
        other.data_time = Some(days_ago(20));
        other.tags.clear();
        world.add_snapshot(&west(), other);
    });
    let stale = apply(&sandbox, &planned, &jobs);
    assert_eq!(
        stale[0].actions[0].outcome,
        ActionOutcome::Stale,
        "{stale:?}"
    );
    let detail = "id of the copy: expected free, found held by a snapshot made there (available)";
    assert_detail(&stale[0], detail);
    let message = format!("the plan is stale: {detail}");
    assert_eq!(stale[0].errors[0].message, message);

    // The listing lags behind and does not show it: then AWS says that the id is in use.
    let (sandbox, jobs) = databases(1);
    let planned = plan(&sandbox, &jobs);
    let taken = Fault::new(
        "CopyDBSnapshot",
        "DBSnapshotAlreadyExists",
        "Cannot create the snapshot",
        None,
    );
    sandbox.edit(|world| world.faults.push(taken));
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Failed);
    assert_eq!(results[0].deleted_resources, []);
}

#[test]
fn a_copy_that_is_disabled_while_it_is_waited_for_is_there() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "web");
    let jobs = [ami_job("sync_web", "web")];
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let on_event = |event: Event<'_>| {
        if let Event::CopyProgress { .. } = event {
            sandbox.edit(|world| {
                let here = world.region_mut(&west()).expect("the destination");
                (here.images[0].state, here.images[0].copying) = (state("disabled"), None);
            });
        }
    };
    let options = Options {
        parallelism: PARALLELISM,
        wait: Wait::ToTheEnd,
        stop: &AtomicBool::new(false),
    };
    let callers = callers(&jobs);
    let apply = executor::apply(&sandbox, &planned, &callers, None, options, &on_event);
    no_failures(&block_on(apply));
    let waited = sandbox.world().now.duration_since(start()).as_secs();
    assert!(waited < 60, "{waited} s, and a copy takes 600");
}
