//! Why AWS said no, and what follows from that.

mod help;

use thiserror::Error;

use super::id::Region;
use super::problem::{AwsFailure, Problem};

pub use help::permission;

/// What helps where AWS takes no more copies for the moment.
pub const COPIES_IN_FLIGHT_HELP: &str =
    "apply the same plan, or run, again when copies in flight are done, or with --wait";

/// Why a call to the provider did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{call} in {region}: {code}: {message}")]
pub struct ProviderError {
    /// The call, such as `CopyImage`.
    pub call: &'static str,
    /// The region that was asked.
    pub region: Region,
    /// AWS's code, [plain](plain_code).
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// What it comes to.
    pub kind: ErrorKind,
}

/// A code of AWS as it is compared: some endpoints still write an older form, and RDS ends some codes in a word that
/// says nothing.
pub fn plain_code(code: &str) -> &str {
    let code = code
        .strip_prefix("Client.")
        .or_else(|| code.strip_prefix("Server."))
        .unwrap_or(code);
    match code.strip_suffix("Fault") {
        None | Some("") => code,
        Some(code) => code,
    }
}

/// What an error of AWS comes to. Closed, so that what follows from each is a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// What was asked for is not there, said in so many words. Everything else leaves that open.
    Absent,
    /// Not allowed.
    Denied,
    /// Too many requests; asking again later helps.
    Throttled,
    /// A limit of the account: copies in flight, or snapshots stored (the message tells which).
    Quota,
    /// The credentials have expired, or there are none.
    Expired,
    /// The request itself was refused: a conflict, a wrong value, a wrong state.
    Invalid,
    /// None of these: time-outs, lost connections, errors inside AWS.
    Unknown,
}

impl ErrorKind {
    /// What a [plain code](plain_code) comes to, where it is one that is known: absent only where the code says so in
    /// so many words.
    pub fn of_code(code: &str) -> Option<Self> {
        Some(match code {
            "InvalidAMIID.NotFound"
            | "InvalidSnapshot.NotFound"
            | "DBSnapshotNotFound"
            | "DBInstanceNotFound" => Self::Absent,
            "AccessDenied"
            | "AccessDeniedException"
            | "AuthFailure"
            | "AuthorizationError"
            | "Blocked"
            | "NotAuthorized"
            | "OptInRequired"
            | "PendingVerification"
            | "UnauthorizedOperation" => Self::Denied,
            "BandwidthLimitExceeded"
            | "EC2ThrottledException"
            | "LimitExceededException"
            | "PriorRequestNotComplete"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "SlowDown"
            | "ThrottledException"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "TransactionInProgressException"
            | "HTTP 429" => Self::Throttled,
            "ConcurrentSnapshotLimitExceeded"
            | "PendingSnapshotLimitExceeded"
            | "ResourceLimitExceeded"
            | "SnapshotLimitExceeded"
            | "SnapshotQuotaExceeded" => Self::Quota,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "MissingAuthenticationToken"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "TokenRefreshRequired"
            | "UnrecognizedClientException" => Self::Expired,
            "InternalError"
            | "InternalFailure"
            | "InternalServerError"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "ServiceUnavailable"
            | "Unavailable" => Self::Unknown,
            "DBSnapshotAlreadyExists"
            | "FilterLimitExceeded"
            | "IdempotentParameterMismatch"
            | "KMSKeyNotAccessible"
            | "TagLimitExceeded"
            | "TagPolicyViolation"
            | "ValidationError" => Self::Invalid,
            code if code.starts_with("Invalid") || code.starts_with("Missing") => Self::Invalid,
            _ => return None,
        })
    }
}

impl ProviderError {
    /// Whether AWS takes no more copies for the moment. One code stands for that and for a limit on snapshots
    /// stored, which waiting does not help against; only the message tells them apart.
    pub fn is_too_many_copies_in_flight(&self) -> bool {
        match self.code.as_str() {
            "ResourceLimitExceeded" => self.call == "CopyImage",
            "SnapshotQuotaExceeded" => self.message.contains("Cannot copy more than"),
            _ => false,
        }
    }

    /// The problem to report, with the way out that its kind suggests.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let Self {
            call,
            region,
            code,
            message: aws_message,
            kind: _,
        } = self;
        let aws = AwsFailure {
            call: (*call).to_owned(),
            region: region.clone(),
            code: code.clone(),
            message: aws_message.clone(),
        };
        Problem {
            message: message.into(),
            at: None,
            aws: Some(Box::new(aws)),
            help: help::help(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_compared_without_what_differs_from_one_endpoint_to_the_next() {
        for (code, plain) in [
            ("Client.ResourceLimitExceeded", "ResourceLimitExceeded"),
            ("Server.InternalError", "InternalError"),
            ("SnapshotQuotaExceededFault", "SnapshotQuotaExceeded"),
            ("InvalidAMIID.NotFound", "InvalidAMIID.NotFound"),
            ("HTTP 503", "HTTP 503"),
            ("Fault", "Fault"),
        ] {
            assert_eq!(plain_code(code), plain);
        }
    }
}
