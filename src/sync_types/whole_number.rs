//! Numbers among the options of the config.

use serde::de::{Deserialize, Deserializer, Error};

/// Reads a whole number that is at least `MIN`. The config hands it over as the text that is written; the gem accepted quotes around
/// it, too.
///
/// # Errors
///
/// What it must be, and after a line break the way out.
pub fn whole_number<'de, const MIN: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // The gem read it as octal, and the versions of YAML disagree.
    if is_number && text.len() > 1 && text.starts_with('0') {
        return Err(D::Error::custom(
            "a whole number\nwrite it without leading zeros",
        ));
    }
    let number = text
        .parse()
        .ok()
        .filter(|number| is_number && *number >= MIN);
    let must_be = || format!("a whole number from {MIN} to {}\n", u32::MAX);
    number.ok_or_else(|| D::Error::custom(must_be()))
}
