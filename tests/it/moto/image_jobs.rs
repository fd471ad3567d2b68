//! Image jobs, from the config to the calls: which copies go, which stay and why, and what copies get.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::site::{Site, actions, job, regions};
use super::world::{EAST, WEST};

const DEREGISTER: &str = "DeregisterImage";
const REFERENCES: &str = "DescribeImageReferences";

/// A job for images, with one image to copy.
struct Images {
    site: Site,
    source: String,
}

impl Images {
    /// Has no copies. The options are part of the config, such as `, max_images_to_retain: 2`.
    fn new(options: &str) -> Self {
        let site = Site::new(0);
        site.configure(&format!(
            "sync_app: {{sync_type: ec2_ami, {}, sync_identifier: app{options}}}\n",
            regions()
        ));
        let images = site.world.control("images", json!({"region": EAST}));
        let source = images[0].as_str().expect("an id").to_owned();
        Self { site, source }
    }

    /// Has this number of copies, and returns their ids, newest first. The newest is the copy of the current image. It and `retain`
    /// more are kept.
    fn with_copies(retain: u32, number: u32) -> (Self, Vec<String>) {
        let images = Self::new(&format!(", max_images_to_retain: {retain}"));
        let copies = (0..number).map(|age| {
            let source = match age {
                0 => images.source.clone(),
                _ => format!("ami-{age:017x}"),
            };
            let sync_tag = format!("202601{:02}220000+0000 / {source}", 14 - age);
            let tags = json!({"Sync-Identifier": "app", "Sync-From-us-east-1": sync_tag});
            images.copy(&source, tags)
        });
        let copies = copies.collect();
        images.site.world.reset();
        (images, copies)
    }

    /// Creates a copy of an image and returns its id.
    fn copy(&self, source: &str, tags: Value) -> String {
        let copy = json!({"name": "app", "source_id": source, "source_region": EAST, "tags": tags});
        self.site.world.image(WEST, copy).id.to_string()
    }

    /// Sets what keeps a copy or its snapshot: see `image_use` in `tests/moto/server.py`.
    fn uses(&self, id: &str, mut by: Value) {
        by["id"] = json!(id);
        by["region"] = json!(WEST);
        self.site.world.control("image_use", by);
    }

    /// The ids that a control lists in the destination, in order.
    fn listed(&self, what: &str) -> Vec<String> {
        let found = self.site.world.control(what, json!({"region": WEST}));
        let mut ids: Vec<String> = serde_json::from_value(found).expect("ids");
        ids.sort();
        ids
    }

    fn assert_nothing_deleted(&self, copies: &[String]) {
        assert_eq!(self.listed("images"), sorted(copies));
        assert_eq!(self.site.world.calls_of(DEREGISTER).len(), 0);
    }

    /// How many images each call asked about, not counting those for further pages.
    fn asked_about(&self) -> Vec<usize> {
        let mut calls = self.site.world.calls_of(REFERENCES);
        calls.retain(|call| !call.params.contains_key("NextToken"));
        let number = |key: &&String| key.starts_with("ImageId.");
        let mut numbers: Vec<usize> = calls
            .iter()
            .map(|call| call.params.keys().filter(number).count())
            .collect();
        numbers.sort_unstable();
        numbers
    }
}

fn sorted(ids: &[String]) -> Vec<String> {
    let mut ids = ids.to_vec();
    ids.sort();
    ids
}

fn days_ago(days: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_hours(24 * days);
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn user(resource: &str, kind: &str) -> Value {
    json!({"Arn": format!("arn:aws:ec2:us-west-1:1:{resource}"), "ResourceType": kind})
}

fn deletions(ids: &[String]) -> Vec<String> {
    let ids = ids.iter();
    ids.map(|id| format!("sync_app/delete/{id}")).collect()
}

/// Returns the ids of the copies that a plan keeps, with the reasons.
fn reasons_of(kept: &Value) -> Vec<(String, String)> {
    let text = |kept: &Value, key: &str| kept[key].as_str().expect("a text").to_owned();
    let kept = kept.as_array().expect("a list").iter();
    kept.map(|kept| (text(kept, "id"), text(kept, "reason")))
        .collect()
}

#[test]
fn thirteen_copies_go_down_to_those_that_are_kept_for_a_reason() {
    let (images, copies) = Images::with_copies(2, 13);
    let [protected, launched, used] = [&copies[12], &copies[11], &copies[10]];
    images.uses(protected, json!({"protection": "enabled-with-cooldown"}));
    images.uses(launched, json!({"launched": days_ago(3)}));
    let users = [
        user("launch-template/lt-1", "ec2:LaunchTemplate"),
        user("instance/i-1", "ec2:Instance"),
    ];
    images.uses(used, json!({"users": users}));
    let [shared, denied, long_ago] = [&copies[9], &copies[8], &copies[7]];
    images.uses(shared, json!({"second_disk_of": copies[1]}));
    images.uses(denied, json!({"snapshot_refusal": "missing-permissions"}));
    images.uses(long_ago, json!({"launched": days_ago(100)}));
    // The two references are on two pages.
    images.site.world.settings(json!({"page_size": 1}));

    let site = &images.site;
    let planned = site.done(&["plan", "--out", "plan.json"]);
    let plan = site.folder.json("plan.json");
    let mut due = copies[3..10].to_vec();
    due.reverse();
    assert_eq!(actions(&plan), deletions(&due));
    let reasons = [
        (protected, "it is protected from deregistration".to_owned()),
        (
            launched,
            format!("it was last launched on {}", &days_ago(3)[..10]),
        ),
        (
            used,
            "it is used by instance i-1, launch template lt-1".to_owned(),
        ),
    ];
    let kept = reasons.map(|(id, reason)| {
        let shown = planned.out.lines();
        let mut shown = shown.filter(|line| line.contains(id) && line.contains(&reason));
        assert!(shown.next().is_some(), "{id}: {planned:?}");
        (id.clone(), reason)
    });
    assert_eq!(reasons_of(&job(&plan, "sync_app")["kept"]), kept);
    assert_eq!(images.asked_about(), [3, 10]);
    assert_eq!(site.world.calls_of(REFERENCES).len(), 3, "one more page");
    assert_eq!(site.world.calls_of(DEREGISTER).len(), 0);

    let snapshot = |id: &String| site.world.stored(WEST, id)["snapshot_id"].clone();
    let stays = [&copies[..3], &copies[10..]].concat();
    let mut disks: Vec<Value> = stays.iter().chain([denied]).map(snapshot).collect();
    let (second_disk, denied_disk) = (snapshot(&copies[1]), snapshot(denied));
    site.succeeds(&["apply", "plan.json", "--results", "results.json"]);
    let results = site.folder.json("results.json");
    let result = job(&results, "sync_app");
    assert_eq!(result["deleted_resources"], json!(due));
    let details: Vec<&Value> = result["actions"]
        .as_array()
        .expect("actions")
        .iter()
        .map(|action| &action["detail"])
        .collect();
    let left = |id: &Value, code: &str| {
        let id = id.as_str().expect("an id");
        json!(format!("snapshots not deleted: {id} ({code})"))
    };
    let mut expected = vec![Value::Null; due.len()];
    expected[0] = left(&second_disk, "skipped");
    expected[1] = left(&denied_disk, "missing-permissions");
    assert_eq!(details, expected.iter().collect::<Vec<_>>());
    let warnings = result["warnings"].to_string();
    for disk in [&second_disk, &denied_disk] {
        let id = disk.as_str().expect("an id");
        assert!(warnings.contains(&format!("snapshot {id} ")), "{warnings}");
    }

    let calls = site.world.calls_of(DEREGISTER);
    assert_eq!(calls.len(), due.len());
    for call in calls {
        assert_eq!(call.params["DeleteAssociatedSnapshots"], "true");
    }
    assert_eq!(images.listed("images"), sorted(&stays));
    disks.sort_by_key(Value::to_string);
    assert_eq!(json!(images.listed("disks")), json!(disks));
    site.assert_up_to_date();
}

#[test]
fn a_new_image_every_day_leaves_as_many_copies_as_the_job_keeps() {
    let images = Images::new(", most_recent: true, max_images_to_retain: 1");
    let site = &images.site;
    site.world
        .settings(json!({"copy_seconds": 0.3, "page_size": 1}));
    let mut numbers = Vec::new();
    for day in 15..19 {
        site.succeeds(&["run", "--wait"]);
        site.assert_up_to_date();
        numbers.push((images.listed("images").len(), images.listed("disks").len()));
        let created = format!("2026-01-{day}T22:00:00Z");
        let tags = json!({"Sync-Identifier": "app", "Day": day.to_string()});
        let image = json!({"name": format!("app-{day}"), "created": created, "tags": tags});
        site.world.image(EAST, image);
    }
    assert_eq!(numbers, [(1, 1), (2, 2), (2, 2), (2, 2)]);
    for copy in images.listed("images") {
        let stored = site.world.stored(WEST, &copy);
        let day = stored["tags"]["Day"].as_str();
        assert!(matches!(day, Some("16" | "17")), "{stored}");
        assert_eq!(stored["snapshot_tags"], stored["tags"]);
    }
}

#[test]
fn a_copy_that_goes_while_its_users_are_read_does_not_affect_the_others() {
    let (images, copies) = Images::with_copies(1, 5);
    let site = &images.site;
    let used = json!({"users": [user("instance/i-1", "ec2:Instance")]});
    images.uses(&copies[3], used);
    // Refused together with the others, and then alone.
    let gone = json!({"action": REFERENCES, "code": "InvalidAMIID.NotFound", "times": 2, "contains": copies[4]});
    site.world.fail(gone.clone());
    let plan = site.plan();
    assert_eq!(actions(&plan), deletions(&copies[2..3]));
    assert_eq!(images.asked_about(), [1, 1, 1, 1, 1, 5]);
    let kept = &job(&plan, "sync_app")["kept"];
    let reason = "it is unknown whether it is in use (InvalidAMIID.NotFound)";
    assert_eq!(reasons_of(kept)[0], (copies[4].clone(), reason.to_owned()));

    site.plan();
    site.world.fail(gone);
    site.succeeds(&["apply", "plan.json", "--results", "results.json"]);
    let results = site.folder.json("results.json");
    let actions = &job(&results, "sync_app")["actions"];
    let outcomes = [0, 1].map(|n| actions[n]["outcome"].clone());
    assert_eq!(outcomes, ["already_done", "done"]);
}

#[test]
fn law_6_where_it_is_unknown_what_uses_them_no_images_go() {
    let (images, copies) = Images::with_copies(1, 5);
    let denied =
        json!({"action": REFERENCES, "code": "UnauthorizedOperation", "status": 403, "times": -1});
    images.site.world.fail(denied);
    let plan = images.site.plan();
    assert_eq!(actions(&plan), [""; 0]);
    let planned = job(&plan, "sync_app");
    let warnings = planned["warnings"].as_array().expect("a list");
    let [warning] = warnings.as_slice() else {
        panic!("one warning: {warnings:?}")
    };
    let warning = warning.as_str().expect("a text");
    assert!(
        warning.contains("allow ec2:DescribeImageReferences"),
        "{warning}"
    );
    let kept = planned["kept"].as_array().expect("a list");
    assert_eq!(kept.len(), 3);
    for kept in kept {
        let reason = "it is unknown whether it is in use (UnauthorizedOperation)";
        assert_eq!(kept["reason"], reason);
    }

    // Denied since the plan was made.
    images.site.world.reset();
    assert_eq!(actions(&images.site.plan()).len(), 3);
    images.site.world.fail(
        json!({"action": REFERENCES, "code": "UnauthorizedOperation", "status": 403, "times": -1}),
    );
    let applied = images.site.xrs(&["apply", "plan.json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    assert!(applied.out.contains("UnauthorizedOperation"), "{applied:?}");
    images.assert_nothing_deleted(&copies);
}

#[test]
fn law_5_an_image_that_something_uses_since_the_plan_stays() {
    for (change, difference) in [
        (
            json!({"users": [user("instance/i-1", "ec2:Instance")]}),
            "users of ID: expected none, found instance i-1",
        ),
        (
            json!({"protection": "enabled-without-cooldown"}),
            "deregistration protection of ID: expected off, found on",
        ),
    ] {
        let (images, copies) = Images::with_copies(1, 3);
        let oldest = &copies[2];
        let plan = images.site.plan();
        assert_eq!(actions(&plan), deletions(&copies[2..]));
        images.uses(oldest, change);
        let apply = ["apply", "plan.json", "--results", "results.json"];
        let applied = images.site.xrs(&apply);
        assert_eq!(applied.code, Some(1), "{applied:?}");
        let results = images.site.folder.json("results.json");
        let result = &job(&results, "sync_app")["actions"][0];
        assert_eq!(result["outcome"], "stale");
        let detail = result["detail"].as_str().expect("a text");
        assert!(
            detail.contains(&difference.replace("ID", oldest)),
            "{detail}"
        );
        images.assert_nothing_deleted(&copies);
    }
}

#[test]
fn an_image_that_aws_refuses_to_deregister_fails_with_its_code() {
    let (images, copies) = Images::with_copies(1, 4);
    images.site.plan();
    let refusal =
        json!({"action": DEREGISTER, "code": "OperationNotPermitted", "contains": copies[3]});
    images.site.world.fail(refusal);
    let applied = images
        .site
        .xrs(&["apply", "plan.json", "--results", "results.json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    let results = images.site.folder.json("results.json");
    let result = job(&results, "sync_app");
    let outcomes = [0, 1].map(|n| result["actions"][n]["outcome"].clone());
    assert_eq!(outcomes, ["failed", "done"]);
    let error = &result["errors"][0]["aws"];
    assert_eq!(
        (&error["call"], &error["code"]),
        (&json!(DEREGISTER), &json!("OperationNotPermitted"))
    );
    let stays = [&copies[..2], &copies[3..]].concat();
    assert_eq!(images.listed("images"), sorted(&stays));
}

#[test]
fn law_4_the_answer_to_a_deregistration_is_lost() {
    for times in [1, -1] {
        let (images, copies) = Images::with_copies(1, 4);
        images.site.plan();
        let lost = json!({"action": DEREGISTER, "code": "InternalFailure", "status": 500, "times": times, "after": true});
        images.site.world.fail(lost);
        let first = images.site.xrs(&["apply", "plan.json"]);
        assert!(matches!(first.code, Some(0 | 1)), "{first:?}");
        images.site.world.reset();
        images.site.succeeds(&["apply", "plan.json"]);
        assert_eq!(images.listed("images"), sorted(&copies[..2]));
        assert_eq!(images.listed("disks").len(), 2);
        images.site.assert_up_to_date();
    }
}

#[test]
fn an_adopted_copy_and_its_snapshot_are_tagged_in_one_call() {
    let images = Images::new("");
    let copy = images.copy(&images.source, json!({"Owner": "ops"}));
    let named = format!("20260114220000+0000 / {copy}");
    let request = json!({"region": EAST, "id": images.source, "tags": {"Sync-us-west-1": named}});
    images.site.world.control("tag", request);
    assert_eq!(
        actions(&images.site.plan()),
        ["sync_app/tag-copy", "sync_app/tag-source"]
    );
    images.site.world.reset();
    images.site.succeeds(&["apply", "plan.json"]);
    let calls = images.site.world.calls_of("CreateTags");
    let of_copy: Vec<_> = calls.iter().filter(|call| call.region == WEST).collect();
    let [call] = of_copy.as_slice() else {
        panic!("one call: {of_copy:?}")
    };
    let stored = images.site.world.stored(WEST, &copy);
    let resources = ["ResourceId.1", "ResourceId.2"].map(|key| json!(call.params[key]));
    assert_eq!(resources, [json!(copy), stored["snapshot_id"].clone()]);
    let tag = format!("20260114220000+0000 / {}", images.source);
    let tags = json!({"Sync-From-us-east-1": tag, "Sync-Identifier": "app"});
    assert_eq!(stored["snapshot_tags"], tags);
    let mut tags = tags;
    tags["Owner"] = json!("ops");
    assert_eq!(stored["tags"], tags);
    images.site.assert_up_to_date();
}

#[test]
fn a_copy_within_a_time_is_requested_with_that_time() {
    let images = Images::new(", copy_within: 45m");
    let plan = images.site.plan();
    assert_eq!(
        job(&plan, "sync_app")["actions"][0]["copy_within_minutes"],
        45
    );
    images.site.succeeds(&["apply", "plan.json"]);
    let calls = images.site.world.calls_of("CopyImage");
    let sent = &calls[0].params["SnapshotCopyCompletionDurationMinutes"];
    assert_eq!((calls.len(), sent.as_str()), (1, "45"));
    images.site.assert_up_to_date();
}
