//! What EC2 and RDS take as tags, and what they refuse.

use super::calls::{Answer, Refusal};
use crate::model::Tags;
use crate::model::sync_tag::MAX_TAGS;

/// Characters in a key: EC2's crate says 127, its guide 128; what holds for both is safe.
const MAX_EC2_KEY: usize = 127;
const MAX_RDS_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Whether EC2 lets `new` be written over `old`.
pub(super) fn check_ec2(old: &Tags, new: &Tags) -> Answer<()> {
    for (key, value) in new.iter() {
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        if key.is_empty() || key.chars().count() > MAX_EC2_KEY {
            let message = format!("Tag key exceeds the maximum length of {MAX_EC2_KEY} characters");
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        if value.chars().count() > MAX_VALUE {
            let message = format!("Tag value exceeds the maximum length of {MAX_VALUE} characters");
            return Err(Refusal::new("InvalidParameterValue", message));
        }
    }
    if together(old, new) > MAX_TAGS {
        let message = format!("The maximum number of tags per resource is {MAX_TAGS}");
        return Err(Refusal::new("TagLimitExceeded", message));
    }
    Ok(())
}

/// Whether RDS lets `new` be written over `old`.
pub(super) fn check_rds(old: &Tags, new: &Tags) -> Answer<()> {
    let refuse = |message: String| Err(Refusal::new("InvalidParameterValue", message));
    for (key, value) in new.iter() {
        let lower = key.to_ascii_lowercase();
        if lower.starts_with("aws:") || lower.starts_with("rds:") {
            return refuse(format!(
                "Tag keys cannot start with 'aws:' or 'rds:': {key}"
            ));
        }
        if value.to_ascii_lowercase().starts_with("rds:") {
            return refuse(format!("Tag values cannot start with 'rds:': {value}"));
        }
        if key.is_empty() || key.chars().count() > MAX_RDS_KEY {
            return refuse(format!("Tag keys must have 1 to {MAX_RDS_KEY} characters"));
        }
        if value.chars().count() > MAX_VALUE {
            return refuse(format!(
                "Tag values must not have more than {MAX_VALUE} characters"
            ));
        }
        if let Some(bad) = key
            .chars()
            .chain(value.chars())
            .find(|c| !is_rds_character(*c))
        {
            return refuse(format!(
                "The tag {key} holds a character that is not allowed: {bad:?}"
            ));
        }
    }
    if together(old, new) > MAX_TAGS {
        return refuse(format!(
            "Tag limit exceeded: at most {MAX_TAGS} tags per resource"
        ));
    }
    Ok(())
}

/// How many tags there are once `new` is written over `old`. AWS's own don't count.
fn together(old: &Tags, new: &Tags) -> usize {
    let kept = old
        .keys()
        .filter(|key| !new.contains_key(key) && !key.starts_with("aws:"))
        .count();
    kept + new.len()
}

/// Letters, digits, white space and `_.:/=+-@`, as RDS documents them.
fn is_rds_character(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Tags {
        Tags::from([(key.to_owned(), value.to_owned())])
    }

    fn many(count: usize, prefix: &str) -> Tags {
        (0..count)
            .map(|n| (format!("{prefix}{n}"), String::new()))
            .collect()
    }

    #[test]
    fn reserved_keys_and_overlong_tags_are_refused() {
        for (key, value) in [
            ("aws:x", "1"),
            ("AWS:x", "1"),
            ("", "1"),
            (&"k".repeat(128), "1"),
            ("k", &"v".repeat(257)),
        ] {
            assert!(
                check_ec2(&Tags::new(), &one(key, value)).is_err(),
                "{key} {value}"
            );
        }
        for (key, value) in [
            ("aws:x", "1"),
            ("rds:x", "1"),
            ("k", "rds:mydb-2026-01-14-05-10"),
            ("k", "a&b"),
            ("k", "a*"),
            (&"k".repeat(129), "1"),
            ("k", &"v".repeat(257)),
        ] {
            assert!(
                check_rds(&Tags::new(), &one(key, value)).is_err(),
                "{key} {value}"
            );
        }
        assert_eq!(
            check_ec2(&Tags::new(), &one(&"k".repeat(127), "rds:fine & so")),
            Ok(())
        );
        let sync_tag = one(
            "Sync-From-us-east-1",
            "20260114051033+0000 / rds:mydb-2026-01-14-05-10",
        );
        assert_eq!(check_rds(&Tags::new(), &sync_tag), Ok(()));
    }

    #[test]
    fn the_fifty_first_tag_is_refused_and_one_written_over_is_none() {
        for check in [check_ec2, check_rds] {
            assert_eq!(check(&many(49, "k"), &one("new", "1")), Ok(()));
            assert!(check(&many(50, "k"), &one("new", "1")).is_err());
            assert_eq!(check(&many(50, "k"), &one("k0", "1")), Ok(()));
        }
    }

    #[test]
    fn tags_of_aws_itself_do_not_count() {
        let old = many(50, "aws:");
        assert_eq!(check_ec2(&old, &many(50, "k")), Ok(()));
    }
}
