//! DB clusters, from the config to the copy.

use serde_json::{Value, json};

use super::site::{DATABASE, Site, actions, database_job, job, on_day, regions};
use super::world::{EAST, WEST, longest_chain};

/// The longest name that RDS allows.
const LONG: &str = "orders-of-the-european-and-the-american-web-shops-2026-prod-eu1";

fn site(name: &str, key: Option<&str>, more: &str) -> Site {
    let site = Site::new(1);
    site.configure(&format!(
        "sync_c: {{sync_type: rds_automated_cluster_snapshot, {}, db_cluster: {name}, max_snapshots_to_retain: 1{more}}}\n",
        regions()
    ));
    let cluster = json!({"region": EAST, "id": name, "kms_key_id": key, "instance": "member"});
    site.world.control("cluster", cluster);
    site
}

fn automated(site: &Site, name: &str, day: u32) {
    let created = format!("2026-01-{day}T05:10:33Z");
    let snapshot =
        json!({"region": EAST, "db_cluster": name, "created": created, "tags": {"Team": "data"}});
    site.world.control("cluster_snapshot", snapshot);
}

fn copies(site: &Site) -> Vec<String> {
    let found = site
        .world
        .control("cluster_copies", json!({"region": WEST}));
    let mut ids: Vec<String> = serde_json::from_value(found).expect("ids");
    ids.sort();
    ids
}

#[test]
fn a_cluster_is_copied_kept_for_some_days_and_reported() {
    for name in ["orders", LONG] {
        let site = site(name, None, "");
        site.world
            .settings(json!({"copy_seconds": 0.3, "page_size": 20}));
        for day in 14..18 {
            automated(&site, name, day);
            site.succeeds(&["run", "--wait"]);
        }
        let left = copies(&site);
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left.iter().all(|id| id.len() <= 63), "{left:?}");
        site.assert_up_to_date();

        let status = site.done(&["status", "--format", "json"]);
        let status: Value = serde_json::from_str(&status.out).expect("JSON");
        let copies = &job(&status, "sync_c")["copies"];
        let newest = &copies["newest_usable"];
        assert_eq!(newest["data_time"], "2026-01-17T05:10:33Z", "{status}");
        assert_eq!(newest["behind_seconds"], 0);
        assert_eq!(copies["left"]["count"], 2);
        let calls = site.world.calls();
        assert!(calls.iter().all(|call| !call.action.contains("DBSnapshot")));
    }
}

#[test]
fn an_encrypted_cluster_needs_a_key_and_an_unencrypted_one_takes_none() {
    let encrypted = site("orders", Some("alias/orders"), "");
    automated(&encrypted, "orders", 14);
    let refused = encrypted.xrs(&["plan"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.out.contains("is encrypted"), "{refused:?}");

    let key = encrypted.world.key(WEST);
    let with_key = site("orders", None, &format!(", kms_key_id: '{key}'"));
    automated(&with_key, "orders", 14);
    let refused = with_key.xrs(&["plan"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.out.contains("is not encrypted"), "{refused:?}");

    let both = site("orders", Some("alias/orders"), "");
    let key = both.world.key(WEST);
    both.configure(&format!(
        "sync_c: {{sync_type: rds_automated_cluster_snapshot, {}, db_cluster: orders, kms_key_id: '{key}'}}\n",
        regions()
    ));
    automated(&both, "orders", 14);
    assert_eq!(actions(&both.plan()), ["sync_c/copy", "sync_c/tag-source"]);
    both.succeeds(&["apply", "plan.json"]);
    let sent = both.world.calls_of("CopyDBClusterSnapshot");
    assert_eq!(sent[0].params["KmsKeyId"], key);
    assert_eq!(copies(&both), ["rds-orders-2026-01-14-05-10"]);
}

#[test]
fn the_error_for_an_instance_in_a_cluster_names_the_cluster() {
    let site = site("orders", None, "");
    site.world.database(EAST, "alone", None);
    automated(&site, "orders", 14);
    for (name, help) in [
        ("member", "with db_cluster: orders"),
        ("alone", "automated backups"),
        ("absent", "automated backups"),
    ] {
        site.configure(&format!(
            "sync_c: {{sync_type: rds_automated_snapshot, {}, db_instance: {name}}}\n",
            regions()
        ));
        let refused = site.xrs(&["plan"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.out.contains(help), "{refused:?}");
    }
    let asked = site.world.calls_of("DescribeDBInstances");
    let asked: Vec<_> = asked
        .iter()
        .map(|call| &call.params["DBInstanceIdentifier"])
        .collect();
    assert_eq!(asked, ["member", "alone", "absent"]);
}

#[test]
fn planning_all_types_takes_no_more_than_two_calls_in_a_row() {
    let site = site("orders", None, "");
    automated(&site, "orders", 15);
    site.automated(&on_day(15));
    let (regions, database) = (regions(), database_job("sync_db", DATABASE, 2));
    site.configure(&format!(
        "sync_app: {{sync_type: ec2_ami, {regions}, sync_identifier: app}}\n\
         sync_c: {{sync_type: rds_automated_cluster_snapshot, {regions}, db_cluster: orders}}\n\
         {database}{}",
        database_job("sync_member", "member", 2)
    ));
    site.world.reset();
    site.world.settings(json!({"latency": 0.1}));
    let planned = site.xrs(&["plan"]);
    // The member has no snapshots; reading its cluster takes no third call.
    assert_eq!(planned.code, Some(1), "{planned:?}");
    let calls = site.world.calls();
    let asked = calls
        .iter()
        .filter(|call| call.action == "DescribeDBInstances");
    assert_eq!(asked.count(), 1, "{calls:?}");
    assert!(longest_chain(&calls) <= 2, "{calls:?}");
}
