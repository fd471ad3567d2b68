//! The kinds of artifacts that AWS stores, and what AWS fixes for each kind.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an artifact is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An EC2 image (AMI).
    Image,
    /// An RDS DB snapshot.
    DbSnapshot,
    /// A snapshot of an Aurora or Multi-AZ DB cluster.
    DbClusterSnapshot,
}

/// What AWS fixes for a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindFacts {
    /// The noun for people, singular and plural.
    pub noun: (&'static str, &'static str),
    /// The service, as in ARNs, permissions and host names.
    pub service: &'static str,
    /// The command of the AWS CLI that adds a tag, without the tag. `{region}`, `{id}` and `{arn}` stand for those of the artifact.
    pub tag_command: &'static str,
    /// What the service accepts as tags.
    pub tag_rules: TagRules,
    /// How a copy gets its id.
    pub copy_id: CopyId,
    /// The greatest number of ids that one read asks for.
    pub ids_per_read: usize,
    /// How many copies from one region into another AWS makes at a time for one account.
    pub max_concurrent_copies: usize,
    /// AWS's name for the quota on how many of them an account may have in a region, if there is one.
    pub account_quota: Option<&'static str>,
    /// Whether AWS reports which resources use it. If so, it is deleted only if nothing uses it.
    pub has_references: bool,
    /// The engines of other services, whose artifacts AWS may list among those of this kind.
    pub other_engines: &'static [&'static str],
    /// Whether an id can be reused: an automated snapshot can get the id of an earlier one when its database is deleted and
    /// recreated. If so, times are compared as well as ids.
    pub ids_recur: bool,
    /// Whether a copy of a newer artifact of the same parent makes a copy of an older one unnecessary.
    pub newer_copy_suffices: bool,
    /// Whether AWS deletes sources after a while, as it does automated snapshots.
    pub sources_expire: bool,
    /// Whether it is a snapshot of something that may be a member of a cluster. A member has no snapshots of its own.
    pub parent_may_be_in_cluster: bool,
    /// Whether a copy becomes outdated while its source exists: a database changes; an image does not.
    pub data_ages: bool,
}

/// How a copy gets its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyId {
    /// AWS assigns it, and makes one copy per client token.
    AssignedByAws,
    /// The caller chooses it, and AWS makes no two copies with the same id.
    Chosen {
        /// The greatest length, in characters.
        max_length: usize,
    },
}

/// What a service accepts as tags, besides its limit of 50 per resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRules {
    /// Any characters. See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>.
    Ec2,
    /// Letters, digits and some symbols; neither key nor value may start with `aws:` or `rds:`.
    /// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html>.
    Rds,
}

const IMAGE: KindFacts = KindFacts {
    noun: ("image", "images"),
    service: "ec2",
    tag_command: "aws ec2 create-tags --region {region} --resources {id} --tags",
    tag_rules: TagRules::Ec2,
    copy_id: CopyId::AssignedByAws,
    // With more ids, EC2 answers `FilterLimitExceeded`.
    // See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
    ids_per_read: 200,
    // Older documentation says 50. The larger number is the safer one: if it is too large, AWS refuses a copy, which then waits; if
    // it were too small, copies would wait needlessly.
    // See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html>.
    max_concurrent_copies: 100,
    account_quota: None,
    has_references: true,
    other_engines: &[],
    ids_recur: false,
    newer_copy_suffices: false,
    sources_expire: false,
    parent_may_be_in_cluster: false,
    data_ages: false,
};

const DB_SNAPSHOT: KindFacts = KindFacts {
    noun: ("snapshot", "snapshots"),
    service: "rds",
    tag_command: "aws rds add-tags-to-resource --region {region} --resource-name {arn} --tags",
    tag_rules: TagRules::Rds,
    // See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
    copy_id: CopyId::Chosen { max_length: 255 },
    // RDS documents no limit. These fit on one page.
    ids_per_read: 100,
    // AWS does not raise it. See <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html>.
    max_concurrent_copies: 20,
    account_quota: Some("ManualSnapshots"),
    has_references: false,
    other_engines: &[],
    ids_recur: true,
    newer_copy_suffices: true,
    sources_expire: true,
    parent_may_be_in_cluster: true,
    data_ages: true,
};

const DB_CLUSTER_SNAPSHOT: KindFacts = KindFacts {
    noun: ("cluster snapshot", "cluster snapshots"),
    // See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBClusterSnapshot.html>.
    copy_id: CopyId::Chosen { max_length: 63 },
    // See <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-copy-snapshot.html>.
    max_concurrent_copies: 5,
    account_quota: Some("ManualClusterSnapshots"),
    has_references: false,
    parent_may_be_in_cluster: false,
    // Amazon DocumentDB and Amazon Neptune.
    other_engines: &["docdb", "neptune"],
    ..DB_SNAPSHOT
};

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Image, Self::DbSnapshot, Self::DbClusterSnapshot];

    /// Returns what AWS fixes for this kind.
    pub fn facts(self) -> &'static KindFacts {
        match self {
            Self::Image => &IMAGE,
            Self::DbSnapshot => &DB_SNAPSHOT,
            Self::DbClusterSnapshot => &DB_CLUSTER_SNAPSHOT,
        }
    }

    /// Returns the noun for people, in the singular or plural that fits the number.
    pub fn noun(self, number: usize) -> &'static str {
        let (one, many) = self.facts().noun;
        if number == 1 { one } else { many }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun(1))
    }
}

impl TagRules {
    /// Returns true if the service accepts this tag.
    pub fn can_have(self, key: &str, value: &str) -> bool {
        match self {
            // Both come from an EC2 resource, which has accepted them.
            Self::Ec2 => true,
            Self::Rds => {
                let is_reserved =
                    |text: &str| starts_with(text, "aws:") || starts_with(text, "rds:");
                let is_plain = |text: &str| {
                    text.chars()
                        .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
                };
                (1..=128).contains(&key.chars().count())
                    && value.chars().count() <= 256
                    && !is_reserved(key)
                    && !is_reserved(value)
                    && is_plain(key)
                    && is_plain(value)
            }
        }
    }
}

/// Returns true if the text starts with this, ignoring case.
fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

/// The type of a sync job, as the config and the plan spell it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SyncTypeName {
    /// One EC2 image.
    Ec2Ami,
    /// The automated snapshots of one RDS DB instance.
    RdsAutomatedSnapshot,
    /// The automated snapshots of one DB cluster.
    RdsAutomatedClusterSnapshot,
}

impl SyncTypeName {
    /// Every sync type.
    pub const ALL: [Self; 3] = [
        Self::Ec2Ami,
        Self::RdsAutomatedSnapshot,
        Self::RdsAutomatedClusterSnapshot,
    ];

    /// Returns the name in the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2Ami => "ec2_ami",
            Self::RdsAutomatedSnapshot => "rds_automated_snapshot",
            Self::RdsAutomatedClusterSnapshot => "rds_automated_cluster_snapshot",
        }
    }

    /// Returns the kind of artifact that jobs of this type copy.
    pub fn kind(self) -> Kind {
        match self {
            Self::Ec2Ami => Kind::Image,
            Self::RdsAutomatedSnapshot => Kind::DbSnapshot,
            Self::RdsAutomatedClusterSnapshot => Kind::DbClusterSnapshot,
        }
    }
}

impl fmt::Display for SyncTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
