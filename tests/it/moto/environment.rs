//! Credentials that the program finds where the config states none: environment variables and profiles.

use std::fs;

use aws_xregion_sync::model::client_config::sha256;
use serde_json::{Value, json};

use super::server;
use super::world::{EAST, WEST, World};
use crate::cli::{Folder, ended};

/// Returns the account and the endpoint of a plan that is made in this environment, or why there is none.
fn planned_in(config: &str, environment: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    let job = format!(
        "sync_db: {{sync_type: rds_automated_snapshot, source_region: {EAST}, destination_region: {WEST}, db_instance: db}}\n"
    );
    folder.write("xrs.yaml", format!("{config}{job}"));
    let mut command = folder.command("plan --format json");
    for (name, value) in [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PATH", "/usr/bin:/bin"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ] {
        command.env(name, value);
    }
    let ended = ended(command.envs(environment.iter().copied()));
    let plan: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let job = &plan["jobs"][0];
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    if let Some(account) = job["account_id"].as_str() {
        let endpoint = text(&job["client_config"]["endpoint_url"]);
        return format!("{account} at {endpoint}");
    }
    let aws = &job["errors"][0]["aws"];
    let [call, region, code, message] =
        ["call", "region", "code", "message"].map(|key| text(&aws[key]));
    format!("{call} in {region}: {code}: {message}")
}

#[test]
fn the_environment_decides_where_the_config_does_not() {
    let (world, endpoint) = (World::new(), server::endpoint());
    let key = world.access_key();
    for (variable, at) in [
        ("AWS_ENDPOINT_URL", endpoint.clone()),
        ("AWS_ENDPOINT_URL_STS", format!("sts={endpoint}")),
    ] {
        let environment = [
            ("AWS_ACCESS_KEY_ID", key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            (variable, endpoint.as_str()),
        ];
        let planned = planned_in("", &environment);
        assert_eq!(planned, format!("{} at {at}", world.account));
    }
}

#[test]
fn without_credentials_the_error_says_where_they_were_searched() {
    let planned = planned_in("", &[]);
    let expected = "GetCallerIdentity in us-west-1: NoCredentials: no credentials found; searched in the environment";
    assert!(planned.starts_with(expected), "{planned}");
}

#[test]
fn a_profile_has_priority_over_keys_of_the_environment_and_its_process_is_run() {
    let (world, other, endpoint) = (World::new(), World::new(), server::endpoint());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let keys = json!({"Version": 1, "AccessKeyId": world.access_key(), "SecretAccessKey": "x"});
    let key = other.access_key();
    let planned_with = |process: &str| {
        let profile = format!(
            "[profile people]\ncredential_process = {process}\nendpoint_url = {endpoint}\n"
        );
        fs::write(&file, profile).expect("written");
        let environment = [
            ("AWS_ACCESS_KEY_ID", key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_CONFIG_FILE", file.to_str().expect("a path")),
        ];
        planned_in("aws_client_config: {profile: people}\n", &environment)
    };
    let planned = planned_with(&format!("echo '{keys}'"));
    assert_eq!(planned, format!("{} at {endpoint}", world.account));
    let planned = planned_with("sh -c 'echo it is a secret >&2; exit 1'");
    let expected = "GetCallerIdentity in us-west-1: CredentialsFailed: ";
    assert!(planned.starts_with(expected), "{planned}");
    assert!(
        planned.contains("`people`") && !planned.contains("secret"),
        "{planned}"
    );
}

#[test]
fn the_retry_mode_of_the_environment_stays_when_the_attempts_are_set() {
    let (world, endpoint) = (World::new(), server::endpoint());
    let key = world.access_key();
    for (mode, metric) in [("standard", 'E'), ("adaptive", 'F')] {
        world.reset();
        let environment = [
            ("AWS_ACCESS_KEY_ID", key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_RETRY_MODE", mode),
        ];
        planned_in("aws_client_config: {max_attempts: 2}\n", &environment);
        // The SDK states the features that it uses as letters.
        let agent = &world.calls()[0].agent;
        let metrics = agent.split(' ').find_map(|part| part.strip_prefix("m/"));
        let mut metrics = metrics.unwrap_or_default().split(',');
        assert!(metrics.any(|used| used == metric.to_string()), "{agent}");
    }
}

#[test]
fn a_session_of_aws_login_is_a_source_of_credentials() {
    let (world, endpoint) = (World::new(), server::endpoint());
    let folder = tempfile::tempdir().expect("a folder");
    let session = "arn:aws:iam::123456789012:user/me";
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let profile =
        format!("[profile people]\nlogin_session = {session}\nendpoint_url = {endpoint}\n");
    let file = write("config", profile);
    let cache = folder.path().display().to_string();
    let planned = || {
        let environment = [
            ("AWS_CONFIG_FILE", file.as_str()),
            ("AWS_LOGIN_CACHE_DIRECTORY", &cache),
        ];
        planned_in("aws_client_config: {profile: people}\n", &environment)
    };
    // Before anybody has signed in.
    assert!(planned().starts_with("GetCallerIdentity in us-west-1: CredentialsFailed: "));
    let token = json!({
        "accessToken": {
            "accessKeyId": world.access_key(), "secretAccessKey": "x", "sessionToken": "t",
            "accountId": world.account, "expiresAt": "2099-01-01T00:00:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "r", "idToken": "i", "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "k",
    });
    // The name is the SHA-256 of the session.
    let name = sha256(session.as_bytes()).replace("sha256:", "");
    write(&format!("{name}.json"), token.to_string());
    assert_eq!(planned(), format!("{} at {endpoint}", world.account));
}
