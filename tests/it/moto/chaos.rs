//! The program against moto when things go wrong in the middle: killed, run beside itself, answers lost, throttled.
//! However it goes, applying again ends as if nothing had happened: one copy, its tags, the planned deletions.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::program::Site;
use super::server;
use super::world::{EAST, WEST};

/// A site with a plan in `plan.json`: an image and a snapshot to copy, two old copies to delete.
fn planned() -> Site {
    let site = Site::new(1);
    for day in 12..15 {
        site.automated(&format!("2026-01-{day}T05:10:33Z"));
        site.copy_by_xrs(day);
    }
    site.automated("2026-01-15T05:10:33Z");
    let plan = site.plan();
    assert_eq!(plan["summary"]["copy_image"], 1);
    assert_eq!(plan["summary"]["copy_snapshot"], 1);
    assert_eq!(plan["summary"]["delete_snapshot"], 2);
    site
}

impl Site {
    /// A copy of the automated snapshot of that day of January, as xrs leaves it.
    fn copy_by_xrs(&self, day: u32) {
        let source = format!("rds:mydatabase-2026-01-{day}-05-10");
        let tags = json!({"Sync-From-us-east-1": format!("202601{day}051033+0000 / {source}")});
        let copy = json!({
            "region": WEST, "from_region": EAST, "from": source, "id": source.replace(':', "-"), "tags": tags,
        });
        self.world.control("copy", copy);
    }

    /// The program, begun and not waited for.
    pub(super) fn begin(&self, arguments: &[&str]) -> Child {
        let program = assert_cmd::cargo::cargo_bin("xrs");
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(self.folder.path(""))
            .args(arguments);
        command
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// Applies until all is done, at most so many times.
    fn apply_until_done(&self, times: usize) {
        for _ in 0..times {
            let applied = self.xrs(&["apply", "plan.json", "--results", "results.json"]);
            assert!(matches!(applied.code, Some(0 | 1)), "{applied:?}");
            if applied.code == Some(0) {
                return;
            }
        }
        panic!(
            "not done after {times} times: {}",
            self.folder.read("results.json")
        );
    }

    /// What an undisturbed apply of the plan leaves, and nothing else.
    fn ended_well(&self) {
        let mut copies = self.copies();
        copies.sort();
        assert_eq!(
            copies,
            [14, 15].map(|day| format!("rds-mydatabase-2026-01-{day}-05-10"))
        );
        let snapshot = self.world.look(WEST, "rds-mydatabase-2026-01-15-05-10");
        let tag = "20260115051033+0000 / rds:mydatabase-2026-01-15-05-10";
        assert_eq!(snapshot["tags"]["Sync-From-us-east-1"], tag);
        let source = self.world.look(EAST, "rds:mydatabase-2026-01-15-05-10");
        assert_eq!(
            source["tags"]["Sync-us-west-1"],
            "20260115051033+0000 / rds-mydatabase-2026-01-15-05-10"
        );

        let images = self.world.control("images", json!({"region": WEST}));
        let images: Vec<String> = serde_json::from_value(images).expect("ids");
        assert_eq!(images.len(), 1, "one copy of the image: {images:?}");
        let image = self.world.look(WEST, &images[0]);
        let from = image["tags"]["Sync-From-us-east-1"]
            .as_str()
            .expect("a sync tag");
        let (time, source) = from.split_once(" / ").expect("a sync tag");
        assert_eq!(time, "20260114220000+0000");
        assert_eq!(image["tags"]["Team"], "web");
        assert_eq!(image["snapshot_tags"]["Team"], "web");
        let source = self.world.look(EAST, source);
        assert_eq!(
            source["tags"]["Sync-us-west-1"],
            format!("{time} / {}", images[0])
        );
    }
}

#[test]
fn law_4_killed_at_any_moment_and_applied_again() {
    for moment in 0..10 {
        let site = planned();
        site.world.control("settings", json!({"latency": 0.05}));
        let results = ["apply", "plan.json", "--results", "results.json"];
        let mut apply = site.begin(&results);
        // Spread over the second or so that an apply takes, and off the beat of its calls.
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
        site.ended_well();
    }
}

#[test]
fn law_9_eight_applies_at_once() {
    let site = planned();
    site.world
        .control("settings", json!({"latency": 0.02, "copy_describes": 2}));
    let applies: Vec<Child> = (0..8)
        .map(|_| site.begin(&["apply", "plan.json"]))
        .collect();
    for mut apply in applies {
        apply.wait().expect("ended");
    }
    site.apply_until_done(3);
    site.ended_well();
}

#[test]
fn law_4_the_answer_to_any_write_is_lost() {
    for action in [
        "CopyImage",
        "CopyDBSnapshot",
        "CreateTags",
        "AddTagsToResource",
        "DeleteDBSnapshot",
    ] {
        // Lost once, which the SDK makes good; and for good, until the plan is applied again.
        for times in [1, -1] {
            let site = planned();
            let lost = json!({
                "action": action, "code": "InternalFailure", "message": "lost", "status": 500, "times": times, "after": true,
            });
            site.world.control("errors", lost);
            let first = site.xrs(&["apply", "plan.json"]);
            assert!(matches!(first.code, Some(0 | 1)), "{action}: {first:?}");
            site.world.control("reset", json!({}));
            site.apply_until_done(1);
            site.ended_well();
        }
    }
}

#[test]
fn bursts_of_throttles_are_got_over() {
    let site = planned();
    let calls = [
        "DescribeImages",
        "DescribeDBSnapshots",
        "CopyImage",
        "CopyDBSnapshot",
        "CreateTags",
        "DeleteDBSnapshot",
    ];
    for action in calls {
        // Two of the three tries that the SDK makes.
        let code = if action.contains("DB") {
            "Throttling"
        } else {
            "RequestLimitExceeded"
        };
        let burst = json!({"action": action, "code": code, "message": "slow down", "status": 503, "times": 2});
        site.world.control("errors", burst);
    }
    site.apply_until_done(3);
    site.ended_well();
}
