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
            /// Returns the identifier as AWS writes it.
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
    /// The name of a sync job: its key in the config, such as `sync_my_database`; if the entry lists destinations, followed by the
    /// region of one of them, as in `sync_my_database@us-west-1`.
    JobName;
    /// An AWS region code, such as `us-east-1`.
    Region;
    /// The twelve digits of an AWS account.
    AccountId;
    /// The id of an image or snapshot, such as `ami-0123456789abcdef0` or `rds:mydatabase-2026-01-14-05-10`.
    ArtifactId;
    /// The ARN of an image or snapshot.
    Arn;
    /// The identifier of what a snapshot was taken of, a DB instance, in lower case, as RDS stores it.
    ParentId;
    /// The id of an action within a plan, such as `sync_my_database/copy`.
    ActionId;
}

/// The parts of an ARN, such as `arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydatabase-2026-01-14-05-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// The region.
    pub region: &'a str,
    /// The account; ARNs of images have none.
    pub account: Option<&'a str>,
    /// The id of the image or snapshot at the end, colons included.
    pub id: &'a str,
}

/// The partitions other than `aws`, by the start of their region codes.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

impl JobName {
    /// Returns the name of the job for one of the destinations that an entry of the config lists.
    pub fn of_destination(key: &str, region: &Region) -> Self {
        Self::from(format!("{key}@{region}"))
    }

    /// Returns the key in the config: `sync_my_database` for `sync_my_database@us-west-1`.
    pub fn key(&self) -> &str {
        self.0.split('@').next().unwrap_or(&self.0)
    }

    /// Returns true if a requested name selects the job: its own name, or its key, which selects every destination.
    pub fn is_selected_by(&self, name: &Self) -> bool {
        self == name || self.key() == name.as_str()
    }
}

impl Region {
    /// Returns the partition of the region, such as `aws`: AWS keeps partitions apart, so nothing is copied from one to another.
    ///
    /// See <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
    pub fn partition(&self) -> &'static str {
        let mut partitions = PARTITIONS.iter();
        let partition = partitions.find(|(start, _)| self.0.starts_with(start));
        partition.map_or("aws", |(_, partition)| partition)
    }

    /// Returns true if a text has the form of a region code, such as `us-east-1` or `us-gov-west-1`. There is no list to compare
    /// with, because AWS adds regions every year.
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

    /// Returns the parts of the ARN, or `None` if the text is not one.
    pub fn parts(&self) -> Option<ArnParts<'_>> {
        let mut parts = self.0.strip_prefix("arn:")?.splitn(5, ':').skip(2);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, id) = resource.split_once([':', '/'])?;
        Some(ArnParts {
            region,
            account: Some(account).filter(|account| !account.is_empty()),
            id,
        })
    }

    /// Returns the region in the ARN, if the text is an ARN.
    pub fn region(&self) -> Option<&str> {
        self.parts().map(|parts| parts.region)
    }

    /// Returns the account in the ARN, if it has one.
    pub fn account(&self) -> Option<&str> {
        self.parts()?.account
    }

    /// Returns the id of the image or snapshot at the end of the ARN, colons included.
    pub fn id(&self) -> Option<&str> {
        self.parts().map(|parts| parts.id)
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
            "us-iso-east-1",
            "mx-central-1",
        ] {
            assert!(Region::is_well_formed(good), "{good}");
        }
        let bad = "us,us-east,us-east-1a,US-EAST-1,us east 1,us-east-123,-east-1,";
        for bad in bad.split(',') {
            assert!(!Region::is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn partitions_follow_the_region_code() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(Region::from(region).partition(), partition);
        }
    }

    #[test]
    fn an_arn_gives_region_account_and_id() {
        let image = Arn::of_image(&Region::from("cn-north-1"), &ArtifactId::from("ami-1"));
        assert_eq!(image.as_str(), "arn:aws-cn:ec2:cn-north-1::image/ami-1");
        let snapshot =
            Arn::from("arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydb-2026-01-14-05-10");
        for (arn, region, account, id) in [
            (image, Some("cn-north-1"), None, Some("ami-1")),
            (
                snapshot,
                Some("us-east-1"),
                Some("123456789012"),
                Some("rds:mydb-2026-01-14-05-10"),
            ),
            (Arn::from("nonsense"), None, None, None),
        ] {
            assert_eq!(
                (arn.region(), arn.account(), arn.id()),
                (region, account, id)
            );
        }
    }
}
