//! The program against moto, through the SDK, as a user runs it: stories of a database and an image.

use std::fs;

use serde_json::{Value, json};

use super::server;
use super::world::{Call, EAST, SECRET_KEY, WEST, World, longest_chain};
use crate::cli::{Ended, Folder};

/// The name that the example's image and database have in these tests.
const DATABASE: &str = "mydatabase";

/// A job for an image and one for a database with keys of an account, and a folder to run them in.
pub(super) struct Site {
    pub(super) folder: Folder,
    pub(super) world: World,
}

impl Site {
    /// One job of each type, each finding something to copy, and nothing in the destination.
    pub(super) fn new(retain: u32) -> Self {
        let site = Self {
            folder: Folder::new(),
            world: World::new(),
        };
        site.folder.write(
            "xrs.yaml",
            format!(
                "aws_client_config: {{aws_access_key: '{}', aws_secret_key: '{SECRET_KEY}'}}\n\
                 sync_app: {{sync_type: ec2_ami, source_region: {EAST}, destination_region: {WEST}, sync_identifier: app}}\n\
                 sync_db: {{sync_type: rds_automated_snapshot, source_region: {EAST}, destination_region: {WEST}, \
                 db_instance: {DATABASE}, max_snapshots_to_retain: {retain}}}\n",
                site.world.access_key()
            ),
        );
        site.world.image(
            EAST,
            json!({"name": "app-1", "created": "2026-01-14T22:00:00Z", "tags": {"Sync-Identifier": "app", "Team": "web"}}),
        );
        site.world.database(EAST, DATABASE, None);
        site
    }

    pub(super) fn automated(&self, taken: &str) -> String {
        self.world
            .snapshot(EAST, DATABASE, taken, json!({}))
            .0
            .to_string()
    }

    /// The program at the moto server. No file of the caller's AWS is read.
    pub(super) fn xrs(&self, arguments: &[&str]) -> Ended {
        let mut command = self.folder.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.folder.path("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.folder.path("none"));
        crate::cli::ended(&mut command)
    }

    /// Plans into `plan.json`; the plan.
    pub(super) fn plan(&self) -> Value {
        let planned = self.xrs(&["plan", "--out", "plan.json"]);
        assert_eq!(planned.code, Some(0), "{planned:?}");
        self.folder.json("plan.json")
    }

    /// Plans and applies; the results.
    fn plan_and_apply(&self) -> Value {
        self.plan();
        let applied = self.xrs(&["apply", "plan.json", "--results", "results.json"]);
        assert_eq!(applied.code, Some(0), "{applied:?}");
        self.folder.json("results.json")
    }

    /// The manual snapshots of the database in the destination.
    pub(super) fn copies(&self) -> Vec<String> {
        let found = self
            .world
            .control("list", json!({"region": WEST, "type": "manual"}));
        serde_json::from_value(found).expect("identifiers")
    }

    /// The calls since the last time this was asked.
    fn calls(&self) -> Vec<Call> {
        let calls = self.world.calls();
        self.world.control("reset", json!({}));
        calls
    }
}

/// The ids of a plan's actions.
fn actions(plan: &Value) -> Vec<&str> {
    let jobs = plan["jobs"].as_array().expect("jobs");
    let actions = jobs
        .iter()
        .flat_map(|job| job["actions"].as_array().expect("actions"));
    actions
        .map(|action| action["id"].as_str().expect("an id"))
        .collect()
}

fn job<'a>(document: &'a Value, list: &str, name: &str) -> &'a Value {
    let jobs = document[list].as_array().expect("a list");
    jobs.iter()
        .find(|job| job["name"] == name)
        .expect("the job")
}

#[test]
fn the_example_of_the_older_tool_is_planned_applied_and_in_sync() {
    let site = Site::new(2);
    let other = World::new();
    // As it stands, but for the keys, which at moto tell the account, and for the account that they belong to.
    let example = fs::read_to_string("testdata/config/seed.yaml").expect("the example");
    let dashed = format!(
        "{}-{}-{}",
        &other.account.as_str()[..4],
        &other.account.as_str()[4..8],
        &other.account.as_str()[8..]
    );
    let example = example
        .replace("my_other_access_key", &other.access_key())
        .replace("my_access_key", &site.world.access_key())
        .replace("4321-4321-4321", &dashed);
    site.folder.write("xrs.yaml", example);
    let image = json!({
        "name": "web-1", "owner": "12345678910123", "created": "2026-01-14T22:00:00Z",
        "tags": {"Sync-Identifier": "Web Application", "Environment": "Production", "Purpose": "Sync"},
    });
    let image = site.world.image(EAST, image);
    other.database(EAST, DATABASE, None);
    other.snapshot(
        EAST,
        DATABASE,
        "2026-01-15T05:10:33Z",
        json!({"tags": {"Team": "data"}}),
    );

    let planned = site.xrs(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    let plan = site.folder.json("plan.json");
    assert_eq!(
        actions(&plan),
        [
            "sync_my_web_app/copy",
            "sync_my_web_app/tag-source",
            "sync_my_database/copy",
            "sync_my_database/tag-source"
        ]
    );
    assert_eq!(
        job(&plan, "jobs", "sync_my_database")["account_id"],
        other.account.as_str()
    );
    let shown = site.xrs(&["show", "plan.json"]);
    assert!(
        planned
            .out
            .starts_with(&shown.out[..shown.out.find("\nDigest").expect("a digest")]),
        "{shown:?}"
    );

    let applied = site.xrs(&["apply", "plan.json", "--results", "results.json"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let results = site.folder.json("results.json");
    let copy = job(&results, "results", "sync_my_web_app")["created_resource"]
        .as_str()
        .expect("an image")
        .to_owned();
    let made = site.world.look(WEST, &copy);
    assert_eq!(
        made["tags"]["Sync-From-us-east-1"],
        format!("20260114220000+0000 / {image}")
    );
    assert_eq!(made["tags"]["Environment"], "Production");
    assert_eq!(made["snapshot_tags"]["Environment"], "Production");
    let source = site.world.look(EAST, image.as_str());
    assert_eq!(
        source["tags"]["Sync-us-west-1"],
        format!("20260114220000+0000 / {copy}")
    );
    let snapshot = other.look(WEST, "rds-mydatabase-2026-01-15-05-10");
    assert_eq!(
        snapshot["tags"],
        json!({"Team": "data", "Sync-From-us-east-1": "20260115051033+0000 / rds:mydatabase-2026-01-15-05-10"})
    );
    let again = site.xrs(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.out.contains("Nothing to do"), "{again:?}");
}

#[test]
fn six_days_of_retention() {
    let site = Site::new(2);
    site.world.control("settings", json!({"copy_describes": 3}));
    let mut counts = Vec::new();
    for day in 10..16 {
        site.automated(&format!("2026-01-{day}T05:10:33Z"));
        let results = site.plan_and_apply();
        let made = &job(&results, "results", "sync_db")["created_resource"];
        assert_eq!(*made, format!("rds-mydatabase-2026-01-{day}-05-10"));
        assert_eq!(
            actions(&site.plan()),
            Vec::<&str>::new(),
            "day {day}, while the copy is under way"
        );
        for _ in 0..3 {
            assert_eq!(
                actions(&site.plan()),
                Vec::<&str>::new(),
                "day {day}, when the copy is done"
            );
        }
        counts.push(site.copies().len());
    }
    assert_eq!(counts, [1, 2, 3, 3, 3, 3]);
    let mut left = site.copies();
    left.sort();
    assert_eq!(
        left,
        [13, 14, 15].map(|day| format!("rds-mydatabase-2026-01-{day}-05-10"))
    );
}

#[test]
fn a_world_left_by_the_older_tool() {
    let site = Site::new(2);
    // moto takes no snapshot of a database that is not there.
    site.world.database(WEST, DATABASE, None);
    for day in 11..16 {
        let source = site.automated(&format!("2026-01-{day}T05:10:33Z"));
        let tag = format!("202601{day}051033+0000 / {source}");
        let (id, tags) = (
            source.replace(':', "-"),
            json!({"Sync-From-us-east-1": tag}),
        );
        let copy = json!({"id": id, "type": "manual", "tags": tags});
        site.world
            .snapshot(WEST, DATABASE, &format!("2026-01-{day}T05:10:33Z"), copy);
    }
    let plan = site.plan();
    assert_eq!(
        actions(&plan),
        [
            "sync_app/copy",
            "sync_app/tag-source",
            "sync_db/delete/rds-mydatabase-2026-01-11-05-10",
            "sync_db/delete/rds-mydatabase-2026-01-12-05-10"
        ]
    );
    site.plan_and_apply();
    assert_eq!(site.copies().len(), 3);
    assert_eq!(actions(&site.plan()), Vec::<&str>::new());
}

#[test]
fn a_database_made_anew_under_its_old_name() {
    let site = Site::new(0);
    for day in 10..13 {
        let old = json!({"instance_created": "2024-05-01T00:00:00Z"});
        site.world
            .snapshot(EAST, DATABASE, &format!("2026-01-{day}T05:10:33Z"), old);
        site.plan_and_apply();
    }
    let old = site.copies();
    let new = json!({"instance_created": "2026-01-13T00:00:00Z"});
    for day in 13..16 {
        site.world.snapshot(
            EAST,
            DATABASE,
            &format!("2026-01-{day}T05:10:33Z"),
            new.clone(),
        );
        site.plan_and_apply();
    }
    let left = site.copies();
    assert!(
        old.iter().all(|copy| left.contains(copy)),
        "{old:?} stay, of {left:?}"
    );
    let plan = site.plan();
    let warnings = job(&plan, "jobs", "sync_db")["warnings"].to_string();
    assert!(
        warnings.contains("earlier database") && warnings.contains(&old[0]),
        "{warnings}"
    );
}

#[test]
fn a_copy_made_by_hand_is_left_alone() {
    let site = Site::new(0);
    site.automated("2026-01-15T05:10:33Z");
    site.plan_and_apply();
    // As if somebody had copied it themselves, under a name of their own.
    let by_hand = json!({"region": WEST, "from": "rds-mydatabase-2026-01-15-05-10", "id": "before-the-upgrade", "tags": {}});
    site.world.control("rename", by_hand);
    let plan = site.plan();
    assert_eq!(actions(&plan), Vec::<&str>::new());
    let warnings = job(&plan, "jobs", "sync_db")["warnings"].to_string();
    assert!(
        warnings.contains("before-the-upgrade") && warnings.contains("by hand"),
        "{warnings}"
    );
    site.automated("2026-01-16T05:10:33Z");
    site.plan_and_apply();
    assert!(site.copies().contains(&"before-the-upgrade".to_owned()));
}

#[test]
fn law_1_planning_only_reads() {
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    site.calls();
    site.plan();
    let calls = site.calls();
    assert!(!calls.is_empty());
    for call in calls {
        let reads = ["Describe", "List", "Get"]
            .iter()
            .any(|verb| call.action.starts_with(verb));
        assert!(reads, "{call:?}");
    }
}

#[test]
fn planning_takes_no_more_than_two_calls_in_a_row() {
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    site.calls();
    site.world.control("settings", json!({"latency": 0.1}));
    site.plan();
    let calls = site.calls();
    assert!(calls.len() >= 5, "{calls:?}");
    assert!(
        calls.iter().all(|call| call.end - call.start >= 0.1),
        "{calls:?}"
    );
    assert!(longest_chain(&calls) <= 2, "{calls:?}");
}

#[test]
fn a_throttled_call_is_tried_again_and_then_fails_its_job_alone() {
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    let throttle = |times: i32| json!({"action": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "message": "Rate exceeded", "times": times});
    site.world.control("errors", throttle(1));
    assert_eq!(actions(&site.plan()).len(), 4, "one throttle is got over");

    site.world.control("errors", throttle(-1));
    let planned = site.xrs(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(1), "{planned:?}");
    let plan = site.folder.json("plan.json");
    assert_eq!(actions(&plan), ["sync_app/copy", "sync_app/tag-source"]);
    let error = &job(&plan, "jobs", "sync_db")["errors"][0]["aws"];
    assert_eq!(
        *error,
        json!({"call": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "message": "Rate exceeded"})
    );

    let applied = site.xrs(&["apply", "plan.json", "--results", "results.json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    let results = site.folder.json("results.json");
    assert_eq!(job(&results, "results", "sync_app")["completed"], true);
    assert_eq!(job(&results, "results", "sync_db")["completed"], false);
    assert_eq!(
        site.copies(),
        Vec::<String>::new(),
        "law 6: what could not be seen is not taken for absent"
    );
}

#[test]
fn law_8_no_secret_in_what_is_said_or_written_at_the_finest_level() {
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    let mut said = String::new();
    // Temporary keys, whose token goes with every request.
    let token = "FwoGZXIvYXdzEJrXRSXRSXRSXRSXRS0123456789abcdef";
    let config = site.folder.read("xrs.yaml").replace(
        "aws_secret_key",
        &format!("session_token: {token}, aws_secret_key"),
    );
    site.folder.write("xrs.yaml", config);
    for arguments in [
        &["-vv", "plan", "--out", "plan.json"][..],
        &["-vv", "apply", "plan.json", "--results", "results.json"],
        &["-vv", "run", "--results", "results.json"],
    ] {
        let mut command = site.folder.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("XRS_LOG", "trace");
        let ended = crate::cli::ended(&mut command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.err.contains("TRACE"),
            "nothing is logged at the finest level: {}",
            ended.err
        );
        said.push_str(&ended.out);
        said.push_str(&ended.err);
    }
    said.push_str(&site.folder.read("plan.json"));
    said.push_str(&site.folder.read("results.json"));
    for secret in [SECRET_KEY, token] {
        if let Some(at) = said.find(secret) {
            panic!("shown: {}", &said[at.saturating_sub(600)..at]);
        }
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_warned_of_before_they_are_used() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    for (mode, times) in [(0o644, 1), (0o600, 0)] {
        fs::set_permissions(
            site.folder.path("xrs.yaml"),
            fs::Permissions::from_mode(mode),
        )
        .expect("permissions");
        for arguments in [
            &["plan", "--out", "plan.json"][..],
            &["apply", "plan.json"],
            &["apply", "plan.json", "--config", "xrs.yaml"],
            &["run"],
        ] {
            let ended = site.xrs(arguments);
            let warned = ended.err.matches("others than its owner may read it");
            assert_eq!(warned.count(), times, "{ended:?}");
        }
    }
}

#[test]
fn credentials_that_are_none_wrong_or_of_another_account_are_told_apart() {
    let site = Site::new(2);
    site.automated("2026-01-15T05:10:33Z");
    site.plan();
    let config = site.folder.read("xrs.yaml");

    // Another account than the one planned in: refused whole, and nothing written.
    let stranger = World::new();
    site.folder.write(
        "xrs.yaml",
        config.replace(&site.world.access_key(), &stranger.access_key()),
    );
    let refused = site.xrs(&["apply", "plan.json"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(
        refused.err.contains(site.world.account.as_str())
            && refused.err.contains(stranger.account.as_str())
    );
    assert_eq!(
        stranger
            .calls()
            .iter()
            .filter(|call| !call.action.starts_with("Get"))
            .count(),
        0
    );

    // A stated account that is not the one of the keys.
    let stated = config.replace(
        "aws_secret_key",
        "aws_account_id: '000000000001', aws_secret_key",
    );
    site.folder.write("xrs.yaml", stated);
    let other = site.xrs(&["plan"]);
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(
        other.out.contains("aws_account_id is 000000000001"),
        "{other:?}"
    );

    // None at all.
    let line = config.lines().next().expect("a line");
    site.folder.write("xrs.yaml", config.replace(line, ""));
    let none = site.xrs(&["plan"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.out.contains("no credentials found"), "{none:?}");

    // Expired ones.
    site.folder.write("xrs.yaml", config);
    let expired = json!({"code": "ExpiredToken", "message": "The security token included in the request is expired", "status": 403, "times": -1});
    site.world.control("errors", expired);
    let expired = site.xrs(&["plan"]);
    assert_eq!(expired.code, Some(1), "{expired:?}");
    assert!(
        expired.out.contains("ExpiredToken") && expired.out.contains("sign in again"),
        "{expired:?}"
    );
}
