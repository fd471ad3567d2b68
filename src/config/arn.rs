//! What ARNs in a config must look like: `arn:<partition>:<service>:<region>:<account>:<resource>`.

use super::text::quoted;
use crate::model::id::Region;

/// Whether this is the ARN of an IAM role.
pub(super) fn is_role(arn: &str) -> bool {
    match parts(arn) {
        Some(Arn {
            service: "iam",
            region: "",
            account,
            resource,
        }) => {
            let name = resource.strip_prefix("role/").unwrap_or_default();
            is_account(account)
                && !name.is_empty()
                && !name.ends_with('/')
                && !name.contains(char::is_whitespace)
        }
        _ => false,
    }
}

/// What a KMS key for copies in `destination` must be and is not; an id or an alias without ARN is always of that region.
pub(super) fn kms_key_fault(key: &str, destination: Option<&Region>) -> Option<(String, String)> {
    if !key.starts_with("arn:") {
        return None;
    }
    let is_key = |resource: &str| resource.starts_with("key/") || resource.starts_with("alias/");
    match parts(key) {
        Some(Arn {
            service: "kms",
            region,
            account,
            resource,
        }) if is_account(account) && is_key(resource) => {
            let destination = destination.filter(|destination| destination.as_str() != region)?;
            Some((
                format!("a key of the destination region, {destination}"),
                format!("one of {}", quoted(region)),
            ))
        }
        _ => Some((
            "the id, the alias or the ARN of a KMS key".to_owned(),
            quoted(key),
        )),
    }
}

struct Arn<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn parts(arn: &str) -> Option<Arn<'_>> {
    let mut parts = arn.splitn(6, ':');
    let (start, partition) = (parts.next()?, parts.next()?);
    let arn = Arn {
        service: parts.next()?,
        region: parts.next()?,
        account: parts.next()?,
        resource: parts.next()?,
    };
    (start == "arn" && partition.starts_with("aws")).then_some(arn)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}
