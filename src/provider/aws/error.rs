//! What AWS and the way there answer to a call that does not succeed, and what it comes to.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::model::client_config::Place;
use crate::model::inventory::Looked;
use crate::model::provider_error::{ErrorKind, ProviderError, plain_code};

use super::message::cleaned;

/// Causes of causes that are looked at: more than any error has.
const DEPTH: usize = 32;

/// The failure of a call.
pub(super) fn failed<E>(
    call: &'static str,
    at: &Place,
    error: &SdkError<E, HttpResponse>,
) -> ProviderError
where
    E: Error + ProvideErrorMetadata + 'static,
{
    if let SdkError::ServiceError(answer) = error {
        let status = answer.raw().status().as_u16();
        if error.code().is_none() && answer.raw().status().is_success() {
            return unreadable(call, at, "it is none of this call");
        }
        let code = error.code().map_or_else(
            || format!("HTTP {status}"),
            |code| plain_code(code).to_owned(),
        );
        let message = error.message().unwrap_or("AWS gave no message");
        return with(call, at, &code, message, kind_of(&code, status));
    }
    let causes = causes(error);
    // Assuming a role is a call of its own, with an answer of AWS's own.
    let mut roles = causes
        .iter()
        .rev()
        .filter_map(|cause| cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>());
    if let Some(role) = roles.next().filter(|_| call != "AssumeRole") {
        return failed("AssumeRole", at, role);
    }
    let mut credentials = causes
        .iter()
        .rev()
        .filter_map(|cause| cause.downcast_ref::<CredentialsError>());
    if let Some(error) = credentials.next() {
        return no_credentials(call, at, error);
    }
    let last = causes.last().map_or_else(String::new, ToString::to_string);
    match error {
        SdkError::TimeoutError(_) => timed_out(call, at),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => timed_out(call, at),
        SdkError::DispatchFailure(failure) if failure.is_io() => with(
            call,
            at,
            "ConnectionFailed",
            &format!("AWS cannot be reached: {last}"),
            ErrorKind::Unknown,
        ),
        SdkError::DispatchFailure(_) => with(call, at, "DispatchFailed", &last, ErrorKind::Unknown),
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            unreadable(call, at, &format!("HTTP {status}: {last}"))
        }
        _ => unbuilt(call, at, error),
    }
}

/// An answer that came, but does not say what it should. It leaves everything open.
pub(super) fn unreadable(call: &'static str, at: &Place, what: &str) -> ProviderError {
    with(
        call,
        at,
        "UnreadableAnswer",
        &format!("AWS's answer cannot be read: {what}"),
        ErrorKind::Unknown,
    )
}

/// Whether a list has come to its end, by what its last page names as the next: where AWS names a page again, the SDK
/// stops without a word.
pub(super) fn all_pages(call: &'static str, at: &Place, next: Option<&str>) -> Looked<()> {
    match next.unwrap_or_default() {
        "" => Ok(()),
        _ => Err(unreadable(call, at, "a page names itself as the next one")),
    }
}

/// A request that the SDK would not make.
fn unbuilt(call: &'static str, at: &Place, error: &(dyn Error + 'static)) -> ProviderError {
    let why = causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    with(
        call,
        at,
        "InvalidRequest",
        &format!("the request cannot be made: {why}"),
        ErrorKind::Invalid,
    )
}

fn timed_out(call: &'static str, at: &Place) -> ProviderError {
    with(call, at, "Timeout", "no answer in time", ErrorKind::Unknown)
}

/// Nothing to sign with, so the call was not made.
fn no_credentials(call: &'static str, at: &Place, error: &CredentialsError) -> ProviderError {
    let config = at.credentials.as_ref();
    let looked = match &config.profile {
        _ if config.access_key.is_some() => "the keys of aws_client_config".to_owned(),
        Some(profile) => format!("the profile `{profile}` of the shared AWS config files"),
        None => "the environment (AWS_ACCESS_KEY_ID), the shared AWS config files, web identity, and the roles of \
                 container and instance"
            .to_owned(),
    };
    let why = causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let (code, message, kind) = match error {
        CredentialsError::CredentialsNotLoaded(_) => (
            "NoCredentials",
            format!("no credentials found; looked in {looked}"),
            ErrorKind::Expired,
        ),
        CredentialsError::ProviderTimedOut(_) => (
            "CredentialsTimeout",
            format!("no credentials in time; looked in {looked}"),
            ErrorKind::Unknown,
        ),
        CredentialsError::InvalidConfiguration(_) => (
            "InvalidCredentialsConfig",
            format!("no credentials from {looked}: {why}"),
            ErrorKind::Expired,
        ),
        _ => (
            "CredentialsFailed",
            format!("no credentials from {looked}: {why}"),
            ErrorKind::Expired,
        ),
    };
    with(call, at, code, &message, kind)
}

fn with(
    call: &'static str,
    at: &Place,
    code: &str,
    message: &str,
    kind: ErrorKind,
) -> ProviderError {
    ProviderError {
        call,
        region: at.region.clone(),
        code: code.to_owned(),
        message: cleaned(message, &at.credentials),
        kind,
    }
}

/// An error's causes, itself first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
        .take(DEPTH)
        .collect()
}

/// What a code comes to: what is not known is a refusal if the answer blames the caller, and unknown otherwise.
fn kind_of(code: &str, status: u16) -> ErrorKind {
    // A proxy's page, not AWS's answer.
    let is_a_page = code.starts_with("HTTP ");
    let by_status = if (400..500).contains(&status) && !is_a_page {
        ErrorKind::Invalid
    } else {
        ErrorKind::Unknown
    };
    ErrorKind::of_code(code).unwrap_or(by_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_6_absent_is_only_what_aws_says_is_absent() {
        for code in [
            "InvalidAMIID.NotFound",
            "DBSnapshotNotFound",
            "DBInstanceNotFound",
        ] {
            assert_eq!(kind_of(code, 404), ErrorKind::Absent, "{code}");
        }
        for code in [
            "HTTP 404",
            "NotFound",
            "InvalidAMIID.Unavailable",
            "InvalidAMIID.Malformed",
            "ResourceNotFound",
        ] {
            assert_ne!(kind_of(code, 404), ErrorKind::Absent, "{code}");
        }
    }

    #[test]
    fn codes_come_to_kinds() {
        let cases = [
            ("UnauthorizedOperation", 403, ErrorKind::Denied),
            ("OptInRequired", 401, ErrorKind::Denied),
            ("RequestLimitExceeded", 503, ErrorKind::Throttled),
            ("Throttling", 400, ErrorKind::Throttled),
            ("SnapshotQuotaExceeded", 400, ErrorKind::Quota),
            ("ResourceLimitExceeded", 400, ErrorKind::Quota),
            ("ExpiredToken", 403, ErrorKind::Expired),
            ("IdempotentParameterMismatch", 400, ErrorKind::Invalid),
            ("DBSnapshotAlreadyExists", 400, ErrorKind::Invalid),
            ("KMSKeyNotAccessible", 400, ErrorKind::Invalid),
            ("InternalFailure", 400, ErrorKind::Unknown),
            ("HTTP 403", 403, ErrorKind::Unknown),
            ("Surprise", 500, ErrorKind::Unknown),
        ];
        for (code, status, kind) in cases {
            assert_eq!(kind_of(code, status), kind, "{code}");
        }
    }
}
