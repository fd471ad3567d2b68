//! Why AWS refused a call, and what that means for the caller.

use thiserror::Error;

use super::ids::Region;

/// What to do when AWS's limit of concurrent copies is reached.
pub const CONCURRENT_COPIES_HELP: &str = "run apply again when some copies have finished, or wait for them with --wait, or with a longer --wait limit";

/// Why a call to the provider did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{call} in {region}: {code}: {message}")]
pub struct ProviderError {
    /// The call, such as `CopyImage`.
    pub call: &'static str,
    /// The region that the call went to.
    pub region: Region,
    /// AWS's code, [plain](plain_code).
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// What the error means for the caller.
    pub class: ErrorClass,
}

/// Returns an error code without what differs between endpoints: some add an old prefix, and RDS ends some codes in `Fault`.
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

/// What an error means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The requested thing does not exist. No other class implies that.
    Absent,
    /// Not allowed.
    Denied,
    /// Too many requests; retrying later helps.
    Throttled,
    /// AWS's limit of concurrent copies has been reached; retrying when a copy has finished helps.
    Busy,
    /// Another limit of the account, such as that of manual snapshots. Waiting does not help.
    Quota,
    /// The credentials have expired or are not valid, or there are none.
    Expired,
    /// The id or the client token is in use, or the state of the artifact does not allow the call. What is there must be read before
    /// anything is decided.
    Conflict,
    /// The request has a wrong value.
    Invalid,
    /// None of these: timeouts, lost connections, errors inside AWS.
    Unknown,
}

impl ErrorClass {
    /// Returns the class of a [plain code](plain_code), if the code is known.
    pub fn of(call: &str, code: &str, message: &str) -> Option<Self> {
        Some(match code {
            "InvalidAMIID.NotFound"
            | "InvalidSnapshot.NotFound"
            | "DBSnapshotNotFound"
            | "DBInstanceNotFound"
            | "DBClusterNotFound"
            | "DBClusterSnapshotNotFound" => Self::Absent,
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
            "ResourceLimitExceeded" if call == "CopyImage" => Self::Busy,
            // RDS has one code for the limit of concurrent copies and for that of manual snapshots; only the message differs.
            "SnapshotQuotaExceeded" if message.contains("Cannot copy more than") => Self::Busy,
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
            // EC2's answer about an image that has been deregistered.
            "InvalidAMIID.Unavailable" if call == "DeregisterImage" => Self::Conflict,
            "DBClusterSnapshotAlreadyExists"
            | "InvalidDBClusterSnapshotState"
            | "DBSnapshotAlreadyExists"
            | "IdempotentParameterMismatch"
            | "InvalidDBSnapshotState" => Self::Conflict,
            "FilterLimitExceeded"
            | "KMSKeyNotAccessible"
            | "TagLimitExceeded"
            | "TagPolicyViolation"
            | "ValidationError" => Self::Invalid,
            code if code.starts_with("Invalid") || code.starts_with("Missing") => Self::Invalid,
            _ => return None,
        })
    }

    /// Returns true if the same call may succeed later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Throttled | Self::Busy | Self::Unknown => true,
            Self::Absent
            | Self::Denied
            | Self::Quota
            | Self::Expired
            | Self::Conflict
            | Self::Invalid => false,
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
