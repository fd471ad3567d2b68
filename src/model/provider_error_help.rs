//! What to do about a call that AWS refused, according to its code and message.

use super::problem::{AwsFailure, Problem};
use super::provider_error::{CONCURRENT_COPIES_HELP, ErrorClass, ProviderError};

impl ProviderError {
    /// Returns the problem to report, with the help that the error suggests.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let aws = AwsFailure {
            call: self.call.to_owned(),
            region: self.region.clone(),
            code: self.code.clone(),
            message: self.message.clone(),
        };
        Problem {
            message: message.into(),
            at: None,
            aws: Some(Box::new(aws)),
            help: help(self),
        }
    }
}

/// Returns what to do about an error, if something is known to help.
fn help(error: &ProviderError) -> Option<String> {
    let (region, class) = (&error.region, error.class);
    if class != ErrorClass::Denied && is_about_a_key(error) {
        return Some(format!(
            "check that kms_key_id names a key of {region} that exists and is enabled, and that its key policy and the policy of \
             these credentials allow its use: `xrs policy apply` prints what they need"
        ));
    }
    Some(match class {
        ErrorClass::Absent | ErrorClass::Conflict | ErrorClass::Invalid => return None,
        ErrorClass::Denied if matches!(error.code.as_str(), "OptInRequired" | "AuthFailure") => {
            format!(
                "check that {region} is enabled for this account, and that the credentials are valid there"
            )
        }
        ErrorClass::Denied => denied(error),
        ErrorClass::Throttled => "try again later, or lower --parallelism".to_owned(),
        ErrorClass::Busy => CONCURRENT_COPIES_HELP.to_owned(),
        ErrorClass::Quota => {
            "delete snapshots that are no longer needed, or ask AWS to raise the limit".to_owned()
        }
        ErrorClass::Expired => expired(error),
        ErrorClass::Unknown => {
            format!("check that {region} exists, is enabled and can be reached; then try again")
        }
    })
}

/// Returns true if AWS refuses the use of a KMS key.
fn is_about_a_key(error: &ProviderError) -> bool {
    let code = error.code.to_ascii_lowercase();
    code.contains("kms") || error.message.contains("KMS key")
}

/// Returns what to do about credentials that AWS does not accept.
fn expired(error: &ProviderError) -> String {
    let region = &error.region;
    match error.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "the credentials have expired: sign in again".to_owned()
        }
        "RequestExpired" => {
            "sign in again; if that does not help, check the clock of this machine".to_owned()
        }
        "SignatureDoesNotMatch" | "IncompleteSignature" => {
            "check that the secret key belongs to the access key, and check the clock of this machine".to_owned()
        }
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "InvalidToken" | "UnrecognizedClientException" => format!(
            "check that the access key is active, that temporary keys have their session token, and that {region} is \
             enabled for this account"
        ),
        _ => "sign in again, or check that aws_client_config names valid credentials".to_owned(),
    }
}

/// Returns what to allow. AWS's message, which is shown too, names the resource and the kind of policy.
fn denied(error: &ProviderError) -> String {
    let (call, region, message) = (error.call, &error.region, &error.message);
    if message.contains("explicit deny") {
        return "ask the owner of the policy with the explicit deny to change it".to_owned();
    }
    let action = named_action(message).map_or_else(|| permission(call), str::to_owned);
    if call == "AssumeRole" {
        return format!(
            "allow {action} for these credentials, and allow these credentials in the role's trust policy"
        );
    }
    let stage = if call.starts_with("Describe") {
        "plan"
    } else {
        "apply"
    };
    format!(
        "allow {action} for these credentials in {region}: `xrs policy {stage}` prints everything that they need"
    )
}

/// Returns the IAM action that AWS's message names. It may not be the action of the call: copying may need `kms:CreateGrant`.
fn named_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches('.');
    action.contains(':').then_some(action)
}

/// Returns the IAM action that a call needs: its service and its name.
pub fn permission(call: &str) -> String {
    let service = match call {
        "AssumeRole" | "GetCallerIdentity" => "sts",
        "AddTagsToResource"
        | "DescribeAccountAttributes"
        | "DescribeOptionGroups"
        | "ListTagsForResource" => "rds",
        call if call.contains("DB") => "rds",
        _ => "ec2",
    };
    format!("{service}:{call}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::Region;

    fn help_for(call: &'static str, code: &str, message: &str) -> String {
        let error = ProviderError {
            call,
            region: Region::from("us-west-1"),
            code: code.to_owned(),
            message: message.to_owned(),
            class: ErrorClass::of(call, code, message).expect("a known code"),
        };
        help(&error).unwrap_or_default()
    }

    #[test]
    fn a_missing_permission_is_named_with_what_it_is_for() {
        for (call, message, help) in [
            (
                "CopyDBSnapshot",
                "rds:CopyDBSnapshot on resource: ARN with an explicit deny in a service control policy",
                "ask the owner of the policy with the explicit deny to change it",
            ),
            (
                "CopyDBSnapshot",
                "kms:CreateGrant on resource: ARN because no resource-based policy allows the kms:CreateGrant action",
                "allow kms:CreateGrant for these credentials in us-west-1: `xrs policy apply` prints everything that they need",
            ),
            (
                "AssumeRole",
                "sts:AssumeRole on resource: ARN.",
                "allow sts:AssumeRole for these credentials, and allow these credentials in the role's trust policy",
            ),
            (
                "DescribeImages",
                "this operation",
                "allow ec2:DescribeImages for these credentials in us-west-1: `xrs policy plan` prints everything that they need",
            ),
        ] {
            let message = format!("User: me is not authorized to perform: {message}");
            assert_eq!(help_for(call, "AccessDenied", &message), help, "{message}");
        }
    }

    #[test]
    fn the_help_depends_on_what_is_wrong() {
        let unknown_key = "The specified KMS key [k] does not exist";
        for (code, message, part_of_help) in [
            ("ExpiredToken", "", "sign in again"),
            ("RequestExpired", "", "the clock"),
            ("SignatureDoesNotMatch", "", "belongs to the access key"),
            ("InvalidClientTokenId", "", "us-west-1 is enabled"),
            ("MissingAuthenticationToken", "", "aws_client_config"),
            ("OptInRequired", "", "us-west-1 is enabled"),
            ("AuthFailure", "", "us-west-1 is enabled"),
            ("KMSKeyNotAccessible", "", "names a key of us-west-1"),
            ("InvalidParameterValue", unknown_key, "names a key"),
            ("InternalError", "", "can be reached"),
        ] {
            let help = help_for("CopyDBSnapshot", code, message);
            assert!(help.contains(part_of_help), "{code}: {help}");
        }
        let help = help_for("CopyDBSnapshot", "InvalidParameterValue", "no such thing");
        assert_eq!(help, "");
    }
}
