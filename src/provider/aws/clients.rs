//! Clients: made at the first call to a place, and kept for the run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::FrameworkMetadata;
use aws_types::service_config::ServiceConfigKey;
use futures::lock::Mutex;

use crate::model::client_config::{ClientConfig, Place};
use crate::model::id::Region;

/// How long a connection may take to be made. The SDK allows 3.1 s, which is tight to the other side of the world.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may keep one waiting. A page of 1000 images takes EC2 some seconds; half a minute is no answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause that the SDK makes before it tries again.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);
/// How long it may take to come by credentials: a credential process may ask a person for a code.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(60);
/// The session name of assumed roles where the config gives none: what CloudTrail shows.
const SESSION_NAME: &str = "xrs";

/// The SDK's ways as of this date, so that a newer SDK does not change timeouts and retries on its own.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The clients of one place. Cheap to clone.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) sts: aws_sdk_sts::Client,
    /// The endpoint in place of AWS's own, if one is in force.
    pub(super) endpoint_url: Option<String>,
}

/// The clients of a run, by place.
#[derive(Default)]
pub(super) struct ClientCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// By credentials, so that a sign-in or credential process is asked once for all regions.
    bases: HashMap<Arc<ClientConfig>, SdkConfig>,
    places: HashMap<Place, Clients>,
}

impl ClientCache {
    /// The clients of this place. Making them reads files, but asks nobody: the lock is never held over a call.
    pub(super) async fn at(&self, at: &Place) -> Clients {
        let mut cached = self.0.lock().await;
        if let Some(clients) = cached.places.get(at) {
            return clients.clone();
        }
        let base = match cached.bases.get(&at.credentials) {
            Some(base) => base.clone(),
            None => {
                let base = base(at).await;
                cached
                    .bases
                    .insert(Arc::clone(&at.credentials), base.clone());
                base
            }
        };
        let clients = clients(&base, at).await;
        cached.places.insert(at.clone(), clients.clone());
        clients
    }
}

/// What all regions of one set of credentials have in common.
async fn base(at: &Place) -> SdkConfig {
    let config = at.credentials.as_ref();
    let home = home_region(at).await;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(config.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
        .read_timeout(config.read_timeout.unwrap_or(READ_TIMEOUT))
        .build();
    let mut loader = aws_config::defaults(behavior())
        .region(home.clone())
        .timeout_config(timeouts.clone())
        .identity_cache(
            IdentityCache::lazy()
                .load_timeout(CREDENTIALS_TIMEOUT)
                .build(),
        );
    if let Ok(xrs) = FrameworkMetadata::new("xrs", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(xrs);
    }
    if let Some(attempts) = config.max_attempts {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(attempts.max(1)));
    }
    if let Some(url) = &config.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(fips) = config.use_fips_endpoint {
        loader = loader.use_fips(fips);
    }
    if let Some(dual_stack) = config.use_dualstack_endpoint {
        loader = loader.use_dual_stack(dual_stack);
    }
    if let (Some(access), Some(secret)) = (&config.access_key, &config.secret_key) {
        let token = config
            .session_token
            .as_ref()
            .map(|token| token.expose().to_owned());
        loader = loader.credentials_provider(Credentials::new(
            access.expose(),
            secret.expose(),
            token,
            None,
            "config",
        ));
    } else if let Some(profile) = &config.profile {
        // The default chain would look at the environment's keys first, also where a profile is asked for.
        let chain = ProviderConfig::without_region()
            .with_behavior_version(Some(behavior()))
            .with_region(Some(home))
            .with_use_fips(config.use_fips_endpoint)
            .with_use_dual_stack(config.use_dualstack_endpoint)
            .with_timeout_config(timeouts);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&chain)
            .profile_name(profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    bounded(loader.load().await)
}

/// The same with a bound for a call as a whole, retries and coming by credentials included, so that no region can
/// keep xrs waiting for ever. By default: a region that accepts no connection fails after some 20 s (three tries),
/// one that accepts and says nothing after some 95 s, and nothing takes longer than 225 s.
fn bounded(sdk: SdkConfig) -> SdkConfig {
    let attempts = sdk.retry_config().map_or(1, RetryConfig::max_attempts);
    let timeouts = sdk
        .timeout_config()
        .cloned()
        .unwrap_or_else(TimeoutConfig::disabled);
    let one = timeouts.connect_timeout().unwrap_or(CONNECT_TIMEOUT)
        + timeouts.read_timeout().unwrap_or(READ_TIMEOUT)
        + LONGEST_BACKOFF;
    let all = one
        .saturating_mul(attempts)
        .saturating_add(CREDENTIALS_TIMEOUT);
    let timeouts = timeouts.into_builder().operation_timeout(all).build();
    sdk.into_builder().timeout_config(timeouts).build()
}

/// The region for the SDK's own calls on the way to credentials (sign-in, roles of a profile, web identity): the
/// one that the environment or the profile states, as for every AWS tool. Where they state none, or one of another
/// partition, the region that is asked first.
async fn home_region(at: &Place) -> SdkRegion {
    let stated = match EnvironmentVariableRegionProvider::new().region().await {
        Some(region) => Some(region),
        None => {
            let profile = ProfileFileRegionProvider::builder();
            let profile = match &at.credentials.profile {
                Some(name) => profile.profile_name(name),
                None => profile,
            };
            ProvideRegion::region(&profile.build()).await
        }
    };
    let fits =
        |region: &SdkRegion| Region::from(region.as_ref()).partition() == at.region.partition();
    stated
        .filter(fits)
        .unwrap_or_else(|| sdk_region(&at.region))
}

/// The clients of one place. A role is assumed with STS in the very region that is asked: tokens of the global
/// endpoint are invalid in opt-in regions, and a region that is down must not keep one from the other.
async fn clients(base: &SdkConfig, at: &Place) -> Clients {
    let config = at.credentials.as_ref();
    let mut sdk = base
        .clone()
        .into_builder()
        .region(sdk_region(&at.region))
        .build();
    if let Some(role) = &config.role_arn {
        let mut role = AssumeRoleProvider::builder(role)
            .configure(&sdk)
            .region(sdk_region(&at.region))
            .session_name(config.role_session_name.as_deref().unwrap_or(SESSION_NAME));
        if let Some(external_id) = &config.external_id {
            role = role.external_id(external_id);
        }
        sdk = sdk
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(role.build().await))
            .identity_cache(
                IdentityCache::lazy()
                    .load_timeout(CREDENTIALS_TIMEOUT)
                    .build(),
            )
            .build();
    }
    Clients {
        ec2: aws_sdk_ec2::Client::new(&sdk),
        rds: aws_sdk_rds::Client::new(&sdk),
        sts: aws_sdk_sts::Client::new(&sdk),
        endpoint_url: endpoint_in_force(config, &sdk),
    }
}

fn sdk_region(region: &Region) -> SdkRegion {
    SdkRegion::new(region.as_str().to_owned())
}

/// The endpoint in place of AWS's own: of the config, else what environment and profile say for all services or for
/// one. Where services differ, each that has one is named.
fn endpoint_in_force(config: &ClientConfig, sdk: &SdkConfig) -> Option<String> {
    if let Some(url) = &config.endpoint_url {
        return Some(without_user(url));
    }
    let of_service = |service: &str| {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()?;
        let own = sdk
            .service_config()
            .and_then(|settings| settings.load_config(key));
        own.or_else(|| sdk.endpoint_url().map(str::to_owned))
            .map(|url| without_user(&url))
    };
    let (ec2, rds, sts) = (of_service("EC2"), of_service("RDS"), of_service("STS"));
    if ec2 == rds && rds == sts {
        return ec2;
    }
    let named = [("ec2", ec2), ("rds", rds), ("sts", sts)];
    let named: Vec<String> = named
        .into_iter()
        .filter_map(|(name, url)| Some(format!("{name}={}", url?)))
        .collect();
    Some(named.join(" "))
}

/// A URL without user and password, which plans and messages must not hold.
pub(super) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::without_user;

    #[test]
    fn law_8_an_endpoint_is_stated_without_user_and_password() {
        assert_eq!(
            without_user("http://me:pa55@localhost:5000/x@y"),
            "http://localhost:5000/x@y"
        );
        assert_eq!(
            without_user("https://ec2.example.com"),
            "https://ec2.example.com"
        );
        assert_eq!(without_user("nonsense"), "nonsense");
    }
}
