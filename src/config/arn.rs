//! ARNs in a config: `arn:<partition>:<service>:<region>:<account>:<resource>`.

/// Returns true if this is the ARN of an IAM role.
pub(super) fn is_role(arn: &str) -> bool {
    let name = match parts(arn, "iam") {
        Some(("", resource)) => resource.strip_prefix("role/").unwrap_or_default(),
        _ => "",
    };
    !name.is_empty() && !name.ends_with('/') && !name.contains(char::is_whitespace)
}

/// Returns the region in the ARN of a KMS key or alias.
pub(super) fn kms_key_region(arn: &str) -> Option<&str> {
    let (region, resource) = parts(arn, "kms")?;
    let is_key = resource.starts_with("key/") || resource.starts_with("alias/");
    is_key.then_some(region)
}

/// Returns the region and the resource in the ARN of something in an account.
fn parts<'a>(arn: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, found, region, account, resource]
            if partition.starts_with("aws")
                && *found == service
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some((region, resource))
        }
        _ => None,
    }
}
