//! ARNs in a config: `arn:<partition>:<service>:<region>:<account>:<resource>`.

struct Arn<'a> {
    service: &'a str,
    region: &'a str,
    resource: &'a str,
}

/// Returns true if this is the ARN of an IAM role.
pub(super) fn is_role(arn: &str) -> bool {
    parts(arn).is_some_and(|arn| {
        let name = arn.resource.strip_prefix("role/").unwrap_or_default();
        let is_name =
            !name.is_empty() && !name.ends_with('/') && !name.contains(char::is_whitespace);
        arn.service == "iam" && arn.region.is_empty() && is_name
    })
}

/// Returns true if this is the ARN of a KMS key or of an alias of one.
pub(super) fn is_kms_key(arn: &str) -> bool {
    parts(arn).is_some_and(|arn| {
        let is_key = ["key/", "alias/"]
            .iter()
            .any(|start| arn.resource.starts_with(start));
        arn.service == "kms" && !arn.region.is_empty() && is_key
    })
}

/// Returns the region in an ARN.
pub(super) fn region(arn: &str) -> Option<&str> {
    parts(arn).map(|arn| arn.region)
}

/// Returns the parts of an ARN of a resource in an account.
fn parts(arn: &str) -> Option<Arn<'_>> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return None;
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (partition.starts_with("aws") && is_account).then_some(Arn {
        service,
        region,
        resource,
    })
}
