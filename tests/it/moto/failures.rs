//! What goes wrong is told as it is: with call, region, AWS's own code and message, and what it comes to.

use std::time::Duration;

use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::id::{DbInstance, ImageId};
use aws_xregion_sync::model::provider_error::{ErrorKind, ProviderError};
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use serde_json::{Value, json};

use super::world::{EAST, SECRET_KEY, WEST, World, place};

/// The session token of these tests; never sent to be repeated.
const TOKEN: &str = "FwoGZXIvYXdzEXAMPLETOKEN0123456789";

fn image() -> [ImageId; 1] {
    [ImageId::from("ami-0123456789abcdef0")]
}

/// What reading an image comes to when AWS answers with this error, at the first try.
async fn answered(error: Value) -> ProviderError {
    let world = World::new();
    world.control("errors", error);
    let config = ClientConfig {
        max_attempts: Some(1),
        session_token: Some(Secret::new(TOKEN)),
        ..world.client_config()
    };
    Aws::new()
        .images(&place(config, WEST), &image())
        .await
        .expect_err("an error")
}

#[tokio::test]
async fn a_throttle_is_waited_out() {
    let world = World::new();
    let error = json!({"action": "DescribeImages", "code": "RequestLimitExceeded", "status": 503, "times": 1});
    world.control("errors", error);
    assert_eq!(
        Aws::new().images(&world.at(WEST), &image()).await,
        Ok(Vec::new())
    );
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn a_throttle_beyond_all_patience_is_told_with_its_place() {
    let world = World::new();
    let error = json!({"code": "Throttling", "message": "Rate exceeded", "times": -1});
    world.control("errors", error);
    let config = ClientConfig {
        max_attempts: Some(2),
        ..world.client_config()
    };
    let of = [DbInstance::from("mydb")];
    let error = Aws::new()
        .automated_snapshots(&place(config, EAST), &of)
        .await
        .expect_err("throttled");
    assert_eq!(
        error.to_string(),
        "DescribeDBSnapshots in us-east-1: Throttling: Rate exceeded"
    );
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(world.calls().len(), 2, "max_attempts counts the first");
}

#[tokio::test]
async fn what_aws_refuses_has_its_kind_and_a_message_that_is_the_same_next_time() {
    let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/me is not authorized. \
                   Encoded authorization failure message: kC3Xf0Z";
    let error =
        answered(json!({"code": "UnauthorizedOperation", "message": message, "status": 403})).await;
    assert_eq!(
        (error.call, error.region.as_str(), error.kind),
        ("DescribeImages", WEST, ErrorKind::Denied)
    );
    assert!(
        error.message.ends_with("user/me is not authorized"),
        "{}",
        error.message
    );

    let cases = [
        ("AuthFailure", 401, ErrorKind::Denied),
        ("InvalidClientTokenId", 403, ErrorKind::Expired),
        ("RequestExpired", 400, ErrorKind::Expired),
        ("InvalidParameterValue", 400, ErrorKind::Invalid),
        ("ResourceLimitExceeded", 400, ErrorKind::Quota),
        ("InternalError", 500, ErrorKind::Unknown),
    ];
    for (code, status, kind) in cases {
        let error = answered(json!({"code": code, "status": status})).await;
        assert_eq!(
            (error.code.as_str(), error.message.as_str(), error.kind),
            (code, "injected", kind)
        );
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read_leave_everything_open() {
    let error =
        answered(json!({"status": 200, "body": "<html>sign in to the guest network</html>"})).await;
    assert_eq!(
        (error.code.as_str(), error.kind),
        ("UnreadableAnswer", ErrorKind::Unknown)
    );
    for status in [404, 502] {
        let error = answered(json!({"status": status, "body": "<html>no such page</html>"})).await;
        assert_eq!(
            (error.code, error.kind),
            (format!("HTTP {status}"), ErrorKind::Unknown)
        );
    }
}

#[tokio::test]
async fn a_region_that_accepts_no_connection_is_unknown_and_soon_so() {
    // Bound once and let go, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a port")
        .port();
    let endpoint_url = Some(format!("http://127.0.0.1:{port}"));
    let place = place(
        ClientConfig {
            endpoint_url,
            ..World::new().client_config()
        },
        WEST,
    );
    let aws = Aws::new();
    let before = aws.now();
    let error = aws
        .images(&place, &image())
        .await
        .expect_err("nobody is there");
    assert_eq!(
        (error.call, error.region.as_str()),
        ("DescribeImages", WEST)
    );
    assert_eq!(
        (error.code.as_str(), error.kind),
        ("ConnectionFailed", ErrorKind::Unknown)
    );
    assert!(error.message.contains("refused"), "{}", error.message);
    assert!(
        !error.message.contains(&port.to_string()),
        "{}",
        error.message
    );
    assert!(aws.now().duration_since(before).as_secs() < 15);
}

#[tokio::test]
async fn a_region_that_says_nothing_is_unknown_when_the_time_is_up() {
    let world = World::new();
    world.control("settings", json!({"latency": 2.0}));
    let read_timeout = Some(Duration::from_millis(200));
    let config = ClientConfig {
        read_timeout,
        max_attempts: Some(1),
        ..world.client_config()
    };
    let error = Aws::new()
        .caller_identity(&place(config, EAST))
        .await
        .expect_err("too late");
    assert_eq!(
        error.to_string(),
        "GetCallerIdentity in us-east-1: Timeout: no answer in time"
    );
    assert_eq!(error.kind, ErrorKind::Unknown);
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_an_error_and_no_panic() {
    for url in ["nonsense", "http://", "http://a b/"] {
        let config = ClientConfig {
            endpoint_url: Some(url.to_owned()),
            max_attempts: Some(0),
            connect_timeout: Some(Duration::from_secs(1)),
            ..World::new().client_config()
        };
        let error = Aws::new()
            .images(&place(config, WEST), &image())
            .await
            .expect_err("no endpoint");
        assert_ne!(error.kind, ErrorKind::Absent, "{url}: {error:?}");
    }
}

#[tokio::test]
async fn law_8_no_error_and_no_debug_output_holds_a_secret() {
    let message = format!(
        "The request signature we calculated does not match the signature you provided. Key {SECRET_KEY}.\n\n\
         The Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:{TOKEN}'"
    );
    let error =
        answered(json!({"code": "SignatureDoesNotMatch", "message": message, "status": 403})).await;
    assert_eq!(error.kind, ErrorKind::Expired);
    let world = World::new();
    let aws = Aws::new();
    let at = world.at(WEST);
    aws.images(&at, &image()).await.expect("nothing");
    let shown = format!(
        "{error} {error:?} {:?} {aws:?} {at:?}",
        error.problem("failed")
    );
    for secret in [SECRET_KEY, TOKEN, &world.access_key()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Key [secret]"), "{shown}");
}
