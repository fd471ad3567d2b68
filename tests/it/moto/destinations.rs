//! Jobs with two destinations, from the config to the copies in both regions.

use serde_json::{Value, json};

use super::site::{DATABASE, Site, actions, copy_of_day, job, on_day};
use super::world::{EAST, WEST};

const EUROPE: &str = "eu-west-1";

/// The jobs, in the order of the config.
const NAMES: [&str; 4] = [
    "sync_app@us-west-1",
    "sync_app@eu-west-1",
    "sync_db@us-west-1",
    "sync_db@eu-west-1",
];

/// An image and a database, each copied to both regions.
fn site() -> Site {
    let site = Site::new(0);
    site.configure(&format!(
        "sync_app:
  sync_type: ec2_ami
  source_region: {EAST}
  sync_identifier: app
  destinations: [{WEST}, {EUROPE}]
sync_db:
  sync_type: rds_automated_snapshot
  source_region: {EAST}
  db_instance: {DATABASE}
  max_snapshots_to_retain: 1
  destinations: [{WEST}, {{region: {EUROPE}, max_snapshots_to_retain: 3}}]
"
    ));
    site.automated(&on_day(15));
    site
}

impl Site {
    /// The calls of an action in a region so far.
    fn calls_in(&self, region: &str, action: &str) -> usize {
        let calls = self.world.calls_of(action);
        calls.iter().filter(|call| call.region == region).count()
    }

    /// The ids of the images, or of the manual snapshots, in a region.
    fn ids(&self, what: &str, region: &str) -> Vec<String> {
        let request = match what {
            "list" => json!({"region": region, "type": "manual"}),
            _ => json!({"region": region}),
        };
        let found = self.world.control(what, request);
        serde_json::from_value(found).expect("ids")
    }
}

/// The names of the jobs that a document lists.
fn names<'a>(document: &'a Value, list: &str) -> Vec<&'a str> {
    let jobs = document[list].as_array().expect("a list").iter();
    jobs.map(|job| job["name"].as_str().expect("a name"))
        .collect()
}

#[test]
fn a_source_is_read_once_for_all_its_destinations() {
    let site = site();
    site.world.reset();
    let plan = site.plan();
    assert_eq!(names(&plan, "jobs"), NAMES);
    let expected = NAMES.map(|name| [format!("{name}/copy"), format!("{name}/tag-source")]);
    assert_eq!(actions(&plan), expected.concat());
    for action in ["DescribeImages", "DescribeDBSnapshots"] {
        assert_eq!(site.calls_in(EAST, action), 1, "{action}");
    }

    site.succeeds(&["apply", "plan.json", "--results", "results.json"]);
    let results = site.folder.json("results.json");
    assert_eq!(names(&results, "results"), NAMES);
    let source = &site.ids("images", EAST)[0];
    let tags = &site.world.stored(EAST, source)["tags"];
    for (region, app, db) in [(WEST, NAMES[0], NAMES[2]), (EUROPE, NAMES[1], NAMES[3])] {
        let created = &job(&results, app)["created_resource"];
        assert_eq!(json!(site.ids("images", region)), json!([created]));
        let tag = format!("20260114220000+0000 / {}", created.as_str().expect("an id"));
        assert_eq!(tags[format!("Sync-{region}")], tag);
        let copy = copy_of_day(15);
        assert_eq!(job(&results, db)["created_resource"], copy);
        assert_eq!(site.ids("list", region), [copy]);
    }
    site.assert_up_to_date();
}

#[test]
fn each_destination_keeps_its_own_number_of_copies() {
    let site = site();
    for day in 16..20 {
        site.plan_and_apply();
        site.automated(&on_day(day));
    }
    site.plan_and_apply();
    let number = |region| site.ids("list", region).len();
    assert_eq!([WEST, EUROPE].map(number), [2, 4]);
    site.assert_up_to_date();
}

#[test]
fn a_name_with_a_region_selects_one_destination() {
    let site = site();
    site.succeeds(&["plan", "--job", NAMES[3], "--out", "plan.json"]);
    let plan = site.folder.json("plan.json");
    assert_eq!(names(&plan, "jobs"), [NAMES[3]]);
    site.world.reset();
    site.succeeds(&["apply", "plan.json"]);
    assert_eq!(site.ids("list", EUROPE), [copy_of_day(15)]);
    let calls = site.world.calls();
    assert!(calls.iter().all(|call| call.region != WEST), "{calls:?}");
    assert!(site.copies().is_empty());
}

#[test]
fn law_7_a_failure_in_one_destination_leaves_the_other_done() {
    let site = site();
    site.plan();
    for (action, region) in [("CopyImage", WEST), ("CopyDBSnapshot", EUROPE)] {
        let refusal = json!({"action": action, "region": region, "code": "AccessDenied", "status": 403, "times": -1});
        site.world.fail(refusal);
    }
    let applied = site.xrs(&["apply", "plan.json", "--results", "results.json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    let results = site.folder.json("results.json");
    let completed = NAMES.map(|name| job(&results, name)["completed"] == true);
    assert_eq!(completed, [false, true, true, false]);
    let error = &job(&results, NAMES[3])["errors"][0]["aws"];
    assert_eq!(
        (&error["call"], &error["region"]),
        (&json!("CopyDBSnapshot"), &json!(EUROPE))
    );
    let number = |what: &str| [WEST, EUROPE].map(|region| site.ids(what, region).len());
    assert_eq!((number("images"), number("list")), ([0, 1], [1, 0]));

    // A region that does not answer when planning.
    site.world.reset();
    let outage = json!({"region": WEST, "code": "AuthFailure", "status": 401, "times": -1});
    site.world.fail(outage);
    let planned = site.xrs(&["plan", "--out", "plan.json"]);
    assert_eq!(planned.code, Some(1), "{planned:?}");
    let plan = site.folder.json("plan.json");
    let outcomes = NAMES.map(|name| job(&plan, name)["outcome"].clone());
    assert_eq!(outcomes, ["failed", "up_to_date", "failed", "changes"]);

    site.world.reset();
    site.plan_and_apply();
    assert_eq!((number("images"), number("list")), ([1, 1], [1, 1]));
    site.assert_up_to_date();
}
