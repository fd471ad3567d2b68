//! The program as a user runs it, on an image and a database.

use std::fs;

use serde_json::json;

use super::site::{DATABASE, Site, actions, copy_of_day, job, on_day};
use super::world::{Call, EAST, SECRET_KEY, WEST, World, longest_chain};
use crate::cli::ended;

impl Site {
    /// The calls since the last time, or since the start.
    fn take_calls(&self) -> Vec<Call> {
        let calls = self.world.calls();
        self.world.reset();
        calls
    }

    /// The warnings of the plan for the database.
    fn warnings(&self) -> String {
        job(&self.plan(), "sync_db")["warnings"].to_string()
    }
}

#[test]
fn the_example_of_the_gem_is_planned_applied_and_up_to_date() {
    let site = Site::new(2);
    let other = World::new();
    // Unchanged except for the keys, which select the account at moto, and the account they belong to.
    let example = fs::read_to_string("testdata/config/seed.yaml").expect("the example");
    let account = other.account.as_str();
    let dashed = format!("{}-{}-{}", &account[..4], &account[4..8], &account[8..]);
    let example = example
        .replace("my_other_access_key", &other.access_key())
        .replace("my_access_key", &site.world.access_key())
        .replace("4321-4321-4321", &dashed);
    site.folder.write("xrs.yaml", example);
    let tags = json!({"Sync-Identifier": "Web Application", "Environment": "Production", "Purpose": "Sync"});
    let image = json!({"name": "web-1", "owner": "12345678910123", "created": "2026-01-14T22:00:00Z", "tags": tags});
    let image = site.world.image(EAST, image).id;
    other.database(EAST, DATABASE, None);
    other.snapshot(
        EAST,
        DATABASE,
        &on_day(15),
        json!({"tags": {"Team": "data"}}),
    );

    let planned = site.done(&["plan", "--out", "plan.json"]);
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
    assert_eq!(job(&plan, "sync_my_database")["account_id"], account);
    let shown = site.done(&["show", "plan.json"]);
    let (jobs, _) = shown.out.split_once("\nDigest").expect("a digest");
    assert!(planned.out.starts_with(jobs), "{shown:?}");

    site.succeeds(&["apply", "plan.json", "--results", "results.json"]);
    let results = site.folder.json("results.json");
    let copy = &job(&results, "sync_my_web_app")["created_resource"];
    let copy = copy.as_str().expect("an image");
    let stored = site.world.stored(WEST, copy);
    let tag = format!("20260114220000+0000 / {image}");
    assert_eq!(stored["tags"]["Sync-From-us-east-1"], tag);
    assert_eq!(stored["tags"]["Environment"], "Production");
    assert_eq!(stored["snapshot_tags"]["Environment"], "Production");
    let source = site.world.stored(EAST, image.as_str());
    let tag = format!("20260114220000+0000 / {copy}");
    assert_eq!(source["tags"]["Sync-us-west-1"], tag);
    let tag = "20260115051033+0000 / rds:mydatabase-2026-01-15-05-10";
    let tags = json!({"Team": "data", "Sync-From-us-east-1": tag});
    assert_eq!(other.stored(WEST, &copy_of_day(15))["tags"], tags);
    let again = site.done(&["plan", "--detailed-exitcode"]);
    assert!(again.out.contains("Nothing to do"), "{again:?}");
}

#[test]
fn six_days_of_retention() {
    let site = Site::new(2);
    site.world.settings(json!({"copy_describes": 3}));
    let mut numbers = Vec::new();
    for day in 10..16 {
        site.automated(&on_day(day));
        let results = site.plan_and_apply();
        let created = &job(&results, "sync_db")["created_resource"];
        assert_eq!(*created, copy_of_day(day));
        // While the copy is in progress, and when it is available.
        for _ in 0..4 {
            site.assert_up_to_date();
        }
        numbers.push(site.copies().len());
    }
    assert_eq!(numbers, [1, 2, 3, 3, 3, 3]);
    assert_eq!(site.copies(), [13, 14, 15].map(copy_of_day));
}

#[test]
fn copies_that_the_gem_left() {
    let site = Site::new(2);
    // moto takes no snapshot of a database that does not exist.
    site.world.database(WEST, DATABASE, None);
    for day in 11..16 {
        let source = site.automated(&on_day(day));
        let tags = json!({"Sync-From-us-east-1": format!("202601{day}051033+0000 / {source}")});
        let copy = json!({"id": copy_of_day(day), "type": "manual", "tags": tags});
        site.world.snapshot(WEST, DATABASE, &on_day(day), copy);
    }
    let deletion = |day| format!("sync_db/delete/{}", copy_of_day(day));
    let copy = ["sync_app/copy", "sync_app/tag-source"].map(str::to_owned);
    let expected = [copy, [11, 12].map(deletion)].concat();
    assert_eq!(actions(&site.plan()), expected);
    site.plan_and_apply();
    assert_eq!(site.copies().len(), 3);
    site.assert_up_to_date();
}

#[test]
fn a_database_recreated_under_its_name() {
    let site = Site::new(0);
    let on_days = |days: std::ops::Range<u32>, database: &str| {
        for day in days {
            let more = json!({"instance_created": database});
            site.world.snapshot(EAST, DATABASE, &on_day(day), more);
            site.plan_and_apply();
        }
        site.copies()
    };
    let old = on_days(10..13, "2024-05-01T00:00:00Z");
    let all = on_days(13..16, "2026-01-13T00:00:00Z");
    assert!(
        old.iter().all(|copy| all.contains(copy)),
        "{old:?} of {all:?}"
    );
    let warnings = site.warnings();
    assert!(warnings.contains("earlier database"), "{warnings}");
    assert!(warnings.contains(&old[0]), "{warnings}");
}

#[test]
fn a_copy_made_by_hand_is_never_deleted() {
    let site = Site::new(0);
    site.automated(&on_day(15));
    site.plan_and_apply();
    // As if a person had made the copy, under another id.
    let id = "before-the-upgrade";
    let by_hand = json!({"region": WEST, "from": copy_of_day(15), "id": id, "tags": {}});
    site.world.control("rename", by_hand);
    site.assert_up_to_date();
    let warnings = site.warnings();
    assert!(
        warnings.contains(id) && warnings.contains("not made by xrs"),
        "{warnings}"
    );
    site.automated(&on_day(16));
    site.plan_and_apply();
    assert!(site.copies().contains(&id.to_owned()));
}

#[test]
fn law_1_planning_only_reads() {
    let site = Site::new(2);
    site.automated(&on_day(15));
    site.take_calls();
    site.plan();
    let calls = site.take_calls();
    assert!(!calls.is_empty());
    for call in calls {
        let is_read = |verb: &&str| call.action.starts_with(verb);
        assert!(["Describe", "List", "Get"].iter().any(is_read), "{call:?}");
    }
}

#[test]
fn planning_takes_no_more_than_two_calls_in_a_row() {
    let site = Site::new(2);
    site.automated(&on_day(15));
    site.take_calls();
    site.world.settings(json!({"latency": 0.1}));
    site.plan();
    let calls = site.take_calls();
    assert!(calls.len() >= 5, "{calls:?}");
    assert!(
        calls.iter().all(|call| call.end - call.start >= 0.1),
        "{calls:?}"
    );
    assert!(longest_chain(&calls) <= 2, "{calls:?}");
}

#[test]
fn a_throttled_call_is_retried_and_then_fails_only_its_job() {
    let site = Site::new(2);
    site.automated(&on_day(15));
    let throttle = |times: i32| json!({"action": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "message": "Rate exceeded", "times": times});
    site.world.fail(throttle(1));
    assert_eq!(actions(&site.plan()).len(), 4, "one throttle is survived");

    site.world.fail(throttle(-1));
    let planned = site.xrs(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(1), "{planned:?}");
    let plan = site.folder.json("plan.json");
    assert_eq!(actions(&plan), ["sync_app/copy", "sync_app/tag-source"]);
    let error = json!({"call": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "message": "Rate exceeded"});
    assert_eq!(job(&plan, "sync_db")["errors"][0]["aws"], error);

    let applied = site.xrs(&["apply", "plan.json", "--results", "results.json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    let results = site.folder.json("results.json");
    assert_eq!(job(&results, "sync_app")["completed"], true);
    assert_eq!(job(&results, "sync_db")["completed"], false);
    assert_eq!(site.copies(), [""; 0], "law 6: unknown is not absent");
}

#[test]
fn writes_are_logged_at_level_info_and_reads_at_level_debug() {
    let site = Site::new(2);
    let logged = |arguments: &[&str]| {
        let log = site.xrs(arguments).err;
        let calls = log.lines().filter(|line| line.contains("AWS call="));
        calls.map(str::to_owned).collect::<Vec<_>>()
    };
    let has = |lines: &[String], parts: &[&str]| {
        let has_all = |line: &String| parts.iter().all(|part| line.contains(part));
        assert!(lines.iter().any(has_all), "{parts:?} in {lines:#?}");
    };
    site.automated(&on_day(15));
    let writes = logged(&["-v", "run"]);
    assert_eq!(writes.len(), 4, "two copies and two tags: {writes:#?}");
    let about = format!(
        "about=arn:aws:rds:us-east-1:{}:snapshot:rds:mydatabase-2026-01-15-05-10",
        site.world.account
    );
    has(
        &writes,
        &[
            "INFO",
            "write to AWS call=\"copy\"",
            "region=us-west-1",
            &about,
            "took=",
        ],
    );
    has(
        &writes,
        &[
            "INFO",
            "write to AWS call=\"tag\"",
            "region=us-east-1",
            &about,
            "took=",
        ],
    );

    site.world
        .fail(json!({"action": "DescribeImages", "code": "AccessDenied", "status": 403}));
    let reads = logged(&["-vv", "plan"]);
    let about = "about=(DbSnapshot, Manual([\"mydatabase\"]))";
    has(
        &reads,
        &[
            "DEBUG",
            "read from AWS call=\"find\"",
            "region=us-west-1",
            about,
            "found=1",
        ],
    );
    has(&reads, &["call=\"caller_identity\"", "found=1"]);
    has(
        &reads,
        &["error=DescribeImages in us-east-1: AccessDenied: injected"],
    );
}

#[test]
fn law_8_no_secret_is_printed_or_saved_at_the_finest_log_level() {
    let site = Site::new(2);
    site.automated(&on_day(15));
    // Temporary keys: their token is part of every request.
    let token = "FwoGZXIvYXdzEJrXRSXRSXRSXRSXRS0123456789abcdef";
    let config = site.folder.read("xrs.yaml");
    let with_token = format!("session_token: {token}, aws_secret_key");
    site.folder
        .write("xrs.yaml", config.replace("aws_secret_key", &with_token));
    // The token is also part of a presigned URL.
    let demand = "A pre-signed url must be specified for copying encrypted snapshot across region";
    site.world
        .fail(json!({"action": "CopyDBSnapshot", "code": "InvalidParameter", "message": demand}));
    let mut texts = String::new();
    for arguments in [
        &["-vv", "plan", "--out", "plan.json"][..],
        &["-vv", "apply", "plan.json", "--results", "results.json"],
        &["-vv", "run", "--results", "results.json"],
    ] {
        let mut command = site.command(arguments);
        command.env("XRS_LOG", "trace");
        let ended = ended(&mut command.into());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.err.contains("TRACE"), "{}", ended.err);
        texts.push_str(&ended.out);
        texts.push_str(&ended.err);
    }
    // The answer of STS contains the keys of the role.
    let role = format!("role_arn: 'arn:aws:iam::{}:role/xrs', ", site.world.account);
    let config = site.folder.read("xrs.yaml");
    let with_role = config.replacen(
        "aws_client_config: {",
        &format!("aws_client_config: {{{role}"),
        1,
    );
    site.folder.write("xrs.yaml", with_role);
    let mut command = site.command(&["plan"]);
    command.env("XRS_LOG", "trace");
    let with_role = ended(&mut command.into());
    assert_eq!(with_role.code, Some(0), "{with_role:?}");
    for part in ["<SecretAccessKey>", "<SessionToken>"] {
        assert!(!with_role.err.contains(part), "{part}");
    }
    texts.push_str(&site.folder.read("plan.json"));
    texts.push_str(&site.folder.read("results.json"));
    for secret in [SECRET_KEY, token, &site.world.access_key()] {
        if let Some((before, _)) = texts.split_once(secret) {
            panic!(
                "a secret after {}",
                &before[before.len().saturating_sub(600)..]
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_cause_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(2);
    site.automated(&on_day(15));
    for (mode, times) in [(0o644, 1), (0o600, 0)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(site.folder.path("xrs.yaml"), permissions).expect("permissions");
        for arguments in [
            &["plan", "--out", "plan.json"][..],
            &["apply", "plan.json"],
            &["apply", "plan.json", "--config", "xrs.yaml"],
            &["run"],
        ] {
            let ended = site.xrs(arguments);
            let warnings = ended.err.matches("others than its owner can read it");
            assert_eq!(warnings.count(), times, "{ended:?}");
        }
    }
}

#[test]
fn missing_wrong_and_foreign_credentials_are_told_apart() {
    let site = Site::new(2);
    site.automated(&on_day(15));
    site.plan();
    let config = site.folder.read("xrs.yaml");
    let fails_with = |config: &str, text: &str| {
        site.folder.write("xrs.yaml", config);
        let planned = site.xrs(&["plan"]);
        assert_eq!(planned.code, Some(1), "{planned:?}");
        assert!(planned.out.contains(text), "{planned:?}");
    };

    // Keys of a different account from the plan's: the plan is refused, and nothing is written.
    let other = World::new();
    let foreign = config.replace(&site.world.access_key(), &other.access_key());
    site.folder.write("xrs.yaml", foreign);
    let refused = site.xrs(&["apply", "plan.json"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    for account in [&site.world.account, &other.account] {
        assert!(refused.err.contains(account.as_str()), "{refused:?}");
    }
    assert!(
        other
            .calls()
            .iter()
            .all(|call| call.action.starts_with("Get"))
    );

    let stated = "aws_account_id: '000000000001', aws_secret_key";
    let stated = config.replace("aws_secret_key", stated);
    fails_with(&stated, "aws_account_id is 000000000001");

    let (_, without_keys) = config.split_once('\n').expect("a line of keys");
    fails_with(without_keys, "no credentials found");

    site.world
        .fail(json!({"code": "ExpiredToken", "status": 403, "times": -1}));
    fails_with(&config, "ExpiredToken");
    fails_with(&config, "sign in again");
}
