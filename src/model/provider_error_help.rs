//! The way out of a call that AWS refused, as far as its code and message tell.

use super::problem::{AwsFailure, Problem};
use super::provider_error::{CONCURRENT_COPIES_HELP, ErrorClass, ProviderError};

impl ProviderError {
    /// Returns the problem to report, with the way out that the error suggests.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let Self {
            call,
            region,
            code,
            message: aws_message,
            class: _,
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
            help: help(self),
        }
    }
}

/// Returns the way out, where there is one to name.
fn help(error: &ProviderError) -> Option<String> {
    let ProviderError {
        region,
        code,
        class,
        ..
    } = error;
    if *class != ErrorClass::Denied && is_about_a_key(error) {
        return Some(format!(
            "see that kms_key_id names a key of {region} that is there and enabled, and that its key policy and these \
             credentials' policy allow to use it: `xrs policy apply` prints what they need"
        ));
    }
    Some(match class {
        ErrorClass::Absent | ErrorClass::Conflict | ErrorClass::Invalid => return None,
        ErrorClass::Denied if matches!(code.as_str(), "OptInRequired" | "AuthFailure") => format!(
            "see that {region} is enabled for this account, and that the credentials are good there"
        ),
        ErrorClass::Denied => denied(error),
        ErrorClass::Throttled => "ask again later, or lower --parallelism".to_owned(),
        ErrorClass::Busy => CONCURRENT_COPIES_HELP.to_owned(),
        ErrorClass::Quota => {
            "delete snapshots that nobody needs, or have the limit raised".to_owned()
        }
        ErrorClass::Expired => expired(error),
        ErrorClass::Unknown => {
            format!("see that {region} exists, is enabled and can be reached; then try again")
        }
    })
}

/// Whether it is a KMS key that AWS takes exception to.
fn is_about_a_key(error: &ProviderError) -> bool {
    let code = error.code.to_ascii_lowercase();
    code.contains("kms") || error.message.contains("KMS key")
}

/// What to do about credentials that AWS does not take.
fn expired(error: &ProviderError) -> String {
    let region = &error.region;
    match error.code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "the credentials have expired: sign in again".to_owned()
        }
        "RequestExpired" => {
            "sign in again; if that does not help, see that the clock of this machine is right".to_owned()
        }
        "SignatureDoesNotMatch" | "IncompleteSignature" => {
            "see that the secret key belongs to the access key, and that the clock of this machine is right".to_owned()
        }
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "InvalidToken" | "UnrecognizedClientException" => format!(
            "see that the access key is active, that temporary keys have their session token, and that {region} is \
             enabled for this account"
        ),
        _ => "sign in again, or see that aws_client_config names credentials that are valid".to_owned(),
    }
}

/// What to allow: what AWS's message names, else what the call is known to need.
fn denied(error: &ProviderError) -> String {
    let ProviderError {
        call,
        region,
        message,
        ..
    } = error;
    let action = word_after(message, "not authorized to perform: ")
        .filter(|action| action.contains(':'))
        .map_or_else(|| permission(call), str::to_owned);
    let on = match word_after(message, "on resource: ") {
        Some(resource) => format!("{action} on {resource}"),
        None => action,
    };
    if let Some(policy) = between(message, "explicit deny in a", " policy") {
        // `an identity-based`, `a service control`.
        return format!("a{policy} policy denies {on}: whoever keeps that policy has to lift it");
    }
    if message.contains("no permissions boundary allows") {
        return format!("allow {on} in the permissions boundary of these credentials");
    }
    if let Some(policy @ ("service control" | "resource control" | "session" | "VPC endpoint")) =
        between(message, "because no ", " policy allows")
    {
        return format!("allow {on} in the {policy} policy");
    }
    if *call == "AssumeRole" {
        return format!("allow {on} to these credentials, and them in the role's trust policy");
    }
    let stage = if call.starts_with("Describe") {
        "plan"
    } else {
        "apply"
    };
    format!(
        "allow {on} to these credentials in {region}: `xrs policy {stage}` prints all that they need"
    )
}

/// The word that follows; AWS ends sentences right after ARNs.
fn word_after<'m>(message: &'m str, before: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(before)?;
    let word = rest.split_whitespace().next()?;
    Some(word.trim_end_matches(['.', ',', ';']))
}

fn between<'m>(message: &'m str, before: &str, after: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(before)?;
    rest.split_once(after).map(|(between, _)| between)
}

/// The IAM action that a call needs: its service and its name.
pub fn permission(call: &str) -> String {
    let service = match call {
        "AssumeRole" | "GetCallerIdentity" => "sts",
        call if call.contains("DBSnapshot") || call == "AddTagsToResource" => "rds",
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
        let arn = "arn:aws:rds:us-west-1:123456789012:snapshot:rds-mydatabase-2026-01-14-05-10";
        let who = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: rds:CopyDBSnapshot on resource:";
        for (rest, help) in [
            (
                "because no identity-based policy allows the rds:CopyDBSnapshot action",
                format!(
                    "allow rds:CopyDBSnapshot on {arn} to these credentials in us-west-1: `xrs policy apply` prints all that they need"
                ),
            ),
            (
                "with an explicit deny in a service control policy",
                format!(
                    "a service control policy denies rds:CopyDBSnapshot on {arn}: whoever keeps that policy has to lift it"
                ),
            ),
            (
                "with an explicit deny in an identity-based policy",
                format!(
                    "an identity-based policy denies rds:CopyDBSnapshot on {arn}: whoever keeps that policy has to lift it"
                ),
            ),
            (
                "because no permissions boundary allows the rds:CopyDBSnapshot action",
                format!(
                    "allow rds:CopyDBSnapshot on {arn} in the permissions boundary of these credentials"
                ),
            ),
            (
                "because no service control policy allows the rds:CopyDBSnapshot action",
                format!("allow rds:CopyDBSnapshot on {arn} in the service control policy"),
            ),
        ] {
            let message = format!("{who} {arn} {rest}");
            assert_eq!(help_for("CopyDBSnapshot", "AccessDenied", &message), help);
        }
        let role = "User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/xrs.";
        assert_eq!(
            help_for("AssumeRole", "AccessDenied", role),
            "allow sts:AssumeRole on arn:aws:iam::2:role/xrs to these credentials, and them in the role's trust policy"
        );
        let key = "User: me is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-west-1:1:key/k because \
                   no resource-based policy allows the kms:CreateGrant action";
        assert!(help_for("CopyDBSnapshot", "AccessDenied", key).starts_with(
            "allow kms:CreateGrant on arn:aws:kms:us-west-1:1:key/k to these credentials"
        ));
    }

    #[test]
    fn what_a_message_does_not_name_the_call_does() {
        assert_eq!(
            help_for(
                "DescribeImages",
                "UnauthorizedOperation",
                "You are not authorized to perform this operation"
            ),
            "allow ec2:DescribeImages to these credentials in us-west-1: `xrs policy plan` prints all that they need"
        );
    }

    #[test]
    fn credentials_regions_and_keys_have_a_way_out_of_their_own() {
        for (code, message, says) in [
            ("ExpiredToken", "", "sign in again"),
            ("RequestExpired", "", "the clock"),
            (
                "SignatureDoesNotMatch",
                "",
                "the secret key belongs to the access key",
            ),
            ("InvalidClientTokenId", "", "us-west-1 is enabled"),
            ("MissingAuthenticationToken", "", "aws_client_config"),
            ("OptInRequired", "", "us-west-1 is enabled"),
            ("AuthFailure", "", "us-west-1 is enabled"),
            (
                "KMSKeyNotAccessible",
                "",
                "kms_key_id names a key of us-west-1",
            ),
            (
                "InvalidParameterValue",
                "The specified KMS key [k] does not exist",
                "kms_key_id names a key",
            ),
            ("InternalError", "", "can be reached"),
        ] {
            let help = help_for("CopyDBSnapshot", code, message);
            assert!(help.contains(says), "{code}: {help}");
        }
        assert_eq!(
            help_for("CopyDBSnapshot", "InvalidParameterValue", "no such thing"),
            ""
        );
    }
}
