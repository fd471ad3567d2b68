//! Functions that read values of options, for `deserialize_with`. The config passes integers as text.

use std::fmt::Display;

use jiff::SignedDuration;
use serde::de::{Deserialize, Deserializer, Error};

use crate::model::words::duration;

/// Returns an error for a value, which says what it must be and what to do.
pub fn refused<E: Error>(must_be: impl Display, help: &str) -> E {
    E::custom(format!("{must_be}\n{help}"))
}

/// Reads text and turns it into a value.
///
/// # Errors
///
/// If it is not text, or `value` returns `None`.
pub fn from_text<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    must_be: &str,
    help: &str,
    value: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    value(&text).ok_or_else(|| refused(must_be, help))
}

/// Returns the account id of 12 digits that a text stands for, possibly with hyphens or blanks between the digits.
pub(super) fn account_id(text: &str) -> Option<String> {
    let digits = text.replace(['-', ' '], "");
    let is_id = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(digits)
}

/// Reads a duration such as `30d`; a day is 24 hours.
///
/// # Errors
///
/// If it is any other value, or not positive.
pub(super) fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = duration(text.trim());
    time.map(Some).map_err(|help| refused("a duration", &help))
}

/// Reads how soon a copy of an image must be complete. For what AWS offers, see
/// <https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html>.
///
/// # Errors
///
/// If it is any other value.
pub(super) fn completion_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    const STEP: i64 = 15 * 60;
    const LONGEST: i64 = 48 * 60 * 60;
    let must_be = "a duration from 15m to 48h, in steps of 15 minutes";
    let help = "for example, write 30m or 2h";
    from_text(deserializer, must_be, help, |text| {
        let time = duration(text.trim()).ok()?;
        let is_step = time.as_secs() % STEP == 0 && time.subsec_nanos() == 0;
        (is_step && time.as_secs() <= LONGEST).then_some(Some(time))
    })
}

/// Reads a whole number that is at least `MIN`. It may be in quotes, as in the gem.
///
/// # Errors
///
/// If it is any other value. A leading zero is refused: the gem then read the number as octal, and the versions of YAML disagree.
pub fn whole_number<'de, const MIN: u32, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u32, D::Error> {
    let must_be = format!("a whole number from {MIN} to {}", u32::MAX);
    let help = "write it in digits, without leading zeros";
    from_text(deserializer, &must_be, help, |text| {
        let text = text.trim();
        let is_plain = text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
        text.parse()
            .ok()
            .filter(|number| is_plain && *number >= MIN)
    })
}
