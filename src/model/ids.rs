//! Identifiers that look alike and must not be confused.
//!
//! ```compile_fail
//! use aws_xregion_sync::model::ids::{ArtifactId, ParentId};
//! let database: ParentId = ArtifactId::from("rds:mydatabase-2026-01-14-05-10");
//! ```

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )+};
}

text_id! {
    /// The name of a sync job: its key in the config, such as `sync_my_database`.
    JobName;
    /// An AWS region code, such as `us-east-1`.
    Region;
    /// The twelve digits of an AWS account.
    AccountId;
    /// The id of an image or snapshot, such as `ami-0123456789abcdef0` or `rds:mydatabase-2026-01-14-05-10`.
    ArtifactId;
    /// The ARN of an image or snapshot.
    Arn;
    /// The identifier of what a snapshot was taken of, in lower case, as RDS stores it: a DB instance.
    ParentId;
    /// The id of an action within a plan, such as `sync_my_database/copy`.
    ActionId;
}

/// A group of regions that AWS keeps apart from all others; nothing is copied from one to another.
///
/// See <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// `aws`, the commercial regions.
    Commercial,
    /// `aws-cn`, the regions in China.
    China,
    /// `aws-us-gov`, AWS GovCloud (US).
    GovCloud,
    /// One of the isolated partitions (`aws-iso`, `aws-iso-b`, …), told apart by the start of their region codes.
    Isolated(&'static str),
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commercial => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::Isolated(name) => name,
        })
    }
}

impl Region {
    /// The partition this region belongs to, by the start of its code.
    pub fn partition(&self) -> Partition {
        let starts = |prefix: &str| self.as_str().starts_with(prefix);
        if starts("cn-") {
            Partition::China
        } else if starts("us-gov-") {
            Partition::GovCloud
        } else if starts("us-isob-") {
            Partition::Isolated("aws-iso-b")
        } else if starts("us-isof-") || starts("eu-isoe-") {
            Partition::Isolated(if starts("eu-") {
                "aws-iso-e"
            } else {
                "aws-iso-f"
            })
        } else if starts("us-iso-") {
            Partition::Isolated("aws-iso")
        } else if starts("eusc-") {
            Partition::Isolated("aws-eusc")
        } else {
            Partition::Commercial
        }
    }

    /// Whether the text has the form of a region code: `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
    /// New regions come every year, so there is no list to compare with.
    pub fn is_well_formed(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        let Some((number, words)) = parts.split_last() else {
            return false;
        };
        let is_word = |part: &&str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase());
        text.len() <= 32
            && words.len() >= 2
            && words.iter().all(is_word)
            && (1..=2).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
    }
}

impl Arn {
    /// Returns the ARN of an image. EC2 states the id and the region of an image, not its ARN.
    pub fn of_image(region: &Region, id: &ArtifactId) -> Self {
        Self::from(format!(
            "arn:{}:ec2:{region}::image/{id}",
            region.partition()
        ))
    }

    /// Returns the part after the nth colon, as in `arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydatabase-…`.
    fn part(&self, n: usize) -> Option<&str> {
        let part = self.0.splitn(6, ':').nth(n);
        part.filter(|_| self.0.starts_with("arn:"))
    }

    /// Returns the region in the ARN, if the text is an ARN.
    pub fn region(&self) -> Option<&str> {
        self.part(3)
    }

    /// Returns the account in the ARN, if it has one: ARNs of images have none.
    pub fn account(&self) -> Option<&str> {
        self.part(4).filter(|account| !account.is_empty())
    }

    /// Returns the id of the image or snapshot at the end of the ARN, colons included.
    pub fn id(&self) -> Option<&str> {
        let (_, id) = self.part(5)?.split_once([':', '/'])?;
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_codes_are_told_from_other_text() {
        for good in [
            "us-east-1",
            "us-gov-west-1",
            "ap-southeast-2",
            "us-iso-east-1",
            "mx-central-1",
        ] {
            assert!(Region::is_well_formed(good), "{good}");
        }
        for bad in [
            "",
            "us",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "us east 1",
            "us-east-123",
            "-east-1",
        ] {
            assert!(!Region::is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn partitions_follow_the_region_code() {
        assert_eq!(Region::from("cn-north-1").partition(), Partition::China);
        assert_eq!(
            Region::from("us-gov-east-1").partition(),
            Partition::GovCloud
        );
        assert_eq!(Region::from("eu-west-1").partition(), Partition::Commercial);
        assert_eq!(
            Region::from("us-isob-east-1").partition(),
            Partition::Isolated("aws-iso-b")
        );
    }

    #[test]
    fn an_arn_gives_region_account_and_id() {
        let arn =
            Arn::from("arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydb-2026-01-14-05-10");
        assert_eq!(arn.region(), Some("us-east-1"));
        assert_eq!(arn.account(), Some("123456789012"));
        assert_eq!(arn.id(), Some("rds:mydb-2026-01-14-05-10"));
        let arn = Arn::of_image(&Region::from("cn-north-1"), &ArtifactId::from("ami-1"));
        assert_eq!(arn.as_str(), "arn:aws-cn:ec2:cn-north-1::image/ami-1");
        assert_eq!(
            (arn.region(), arn.account(), arn.id()),
            (Some("cn-north-1"), None, Some("ami-1"))
        );
        assert_eq!(Arn::from("nonsense").region(), None);
    }
}
