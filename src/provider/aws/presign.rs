//! Requests that RDS wants to be signed in the source region, too.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_rds::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tracing::subscriber::{NoSubscriber, with_default};

use crate::model::ids::Region;
use crate::model::inventory::Answer;
use crate::model::provider_error::ProviderError;

use super::clients::Clients;
use super::error::Call;

/// How long the signature is valid. RDS checks it during the call.
const VALID: Duration = Duration::from_secs(3600);

/// The parameters of a request, once it has been sent, so that exactly the request that RDS refused is presigned.
#[derive(Clone, Default)]
pub(super) struct SentParameters(Arc<OnceLock<String>>);

impl SentParameters {
    /// Returns a function that records the parameters when the request is sent.
    pub(super) fn recorder(&self) -> impl Fn(&mut HttpRequest) + Send + Sync + 'static {
        let Self(parameters) = self.clone();
        move |request| {
            let text = request.body().bytes().map(String::from_utf8_lossy);
            parameters.get_or_init(|| text.unwrap_or_default().into_owned());
        }
    }

    /// Returns a presigned URL for the request, if RDS refused the request because it had none.
    ///
    /// # Errors
    ///
    /// The refusal, if it has a different reason, or the problem with signing.
    pub(super) async fn presigned_url(
        &self,
        clients: &Clients,
        call: Call<'_>,
        source: &Region,
        refusal: ProviderError,
    ) -> Answer<String> {
        match self.0.get().filter(|_| is_demanded(&refusal.message)) {
            Some(parameters) => presigned_url(clients, source, parameters)
                .await
                .map_err(|error| call.invalid(&error.to_string())),
            None => Err(refusal),
        }
    }
}

/// Returns true if RDS refuses a copy because it wants a presigned URL: always in GovCloud, and on demand elsewhere.
fn is_demanded(message: &str) -> bool {
    let message = message.to_lowercase().replace(['-', ' '], "");
    message.contains("presignedurl")
}

/// Returns the URL of a request with these parameters, the body of the real request, signed for the source region.
///
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
async fn presigned_url(
    clients: &Clients,
    source: &Region,
    parameters: &str,
) -> Result<String, Box<dyn Error + Send + Sync>> {
    let sdk = &clients.sdk;
    let params = Params::builder()
        .region(source.as_str())
        .set_use_fips(sdk.use_fips())
        .set_use_dual_stack(sdk.use_dual_stack())
        .set_endpoint(clients.rds_endpoint.clone())
        .build()?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await?;
    let destination = &clients.at.region;
    let url = endpoint.url().trim_end_matches('/');
    let url = format!("{url}/?{parameters}&DestinationRegion={destination}");

    let credentials = sdk.credentials_provider().ok_or("no credentials")?;
    let identity = Identity::from(credentials.provide_credentials().await?);
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(VALID);
    settings.signature_location = SignatureLocation::QueryParams;
    let signing = SigningParams::builder()
        .identity(&identity)
        .region(source.as_str())
        .name("rds")
        .time(sdk.time_source().ok_or("no clock")?.now())
        .settings(settings)
        .build()?;
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty())?;
    // The signer would log the session token, which becomes a part of the URL.
    let signed = with_default(NoSubscriber::new(), || sign(request, &signing.into()));
    let (signature, _) = signed?.into_parts();
    let mut request = HttpRequest::get(&url)?.try_into_http1x()?;
    signature.apply_to_request_http1x(&mut request);
    Ok(request.uri().to_string())
}
