//! As whom: keys, roles and profiles, and clients that are made once.

use std::path::Path;

use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::id::ImageId;
use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::model::provider_error::ErrorKind;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use futures::future::join_all;
use serde_json::json;

use super::server;
use super::world::{EAST, WEST, World, place};
use crate::cli::{Folder, ended};

#[tokio::test]
async fn the_caller_is_told_with_account_and_endpoint() {
    let world = World::new();
    let aws = Aws::new();
    let caller = aws
        .caller_identity(&world.at(WEST))
        .await
        .expect("a caller");
    assert_eq!(caller.account_id, world.account);
    assert_eq!(caller.endpoint_url, Some(server::endpoint()));
    assert_eq!(aws.kind(), ProviderKind::Aws);
    let calls = world.calls();
    assert_eq!(calls[0].region, WEST, "STS of the region that is asked");
    let us = format!("lib/xrs#{}", env!("CARGO_PKG_VERSION"));
    let us_in_another_form = us.replace('#', "/");
    assert!(
        calls[0].agent.contains(&us) || calls[0].agent.contains(&us_in_another_form),
        "{}",
        calls[0].agent
    );
}

#[tokio::test]
async fn a_role_is_assumed_once_in_each_region_that_is_asked() {
    let (world, other) = (World::new(), World::new());
    let config = ClientConfig {
        role_arn: Some(format!("arn:aws:iam::{}:role/xrs", other.account)),
        external_id: Some("external-1".to_owned()),
        role_session_name: Some("nightly".to_owned()),
        ..world.client_config()
    };
    other.image(EAST, json!({"name": "web"}));
    let aws = Aws::new();
    let none = [ImageId::from("ami-0123456789abcdef0")];
    for region in [EAST, WEST] {
        let at = place(config.clone(), region);
        assert_eq!(
            aws.caller_identity(&at).await.expect("a caller").account_id,
            other.account
        );
        let reads = (0..5).map(|_| aws.images(&at, &none));
        assert!(
            join_all(reads)
                .await
                .into_iter()
                .all(|read| read.is_ok_and(|images| images.is_empty()))
        );
    }
    let assumed = world.calls_of("AssumeRole");
    assert_eq!(
        assumed
            .iter()
            .map(|call| call.region.as_str())
            .collect::<Vec<_>>(),
        [EAST, WEST]
    );
    for call in &assumed {
        assert_eq!(
            call.params.get("ExternalId").map(String::as_str),
            Some("external-1")
        );
        assert_eq!(
            call.params.get("RoleSessionName").map(String::as_str),
            Some("nightly")
        );
    }
    assert_eq!(
        world.calls().len(),
        assumed.len(),
        "everything else is done as the role"
    );
    assert_eq!(other.calls().len(), 12);
}

#[tokio::test]
async fn a_role_that_is_refused_is_told_as_the_call_it_is() {
    let world = World::new();
    let role = Some("arn:aws:iam::123456789012:role/xrs".to_owned());
    let message = "User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole";
    world.control(
        "errors",
        json!({"action": "AssumeRole", "code": "AccessDenied", "message": message, "status": 403}),
    );
    let config = ClientConfig {
        role_arn: role,
        ..world.client_config()
    };
    let error = Aws::new()
        .caller_identity(&place(config, WEST))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.call, error.code.as_str(), error.message.as_str()),
        ("AssumeRole", "AccessDenied", message)
    );
    assert_eq!(
        (error.region.as_str(), error.kind),
        (WEST, ErrorKind::Denied)
    );
    let help = error.problem("failed").help.expect("a way out");
    assert!(help.contains("sts:AssumeRole"), "{help}");
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_named_and_nothing_is_called() {
    let world = World::new();
    let config = ClientConfig {
        profile: Some("no-such-profile-of-xrs".to_owned()),
        endpoint_url: Some(server::endpoint()),
        ..ClientConfig::default()
    };
    let error = Aws::new()
        .caller_identity(&place(config, WEST))
        .await
        .expect_err("no credentials");
    assert_eq!(
        (error.call, error.kind),
        ("GetCallerIdentity", ErrorKind::Expired)
    );
    assert!(
        error.message.contains("`no-such-profile-of-xrs`"),
        "{error}"
    );
    assert!(world.calls().is_empty());
}

/// As whom the program plans in this environment alone, without any setting but a profile; or why it cannot.
fn in_an_environment(profile: &str, environment: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    let profile = if profile == "-" {
        String::new()
    } else {
        format!("aws_client_config: {{profile: {profile}}}\n")
    };
    folder.write(
        "xrs.yaml",
        format!(
            "{profile}sync_db: {{sync_type: rds_automated_snapshot, source_region: {EAST}, \
             destination_region: {WEST}, db_instance: mydatabase}}\n"
        ),
    );
    let mut command = folder.command(&["plan", "--format", "json"]);
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("PATH", "/usr/bin:/bin");
    command
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command.envs(environment.iter().copied());
    let ended = ended(&mut command);
    let plan: serde_json::Value =
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let job = &plan["jobs"][0];
    match job["account_id"].as_str() {
        Some(account) => {
            format!(
                "{account} at {}",
                job["client_config"]["endpoint_url"]
                    .as_str()
                    .unwrap_or("AWS")
            )
        }
        None => {
            let aws = &job["errors"][0]["aws"];
            let text = |key: &str| aws[key].as_str().unwrap_or_default().to_owned();
            format!(
                "{} in {}: {}: {}",
                text("call"),
                text("region"),
                text("code"),
                text("message")
            )
        }
    }
}

#[test]
fn the_environment_decides_where_the_config_says_nothing() {
    let (world, endpoint) = (World::new(), server::endpoint());
    let key = world.access_key();
    let keys = [
        ("AWS_ACCESS_KEY_ID", key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let all = [keys[0], keys[1], ("AWS_ENDPOINT_URL", endpoint.as_str())];
    assert_eq!(
        in_an_environment("-", &all),
        format!("{} at {endpoint}", world.account)
    );
    let one = [
        keys[0],
        keys[1],
        ("AWS_ENDPOINT_URL_STS", endpoint.as_str()),
    ];
    assert_eq!(
        in_an_environment("-", &one),
        format!("{} at sts={endpoint}", world.account)
    );
}

#[test]
fn without_credentials_it_is_said_where_they_were_looked_for() {
    let shown = in_an_environment("-", &[]);
    let expected = "GetCallerIdentity in us-west-1: NoCredentials: no credentials found; looked in the environment";
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn a_profile_goes_before_the_keys_of_the_environment_and_its_process_is_run() {
    let (world, other, endpoint) = (World::new(), World::new(), server::endpoint());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let answer = json!({"Version": 1, "AccessKeyId": world.access_key(), "SecretAccessKey": "x"});
    let process = |command: &str| {
        format!("[profile people]\ncredential_process = {command}\nendpoint_url = {endpoint}\n")
    };
    let environment = |key| {
        [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_CONFIG_FILE", file.to_str().expect("a path")),
        ]
    };
    let key = other.access_key();

    put(&file, &process(&format!("echo '{answer}'")));
    assert_eq!(
        in_an_environment("people", &environment(&key)),
        format!("{} at {endpoint}", world.account)
    );
    put(&file, &process("sh -c 'echo it is a secret >&2; exit 1'"));
    let shown = in_an_environment("people", &environment(&key));
    assert!(
        shown.starts_with("GetCallerIdentity in us-west-1: CredentialsFailed: "),
        "{shown}"
    );
    assert!(
        shown.contains("`people`") && !shown.contains("secret"),
        "{shown}"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file of the test's own, which nobody else reads meanwhile"
)]
fn put(file: &Path, text: &str) {
    std::fs::write(file, text).expect("written");
}
