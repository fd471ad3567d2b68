//! The SDK's clients: made at the first call to a location, and kept for the run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::retry_config;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::{FrameworkMetadata, SharedIdentityCache};
use aws_types::origin::Origin;
use aws_types::service_config::ServiceConfigKey;
use futures::lock::Mutex;

use crate::model::client_config::ClientConfig;
use crate::model::ids::Region;
use crate::model::location::Location;

use super::http;

/// How long a connection may take. The SDK allows 3.1 s, which is too short for distant regions.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take. EC2 needs a few seconds for a page of 1000 images.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause that the SDK makes before a retry.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);
/// How long it may take to get credentials: a credential process may ask a person for a code.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(60);
/// The session name of assumed roles where the config sets none. CloudTrail shows it.
const SESSION_NAME: &str = "xrs";

/// Returns the SDK's behaviour as of this date, so that a newer SDK does not change timeouts and retries.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn identity_cache() -> SharedIdentityCache {
    let cache = IdentityCache::lazy();
    cache.load_timeout(CREDENTIALS_TIMEOUT).build()
}

/// The clients of one location. They are cheap to clone.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) at: Location,
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) sts: aws_sdk_sts::Client,
    /// What they have in common.
    pub(super) sdk: SdkConfig,
    /// The endpoint of RDS, if one is set.
    pub(super) rds_endpoint: Option<String>,
    /// The endpoint used instead of AWS's own, if one is set.
    pub(super) endpoint_url: Option<String>,
}

/// The clients of a run, by location.
#[derive(Default)]
pub(super) struct ClientCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// By credentials, so that a sign-in or a credential process serves all regions.
    bases: HashMap<Arc<ClientConfig>, SdkConfig>,
    locations: HashMap<Location, Clients>,
}

impl ClientCache {
    /// Returns the clients of a location. Making them reads files, but calls nothing: the lock is never held during a call.
    pub(super) async fn at(&self, at: &Location) -> Clients {
        let mut cached = self.0.lock().await;
        if let Some(clients) = cached.locations.get(at) {
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
        cached.locations.insert(at.clone(), clients.clone());
        clients
    }
}

/// Returns what all regions have in common that are reached with the same credentials.
///
/// A whole call has a limit, including retries and getting credentials, so that no region can block xrs for ever. By default a region
/// that accepts no connection fails after about 20 s (three attempts), a region that accepts one and sends nothing after about 95 s,
/// and no write takes longer than 225 s. Reads have a deadline of their own.
async fn base(at: &Location) -> SdkConfig {
    let config = at.credentials.as_ref();
    let home = home_region(at).await;
    let connect = config.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    let read = config.read_timeout.unwrap_or(READ_TIMEOUT);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(connect)
        .read_timeout(read)
        .build();
    let http = http::client(config);
    let mut loader = aws_config::defaults(behavior())
        .http_client(http.clone())
        .region(home.clone())
        .timeout_config(timeouts.clone())
        .identity_cache(identity_cache());
    if let Ok(xrs) = FrameworkMetadata::new("xrs", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(xrs);
    }
    if let Some(attempts) = config.max_attempts {
        // The mode stays that of the environment or the profile.
        let mut retry = retry_config::default_provider();
        if let Some(profile) = &config.profile {
            retry = retry.profile_name(profile);
        }
        let retry = retry.retry_config().await;
        loader = loader.retry_config(retry.with_max_attempts(attempts.max(1)));
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
        let token = config.session_token.as_ref();
        let token = token.map(|token| token.expose().to_owned());
        let keys = Credentials::new(access.expose(), secret.expose(), token, None, "config");
        loader = loader.credentials_provider(keys);
    } else if let Some(profile) = &config.profile {
        // The default chain would use keys of the environment first, even if a profile is set.
        let chain = ProviderConfig::without_region()
            .with_behavior_version(Some(behavior()))
            .with_region(Some(home))
            .with_use_fips(config.use_fips_endpoint)
            .with_use_dual_stack(config.use_dualstack_endpoint)
            .with_timeout_config(timeouts.clone())
            .with_http_client(http);
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&chain)
            .profile_name(profile)
            .build();
        loader = loader.profile_name(profile).credentials_provider(provider);
    }
    let sdk = loader.load().await;
    let attempts = sdk.retry_config().map_or(1, RetryConfig::max_attempts);
    let all = (connect + read + LONGEST_BACKOFF).saturating_mul(attempts);
    let timeouts = timeouts
        .into_builder()
        .operation_timeout(all.saturating_add(CREDENTIALS_TIMEOUT));
    sdk.into_builder().timeout_config(timeouts.build()).build()
}

/// Returns the region for the SDK's own calls to get credentials (sign-in, roles of a profile, web identity): the one that the
/// environment or the profile states, as for every AWS tool. Where they state none, or one of another partition, it is the region
/// of the first call.
async fn home_region(at: &Location) -> SdkRegion {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &at.credentials.profile {
        profile = profile.profile_name(name);
    }
    let environment = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new());
    let stated = environment.or_else(profile.build()).region().await;
    let partition = at.region.partition();
    let stated = stated.filter(|region| Region::from(region.as_ref()).partition() == partition);
    stated.unwrap_or_else(|| sdk_region(&at.region))
}

/// Makes the clients of a location. A role is assumed with STS in the region of the calls: tokens of the global endpoint are
/// invalid in opt-in regions, and the failure of one region must not affect another.
async fn clients(base: &SdkConfig, at: &Location) -> Clients {
    let config = at.credentials.as_ref();
    let mut sdk = base
        .clone()
        .into_builder()
        .region(sdk_region(&at.region))
        .build();
    if let Some(role) = &config.role_arn {
        let mut role = AssumeRoleProvider::builder(role)
            .configure(&at_endpoint(&sdk, config.sts_endpoint.as_ref()))
            .region(sdk_region(&at.region))
            .session_name(config.role_session_name.as_deref().unwrap_or(SESSION_NAME));
        if let Some(external_id) = &config.external_id {
            role = role.external_id(external_id);
        }
        sdk = sdk
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(role.build().await))
            .identity_cache(identity_cache())
            .build();
    }
    Clients {
        at: at.clone(),
        ec2: aws_sdk_ec2::Client::new(&at_endpoint(&sdk, config.ec2_endpoint.as_ref())),
        rds: aws_sdk_rds::Client::new(&at_endpoint(&sdk, config.rds_endpoint.as_ref())),
        sts: aws_sdk_sts::Client::new(&at_endpoint(&sdk, config.sts_endpoint.as_ref())),
        rds_endpoint: endpoint_of("RDS", config.rds_endpoint.as_ref(), config, &sdk),
        endpoint_url: endpoint_in_force(config, &sdk),
        sdk,
    }
}

fn sdk_region(region: &Region) -> SdkRegion {
    SdkRegion::new(region.as_str().to_owned())
}

/// Returns the settings for a service that has an endpoint of its own in the config, which wins over every other one.
fn at_endpoint(sdk: &SdkConfig, own: Option<&String>) -> SdkConfig {
    let mut settings = sdk.clone().into_builder();
    if let Some(url) = own {
        settings.set_endpoint_url(Some(url.clone()));
        settings.insert_origin("endpoint_url", Origin::shared_config());
    }
    settings.build()
}

/// Returns the endpoint used instead of AWS's own. Where the services have different ones, each is named.
fn endpoint_in_force(config: &ClientConfig, sdk: &SdkConfig) -> Option<String> {
    let services = [
        ("EC2", config.ec2_endpoint.as_ref()),
        ("RDS", config.rds_endpoint.as_ref()),
        ("STS", config.sts_endpoint.as_ref()),
    ];
    let urls = services.map(|(service, own)| endpoint_of(service, own, config, sdk));
    let [first, others @ ..] = &urls;
    if others.iter().all(|url| url == first) {
        return first.clone();
    }
    let named = ["ec2", "rds", "sts"].into_iter().zip(urls);
    let named = named.filter_map(|(name, url)| Some(format!("{name}={}", url?)));
    Some(named.collect::<Vec<_>>().join(" "))
}

/// Returns the endpoint of a service: from the config, else from the environment or the profile, for this service or for all.
fn endpoint_of(
    service: &str,
    own: Option<&String>,
    config: &ClientConfig,
    sdk: &SdkConfig,
) -> Option<String> {
    if let Some(url) = own.or(config.endpoint_url.as_ref()) {
        return Some(without_user(url));
    }
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let settings = sdk.service_config();
    let own = settings.and_then(|settings| settings.load_config(key));
    let url = own.or_else(|| sdk.endpoint_url().map(str::to_owned));
    url.map(|url| without_user(&url))
}

/// Returns a URL without user and password, which plans and messages must not contain.
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
