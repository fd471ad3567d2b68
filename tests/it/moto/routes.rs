//! How calls reach AWS: through a proxy, with certificates from the config, to an endpoint for each service, and also signed in the
//! source region.

use std::fs;
use std::sync::{Arc, Mutex};

use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::ids::ParentId;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use serde_json::json;

use super::caller::{Caller, copy_of};
use super::hostile::{at, complete, send, serve};
use super::server;
use super::world::{EAST, SECRET_KEY, TIME, WEST, World, location};
use crate::cli::Folder;

/// Starts a server that records requests. Returns its endpoint, and the requests so far.
fn recording() -> (String, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let endpoint = serve(move |request, stream| {
        seen.lock().expect("a lock").push(request.to_owned());
        match request.starts_with("CONNECT ") {
            true => send(stream, 502, ""),
            false => send(stream, 200, complete(request).0),
        }
    });
    (endpoint, requests)
}

fn database() -> Query {
    Query::Automated(vec![ParentId::from("a")])
}

#[tokio::test]
async fn calls_go_through_the_proxy() {
    let (proxy, requests) = recording();
    let proxy = proxy.replace("http://", "http://me:pa55word@");
    let config = ClientConfig {
        http_proxy: Some(Secret::new(&proxy)),
        ..at("http://rds.example.com")
    };
    let west = Caller::with(config.clone(), WEST, Kind::DbSnapshot);
    assert_eq!(west.find(database()).await.len(), 1);
    let config = ClientConfig {
        endpoint_url: None,
        ..config
    };
    let error = Caller::with(config, WEST, Kind::DbSnapshot);
    let error = error.error(database()).await.to_string();
    assert!(!error.contains("pa55word"), "{error}");
    let requests = requests.lock().expect("a lock");
    let starts = [
        "POST http://rds.example.com/ ",
        "POST http://rds.example.com/ ",
        "CONNECT rds.us-west-1.amazonaws.com:443 ",
    ];
    assert_eq!(requests.len(), starts.len());
    for (request, start) in requests.iter().zip(starts) {
        assert!(request.starts_with(start), "{request}");
        let lower = request.to_lowercase();
        // `me:pa55word`
        assert!(
            lower.contains("proxy-authorization: basic bwu6cge1nxdvcmq="),
            "{request}"
        );
    }
}

#[tokio::test]
async fn each_service_may_have_an_endpoint_of_its_own() {
    let [ec2, rds, sts] = std::array::from_fn(|_| recording());
    let config = ClientConfig {
        ec2_endpoint: Some(ec2.0.clone()),
        rds_endpoint: Some(rds.0.clone()),
        sts_endpoint: Some(sts.0.clone()),
        ..at("http://127.0.0.1:9")
    };
    let (aws, west) = (Aws::new(), location(config, WEST));
    let caller = aws.caller_identity(&west).await.expect("a caller");
    let named = format!("ec2={} rds={} sts={}", ec2.0, rds.0, sts.0);
    assert_eq!(caller.endpoint_url, Some(named));
    let images = Query::CopiedFrom(EAST.into());
    aws.find(&west, Kind::Image, &images).await.expect("images");
    aws.find(&west, Kind::DbSnapshot, &database())
        .await
        .expect("snapshots");
    for ((_, requests), calls) in [ec2, rds, sts].iter().zip([4, 2, 1]) {
        assert_eq!(requests.lock().expect("a lock").len(), calls);
    }
}

/// The certificate of a certificate authority that was never used.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBczCCARmgAwIBAgIUP647ZcJjw5fLfrXGJQudRt9b/jowCgYIKoZIzj0EAwIw\n\
DjEMMAoGA1UEAwwDeHJzMCAXDTI2MTEyNzE5MTMzNloYDzIxMjYxMTAzMTkxMzM2\n\
WjAOMQwwCgYDVQQDDAN4cnMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASvcwMo\n\
ZOGeJheLe7kLlqSzVY6Gj2Sp1HSkfvKpMEHWS+0z0tUAs/A7DfMRZ236NfXtDBCq\n\
Ik7S0HDNHbxc9e1yo1MwUTAdBgNVHQ4EFgQUkpkDvzeesAncPi6ZFWbodZ0Z4ocw\n\
HwYDVR0jBBgwFoAUkpkDvzeesAncPi6ZFWbodZ0Z4ocwDwYDVR0TAQH/BAUwAwEB\n\
/zAKBggqhkjOPQQDAgNIADBFAiEAwweEBD3tCYdP9v6Bahn1HwS0cc3MgOwXSOJ2\n\
CN0Wf3YCIE+1vG3P7HMfE/IY0B09AHmwtOpZfXJzsIfxNpcQxVcH\n\
-----END CERTIFICATE-----\n\
";

#[tokio::test]
async fn a_bundle_of_certificates_that_cannot_be_used_is_an_error_and_no_panic() {
    let (endpoint, _) = recording();
    let folder = Folder::new();
    for (text, fault) in [
        (Some(CERTIFICATE.to_owned()), None),
        (None, Some("does not exist")),
        (
            Some("nonsense".to_owned()),
            Some("no certificate in PEM format"),
        ),
        (
            Some(CERTIFICATE.replace("MII", "AAA")),
            Some("certificates that are invalid: 1"),
        ),
        (
            Some(CERTIFICATE.replace("MII", "*")),
            Some("cannot be used"),
        ),
    ] {
        let path = folder.path("ca.pem");
        let _ = fs::remove_file(&path);
        if let Some(text) = text {
            fs::write(&path, text).expect("written");
        }
        let config = ClientConfig {
            ssl_ca_bundle: Some(path.display().to_string()),
            ..at(&endpoint)
        };
        let answer = Aws::new().caller_identity(&location(config, WEST)).await;
        let error = answer.err().map(|error| error.to_string());
        match (&error, fault) {
            (Some(error), Some(fault)) => assert!(
                error.contains("ssl_ca_bundle") && error.contains(fault),
                "{error}"
            ),
            (error, fault) => assert_eq!((error, fault), (&None, None)),
        }
    }
}

#[tokio::test]
async fn a_copy_is_presigned_in_the_source_region_where_rds_demands_it() {
    let world = World::new();
    let (source_key, key) = (world.key(EAST), world.key(WEST));
    world.database(EAST, "mydb", Some(&source_key));
    let source = world.snapshot(EAST, "mydb", TIME, json!({}));
    let message = "A pre-signed url must be specified for copying encrypted snapshot across region";
    world.fail(json!({"action": "CopyDBSnapshot", "code": "InvalidParameterCombination", "message": message}));
    let mut copy = copy_of(Kind::DbSnapshot, &source);
    copy.kms_key_id = Some(key);
    let config = ClientConfig {
        session_token: Some(Secret::new("a/b+c=")),
        ..world.client_config()
    };
    let west = Caller::with(config, WEST, Kind::DbSnapshot);
    let made = west.copy(&copy, None).await.expect("a copy");
    assert_eq!(Some(made), copy.copy.id);

    let calls = world.calls_of("CopyDBSnapshot");
    let [first, second] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert!(!first.params.contains_key("PreSignedUrl"));
    let url = &second.params["PreSignedUrl"];
    let (host, query) = url.split_once("/?").expect("a query");
    assert_eq!(host, server::endpoint());
    assert!(!query.contains('+') && !url.contains(SECRET_KEY), "{url}");
    let mut signed: Vec<&str> = query.split('&').collect();
    let mut has = |start: &str| {
        let position = signed.iter().position(|pair| pair.starts_with(start));
        signed.remove(position.unwrap_or_else(|| panic!("{start} in {url}")))
    };
    has("Action=CopyDBSnapshot");
    has("Version=2014-10-31");
    has("DestinationRegion=us-west-1");
    has("X-Amz-Algorithm=AWS4-HMAC-SHA256");
    has("X-Amz-Expires=3600");
    has("X-Amz-SignedHeaders=host");
    has("X-Amz-Date=");
    has("X-Amz-Signature=");
    has("X-Amz-Security-Token=a%2Fb%2Bc%3D");
    let scope = has("X-Amz-Credential=");
    assert!(
        scope.ends_with("%2Fus-east-1%2Frds%2Faws4_request"),
        "{scope}"
    );
    // Only the parameters of the call are left, including the tags.
    let names = signed
        .iter()
        .map(|pair| pair.split('=').next().unwrap_or_default());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    let parameters = first.params.keys().filter(|name| *name != "Version");
    assert!(names.iter().eq(parameters), "{names:?}");
}
