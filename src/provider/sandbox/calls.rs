//! The calls of AWS that the sandbox answers, the errors it answers them with, and the errors planned for them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::world::World;
use crate::model::client_config::Place;
use crate::model::id::{AccountId, Region};
use crate::model::provider_error::{ErrorKind, ProviderError, plain_code};

/// A call of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Who am I?
    GetCallerIdentity,
    /// Reads images.
    DescribeImages,
    /// Reads DB snapshots.
    DescribeDbSnapshots,
    /// Copies an image.
    CopyImage,
    /// Copies a DB snapshot.
    CopyDbSnapshot,
    /// Tags an image.
    CreateTags,
    /// Tags a DB snapshot.
    AddTagsToResource,
    /// Deletes a manual DB snapshot.
    DeleteDbSnapshot,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::GetCallerIdentity,
        Self::DescribeImages,
        Self::DescribeDbSnapshots,
        Self::CopyImage,
        Self::CopyDbSnapshot,
        Self::CreateTags,
        Self::AddTagsToResource,
        Self::DeleteDbSnapshot,
    ];

    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::DescribeImages => "DescribeImages",
            Self::DescribeDbSnapshots => "DescribeDBSnapshots",
            Self::CopyImage => "CopyImage",
            Self::CopyDbSnapshot => "CopyDBSnapshot",
            Self::CreateTags => "CreateTags",
            Self::AddTagsToResource => "AddTagsToResource",
            Self::DeleteDbSnapshot => "DeleteDBSnapshot",
        }
    }

    /// Whether it changes anything.
    pub fn is_write(self) -> bool {
        match self {
            Self::GetCallerIdentity | Self::DescribeImages | Self::DescribeDbSnapshots => false,
            Self::CopyImage
            | Self::CopyDbSnapshot
            | Self::CreateTags
            | Self::AddTagsToResource
            | Self::DeleteDbSnapshot => true,
        }
    }

    fn is_ec2(self) -> bool {
        matches!(
            self,
            Self::DescribeImages | Self::CopyImage | Self::CreateTags
        )
    }
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Its name, as AWS spells it.
    pub call: &'static str,
    /// The region that was asked.
    pub region: Region,
    /// As whom.
    pub account: AccountId,
    /// Whether it is one that changes the world.
    pub write: bool,
    /// When, by the world's clock.
    pub at: Timestamp,
    /// The error it was answered with, if it was.
    pub error: Option<String>,
}

/// An error planned for the next matching calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The call, as AWS spells it.
    pub call: String,
    /// The region; every one if none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// AWS's code, such as `RequestLimitExceeded`.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// How many calls are still to be answered so; `null` is for ever.
    pub times: Option<u32>,
}

impl Fault {
    /// A fault of that call in every region, for so many times.
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

/// An error of AWS, before it is known which call it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn answering(self, call: Call, region: &Region) -> ProviderError {
        let code = plain_code(&self.code);
        let kind = ErrorKind::of_code(code).unwrap_or(ErrorKind::Unknown);
        ProviderError {
            call: call.as_str(),
            region: region.clone(),
            code: code.to_owned(),
            message: self.message,
            kind,
        }
    }
}

/// What an answer comes to.
pub(super) type Answer<T> = Result<T, Refusal>;

/// Who asks, and where.
pub(super) struct Caller<'a> {
    pub(super) account: AccountId,
    pub(super) region: &'a Region,
}

impl World {
    /// As whom a place is reached: the account that its client config states, if its credentials can be of that account.
    pub(super) fn account_at(&self, at: &Place) -> AccountId {
        let stated = at.credentials.account_id.as_ref();
        stated
            .filter(|stated| self.accounts.contains(stated))
            .cloned()
            .unwrap_or_else(|| self.default_account())
    }

    /// What stops a call before its service looks at it: no such region, a planned error, credentials that have
    /// expired, a region that is not enabled.
    pub(super) fn admit(&mut self, call: Call, caller: &Caller<'_>) -> Answer<()> {
        let Some(enabled) = self.regions.get(caller.region).map(|region| region.enabled) else {
            let message = format!("could not connect to the endpoint of {}", caller.region);
            return Err(Refusal::new("DispatchFailure", message));
        };
        if let Some(refusal) = self.use_fault(call, caller.region) {
            return Err(refusal);
        }
        if self.expired_credentials.contains(&caller.account) {
            let (code, message) = if call.is_ec2() {
                ("RequestExpired", "Request has expired.")
            } else {
                (
                    "ExpiredToken",
                    "The security token included in the request is expired",
                )
            };
            return Err(Refusal::new(code, message));
        }
        if !enabled {
            return Err(if call.is_ec2() {
                Refusal::new(
                    "AuthFailure",
                    "AWS was not able to validate the provided access credentials",
                )
            } else {
                Refusal::new(
                    "OptInRequired",
                    "The AWS Access Key Id needs a subscription for the service",
                )
            });
        }
        Ok(())
    }

    /// Takes the first planned error that matches, and counts it down.
    fn use_fault(&mut self, call: Call, region: &Region) -> Option<Refusal> {
        let matches = |fault: &Fault| {
            fault.call == call.as_str()
                && fault.region.as_ref().is_none_or(|only| only == region)
                && fault.times != Some(0)
        };
        let at = self.faults.iter().position(matches)?;
        let fault = self.faults.get_mut(at)?;
        let refusal = Refusal::new(&fault.code, fault.message.as_str());
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(refusal)
    }
}
