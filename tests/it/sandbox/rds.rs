//! DB snapshots.

use super::ErrorClass::{Absent, Busy, Conflict, Denied, Invalid, Quota};
use super::*;

const TARGET: &str = "rds-mydb-2026-01-14-05-10";

fn copy(sandbox: &Sandbox, copy: &Copy) -> Answer<ArtifactId> {
    wait(sandbox.copy(&at(west()), copy, None))
}

pub(super) fn deletion(kind: Kind, id: &str) -> Delete {
    let copy = the_snapshot();
    let delete = json!({
        "id": "sync_db/delete",
        "kind": kind,
        "reason": "too many",
        "artifact": a_ref(id, &arn(id)),
        "expects": {
            "data_time": copy.expects.data_time,
            "state": "available",
            "sync_tag": copy.sync_tag,
            "kept": [],
        },
    });
    serde_json::from_value(delete).expect("a deletion")
}

fn delete(sandbox: &Sandbox, region: Region, id: &str) -> Answer<()> {
    wait(sandbox.delete(&at(region), &deletion(Kind::DbSnapshot, id))).map(drop)
}

/// A sandbox in which the newest snapshot is changed like this.
fn with_source(change: impl FnOnce(&mut WorldArtifact)) -> Sandbox {
    let mut world = world();
    change(stored(&mut world, SNAPSHOT));
    Sandbox::new(world)
}

#[test]
fn automated_and_manual_snapshots_are_told_apart() {
    let sandbox = Sandbox::new(world());
    copy(&sandbox, &the_snapshot()).expect("a copy");
    let databases = ["mydb", "other"];
    let sources = snapshots(&sandbox, east(), &automated(&databases)).expect("snapshots");
    assert_eq!(sources.len(), 3);
    let newest = sources.iter().find(|source| source.id.as_str() == SNAPSHOT);
    let newest = newest.expect("the newest");
    assert_eq!(newest.arn, arn(SNAPSHOT));
    let taken = Some(time("2026-01-14T05:10:33.417Z"));
    assert_eq!((newest.created, newest.data_time), (taken, taken));
    assert_eq!(newest.parent, Some(ParentId::from("mydb")));
    assert_eq!((newest.percent, newest.owner()), (Some(100), None));
    let found = |region, query: &Query| ids(snapshots(&sandbox, region, query));
    let none: [&str; 0] = [];
    assert_eq!(found(east(), &manual(&databases)), none);
    assert_eq!(found(west(), &automated(&databases)), none);
    assert_eq!(found(west(), &manual(&databases)), [TARGET]);
    assert_eq!(found(west(), &manual(&["other"])), none);
    assert_eq!(found(west(), &Query::AllManual), [TARGET]);
    assert_eq!(found(west(), &by_ids(&[TARGET])), [TARGET]);
    assert_eq!(found(east(), &by_ids(&[SNAPSHOT])), none, "it is automated");
}

#[test]
fn a_copy_keeps_what_a_copy_keeps_and_takes_its_time() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_snapshot()).expect("a copy");
    assert_eq!(id.as_str(), TARGET);
    wait(sandbox.pause(5 * MINUTE));
    let creating = snapshot(&sandbox, west(), &id);
    assert_eq!(creating.state.as_str(), "creating");
    assert_eq!((creating.created, creating.percent), (None, Some(50)));
    wait(sandbox.pause(5 * MINUTE));
    let done = snapshot(&sandbox, west(), &id);
    assert!(done.state.is_available());
    assert_eq!(done.created, Some(time("2026-01-15T06:10:01Z")));
    assert_eq!(done.percent, Some(100));
    assert_eq!(done.data_time, Some(time("2026-01-14T05:10:33.417Z")));
    assert_eq!(done.parent_created(), Some(time("2024-01-01T00:00:00Z")));
    assert_eq!(done.copied_from, Some(arn(SNAPSHOT)));
    assert_eq!(done.arn, arn_of(Kind::DbSnapshot, &west(), &account(), &id));
    assert_eq!((done.size_gib, done.encrypted), (Some(20), Some(false)));
    let sync_tag = format!("20260114051033+0000 / {SNAPSHOT}");
    let tags = Tags::from([("Owner", "dba"), ("Sync-From-us-east-1", &sync_tag)]);
    assert_eq!(done.tags, tags);
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let mut world = world();
    world.add_account(&other_account());
    let creating = "rds:mydb-2026-01-13-05-10";
    stored(&mut world, creating).state = ArtifactState::from("creating");
    let sandbox = Sandbox::new(world);
    let refuse = |request: &Copy, code: &str, class| {
        refused(copy(&sandbox, request), code, class);
    };
    let unknown = copy_of_snapshot("rds:mydb-2026-01-01-05-10");
    refuse(&unknown, "DBSnapshotNotFound", Absent);
    let as_other = wait(sandbox.copy(&at_as(OTHER_ACCOUNT, west()), &the_snapshot(), None));
    refused(as_other, "DBSnapshotNotFound", Absent);
    let creating = copy_of_snapshot(creating);
    refuse(&creating, "InvalidDBSnapshotState", Conflict);
    for region in ["us-east-9", "cn-north-1"] {
        let arn = Arn::from(format!("arn:aws:rds:{region}:{DEFAULT_ACCOUNT}:snapshot:x"));
        let strange = changed(the_snapshot(), |copy| copy.source.arn = arn);
        wrong_value(copy(&sandbox, &strange));
    }
    let long = "x".repeat(256);
    for id in [
        "a:b",
        "",
        "1st",
        "ends-",
        "two--hyphens",
        "under_score",
        &long,
    ] {
        wrong_value(copy(&sandbox, &snapshot_named(id)));
    }
    let tags = ["rds:x=1", "aws:x=1", "x=rds:y", "x=a&b", "=x"];
    for (key, value) in tags.map(|tag| tag.split_once('=').expect("a tag")) {
        let tags = Tags::from([(key, value)]);
        let tagged = changed(the_snapshot(), |copy| copy.tags = tags);
        wrong_value(copy(&sandbox, &tagged));
    }
    assert_eq!(sandbox.world().regions[&west()].snapshots, []);
}

#[test]
fn an_id_is_given_once_and_in_lower_case() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &snapshot_named("RDS-MyDB"));
    assert_eq!(id, Ok(ArtifactId::from("rds-mydb")));
    let again = copy(&sandbox, &snapshot_named("rds-mydb"));
    refused(again, "DBSnapshotAlreadyExists", Conflict);
}

#[test]
fn an_encrypted_snapshot_needs_a_key_of_the_destination() {
    let sandbox = with_source(|source| source.kms_key_id = Some("alias/aws/rds".to_owned()));
    let message = wrong_value(copy(&sandbox, &the_snapshot())).message;
    assert!(message.starts_with("Must specify new KMS key"), "{message}");
    let with_key = |key: &str| {
        let key = Some(key.to_owned());
        let keyed = changed(the_snapshot(), |copy| copy.kms_key_id = key);
        copy(&sandbox, &keyed)
    };
    refused(with_key("no-such-key"), "KMSKeyNotAccessible", Invalid);
    let id = with_key(KEY).expect("a copy");
    assert_eq!(snapshot(&sandbox, west(), &id).encrypted, Some(true));
}

#[test]
fn a_copy_within_a_region_is_like_any_manual_snapshot() {
    let sandbox = with_source(|source| source.kms_key_id = Some("alias/aws/rds".to_owned()));
    let id = wait(sandbox.copy(&at(east()), &the_snapshot(), None)).expect("a copy");
    let copied = snapshot(&sandbox, east(), &id);
    assert_eq!((copied.copied_from, copied.encrypted), (None, Some(true)));
}

#[test]
fn an_option_group_of_its_own_must_be_given_to_the_copy() {
    let own = Some("oracle-timezone".into());
    let sandbox = with_source(|source| source.option_group_name = own);
    // Only persistent and permanent options bind the data to the group.
    copy(&sandbox, &the_snapshot()).expect("a copy");
    sandbox.edit(|world| {
        world.region_mut(&west()).expect("it").snapshots.clear();
        let options = vec!["Timezone".to_owned()];
        let here = world.region_mut(&east()).expect("it");
        here.option_groups.insert("oracle-timezone".into(), options);
    });
    let message = wrong_value(copy(&sandbox, &the_snapshot())).message;
    assert!(message.contains("options: [Timezone]"), "{message}");
    let group = Some("west-timezone".to_owned());
    let grouped = changed(the_snapshot(), |copy| copy.option_group_name = group);
    let id = copy(&sandbox, &grouped).expect("a copy");
    let copied = snapshot(&sandbox, west(), &id);
    assert_eq!(
        copied.option_group().map(|group| &**group),
        Some("west-timezone")
    );
}

#[test]
fn concurrent_copies_and_manual_snapshots_are_limited() {
    let mut world = world();
    world.quotas.snapshot_copies_in_flight = 1;
    world.quotas.manual_snapshots = 2;
    let sandbox = Sandbox::new(world);
    let copy_of = |day: u32| {
        let id = format!("rds:mydb-2026-01-{day}-05-10");
        copy(&sandbox, &copy_of_snapshot(&id))
    };
    copy_of(12).expect("a copy");
    let error = refused(copy_of(13), "SnapshotQuotaExceeded", Busy);
    let message = "Cannot copy more than 1 snapshots across regions";
    assert_eq!(error.message, message);
    refused(copy_of(12), "DBSnapshotAlreadyExists", Conflict);
    wait(sandbox.pause(10 * MINUTE));
    copy_of(13).expect("a copy");
    let error = refused(copy_of(14), "SnapshotQuotaExceeded", Quota);
    assert_eq!(error.message, "Cannot create more than 2 manual snapshots");
    delete(&sandbox, west(), "rds-mydb-2026-01-12-05-10").expect("deleted");
    wait(sandbox.pause(10 * MINUTE));
    copy_of(14).expect("a copy");
}

#[test]
fn a_planned_failure_leaves_a_failed_copy_without_a_time_or_a_reason() {
    let mut world = world();
    for region in [east(), west()] {
        let reason = "Internal error".to_owned();
        world.fail_next_copies.push(FailNextCopy { region, reason });
    }
    let sandbox = Sandbox::new(world);
    let id = copy(&sandbox, &the_snapshot()).expect("accepted");
    wait(sandbox.pause(10 * MINUTE));
    let failed = snapshot(&sandbox, west(), &id);
    assert_eq!(failed.state.as_str(), "failed");
    assert_eq!((failed.created, failed.percent), (None, None));
    assert_eq!(failed.state_reason(), None, "RDS states none");
    assert_eq!(sandbox.world().fail_next_copies.len(), 1);
    delete(&sandbox, west(), TARGET).expect("a failed copy can be deleted");
}

#[test]
fn what_cannot_be_deleted_is_refused() {
    let sandbox = Sandbox::new(world());
    let wrong_state = "InvalidDBSnapshotState";
    let error = refused(delete(&sandbox, east(), SNAPSHOT), wrong_state, Conflict);
    let message = format!("Automated snapshots cannot be deleted: {SNAPSHOT}");
    assert_eq!(error.message, message);
    let delete = || delete(&sandbox, west(), TARGET);
    refused(delete(), "DBSnapshotNotFound", Absent);
    copy(&sandbox, &the_snapshot()).expect("a copy");
    refused(delete(), wrong_state, Conflict);
    wait(sandbox.pause(10 * MINUTE));
    delete().expect("deleted");
    refused(delete(), "DBSnapshotNotFound", Absent);
}

#[test]
fn accounts_do_not_see_each_others_snapshots() {
    let mut world = world();
    world.add_account(&other_account());
    let (created, taken) = (time("2025-01-01T00:00:00Z"), time("2026-01-14T07:00:00Z"));
    let database = WorldDatabase::new("mydb", &other_account(), created);
    let theirs = WorldArtifact::snapshot(&database, SNAPSHOT, SnapshotType::Automated, taken);
    world.add_snapshot(&east(), theirs);
    let sandbox = Sandbox::new(world);
    let query = automated(&["mydb"]);
    assert_eq!(ids(snapshots(&sandbox, east(), &query)).len(), 3);
    let there = at_as(OTHER_ACCOUNT, east());
    let found = wait(sandbox.find(&there, Kind::DbSnapshot, &query));
    let [theirs] = found.expect("snapshots").try_into().expect("one");
    assert_eq!(theirs.arn.account(), Some(OTHER_ACCOUNT));
    copy(&sandbox, &the_snapshot()).expect("a copy");
    let source = theirs.to_ref(&east());
    let request = changed(the_snapshot(), |copy| copy.source = source);
    let copied = wait(sandbox.copy(&at_as(OTHER_ACCOUNT, west()), &request, None));
    copied.expect("ids are per account");
}

#[test]
fn tags_go_by_arn_and_have_limits() {
    let sandbox = Sandbox::new(world());
    let write = |arn: Arn, tags: &Tags| {
        let snapshot = a_ref(SNAPSHOT, &arn);
        wait(sandbox.tag(&at(east()), Kind::DbSnapshot, &snapshot, &[], tags))
    };
    let tags = || stored(&mut sandbox.world(), SNAPSHOT).tags.clone();
    let value = format!("20260114051033+0000 / {TARGET}");
    let sync_tag = Tags::from([("Sync-us-west-1", value.as_str())]);
    write(arn(SNAPSHOT), &sync_tag).expect("tagged");
    assert_eq!(tags(), sync_tag);
    let absent = write(arn("rds:none"), &sync_tag);
    refused(absent, "DBSnapshotNotFound", Absent);
    let away = Arn::from("arn:aws:rds:us-west-1:123456789012:snapshot:x");
    wrong_value(write(away, &sync_tag));
    wrong_value(write(arn(SNAPSHOT), &Tags::from([("x", "rds:y")])));
    let fifty: Tags = (0..50).map(|n| (format!("k{n}"), "")).collect();
    wrong_value(write(arn(SNAPSHOT), &fifty));
    let fault = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
    sandbox.edit(|world| world.faults.push(fault));
    refused(write(arn(SNAPSHOT), &sync_tag), "AccessDenied", Denied);
    write(arn(SNAPSHOT), &Tags::from([("More", "1")])).expect("tagged");
    assert_eq!(tags().len(), 2);
}
