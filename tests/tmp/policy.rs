use std::sync::Arc;
use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::json::document;
use aws_xregion_sync::model::query::ImageSelector;
use aws_xregion_sync::policy::policy;
use aws_xregion_sync::sync_types::{AmiOptions, DbSnapshotOptions, PolicyStage, SyncJob};
fn jobs() -> Vec<SyncJob> {
    vec![
        SyncJob { name: "sync_orders".into(), source_region: "us-east-1".into(), destination_region: "us-west-2".into(),
            client_config: Arc::new(ClientConfig { account_id: Some("012345678901".into()), role_arn: Some("arn:aws:iam::012345678901:role/x".into()), ..ClientConfig::default() }),
            kms_key_id: Some("alias/copies".into()), has_shared_parent_name: false,
            rules: Arc::new(DbSnapshotOptions { db_instance: "orders-db".into(), max_snapshots_to_retain: 7, option_group_name: Some("orders-tde".into()) }) },
        SyncJob { name: "sync_images".into(), source_region: "eu-west-1".into(), destination_region: "eu-central-1".into(),
            client_config: Arc::new(ClientConfig::default()),
            kms_key_id: Some("arn:aws:kms:eu-central-1:123456789012:alias/copies".into()), has_shared_parent_name: false,
            rules: Arc::new(AmiOptions { selector: ImageSelector { owner: "012345678901".into(), sync_identifiers: vec![], filters: vec![] }, most_recent: true }) },
    ]
}
#[test]
fn same() {
    for (stage, file) in [(PolicyStage::Plan, "plan"), (PolicyStage::Apply, "apply")] {
        let text = document(&policy(stage, &jobs()).unwrap()).unwrap();
        let snap = std::fs::read_to_string(format!("tests/it/snapshots/it__policy__{file}.snap")).unwrap();
        let snap = snap.splitn(3, "---\n").nth(2).unwrap();
        assert_eq!(text, snap);
    }
}
