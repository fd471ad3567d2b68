//! What can go wrong, as data: each problem is put into words where it arises, and rendered at the end.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Region;

/// What is wrong, where it is, and what to do about it.
///
/// A problem is a mistake in the config (`at`), a call that AWS refused (`aws`), or a decision that can't be made (neither).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What is wrong, without a capital letter at the start and a full stop at the end.
    pub message: String,
    /// Where it is in the config, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<TextPlace>,
    /// What AWS answered, if AWS refused a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Box<AwsFailure>>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// Returns a problem with nothing but a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
            aws: None,
            help: None,
        }
    }

    /// Returns the same problem with help on what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the same problem with its place in the config.
    #[must_use]
    pub fn at(mut self, at: TextPlace) -> Self {
        self.at = Some(at);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "line {}, column {}: ", at.line, at.column)?;
        }
        f.write_str(&self.message)?;
        if let Some(aws) = &self.aws {
            write!(f, ": {aws}")?;
        }
        Ok(())
    }
}

/// A place in a text file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct TextPlace {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The number of characters there; at least 1.
    pub length: usize,
}

/// What AWS answered to a call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwsFailure {
    /// The call, such as `DescribeDBSnapshots`.
    pub call: String,
    /// The region that the call went to.
    pub region: Region,
    /// AWS's code, such as `AccessDenied`; a code of xrs, such as `Timeout`, if AWS did not answer.
    pub code: String,
    /// AWS's message, without request ids and other parts that differ from one answer to the next.
    pub message: String,
}

impl fmt::Display for AwsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, region) = (&self.call, &self.region);
        write!(f, "{call} in {region}: {}: {}", self.code, self.message)
    }
}
