//! What can go wrong, as data: said once, where it happened, and shown at the edge.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::id::Region;

/// Something wrong, with its place and the way out.
///
/// The same shape serves a mistake in the config (`at`), a call that AWS refused (`aws`), and a choice
/// that cannot be made (neither).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TextPlace {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub length: usize,
}

/// What AWS answered to a call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Why a call to the provider did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{call} in {region}: {code}: {message}")]
pub struct ProviderError {
    /// The call, such as `CopyImage`.
    pub call: &'static str,
    /// The region that was asked.
    pub region: Region,
    /// AWS's code.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// What it comes to.
    pub kind: ErrorKind,
}

/// What an error of AWS comes to. Closed, so that what follows from each is a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// What was asked for is not there, said in so many words. Everything else leaves that open.
    Absent,
    /// Not allowed.
    Denied,
    /// Too many requests; asking again later helps.
    Throttled,
    /// A limit of the account: copies in flight, or snapshots stored (the message tells which).
    Quota,
    /// The credentials have expired, or there are none.
    Expired,
    /// The request itself was refused: a conflict, a wrong value, a wrong state.
    Invalid,
    /// None of these: time-outs, lost connections, errors inside AWS.
    Unknown,
}

impl ProviderError {
    /// Whether AWS takes no more copies for the moment. One code stands for that and for a limit on snapshots
    /// stored, which waiting does not help against; only the message tells them apart.
    pub fn is_too_many_copies_in_flight(&self) -> bool {
        match self.code.as_str() {
            "ResourceLimitExceeded" => self.call == "CopyImage",
            "SnapshotQuotaExceeded" => self.message.contains("Cannot copy more than"),
            _ => false,
        }
    }

    /// The problem to report, with the way out that its kind suggests.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let Self {
            call,
            region,
            code,
            message: aws_message,
            kind,
        } = self;
        let aws = AwsFailure {
            call: (*call).to_owned(),
            region: region.clone(),
            code: code.clone(),
            message: aws_message.clone(),
        };
        let help = match kind {
            ErrorKind::Absent => None,
            ErrorKind::Denied => Some(format!(
                "allow {} to these credentials in {region}",
                permission(call)
            )),
            ErrorKind::Throttled => Some("ask again later, or lower --parallelism".to_owned()),
            ErrorKind::Quota => Some(
                "wait for the copies in flight and apply again, or have the limit raised"
                    .to_owned(),
            ),
            ErrorKind::Expired => Some(
                "sign in again, or see that aws_client_config names credentials that are valid"
                    .to_owned(),
            ),
            ErrorKind::Invalid => None,
            ErrorKind::Unknown => Some(format!(
                "see that {region} exists, is enabled and can be reached; then try again"
            )),
        };
        Problem {
            message: message.into(),
            at: None,
            aws: Some(Box::new(aws)),
            help,
        }
    }
}

/// The IAM action that a call needs: its service and its name.
fn permission(call: &str) -> String {
    let service = match call {
        "AssumeRole" | "GetCallerIdentity" => "sts",
        call if call.contains("DBSnapshot") || call == "AddTagsToResource" => "rds",
        _ => "ec2",
    };
    format!("{service}:{call}")
}
