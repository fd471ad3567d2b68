//! What can go wrong, as data: said once, where it happened, and shown at the edge.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Region;

/// Something wrong, with its place and the way out.
///
/// The same shape serves a mistake in the config (`at`), a call that AWS refused (`aws`), and a choice
/// that cannot be made (neither).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What is wrong; lower case at the start, no full stop at the end.
    pub message: String,
    /// Where in the config, if that is where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<TextPlace>,
    /// AWS's own words, if AWS said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Box<AwsFailure>>,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: None,
            aws: None,
            help: None,
        }
    }

    /// The same, with the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, at a place of the config.
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
    /// How many characters are meant; at least 1.
    pub length: usize,
}

/// What AWS answered to a call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwsFailure {
    /// The call, such as `DescribeDBSnapshots`.
    pub call: String,
    /// The region that was asked.
    pub region: Region,
    /// AWS's code, such as `AccessDenied`; for failures on the way there, one of ours, such as `Timeout`.
    pub code: String,
    /// AWS's message, without request ids and what else differs from one answer to the next.
    pub message: String,
}

impl fmt::Display for AwsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call,
            region,
            code,
            message,
        } = self;
        write!(f, "{call} in {region}: {code}: {message}")
    }
}
