//! The HTTP client below the SDK: through the proxy and with the certificates of the config, and with limits on what it accepts.

use std::fmt::Display;
use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

use crate::files;
use crate::model::client_config::ClientConfig;

/// The maximum size of an answer, in bytes. A page of 1000 images with 50 tags each takes some 15 MiB.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The maximum size of a certificate bundle, in bytes. Those of operating systems take some 250 KiB.
const MAX_BUNDLE_BYTES: u64 = 4 << 20;
/// Where containers and instances get their credentials, which no proxy can reach.
const WITHOUT_PROXY: &str = "169.254.0.0/16,fd00:ec2::/32";

/// Why an answer can't be used.
#[derive(Debug, Error)]
pub(super) enum BrokenAnswer {
    #[error("it is longer than {} MiB", MAX_ANSWER_BYTES >> 20)]
    TooLong,
    #[error("it is cut off")]
    CutOff,
    #[error("the connection was lost")]
    Lost,
}

/// Returns the HTTP client for a config. If it can't be made, every call fails with the reason.
pub(super) fn client(config: &ClientConfig) -> SharedHttpClient {
    SharedHttpClient::new(Client(unlimited(config)))
}

fn unlimited(config: &ClientConfig) -> Result<SharedHttpClient, String> {
    let proxy = match &config.http_proxy {
        Some(url) => ProxyConfig::all(url.expose())
            .map_err(|_| "http_proxy is not the URL of a proxy".to_owned())?
            .no_proxy(WITHOUT_PROXY),
        None => ProxyConfig::from_env(),
    };
    let mut tls = TlsContext::builder();
    if let Some(path) = &config.ssl_ca_bundle {
        let certificates = certificates(path)?;
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(certificates));
    }
    let tls = tls.build().map_err(|error| error.to_string())?;
    let connector = move |settings: Option<&HttpConnectorSettings>,
                          components: Option<&RuntimeComponents>| {
        let mut builder = ConnectorBuilder::default()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    };
    Ok(Builder::new().build_with_connector_fn(connector))
}

/// Returns the certificates in a file. Fails if one of them can't be used, because the SDK would panic on it.
fn certificates(path: &str) -> Result<Vec<u8>, String> {
    let unusable = |why: &dyn Display| format!("ssl_ca_bundle {path} cannot be used: {why}");
    let pem = files::read(Path::new(path), MAX_BUNDLE_BYTES)
        .map_err(|error| format!("ssl_ca_bundle cannot be used: {error}"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| unusable(&error))?;
    match RootCertStore::empty().add_parsable_certificates(certificates) {
        (0, 0) => Err(unusable(&"it contains no certificate in PEM format")),
        (_, 0) => Ok(pem),
        (_, invalid) => Err(unusable(&format!(
            "certificates that are invalid: {invalid}"
        ))),
    }
}

/// Passes on an answer only if it is complete.
#[derive(Debug)]
struct Client(Result<SharedHttpClient, String>);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let client = self.0.as_ref().map_err(String::clone);
        let connector = client.map(|client| client.http_connector(settings, components));
        SharedHttpConnector::new(Connector(connector))
    }
}

#[derive(Debug)]
struct Connector(Result<SharedHttpConnector, String>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.0.clone();
        HttpConnectorFuture::new(async move {
            let connector = connector.map_err(|fault| ConnectorError::user(fault.into()))?;
            let answer = connector.call(request).await?;
            complete(answer).await.map_err(|fault| {
                let is_transient = !matches!(fault, BrokenAnswer::TooLong);
                let kind = is_transient.then_some(ErrorKind::TransientError);
                ConnectorError::other(fault.into(), kind)
            })
        })
    }
}

/// Reads an answer to its end and returns it, if it is complete.
async fn complete(mut answer: HttpResponse) -> Result<HttpResponse, BrokenAnswer> {
    let stated = answer.headers().get("content-length");
    let stated = stated.and_then(|length| length.parse::<usize>().ok());
    if stated.is_some_and(|length| length > MAX_ANSWER_BYTES) {
        return Err(BrokenAnswer::TooLong);
    }
    let mut body = ByteStream::new(answer.take_body());
    let mut text = Vec::new();
    while let Some(part) = body.next().await {
        let part = part.map_err(|_| BrokenAnswer::Lost)?;
        if text.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(BrokenAnswer::TooLong);
        }
        text.extend_from_slice(&part);
    }
    if !is_complete(&text) {
        return Err(BrokenAnswer::CutOff);
    }
    // The SDK logs a body in memory, and this one may contain the keys of a role; it does not log a stream.
    *answer.body_mut() = SdkBody::from_body_1_x(SdkBody::from(text));
    Ok(answer)
}

/// Returns true unless this is an XML document that does not end with the closing tag of its root. The SDK reads such a document as
/// if everything that is missing were empty.
fn is_complete(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if !text.starts_with(b"<") {
        return true;
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let mut rest = text;
    while rest.starts_with("<?") || rest.starts_with("<!") {
        let Some((_, after)) = rest.split_once('>') else {
            return false;
        };
        rest = after.trim_start();
    }
    let root = rest.strip_prefix('<').unwrap_or_default();
    let name = root.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'));
    let Some((name, _)) = name.map(|end| root.split_at(end)) else {
        return false;
    };
    let last = text.strip_suffix('>').unwrap_or_default().trim_end();
    let is_empty = root
        .strip_suffix("/>")
        .is_some_and(|tag| !tag.contains('>'));
    !name.is_empty() && (last.ends_with(&format!("</{name}")) || is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_6_an_answer_without_the_closing_tag_of_its_root_is_not_complete() {
        let whole =
            "<?xml version=\"1.0\"?>\n<!-- a --><List xmlns=\"x\"><item><List2/></item></List >\n";
        assert!(is_complete(whole.as_bytes()));
        let end = whole.trim_end().len();
        for cut in 1..end {
            assert!(!is_complete(&whole.as_bytes()[..cut]), "{}", &whole[..cut]);
        }
        for complete in ["", "{\"a\": ", "<List/>", "<List a=\"b\" />", "no XML"] {
            assert!(is_complete(complete.as_bytes()), "{complete}");
        }
        for cut in ["<List><item/>", "<>", "<List></Lis", "<List/", "<a\u{e9}"] {
            assert!(!is_complete(cut.as_bytes()), "{cut}");
        }
    }
}
