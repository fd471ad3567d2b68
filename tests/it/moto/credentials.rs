//! Keys, roles and profiles of the config, and clients that are made once.

use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use futures::future::join_all;
use serde_json::json;

use super::server;
use super::world::{EAST, WEST, World, location};

/// The error of asking who is calling, with this configuration.
async fn refused(config: ClientConfig) -> ProviderError {
    let identity = Aws::new().caller_identity(&location(config, WEST)).await;
    identity.expect_err("an error")
}

#[tokio::test]
async fn the_caller_is_identified_with_account_and_endpoint() {
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
    assert_eq!(calls[0].region, WEST, "STS of the same region");
    let agent = calls[0].agent.replace('#', "/");
    let xrs = format!("lib/xrs/{}", env!("CARGO_PKG_VERSION"));
    assert!(agent.contains(&xrs), "{agent}");
}

#[tokio::test]
async fn a_role_is_assumed_once_in_each_region() {
    let (world, other) = (World::new(), World::new());
    let config = ClientConfig {
        role_arn: Some(format!("arn:aws:iam::{}:role/xrs", other.account)),
        external_id: Some("external-1".to_owned()),
        role_session_name: Some("nightly".to_owned()),
        ..world.client_config()
    };
    let aws = Aws::new();
    let absent = Query::ByIds(vec![ArtifactId::from("ami-0123456789abcdef0")]);
    for region in [EAST, WEST] {
        let at = location(config.clone(), region);
        let caller = aws.caller_identity(&at).await.expect("a caller");
        assert_eq!(caller.account_id, other.account);
        let reads = (0..5).map(|_| aws.find(&at, Kind::Image, &absent));
        assert_eq!(join_all(reads).await, vec![Ok(Vec::new()); 5]);
    }
    let assumed = world.calls_of("AssumeRole");
    let regions = assumed.iter().map(|call| call.region.as_str());
    assert!(regions.eq([EAST, WEST]), "{assumed:?}");
    for call in &assumed {
        assert_eq!(call.params["ExternalId"], "external-1");
        assert_eq!(call.params["RoleSessionName"], "nightly");
    }
    assert_eq!(
        world.calls().len(),
        2,
        "everything else is done in the role"
    );
    assert_eq!(other.calls().len(), 12);
}

#[tokio::test]
async fn a_refused_role_is_reported_as_a_call_of_its_own() {
    let world = World::new();
    let message = "User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole";
    let denied = json!({"code": "AccessDenied", "message": message, "status": 403});
    world.fail(denied);
    let error = refused(ClientConfig {
        role_arn: Some("arn:aws:iam::123456789012:role/xrs".to_owned()),
        ..world.client_config()
    })
    .await;
    assert_eq!(
        (error.call, error.code.as_str()),
        ("AssumeRole", "AccessDenied")
    );
    assert_eq!(error.message, message);
    assert_eq!(
        (error.region.as_str(), error.class),
        (WEST, ErrorClass::Denied)
    );
    let help = error.problem("failed").help.expect("a way out");
    assert!(help.contains("sts:AssumeRole"), "{help}");
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_named() {
    let error = refused(ClientConfig {
        profile: Some("no-such-profile-of-xrs".to_owned()),
        endpoint_url: Some(server::endpoint()),
        ..ClientConfig::default()
    })
    .await;
    assert_eq!(
        (error.call, error.class),
        ("GetCallerIdentity", ErrorClass::Expired)
    );
    assert!(
        error.message.contains("`no-such-profile-of-xrs`"),
        "{error}"
    );
}
