//! DB snapshots.

use aws_xregion_sync::model::action::Resource;
use aws_xregion_sync::model::inventory::State;
use aws_xregion_sync::provider::sandbox::{FailNextCopy, Fault, SnapshotKind};

use super::*;

const SOURCE: &str = "rds:mydb-2026-01-14-05-10";
const TARGET: &str = "rds-mydb-2026-01-14-05-10";

fn copy(sandbox: &Sandbox, copy: &CopySnapshot) -> Looked<SnapshotId> {
    wait(sandbox.copy_snapshot(&at(west()), copy))
}

fn delete(sandbox: &Sandbox, region: Region, id: &str) -> Looked<()> {
    wait(sandbox.delete_snapshot(&at(region), &SnapshotId::from(id)))
}

/// A world whose newest snapshot is changed like this.
fn world_with(change: impl FnOnce(&mut WorldSnapshot)) -> World {
    let mut world = world();
    change(stored(&mut world, &east(), SOURCE));
    world
}

#[test]
fn automated_and_manual_snapshots_are_told_apart() {
    let sandbox = Sandbox::new(world());
    copy(&sandbox, &the_snapshot()).expect("a copy");
    let database = [DbInstance::from("mydb"), DbInstance::from("other")];
    let automated = wait(sandbox.automated_snapshots(&at(east()), &database)).expect("snapshots");
    assert_eq!(automated.len(), 3);
    let newest = automated
        .iter()
        .find(|snapshot| snapshot.id.as_str() == SOURCE)
        .expect("the newest");
    assert_eq!(newest.arn, arn(SOURCE));
    assert_eq!(newest.created, Some(time("2026-01-14T05:10:33.417Z")));
    assert_eq!(newest.percent, Some(100));
    assert_eq!(
        wait(sandbox.manual_snapshots(&at(east()), &database)),
        Ok(vec![])
    );
    assert_eq!(
        wait(sandbox.automated_snapshots(&at(west()), &database)),
        Ok(vec![])
    );
    assert_eq!(
        wait(sandbox.manual_snapshots(&at(west()), &database))
            .expect("snapshots")
            .len(),
        1
    );
    assert_eq!(
        wait(sandbox.manual_snapshots(&at(west()), &[DbInstance::from("other")])),
        Ok(vec![])
    );
    let by_id = wait(sandbox.snapshots(&at(east()), &[SnapshotId::from(SOURCE)]));
    assert_eq!(
        by_id,
        Ok(vec![]),
        "an automated one is not found by identifier alone"
    );
}

#[test]
fn a_copy_keeps_what_a_copy_keeps_and_takes_its_time() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_snapshot()).expect("a copy");
    assert_eq!(id, SnapshotId::from(TARGET));
    wait(sandbox.pause(5 * MINUTE));
    let creating = snapshot(&sandbox, west(), &id);
    assert_eq!(creating.status, State::from("creating"));
    assert_eq!((creating.created, creating.percent), (None, Some(50)));
    wait(sandbox.pause(5 * MINUTE));
    let done = snapshot(&sandbox, west(), &id);
    assert_eq!(done.status, State::available());
    assert_eq!(
        (done.created, done.percent),
        (Some(time("2026-01-15T06:10:01Z")), Some(100))
    );
    assert_eq!(
        done.original_created,
        Some(time("2026-01-14T05:10:33.417Z"))
    );
    assert_eq!(done.instance_created, Some(time("2024-01-01T00:00:00Z")));
    assert_eq!(done.copied_from, Some(arn(SOURCE)));
    assert_eq!(
        done.arn.as_str(),
        "arn:aws:rds:us-west-1:123456789012:snapshot:rds-mydb-2026-01-14-05-10"
    );
    assert_eq!((done.size_gib, done.encrypted), (Some(20), false));
    let sync_tag = format!("20260114051033+0000 / {SOURCE}");
    assert_eq!(
        done.tags,
        tags(&[("Owner", "dba"), ("Sync-From-us-east-1", &sync_tag)])
    );
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let mut world = world();
    world.add_account(&AccountId::from("432143214321"));
    stored(&mut world, &east(), "rds:mydb-2026-01-13-05-10").status = State::from("creating");
    let sandbox = Sandbox::new(world);
    refused(
        copy(&sandbox, &copy_of_snapshot("rds:mydb-2026-01-01-05-10")),
        "DBSnapshotNotFound",
        ErrorKind::Absent,
    );
    let theirs = wait(sandbox.copy_snapshot(&at_as("432143214321", west()), &the_snapshot()));
    refused(theirs, "DBSnapshotNotFound", ErrorKind::Absent);
    let creating = copy_of_snapshot("rds:mydb-2026-01-13-05-10");
    refused(
        copy(&sandbox, &creating),
        "InvalidDBSnapshotState",
        ErrorKind::Invalid,
    );
    for arn in [
        "rds:mydb-2026-01-14-05-10",
        "arn:aws:rds:us-east-9:123456789012:snapshot:x",
        "arn:aws-cn:rds:cn-north-1:1:snapshot:x",
    ] {
        let strange = CopySnapshot {
            source_snapshot_arn: SnapshotArn::from(arn),
            ..the_snapshot()
        };
        refused(
            copy(&sandbox, &strange),
            "InvalidParameterValue",
            ErrorKind::Invalid,
        );
    }
    for target in [
        SOURCE,
        "",
        "1st",
        "ends-",
        "two--hyphens",
        "under_score",
        &"x".repeat(256),
    ] {
        let named = CopySnapshot {
            target_snapshot_id: SnapshotId::from(target),
            ..the_snapshot()
        };
        refused(
            copy(&sandbox, &named),
            "InvalidParameterValue",
            ErrorKind::Invalid,
        );
    }
    for bad in [("rds:x", "1"), ("aws:x", "1"), ("x", "rds:y"), ("x", "a&b")] {
        let tagged = CopySnapshot {
            tags: tags(&[bad]),
            ..the_snapshot()
        };
        refused(
            copy(&sandbox, &tagged),
            "InvalidParameterValue",
            ErrorKind::Invalid,
        );
    }
    assert_eq!(sandbox.world().regions[&west()].snapshots, []);
}

#[test]
fn a_name_is_given_once_and_in_lower_case() {
    let sandbox = Sandbox::new(world());
    let shouted = CopySnapshot {
        target_snapshot_id: SnapshotId::from("RDS-MyDB"),
        ..the_snapshot()
    };
    assert_eq!(copy(&sandbox, &shouted), Ok(SnapshotId::from("rds-mydb")));
    let again = CopySnapshot {
        target_snapshot_id: SnapshotId::from("rds-mydb"),
        ..the_snapshot()
    };
    refused(
        copy(&sandbox, &again),
        "DBSnapshotAlreadyExists",
        ErrorKind::Invalid,
    );
}

#[test]
fn an_encrypted_snapshot_needs_a_key_of_the_destination() {
    let sandbox = Sandbox::new(world_with(|source| {
        source.kms_key_id = Some("alias/aws/rds".to_owned())
    }));
    let error = refused(
        copy(&sandbox, &the_snapshot()),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    assert_eq!(
        error.message,
        "Must specify new KMS key for cross region encrypted snapshot copy"
    );
    let keyed = |key: &str| CopySnapshot {
        kms_key_id: Some(key.to_owned()),
        ..the_snapshot()
    };
    refused(
        copy(&sandbox, &keyed("no-such-key")),
        "KMSKeyNotAccessible",
        ErrorKind::Invalid,
    );
    let id = copy(&sandbox, &keyed("1234abcd-12ab-34cd-56ef-1234567890ab")).expect("a copy");
    assert!(snapshot(&sandbox, west(), &id).encrypted);
}

#[test]
fn an_option_group_of_its_own_must_be_given_to_the_copy() {
    let sandbox = Sandbox::new(world_with(|source| {
        source.option_group_name = Some("oracle-timezone".to_owned())
    }));
    let error = refused(
        copy(&sandbox, &the_snapshot()),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    assert!(
        error.message.contains("requires a target option group"),
        "{error}"
    );
    let grouped = CopySnapshot {
        option_group_name: Some("west-timezone".to_owned()),
        ..the_snapshot()
    };
    let id = copy(&sandbox, &grouped).expect("a copy");
    assert_eq!(
        snapshot(&sandbox, west(), &id).option_group_name.as_deref(),
        Some("west-timezone")
    );
}

#[test]
fn the_two_quotas_say_which_they_are() {
    let mut world = world();
    world.quotas.snapshot_copies_in_flight = 1;
    world.quotas.manual_snapshots = 2;
    let sandbox = Sandbox::new(world);
    let nth = |day: u32| copy_of_snapshot(&format!("rds:mydb-2026-01-{day}-05-10"));
    copy(&sandbox, &nth(12)).expect("a copy");
    let error = refused(
        copy(&sandbox, &nth(13)),
        "SnapshotQuotaExceeded",
        ErrorKind::Quota,
    );
    assert_eq!(
        error.message,
        "Cannot copy more than 1 snapshots across regions"
    );
    refused(
        copy(&sandbox, &nth(12)),
        "DBSnapshotAlreadyExists",
        ErrorKind::Invalid,
    );
    wait(sandbox.pause(10 * MINUTE));
    copy(&sandbox, &nth(13)).expect("a copy");
    let error = refused(
        copy(&sandbox, &nth(14)),
        "SnapshotQuotaExceeded",
        ErrorKind::Quota,
    );
    assert_eq!(error.message, "Cannot create more than 2 manual snapshots");
    delete(&sandbox, west(), "rds-mydb-2026-01-12-05-10").expect("deleted");
    wait(sandbox.pause(10 * MINUTE));
    copy(&sandbox, &nth(14)).expect("a copy");
}

#[test]
fn a_planned_failure_leaves_a_failed_copy_without_a_time() {
    let mut world = world();
    world.fail_next_copies.push(FailNextCopy {
        region: east(),
        reason: "another region".to_owned(),
    });
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "Internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    let id = copy(&sandbox, &the_snapshot()).expect("accepted");
    wait(sandbox.pause(10 * MINUTE));
    let failed = snapshot(&sandbox, west(), &id);
    assert_eq!(
        (failed.status, failed.created, failed.percent),
        (State::from("failed"), None, None)
    );
    assert_eq!(sandbox.world().fail_next_copies.len(), 1);
    delete(&sandbox, west(), TARGET).expect("a failed copy can be deleted");
}

#[test]
fn what_cannot_be_deleted_is_refused() {
    let sandbox = Sandbox::new(world());
    let error = refused(
        delete(&sandbox, east(), SOURCE),
        "InvalidDBSnapshotState",
        ErrorKind::Invalid,
    );
    assert!(
        error
            .message
            .contains("Automated snapshots cannot be deleted"),
        "{error}"
    );
    refused(
        delete(&sandbox, west(), TARGET),
        "DBSnapshotNotFound",
        ErrorKind::Absent,
    );
    copy(&sandbox, &the_snapshot()).expect("a copy");
    refused(
        delete(&sandbox, west(), TARGET),
        "InvalidDBSnapshotState",
        ErrorKind::Invalid,
    );
    wait(sandbox.pause(10 * MINUTE));
    delete(&sandbox, west(), TARGET).expect("deleted");
    refused(
        delete(&sandbox, west(), TARGET),
        "DBSnapshotNotFound",
        ErrorKind::Absent,
    );
}

#[test]
fn accounts_do_not_see_each_others_snapshots() {
    let mut world = world();
    let other = AccountId::from("432143214321");
    world.add_account(&other);
    let database = WorldDatabase::new("mydb", &other, time("2025-01-01T00:00:00Z"));
    let theirs = WorldSnapshot::of(
        &database,
        SOURCE,
        SnapshotKind::Automated,
        time("2026-01-14T07:00:00Z"),
    );
    world.add_snapshot(&east(), theirs);
    let sandbox = Sandbox::new(world);
    let databases = [DbInstance::from("mydb")];
    assert_eq!(
        wait(sandbox.automated_snapshots(&at(east()), &databases))
            .expect("snapshots")
            .len(),
        3
    );
    let place = at_as("432143214321", east());
    let [theirs] = wait(sandbox.automated_snapshots(&place, &databases))
        .expect("snapshots")
        .try_into()
        .expect("one");
    assert_eq!(theirs.arn.account(), Some("432143214321"));
    copy(&sandbox, &the_snapshot()).expect("a copy");
    let request = CopySnapshot {
        source_snapshot_arn: theirs.arn,
        ..the_snapshot()
    };
    let place = at_as("432143214321", west());
    wait(sandbox.copy_snapshot(&place, &request)).expect("names are per account");
}

#[test]
fn tags_go_by_arn_and_have_limits() {
    let sandbox = Sandbox::new(world());
    let write = |arn: &SnapshotArn, pairs: &[(&str, &str)]| {
        wait(sandbox.tag(&at(east()), &Resource::Snapshot(arn.clone()), &tags(pairs)))
    };
    let note = [(
        "Sync-us-west-1",
        "20260114051033+0000 / rds-mydb-2026-01-14-05-10",
    )];
    write(&arn(SOURCE), &note).expect("tagged");
    assert_eq!(
        stored(&mut sandbox.world(), &east(), SOURCE).tags,
        tags(&note)
    );
    refused(
        write(&arn("rds:none"), &note),
        "DBSnapshotNotFound",
        ErrorKind::Absent,
    );
    let away = SnapshotArn::from("arn:aws:rds:us-west-1:123456789012:snapshot:x");
    refused(
        write(&away, &note),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    refused(
        write(&arn(SOURCE), &[("x", "rds:y")]),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    sandbox.edit(|world| {
        world.faults.push(Fault::new(
            "AddTagsToResource",
            "AccessDenied",
            "no",
            Some(1),
        ))
    });
    refused(
        write(&arn(SOURCE), &note),
        "AccessDenied",
        ErrorKind::Denied,
    );
    write(&arn(SOURCE), &[("More", "1")]).expect("tagged");
    assert_eq!(stored(&mut sandbox.world(), &east(), SOURCE).tags.len(), 2);
}

#[test]
fn a_copy_within_a_region_is_like_any_manual_snapshot() {
    let sandbox = Sandbox::new(world_with(|source| {
        source.kms_key_id = Some("alias/aws/rds".to_owned())
    }));
    let id = wait(sandbox.copy_snapshot(&at(east()), &the_snapshot())).expect("a copy");
    let copied = snapshot(&sandbox, east(), &id);
    assert_eq!((copied.copied_from, copied.encrypted), (None, true));
}
