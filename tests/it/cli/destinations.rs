//! Jobs with several destinations, from the config to the metrics.

use super::*;

const CONFIG: &str = "
sync_web:
  sync_type: ec2_ami
  source_region: us-east-1
  sync_identifier: Web
  destinations: [us-west-1, eu-west-1]
sync_orders:
  sync_type: rds_automated_snapshot
  source_region: us-east-1
  db_instance: orders
  kms_key_id: alias/copies
  destinations:
    - us-west-1
    - {region: eu-west-1, max_snapshots_to_retain: 1, kms_key_id: alias/other}
";

const NAMES: [&str; 4] = [
    "sync_web@us-west-1",
    "sync_web@eu-west-1",
    "sync_orders@us-west-1",
    "sync_orders@eu-west-1",
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("xrs.yaml", CONFIG);
    folder
}

/// Returns the names of the jobs of a document.
fn names(document: &Value, list: &str) -> Vec<String> {
    let jobs = document[list].as_array().expect("jobs").iter();
    jobs.map(|job| job["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn every_destination_is_validated_planned_applied_and_shown() {
    let folder = folder();
    folder.xrs("validate").went_well(&[
        "sync_web@us-west-1 (ec2_ami) us-east-1 → us-west-1",
        "sync_orders@eu-west-1 (rds_automated_snapshot) us-east-1 → eu-west-1",
        "xrs.yaml is valid: 4 valid jobs, 0 invalid.",
    ]);
    let plan = folder.on_sandbox("plan --out plan.json");
    plan.went_well(&["Plan: 4 copies", "sync_orders@eu-west-1"]);
    let plan = folder.json("plan.json");
    assert_eq!(names(&plan, "jobs"), NAMES);
    let actions = plan["jobs"].as_array().expect("jobs").iter();
    let actions = actions.flat_map(|job| job["actions"].as_array().expect("actions"));
    let ids: Vec<&str> = actions.filter_map(|action| action["id"].as_str()).collect();
    for name in NAMES {
        assert!(ids.contains(&format!("{name}/copy").as_str()), "{ids:?}");
    }
    let applied = folder.on_sandbox("apply plan.json --wait --results results.json");
    applied.went_well(&["Results: 4 jobs completed"]);
    assert_eq!(names(&folder.json("results.json"), "results"), NAMES);
    folder
        .on_sandbox("plan")
        .went_well(&["4 jobs up to date, 0 failed."]);
    let status = folder.on_sandbox("status");
    status.went_well(&NAMES);
    let metrics = folder.on_sandbox("status --format prometheus");
    for (name, region) in [
        ("sync_web@us-west-1", "us-west-1"),
        ("sync_orders@eu-west-1", "eu-west-1"),
    ] {
        let series = format!("xrs_job_ready{{sync_job=\"{name}\",");
        metrics.went_well(&[&series, &format!("destination_region=\"{region}\"")]);
    }
}

#[test]
fn a_name_selects_all_destinations_and_a_name_with_a_region_selects_one() {
    let folder = folder();
    let selected = |jobs: &str| {
        let ended = folder.on_sandbox(&format!("plan --format json {jobs}"));
        names(&serde_json::from_str(&ended.out).expect("JSON"), "jobs")
    };
    assert_eq!(selected("--job sync_orders"), NAMES[2..]);
    assert_eq!(selected("--job sync_orders@eu-west-1"), NAMES[3..]);
    assert_eq!(
        selected("--job sync_orders --job sync_web@eu-west-1"),
        NAMES[1..]
    );
    assert_eq!(
        selected("--job sync_web --job sync_web@eu-west-1"),
        NAMES[..2]
    );
    let plan = |job: &str| folder.on_sandbox(&format!("plan --job {job}"));
    for (job, meant) in [
        ("sync_orders@eu-west-2", "sync_orders@eu-west-1"),
        ("sync_order", "sync_orders"),
    ] {
        let help = format!("did you mean {meant}?");
        plan(job).failed(1, &[&format!("the config has no job {job}"), &help]);
    }
    let status = folder.on_sandbox("status --job sync_web");
    status.went_well(&NAMES[..2]);
    status.lacks("sync_orders");
}

#[test]
fn a_plan_of_one_destination_is_applied_with_its_credentials() {
    let folder = folder();
    let keys = "aws_client_config: {aws_access_key: AKIAIOSFODNN7EXAMPLE, aws_secret_key: secret}";
    folder.write("xrs.yaml", format!("{CONFIG}{keys}\n"));
    folder
        .on_sandbox("plan --out plan.json --job sync_orders@eu-west-1")
        .failed(0, &[]);
    folder.on_sandbox("apply plan.json").failed(0, &[]);
    // A job that no longer lists its destinations has a different name.
    let one = CONFIG.replace(
        "destinations:\n    - us-west-1\n",
        "destination_region: eu-west-1\n",
    );
    let (one, _) = one.split_once("    - {region").expect("the second");
    let _ = folder.on_sandbox("plan --out plan.json --job sync_web");
    folder.write(
        "xrs.yaml",
        format!(
            "{}{keys}\n",
            one.replace("[us-west-1, eu-west-1]", "[us-west-1]")
        ),
    );
    let says = "the config xrs.yaml has no job sync_web@eu-west-1 to take credentials from";
    folder.on_sandbox("apply plan.json").failed(3, &[says]);
}

#[test]
fn a_mistake_in_one_destination_fails_that_one() {
    let folder = folder();
    folder.write("xrs.yaml", CONFIG.replace("alias/other", "other key"));
    let run = folder.on_sandbox("run --results results.json");
    run.failed(
        1,
        &[
            "sync_orders@eu-west-1",
            "option `kms_key_id` of sync_orders must be",
        ],
    );
    let results = folder.json("results.json");
    let results = results["results"].as_array().expect("results").iter();
    let completed = results.map(|result| result["completed"].as_bool());
    assert!(completed.eq([Some(true), Some(true), Some(true), Some(false)]));
}

#[test]
fn the_policy_allows_every_destination() {
    let folder = folder();
    let policy = folder.xrs("policy apply");
    policy.went_well(&[
        "\"arn:aws:rds:us-west-1:*:snapshot:rds-orders-",
        "\"arn:aws:rds:eu-west-1:*:snapshot:rds-orders-",
        "\"Sync-us-west-1\"",
        "\"Sync-eu-west-1\"",
        "\"alias/copies\"",
        "\"alias/other\"",
    ]);
    let one = folder.xrs("policy apply --job sync_orders@us-west-1");
    one.went_well(&["us-west-1"]);
    one.lacks("eu-west-1");
}
