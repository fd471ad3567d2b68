//! `xrs status` for a job of each type.

use serde_json::{Value, json};

use super::site::{Site, job};
use super::world::{EAST, WEST};

impl Site {
    /// The status as a document, and the exit code.
    fn status(&self, options: &[&str]) -> (Value, Option<i32>) {
        let ended = self.xrs(&[&["status", "--format", "json"], options].concat());
        let document = serde_json::from_str(&ended.out);
        (document.unwrap_or_else(|_| panic!("{ended:?}")), ended.code)
    }

    /// Asserts the readiness of the image's job and of the database's, and the exit code, and returns the status.
    #[track_caller]
    fn assert_status(&self, readiness: [&str; 2], code: i32, options: &[&str]) -> Value {
        let (document, exit) = self.status(options);
        let found = jobs(&document).map(|job| job["readiness"].as_str().expect("a word"));
        assert_eq!((found, exit), (readiness, Some(code)), "{document}");
        document
    }

    /// Makes every read of a region fail.
    fn deny(&self, region: &str) {
        for action in ["DescribeImages", "DescribeDBSnapshots"] {
            let error = json!({"action": action, "region": region, "code": "AuthFailure", "status": 401, "times": -1});
            self.world.fail(error);
        }
    }

    fn set_states(&self, ids: &[String], state: &str) {
        for id in ids {
            self.world.set_state(WEST, id, state);
        }
    }
}

/// The image's job and the database's.
fn jobs(document: &Value) -> [&Value; 2] {
    ["sync_app", "sync_db"].map(|name| job(document, name))
}

/// A time some hours ago: moto's copies have the time of the real clock.
fn hours_ago(hours: i64) -> String {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[test]
fn from_no_copy_to_a_source_region_that_does_not_answer() {
    let site = Site::new(2);
    site.automated(&hours_ago(3));
    let limit: &[&str] = &["--max-age", "26h"];

    let none = site.assert_status(["no_copy"; 2], 0, &[]);
    site.assert_status(["no_copy"; 2], 1, limit);
    for job in jobs(&none) {
        assert_eq!(job["source_newest"]["state"], "present");
        assert_eq!(job["copies"]["left"]["count"], 0);
    }

    site.world.settings(json!({"copy_describes": 1000}));
    site.succeeds(&["run"]);
    let copying = site.assert_status(["no_copy"; 2], 1, limit);
    let ids = jobs(&copying).map(|job| {
        let copies = job["copies"]["in_progress"].as_array().expect("a list");
        assert_eq!(copies.len(), 1, "{job}");
        copies[0]["id"].as_str().expect("an id").to_owned()
    });

    site.set_states(&ids, "available");
    let fresh = site.assert_status(["ready"; 2], 0, limit);
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
        assert!(newest["size_gib"].as_u64() > Some(0), "{job}");
        assert_eq!(
            (&newest["encrypted"], &newest["kms_key_id"]),
            (&json!(false), &Value::Null)
        );
    }
    // There is no newer image.
    site.assert_status(["ready", "too_old"], 1, &["--max-age", "2h"]);

    site.world.reset();
    site.deny(EAST);
    let unknown = site.assert_status(["ready"; 2], 0, &[]);
    for (job, id) in jobs(&unknown).into_iter().zip(&ids) {
        assert_eq!(job["source_newest"]["state"], "unknown");
        assert_eq!(job["copies"]["newest_usable"]["id"], json!(id));
        assert!(job["copies"]["newest_usable"]["age_seconds"].is_i64());
    }
    let shown = site.xrs(&["status", "--max-age", "26h"]);
    assert_eq!(shown.code, Some(1), "the image is older than that");
    assert!(shown.out.contains("source unknown: us-east-1"), "{shown:?}");

    site.world.reset();
    site.deny(WEST);
    site.assert_status(["unknown"; 2], 1, &[]);

    site.world.reset();
    site.status(&[]);
    let calls = site.world.calls();
    for call in &calls {
        let action = call.action.as_str();
        assert!(
            action.starts_with("Describe") || action == "GetCallerIdentity",
            "{call:?}"
        );
    }
    // Of images: the source, the destination in two ways, and the copy that the source's own tag names.
    assert_eq!(calls.len(), 7, "{calls:?}");
}

#[test]
fn the_key_of_an_encrypted_copy_is_named() {
    let site = Site::new(2);
    let key = site.world.key(WEST);
    let config = site.folder.read("xrs.yaml");
    let with_key = config.replace("{sync_type", &format!("{{kms_key_id: '{key}', sync_type"));
    site.folder.write("xrs.yaml", with_key);
    site.automated(&hours_ago(3));
    site.succeeds(&["run"]);
    let ready = site.assert_status(["ready"; 2], 0, &[]);
    let stated = jobs(&ready).map(|job| {
        let newest = &job["copies"]["newest_usable"];
        (newest["encrypted"].clone(), newest["kms_key_id"].clone())
    });
    // DescribeImages names no keys.
    let expected = [(json!(true), Value::Null), (json!(true), json!(key))];
    assert_eq!(stated, expected);
}

#[test]
fn failed_copies_and_sources_that_were_deleted() {
    let site = Site::new(2);
    let snapshot = site.automated(&hours_ago(3));
    site.succeeds(&["run"]);
    let (before, _) = site.status(&[]);
    let ids = jobs(&before).map(|job| {
        let id = &job["copies"]["left"]["newest"];
        id.as_str().expect("an id").to_owned()
    });
    site.set_states(&ids, "failed");
    let failed = site.assert_status(["no_copy"; 2], 1, &["--max-age", "26h"]);
    for (job, id) in jobs(&failed).into_iter().zip(&ids) {
        assert_eq!(job["copies"]["failed"][0]["id"], json!(id));
    }

    site.set_states(&ids, "available");
    // The sources are still listed, as they are for a while after a deletion.
    site.world.set_state(EAST, &snapshot, "deleting");
    let image = jobs(&before)[0]["source_newest"]["id"].as_str();
    site.world
        .set_state(EAST, image.expect("an id"), "deregistered");
    let gone = site.assert_status(["ready"; 2], 0, &[]);
    for (job, id) in jobs(&gone).into_iter().zip(&ids) {
        assert_eq!(job["source_newest"], json!({"state": "absent"}));
        assert_eq!(job["copies"]["newest_usable"]["id"], json!(id));
    }
}
