//! The tags that EC2 and RDS refuse. These are AWS's rules; the planner has its own.

use super::calls::Refusal;
use crate::model::kind::Kind;
use crate::model::sync_tag::MAX_TAGS;
use crate::model::tags::Tags;

const MAX_VALUE: usize = 256;

/// Refuses tags that can't be added to the existing ones.
pub(super) fn check(kind: Kind, old: &Tags, new: &Tags) -> Result<(), Refusal> {
    // EC2's API model says 127 characters, its guide 128; 127 is safe with both.
    let (reserved, max_key): (&[&str], usize) = match kind {
        Kind::Image => (&["aws:"], 127),
        Kind::DbSnapshot | Kind::DbClusterSnapshot => (&["aws:", "rds:"], 128),
    };
    let is_reserved = |text: &str| {
        let text = text.to_ascii_lowercase();
        reserved.iter().any(|start| text.starts_with(start))
    };
    let is_fit_for_rds = |text: &str| !is_reserved(text) && text.chars().all(is_rds_char);
    let is_fit = |key: &str, value: &str| {
        (1..=max_key).contains(&key.chars().count())
            && value.chars().count() <= MAX_VALUE
            && match kind {
                Kind::Image => !is_reserved(key),
                Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                    is_fit_for_rds(key) && is_fit_for_rds(value)
                }
            }
    };
    if let Some((key, value)) = new.iter().find(|(key, value)| !is_fit(key, value)) {
        let message = format!(
            "The tag has a reserved prefix, a wrong length or an invalid character: {key}={value}"
        );
        return Err(Refusal::invalid(message));
    }
    // AWS's own tags do not count.
    let is_kept = |key: &&str| !new.contains_key(key) && !key.starts_with("aws:");
    if old.keys().filter(is_kept).count() + new.len() <= MAX_TAGS {
        return Ok(());
    }
    let message = format!("The maximum number of tags per resource is {MAX_TAGS}");
    Err(match kind {
        Kind::Image => Refusal::new("TagLimitExceeded", message),
        Kind::DbSnapshot | Kind::DbClusterSnapshot => Refusal::invalid(message),
    })
}

/// Returns true for letters, digits, white space and `_.:/=+-@`, as RDS documents.
fn is_rds_char(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}
