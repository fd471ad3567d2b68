//! Reads while jobs wait for copies: they fail, or show something other than the copy.

use super::*;

#[test]
fn law_6_reads_with_transient_errors_are_retried() {
    for code in ["Throttling", "InternalFailure"] {
        let planned = planned(1);
        let results = planned.changed_at(is_source_tagged, Wait::ToTheEnd, |world| {
            let faults = fault("DescribeDBSnapshots", code, Some(12));
            world.faults.push(faults);
        });
        no_failures(&results);
        assert_eq!(results[0].deleted_resources.len(), 1);
    }
}

#[test]
fn law_6_reads_that_keep_failing_end_the_wait_and_nothing_is_deleted() {
    // Throttling is transient, so it ends the wait only after ten minutes; the others end it at once.
    for (code, lengths) in [
        ("AccessDenied", 0..60),
        ("ExpiredToken", 0..60),
        ("Throttling", 600..720),
    ] {
        let planned = planned(2);
        let results = planned.changed_at(is_source_tagged, Wait::ToTheEnd, |world| {
            world.faults.push(fault("DescribeDBSnapshots", code, None));
        });
        for result in &results {
            kept_all(&planned, result);
            let aws = result.errors[0].aws.as_ref().expect("AWS's own words");
            assert_eq!(aws.code, code);
        }
        let length = planned.seconds();
        assert!(lengths.contains(&length), "{code}: {length} s");
    }
}

#[test]
fn a_job_whose_credentials_have_expired_is_not_waited_for() {
    let planned = planned(1);
    let results = planned.changed_at(is_copied, Wait::ToTheEnd, |world| {
        let expired = fault("AddTagsToResource", "ExpiredToken", Some(1));
        world.faults.push(expired);
    });
    kept_all(&planned, &results[0]);
    let message = &results[0].errors[0].message;
    assert_says(message, "credentials have expired");
    assert!(planned.seconds() < 60);
}

#[test]
fn law_5_another_snapshot_with_the_id_of_the_copy_is_not_taken_for_it() {
    let planned = planned(1);
    let results = planned.changed_at(is_progress, Wait::ToTheEnd, |world| {
        let ours = copying(world);
        ours.tags.clear();
        set_state(ours, "available");
        (ours.copied_from, ours.data_time) = (None, Some(days_ago(40)));
    });
    kept_all(&planned, &results[0]);
    let message = &results[0].errors[0].message;
    assert_says(message, "another snapshot has its id");
}

#[test]
fn an_unknown_state_is_waited_for_an_hour() {
    let planned = planned(1);
    let results = planned.changed_at(is_progress, up_to(86_400), |world| {
        set_state(copying(world), "incompatible-restore");
    });
    kept_all(&planned, &results[0]);
    let error = &results[0].errors[0];
    assert_help(error, "has failed or is deleted");
    assert_says(&error.message, "its state is incompatible-restore");
    let minutes = planned.seconds() / 60;
    assert!((60..70).contains(&minutes), "{minutes}");
}

fn one_image(copy_seconds: u64) -> Planned {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "web");
    world.copy_seconds = copy_seconds;
    Planned::new(world, [ami_job("sync_web", "web")])
}

#[test]
fn law_6_an_image_is_waited_for_while_its_source_region_does_not_answer_and_a_read_fails() {
    let results = one_image(7_200).changed_at(is_progress, up_to(86_400), |world| {
        let gone = fault("DescribeImages", "RequestTimeout", None);
        let throttled = fault("DescribeImages", "Throttling", Some(1));
        let faults = [in_region(&east(), gone), in_region(&west(), throttled)];
        world.faults.extend(faults);
    });
    no_failures(&results);
}

#[test]
fn an_image_is_waited_for_when_its_source_can_no_longer_be_read() {
    let results = one_image(600).changed_at(is_copied, up_to(86_400), |world| {
        let denied = fault("DescribeImages", "UnauthorizedOperation", None);
        world.faults.push(in_region(&east(), denied));
        // The observation is too old for the tag of the source.
        world.advance(SignedDuration::from_secs(90));
    });
    no_failures(&results);
    assert_eq!(results[0].warnings.len(), 1, "about the tag: {results:?}");
}
