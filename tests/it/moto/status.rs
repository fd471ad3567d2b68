//! `xrs status` against moto, for a job of each type.

use serde_json::{Value, json};

use super::program::Site;
use super::world::{EAST, WEST};

impl Site {
    /// The status as a document, and the code that the program ended with.
    fn status(&self, options: &[&str]) -> (Value, Option<i32>) {
        let ended = self.xrs(&[&["status", "--format", "json"], options].concat());
        let document = serde_json::from_str(&ended.out);
        (document.unwrap_or_else(|_| panic!("{ended:?}")), ended.code)
    }

    fn run(&self) {
        let ran = self.xrs(&["run"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }

    /// Answers every read of a region with an error.
    fn out_of_reach(&self, region: &str) {
        for action in ["DescribeImages", "DescribeDBSnapshots"] {
            self.world.control(
                "errors",
                json!({"action": action, "region": region, "code": "AuthFailure", "message": "not enabled", "status": 401, "times": -1}),
            );
        }
    }
}

/// The image's job and the database's.
fn jobs(document: &Value) -> [&Value; 2] {
    let job = |name: &str| {
        let jobs = document["jobs"].as_array().expect("jobs");
        jobs.iter()
            .find(|job| job["name"] == name)
            .expect("the job")
    };
    [job("sync_app"), job("sync_db")]
}

fn readiness(document: &Value) -> [&str; 2] {
    jobs(document).map(|job| job["readiness"].as_str().expect("a word"))
}

/// A time so many hours ago: moto's copies have the real clock's.
fn hours_ago(hours: i64) -> String {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
fn the_states_of_a_copy_from_never_copied_to_source_down() {
    let site = Site::new(2);
    site.automated(&hours_ago(3));

    let (never, code) = site.status(&[]);
    assert_eq!((readiness(&never), code), (["no_copy"; 2], Some(0)));
    assert_eq!(site.status(&["--max-age", "26h"]).1, Some(1));
    for job in jobs(&never) {
        assert_eq!(job["source_newest"]["state"], "present");
        assert_eq!(job["copies"]["left"]["count"], 0);
    }

    site.world
        .control("settings", json!({"copy_describes": 1000}));
    site.run();
    let (under_way, code) = site.status(&["--max-age", "26h"]);
    assert_eq!((readiness(&under_way), code), (["no_copy"; 2], Some(1)));
    let ids = jobs(&under_way).map(|job| {
        let copies = job["copies"]["under_way"].as_array().expect("a list");
        assert_eq!(copies.len(), 1, "{job}");
        copies[0]["id"].as_str().expect("an id").to_owned()
    });

    for id in &ids {
        site.world.set_state(WEST, id, "available");
    }
    let (fresh, code) = site.status(&["--max-age", "26h"]);
    assert_eq!((readiness(&fresh), code), (["ready"; 2], Some(0)));
    for (job, id) in jobs(&fresh).into_iter().zip(&ids) {
        let newest = &job["copies"]["newest_usable"];
        assert_eq!(
            (&newest["id"], &newest["behind_seconds"]),
            (&json!(id), &json!(0))
        );
        assert!(
            newest["age_seconds"].as_i64() >= Some(3 * 3600 - 1),
            "{job}"
        );
        assert_eq!(job["copies"]["left"], json!({"count": 1, "newest": id}));
    }

    let (old, code) = site.status(&["--max-age", "2h"]);
    assert_eq!(
        (readiness(&old), code),
        (["ready", "too_old"], Some(1)),
        "there is no newer image"
    );

    site.world.control("reset", json!({}));
    site.out_of_reach(EAST);
    let (down, code) = site.status(&[]);
    assert_eq!((readiness(&down), code), (["ready"; 2], Some(0)));
    for (job, id) in jobs(&down).into_iter().zip(&ids) {
        assert_eq!(job["source_newest"]["state"], "unknown");
        assert_eq!(job["copies"]["newest_usable"]["id"], json!(id));
        assert!(job["copies"]["newest_usable"]["age_seconds"].is_i64());
    }
    let told = site.xrs(&["status", "--max-age", "26h"]);
    assert_eq!(told.code, Some(1), "the image is older than that");
    assert!(told.out.contains("source unknown: us-east-1"), "{told:?}");

    site.world.control("reset", json!({}));
    site.out_of_reach(WEST);
    let (unknown, code) = site.status(&[]);
    assert_eq!((readiness(&unknown), code), (["unknown"; 2], Some(1)));

    site.world.control("reset", json!({}));
    site.status(&[]);
    let calls = site.world.calls();
    let asked: Vec<(&str, &str)> = calls
        .iter()
        .map(|call| (call.action.as_str(), call.region.as_str()))
        .collect();
    for call in &asked {
        assert!(call.0.starts_with("Describe") || call.0 == "GetCallerIdentity");
    }
    // Of images: the source, the destination in two ways, and the copy that the source's own tag names.
    assert_eq!(asked.len(), 7, "{asked:?}");
}

#[test]
fn failed_copies_and_sources_that_were_deleted() {
    let site = Site::new(2);
    let snapshot = site.automated(&hours_ago(3));
    site.run();
    let (before, _) = site.status(&[]);
    let ids = jobs(&before).map(|job| {
        let id = &job["copies"]["left"]["newest"];
        id.as_str().expect("an id").to_owned()
    });
    for id in &ids {
        site.world.set_state(WEST, id, "failed");
    }
    let (failed, code) = site.status(&["--max-age", "26h"]);
    assert_eq!((readiness(&failed), code), (["no_copy"; 2], Some(1)));
    for (job, id) in jobs(&failed).into_iter().zip(&ids) {
        assert_eq!(job["copies"]["failed"][0]["id"], json!(id));
    }

    for id in &ids {
        site.world.set_state(WEST, id, "available");
    }
    // moto deletes nothing that a test asks for by id alone: gone is what no read lists as available.
    site.world.set_state(EAST, &snapshot, "deleting");
    let image = jobs(&before)[0]["source_newest"]["id"]
        .as_str()
        .expect("an id");
    site.world.set_state(EAST, image, "deregistered");
    let (gone, code) = site.status(&[]);
    assert_eq!((readiness(&gone), code), (["ready"; 2], Some(0)));
    for (job, id) in jobs(&gone).into_iter().zip(&ids) {
        assert_eq!(job["source_newest"], json!({"state": "absent"}));
        assert_eq!(job["copies"]["newest_usable"]["id"], json!(id));
    }
}
