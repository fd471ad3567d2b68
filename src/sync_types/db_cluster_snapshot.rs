//! `rds_automated_cluster_snapshot`: the newest automated snapshot of one DB cluster, Aurora or Multi-AZ.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::automated::{
    IamNames, copy_owner, default_max_retained, identifier_help, is_identifier, newest_available,
    no_source, permissions,
};
use super::option_value::{optional_duration, refused, whole_number};
use super::permissions::{PolicyStage, Statement};
use super::rules::{CopyOwner, CopySettings, RetentionRules, SyncJob, SyncTypeRules};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::ids::ParentId;
use crate::model::inventory::Observation;
use crate::model::kind::SyncTypeName;
use crate::model::query::Queries;
use crate::model::words::list;

/// Keeps copies of the newest automated snapshots of one Aurora or Multi-AZ DB cluster in the destination region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DbClusterSnapshotOptions {
    /// The identifier of the DB cluster in the source region, in lower case.
    #[serde(deserialize_with = "db_cluster")]
    #[schemars(with = "String", regex(pattern = "^(?=.{1,63}$)[a-z](-?[a-z0-9])*$"))]
    pub db_cluster: ParentId,
    /// How many existing copies to keep besides the one being made.
    #[serde(
        default = "default_max_retained",
        deserialize_with = "whole_number::<0, _>"
    )]
    #[schemars(range(min = 0, max = u32::MAX), extend("x-per-destination" = true))]
    pub max_snapshots_to_retain: u32,
    /// How long copies of an earlier cluster of the same name are kept, such as `30d`. Without it, xrs never deletes them.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schemars(with = "Option<String>", extend("x-per-destination" = true))]
    pub retain_earlier_databases: Option<SignedDuration>,
}

/// Reads the identifier of a DB cluster.
fn db_cluster<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ParentId, D::Error> {
    let text = String::deserialize(deserializer)?;
    let lower = text.to_ascii_lowercase();
    if is_identifier(&text) && text == lower {
        return Ok(ParentId::from(text));
    }
    let help = if is_identifier(&text) {
        format!("RDS stores it in lower case: write {lower}")
    } else {
        identifier_help(&lower, "cluster", "describe-db-clusters")
    };
    Err(refused("the identifier of a DB cluster", &help))
}

/// How IAM names the snapshots of DB clusters.
const IAM_NAMES: IamNames = IamNames {
    sid: "Cluster",
    resource: "cluster-snapshot",
    describe: "rds:DescribeDBClusterSnapshots",
    copy: "rds:CopyDBClusterSnapshot",
    delete: "rds:DeleteDBClusterSnapshot",
};

impl SyncTypeRules for DbClusterSnapshotOptions {
    fn sync_type(&self) -> SyncTypeName {
        SyncTypeName::RdsAutomatedClusterSnapshot
    }

    fn queries(&self) -> Queries {
        Queries::of_parent(&self.db_cluster)
    }

    fn parent(&self) -> Option<&ParentId> {
        Some(&self.db_cluster)
    }

    fn choose_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Result<&'a Artifact, FailReason> {
        let is_other = |snapshot: &&Artifact| snapshot.is_of_other_service();
        let (others, own): (Vec<_>, Vec<_>) = sources.iter().partition(is_other);
        if !others.is_empty() {
            let mut ids: Vec<_> = others.iter().map(|snapshot| &snapshot.id).collect();
            ids.sort();
            warnings.push(format!(
                "snapshots of Amazon DocumentDB and Amazon Neptune are not copied: {}",
                list(ids)
            ));
        }
        newest_available(own.iter().copied()).ok_or_else(|| {
            let what = format!("automated snapshot of cluster {}", self.db_cluster);
            let help = "check db_cluster and source_region; for a DB instance, use rds_automated_snapshot with db_instance";
            no_source(&what, own, &job.source_region, help)
        })
    }

    /// Unlike snapshots of instances, unencrypted snapshots of clusters can't be copied with a key. See
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBClusterSnapshot.html>.
    fn copy_settings(
        &self,
        job: &SyncJob,
        source: &Artifact,
        _: &Observation,
        _: &mut Vec<String>,
    ) -> Result<CopySettings, FailReason> {
        match (source.encrypted, &job.kms_key_id) {
            (Some(true), None) => Err(FailReason::NoKmsKey {
                source: source.id.clone(),
                destination: job.destination_region.clone(),
            }),
            (Some(false), Some(_)) => Err(FailReason::NeedlessKmsKey {
                source: source.id.clone(),
            }),
            (Some(true), Some(_)) | (Some(false) | None, None) | (None, Some(_)) => {
                Ok(CopySettings::default())
            }
        }
    }

    fn copy_owner(&self, job: &SyncJob, copy: &Artifact) -> CopyOwner {
        copy_owner(&self.db_cluster, job, copy)
    }

    fn retention(&self) -> Option<RetentionRules> {
        Some(RetentionRules {
            option: "max_snapshots_to_retain",
            max_retained: self.max_snapshots_to_retain,
            keep_launched_within: None,
            earlier_parents: self.retain_earlier_databases,
        })
    }

    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement> {
        permissions(&IAM_NAMES, &self.db_cluster, job, stage, None)
    }
}
