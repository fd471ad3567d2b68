//! The AWS calls that the sandbox answers, and the errors that it answers with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::ids::{AccountId, Region};
use crate::model::kind::Kind;
use crate::model::provider_error::{ErrorClass, ProviderError, plain_code};

/// The calls that change nothing.
pub(super) const READS: [&str; 9] = [
    "GetCallerIdentity",
    "DescribeImages",
    "DescribeImageReferences",
    "DescribeDBSnapshots",
    "DescribeDBClusterSnapshots",
    "DescribeAccountAttributes",
    "DescribeDBInstances",
    "DescribeOptionGroups",
    "ListTagsForResource",
];

/// The calls that change something.
pub(super) const WRITES: [&str; 9] = [
    "CopyImage",
    "CopyDBSnapshot",
    "CopyDBClusterSnapshot",
    "CreateTags",
    "AddTagsToResource",
    "DeleteDBSnapshot",
    "DeleteDBClusterSnapshot",
    "DeregisterImage",
    // EC2 makes this call for each snapshot of an image that is deregistered.
    "DeleteSnapshot",
];

/// AWS's names of the calls for the artifacts of one kind.
pub(super) struct Calls {
    pub(super) describe: &'static str,
    pub(super) copy: &'static str,
    pub(super) tag: &'static str,
    pub(super) delete: &'static str,
}

impl Calls {
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Image => Self {
                describe: "DescribeImages",
                copy: "CopyImage",
                tag: "CreateTags",
                delete: "DeregisterImage",
            },
            Kind::DbSnapshot => Self {
                describe: "DescribeDBSnapshots",
                copy: "CopyDBSnapshot",
                tag: "AddTagsToResource",
                delete: "DeleteDBSnapshot",
            },
            Kind::DbClusterSnapshot => Self {
                describe: "DescribeDBClusterSnapshots",
                copy: "CopyDBClusterSnapshot",
                tag: "AddTagsToResource",
                delete: "DeleteDBClusterSnapshot",
            },
        }
    }
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// AWS's name of the call.
    pub call: &'static str,
    /// The region that it went to.
    pub region: Region,
    /// The account of the caller.
    pub account: AccountId,
    /// Whether it is a call that changes something.
    pub write: bool,
    /// When it was made, by the world's clock.
    pub at: Timestamp,
    /// The code of the error that it was answered with, if any.
    pub error: Option<String>,
}

/// An error planned for the next matching calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Fault {
    /// AWS's name of the call.
    pub call: String,
    /// The region that it is limited to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// AWS's code, such as `RequestLimitExceeded`.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// How many more calls are answered with it; `null` for all.
    pub times: Option<u32>,
}

impl Fault {
    /// Returns a fault of a call in every region.
    pub fn new(call: &str, code: &str, message: &str, times: Option<u32>) -> Self {
        Self {
            call: call.to_owned(),
            region: None,
            code: code.to_owned(),
            message: message.to_owned(),
            times,
        }
    }
}

/// The answer to a call.
pub(super) type Reply<T> = Result<T, Refusal>;

/// An AWS error, before it is known which call it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// Returns the refusal of a wrong value; EC2 and RDS have the same code for it.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }

    /// Returns the error of the call that it answers.
    pub(super) fn answering(self, call: &'static str, region: &Region) -> ProviderError {
        let code = plain_code(&self.code).to_owned();
        let class = ErrorClass::of(call, &code, &self.message);
        ProviderError {
            call,
            region: region.clone(),
            code,
            message: self.message,
            class: class.unwrap_or(ErrorClass::Unknown),
        }
    }
}
