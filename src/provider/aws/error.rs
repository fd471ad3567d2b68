//! Errors: what AWS or the connection to it answered, as a [`ProviderError`] of a known class.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError, plain_code};

use super::http::BrokenAnswer;
use super::message::cleaned;

/// How many causes of causes are followed: more than any error has.
const MAX_DEPTH: usize = 32;

/// The call by which the SDK gets the credentials of a role.
const ASSUME_ROLE: &str = "AssumeRole";

/// How long a read may take, with all its pages and attempts, where the config does not say.
const READ_DEADLINE: Duration = Duration::from_secs(120);

/// A call to AWS, as errors name it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    name: &'static str,
    at: &'a Location,
}

impl<'a> Call<'a> {
    pub(super) fn new(name: &'static str, at: &'a Location) -> Self {
        Self { name, at }
    }

    /// Returns the error of a call that failed.
    pub(super) fn failed<E>(self, error: &SdkError<E, HttpResponse>) -> ProviderError
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        if let SdkError::ServiceError(answer) = error {
            return self.refused(answer.raw().status().as_u16(), error);
        }
        let causes = causes(error);
        // Assuming a role is a call of its own, which AWS answers.
        let mut roles = causes.iter().rev().filter_map(|cause| cause.downcast_ref());
        if let Some(role) = roles.next().filter(|_| self.name != ASSUME_ROLE) {
            return Call::new(ASSUME_ROLE, self.at).failed::<AssumeRoleError>(role);
        }
        let mut credentials = causes.iter().rev().filter_map(|cause| cause.downcast_ref());
        if let Some(error) = credentials.next() {
            return self.no_credentials(error);
        }
        let mut broken = causes.iter().filter_map(|cause| cause.downcast_ref());
        if let Some(answer) = broken.next() {
            let what: &BrokenAnswer = answer;
            return self.unreadable(&what.to_string());
        }
        let root = root_cause(error);
        let (code, message) = match error {
            SdkError::DispatchFailure(failure) if failure.is_io() => {
                ("ConnectionFailed", format!("AWS cannot be reached: {root}"))
            }
            SdkError::DispatchFailure(failure) if !failure.is_timeout() => ("DispatchFailed", root),
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                ("Timeout", "no answer in time".to_owned())
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                return self.unreadable(&format!("HTTP {status}: {root}"));
            }
            _ => return self.invalid(&root),
        };
        self.error(code, &message, ErrorClass::Unknown)
    }

    /// Returns the error for an answer that does not contain what it should. Nothing follows from it.
    pub(super) fn unreadable(self, what: &str) -> ProviderError {
        let message = format!("AWS's answer cannot be read: {what}");
        self.error("UnreadableAnswer", &message, ErrorClass::Unknown)
    }

    /// Returns the error for a request that can't be made.
    pub(super) fn invalid(self, why: &str) -> ProviderError {
        let message = format!("the request cannot be made: {why}");
        self.error("InvalidRequest", &message, ErrorClass::Invalid)
    }

    /// Returns how long a read may take.
    pub(super) fn read_deadline(self) -> Duration {
        let own = self.at.credentials.read_deadline;
        own.unwrap_or(READ_DEADLINE)
    }

    /// Returns the error for a read that was not complete in time.
    pub(super) fn late(self, deadline: Duration) -> ProviderError {
        let message = format!("the read was not complete after {deadline:?} (read_deadline)");
        self.error("Timeout", &message, ErrorClass::Unknown)
    }

    /// Returns the error that AWS answered with this status. Without a code, the answer is not AWS's, but the page of a proxy.
    fn refused(self, status: u16, error: &impl ProvideErrorMetadata) -> ProviderError {
        let (code, class) = match (error.code(), status) {
            (Some(code), 400..500) => (plain_code(code).to_owned(), ErrorClass::Invalid),
            (Some(code), _) => (plain_code(code).to_owned(), ErrorClass::Unknown),
            (None, 200..300) => return self.unreadable("it is none of this call"),
            (None, _) => (format!("HTTP {status}"), ErrorClass::Unknown),
        };
        let message = error.message().unwrap_or("AWS gave no message");
        let known = ErrorClass::of(self.name, &code, message);
        self.error(&code, message, known.unwrap_or(class))
    }

    /// Returns the error for a call that was not made, because there were no credentials.
    fn no_credentials(self, error: &CredentialsError) -> ProviderError {
        let config = self.at.credentials.as_ref();
        let origin = match &config.profile {
            _ if config.access_key.is_some() => "the keys of aws_client_config",
            Some(profile) => &format!("the profile `{profile}` of the shared AWS config files"),
            None => {
                "the environment (AWS_ACCESS_KEY_ID), the shared AWS config files, web identity, and the roles of \
                 container and instance"
            }
        };
        let code = match error {
            CredentialsError::CredentialsNotLoaded(_) => {
                let message = format!("no credentials found; searched in {origin}");
                return self.error("NoCredentials", &message, ErrorClass::Expired);
            }
            CredentialsError::ProviderTimedOut(_) => {
                let message = format!("no credentials in time; searched in {origin}");
                return self.error("CredentialsTimeout", &message, ErrorClass::Unknown);
            }
            CredentialsError::InvalidConfiguration(_) => "InvalidCredentialsConfig",
            _ => "CredentialsFailed",
        };
        let message = format!("no credentials from {origin}: {}", root_cause(error));
        self.error(code, &message, ErrorClass::Expired)
    }

    fn error(self, code: &str, message: &str, class: ErrorClass) -> ProviderError {
        ProviderError {
            call: self.name,
            region: self.at.region.clone(),
            code: code.to_owned(),
            message: cleaned(message, &self.at.credentials),
            class,
        }
    }
}

/// Returns an error and its causes, itself first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
        .take(MAX_DEPTH)
        .collect()
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    let root = causes(error).pop();
    root.map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::error::ErrorMetadata;

    use crate::model::ids::Region;

    use super::*;

    fn class_of(status: u16, code: &str) -> ErrorClass {
        let answer = match code {
            "" => ErrorMetadata::builder(),
            code => ErrorMetadata::builder().code(code),
        };
        let at = Location {
            credentials: Default::default(),
            region: Region::from("us-west-1"),
        };
        let call = Call::new("DescribeImages", &at);
        call.refused(status, &answer.build()).class
    }

    #[test]
    fn law_6_absent_is_only_what_aws_says_is_absent() {
        for code in ["InvalidAMIID.NotFound", "DBSnapshotNotFoundFault"] {
            assert_eq!(class_of(404, code), ErrorClass::Absent);
        }
        for code in ["NotFound", "ResourceNotFound", "InvalidAMIID.Malformed"] {
            assert_eq!(class_of(404, code), ErrorClass::Invalid);
        }
        assert_eq!(class_of(404, ""), ErrorClass::Unknown);
    }

    #[test]
    fn an_unknown_code_is_a_refusal_only_if_aws_blames_the_caller() {
        assert_eq!(class_of(400, "Surprise"), ErrorClass::Invalid);
        assert_eq!(class_of(500, "Surprise"), ErrorClass::Unknown);
        assert_eq!(class_of(400, "Throttling"), ErrorClass::Throttled);
    }
}
