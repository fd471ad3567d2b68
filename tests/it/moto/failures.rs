//! Errors are reported as they are: with call, region, AWS's code and message, and their class.

use std::time::Duration;

use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::ids::{ArtifactId, ParentId};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use serde_json::{Value, json};

use super::caller::Caller;
use super::world::{EAST, SECRET_KEY, WEST, World, location};

/// The session token of these tests. It must not be repeated.
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN0123456789";

fn absent_image() -> Query {
    Query::ByIds(vec![ArtifactId::from("ami-0123456789abcdef0")])
}

/// The error of reading an image with this configuration.
async fn error_with(config: ClientConfig) -> ProviderError {
    Caller::with(config, WEST, Kind::Image)
        .error(absent_image())
        .await
}

/// The error of reading an image when AWS answers with this error, at the first attempt.
async fn answered(error: Value) -> ProviderError {
    let world = World::new();
    world.fail(error);
    error_with(ClientConfig {
        max_attempts: Some(1),
        session_token: Some(Secret::new(TOKEN)),
        ..world.client_config()
    })
    .await
}

#[tokio::test]
async fn a_throttled_call_is_retried() {
    let world = World::new();
    world.fail(json!({"code": "RequestLimitExceeded", "status": 503}));
    let west = Caller::new(&world, WEST, Kind::Image);
    assert_eq!(west.find(absent_image()).await, []);
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn a_call_that_stays_throttled_is_reported_with_its_region() {
    let world = World::new();
    world.fail(json!({"code": "Throttling", "message": "Rate exceeded", "times": -1}));
    let config = ClientConfig {
        max_attempts: Some(2),
        ..world.client_config()
    };
    let east = Caller::with(config, EAST, Kind::DbSnapshot);
    let error = east
        .error(Query::Automated(vec![ParentId::from("mydb")]))
        .await;
    let expected = "DescribeDBSnapshots in us-east-1: Throttling: Rate exceeded";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.class, ErrorClass::Throttled);
    assert_eq!(world.calls().len(), 2, "max_attempts counts the first");
}

#[tokio::test]
async fn a_refusal_has_its_class_and_a_message_that_is_the_same_next_time() {
    let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/me is not authorized. \
                   Encoded authorization failure message: kC3Xf0Z";
    let error = json!({"code": "UnauthorizedOperation", "message": message, "status": 403});
    let error = answered(error).await;
    assert_eq!(
        (error.call, error.region.as_str()),
        ("DescribeImages", WEST)
    );
    assert_eq!(error.class, ErrorClass::Denied);
    assert!(
        error.message.ends_with("user/me is not authorized"),
        "{error}"
    );

    let cases = [
        ("AuthFailure", 401, ErrorClass::Denied),
        ("InvalidClientTokenId", 403, ErrorClass::Expired),
        ("RequestExpired", 400, ErrorClass::Expired),
        ("InvalidParameterValue", 400, ErrorClass::Invalid),
        ("ResourceLimitExceeded", 400, ErrorClass::Quota),
        ("InternalError", 500, ErrorClass::Unknown),
    ];
    for (code, status, class) in cases {
        let error = answered(json!({"code": code, "status": status})).await;
        assert_eq!((error.code.as_str(), error.class), (code, class));
        assert_eq!(error.message, "injected");
    }
}

#[tokio::test]
async fn law_6_answers_that_cannot_be_read_are_unknown() {
    let page = "<html>sign in to the guest network</html>";
    for (status, code) in [
        (200, "UnreadableAnswer"),
        (404, "HTTP 404"),
        (502, "HTTP 502"),
    ] {
        let error = answered(json!({"status": status, "body": page})).await;
        assert_eq!(
            (error.code.as_str(), error.class),
            (code, ErrorClass::Unknown)
        );
    }
}

#[tokio::test]
async fn a_region_that_accepts_no_connection_is_soon_unknown() {
    // A port that was just released, so that nothing listens on it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    drop(listener);
    let aws = Aws::new();
    let start = aws.now();
    let error = error_with(ClientConfig {
        endpoint_url: Some(format!("http://127.0.0.1:{port}")),
        ..World::new().client_config()
    })
    .await;
    assert_eq!(
        (error.call, error.region.as_str()),
        ("DescribeImages", WEST)
    );
    assert_eq!(
        (error.code.as_str(), error.class),
        ("ConnectionFailed", ErrorClass::Unknown)
    );
    assert!(error.message.contains("refused"), "{error}");
    assert!(!error.message.contains(&port.to_string()), "{error}");
    assert!(aws.now().duration_since(start).as_secs() < 15);
}

#[tokio::test]
async fn a_region_that_does_not_answer_in_time_is_unknown() {
    let world = World::new();
    world.settings(json!({"latency": 2.0}));
    let config = ClientConfig {
        read_timeout: Some(Duration::from_millis(200)),
        max_attempts: Some(1),
        ..world.client_config()
    };
    let identity = Aws::new().caller_identity(&location(config, EAST)).await;
    let error = identity.expect_err("too late");
    let expected = "GetCallerIdentity in us-east-1: Timeout: no answer in time";
    assert_eq!(
        (error.to_string().as_str(), error.class),
        (expected, ErrorClass::Unknown)
    );
}

#[tokio::test]
async fn an_invalid_endpoint_is_an_error_and_no_panic() {
    for url in ["nonsense", "http://", "http://a b/"] {
        let error = error_with(ClientConfig {
            endpoint_url: Some(url.to_owned()),
            max_attempts: Some(0),
            connect_timeout: Some(Duration::from_secs(1)),
            ..World::new().client_config()
        })
        .await;
        assert_ne!(error.class, ErrorClass::Absent, "{url}: {error:?}");
    }
}

#[tokio::test]
async fn law_8_no_error_and_no_debug_output_contains_a_secret() {
    let message = format!(
        "The request signature we calculated does not match the signature you provided. Key {SECRET_KEY}.\n\n\
         The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:{TOKEN}'"
    );
    let error = json!({"code": "SignatureDoesNotMatch", "message": message, "status": 403});
    let error = answered(error).await;
    assert_eq!(error.class, ErrorClass::Expired);
    let world = World::new();
    let (aws, at) = (Aws::new(), world.at(WEST));
    let found = aws.find(&at, Kind::Image, &absent_image()).await;
    assert_eq!(found, Ok(Vec::new()));
    let problem = error.problem("failed");
    let shown = format!("{error} {error:?} {problem:?} {at:?}");
    for secret in [SECRET_KEY, TOKEN, &world.access_key()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Key [secret]"), "{shown}");
}
