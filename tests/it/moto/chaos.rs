//! The program when something goes wrong in the middle: it is killed, it runs several times at once, answers are lost, calls are
//! throttled. In every case, applying again gives the same end: one copy, its tags, the planned deletions.

use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};

use super::site::{Site, copy_of_day, on_day};
use super::world::{EAST, WEST};

/// A site with a plan in `plan.json`: an image and a snapshot to copy, two old copies to delete.
fn planned() -> Site {
    let site = Site::new(1);
    for day in 12..15 {
        // A copy as xrs makes it.
        let source = site.automated(&on_day(day));
        let tags = json!({"Sync-From-us-east-1": format!("202601{day}051033+0000 / {source}")});
        let id = copy_of_day(day);
        let copy =
            json!({"region": WEST, "from_region": EAST, "from": source, "id": id, "tags": tags});
        site.world.control("copy", copy);
    }
    site.automated(&on_day(15));
    let summary = &site.plan()["summary"];
    assert_eq!(
        (&summary["copy"], &summary["delete"]),
        (&json!(2), &json!(2))
    );
    site
}

impl Site {
    /// Applies until everything is done, at most this number of times, and asserts that the end is that of an undisturbed apply.
    fn apply_until_done(&self, times: usize) {
        let is_done = |_| {
            let applied = self.xrs(&["apply", "plan.json", "--results", "results.json"]);
            assert!(matches!(applied.code, Some(0 | 1)), "{applied:?}");
            applied.code == Some(0)
        };
        let results = || self.folder.read("results.json");
        assert!((0..times).any(is_done), "not done: {}", results());
        self.assert_applied();
    }

    fn assert_applied(&self) {
        let stored = |region: &str, id: &str| self.world.stored(region, id);
        assert_eq!(self.copies(), [14, 15].map(copy_of_day));
        let (source, copy) = ("rds:mydatabase-2026-01-15-05-10", copy_of_day(15));
        let tag = format!("20260115051033+0000 / {source}");
        assert_eq!(stored(WEST, &copy)["tags"]["Sync-From-us-east-1"], tag);
        let tag = format!("20260115051033+0000 / {copy}");
        assert_eq!(stored(EAST, source)["tags"]["Sync-us-west-1"], tag);

        let images = self.world.control("images", json!({"region": WEST}));
        let images: Vec<String> = serde_json::from_value(images).expect("ids");
        let [image] = images.as_slice() else {
            panic!("one copy of the image: {images:?}")
        };
        let copy = stored(WEST, image);
        let tag = copy["tags"]["Sync-From-us-east-1"].as_str().expect("a tag");
        let (time, source) = tag.split_once(" / ").expect("a sync tag");
        assert_eq!(time, "20260114220000+0000");
        assert_eq!(copy["tags"]["Team"], "web");
        assert_eq!(copy["snapshot_tags"]["Team"], "web");
        let tag = format!("{time} / {image}");
        assert_eq!(stored(EAST, source)["tags"]["Sync-us-west-1"], tag);
    }
}

#[test]
fn law_4_killed_at_any_moment_and_applied_again() {
    for moment in 0..10 {
        let site = planned();
        site.world.settings(json!({"latency": 0.05}));
        let mut apply = site.start(&["apply", "plan.json", "--results", "results.json"]);
        // Spread over the second that an apply takes, at intervals unlike those of its calls.
        std::thread::sleep(Duration::from_millis(60 + 83 * moment));
        apply.kill().expect("killed");
        apply.wait().expect("ended");
        if site.folder.path("results.json").exists() {
            let saved: Value = site.folder.json("results.json");
            assert!(
                saved["results"].is_array(),
                "whole at every moment: {saved}"
            );
        }
        site.apply_until_done(2);
    }
}

#[test]
fn law_9_eight_applies_at_once() {
    let site = planned();
    site.world
        .settings(json!({"latency": 0.02, "copy_describes": 2}));
    let applies: [Child; 8] = std::array::from_fn(|_| site.start(&["apply", "plan.json"]));
    for mut apply in applies {
        apply.wait().expect("ended");
    }
    site.apply_until_done(3);
}

const WRITES: [&str; 5] = [
    "CopyImage",
    "CopyDBSnapshot",
    "CreateTags",
    "AddTagsToResource",
    "DeleteDBSnapshot",
];

#[test]
fn law_4_the_answer_to_any_write_is_lost() {
    for action in WRITES {
        // Lost once, after which the SDK retries; and lost every time, until the plan is applied again.
        for times in [1, -1] {
            let site = planned();
            let lost = json!({"action": action, "code": "InternalFailure", "status": 500, "times": times, "after": true});
            site.world.fail(lost);
            let first = site.xrs(&["apply", "plan.json"]);
            assert!(matches!(first.code, Some(0 | 1)), "{action}: {first:?}");
            site.world.reset();
            site.apply_until_done(1);
        }
    }
}

#[test]
fn bursts_of_throttles_are_survived() {
    let site = planned();
    for action in ["DescribeImages", "DescribeDBSnapshots"]
        .iter()
        .chain(&WRITES)
    {
        let is_rds = action.contains("DB") || *action == "AddTagsToResource";
        let code = if is_rds {
            "Throttling"
        } else {
            "RequestLimitExceeded"
        };
        // Two of the three attempts that the SDK makes.
        site.world
            .fail(json!({"action": action, "code": code, "status": 503, "times": 2}));
    }
    site.apply_until_done(3);
}
