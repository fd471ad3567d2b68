//! `rds_automated_snapshot`: the newest automated snapshot of one DB instance.

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
use crate::model::identity::own_option_group;
use crate::model::ids::ParentId;
use crate::model::inventory::Observation;
use crate::model::kind::SyncTypeName;
use crate::model::query::Queries;

/// Keeps copies of the newest automated snapshots of one RDS DB instance in the destination region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DbSnapshotOptions {
    /// The identifier of the DB instance in the source region.
    #[serde(deserialize_with = "db_instance")]
    #[schemars(
        with = "String",
        regex(pattern = "^(?=.{1,63}$)[A-Za-z](-?[A-Za-z0-9])*$")
    )]
    pub db_instance: ParentId,
    /// How many existing copies to keep besides the one being made.
    #[serde(
        default = "default_max_retained",
        deserialize_with = "whole_number::<0, _>"
    )]
    #[schemars(range(min = 0, max = u32::MAX), extend("x-per-destination" = true))]
    pub max_snapshots_to_retain: u32,
    /// How long copies of an earlier database of the same name are kept, such as `30d`. Without it, xrs never deletes them.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schemars(with = "Option<String>", extend("x-per-destination" = true))]
    pub retain_earlier_databases: Option<SignedDuration>,
    /// An option group of the destination region, needed if the snapshot's own has persistent or permanent options.
    #[serde(default, deserialize_with = "option_group")]
    #[schemars(regex(pattern = "^(?!arn:|[Nn][Oo][Nn][Ee]$)"), extend("x-per-destination" = true))]
    pub option_group_name: Option<String>,
}

/// Reads the name of an option group.
fn option_group<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let help = match name.rsplit_once(":og:") {
        Some((_, name)) => format!("write its name, {name}"),
        None => "write its name, or remove the option if no group is needed".to_owned(),
    };
    match name.starts_with("arn:") || name.eq_ignore_ascii_case("none") {
        true => Err(refused(
            "the name of an option group of the destination region",
            &help,
        )),
        false => Ok(Some(name)),
    }
}

/// Reads the identifier of a DB instance. RDS stores it in lower case.
fn db_instance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ParentId, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_identifier(&text) {
        return Ok(ParentId::from(text.to_ascii_lowercase()));
    }
    let help = identifier_help(&text, "db", "describe-db-instances");
    Err(refused("the identifier of a DB instance", &help))
}

/// How IAM names the snapshots of DB instances.
const IAM_NAMES: IamNames = IamNames {
    sid: "",
    resource: "snapshot",
    describe: "rds:DescribeDBSnapshots",
    copy: "rds:CopyDBSnapshot",
    delete: "rds:DeleteDBSnapshot",
};

impl SyncTypeRules for DbSnapshotOptions {
    fn sync_type(&self) -> SyncTypeName {
        SyncTypeName::RdsAutomatedSnapshot
    }

    fn queries(&self) -> Queries {
        Queries::of_parent(&self.db_instance)
    }

    fn parent(&self) -> Option<&ParentId> {
        Some(&self.db_instance)
    }

    fn choose_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        _: &mut Vec<String>,
    ) -> Result<&'a Artifact, FailReason> {
        newest_available(sources).ok_or_else(|| {
            let what = format!("automated snapshot of database {}", self.db_instance);
            let help = "check db_instance and source_region, and that automated backups of the database are enabled; for an Aurora \
                        cluster, use rds_automated_cluster_snapshot; AWS Backup makes no automated DB snapshots";
            no_source(&what, sources, &job.source_region, help)
        })
    }

    fn explained(&self, mut reason: FailReason, observation: &Observation) -> FailReason {
        if let (FailReason::NoSource { help, .. }, Some(cluster)) =
            (&mut reason, &observation.cluster)
        {
            *help = format!(
                "{} is a member of a DB cluster: use rds_automated_cluster_snapshot with db_cluster: {cluster}",
                self.db_instance
            );
        }
        reason
    }

    fn copy_settings(
        &self,
        job: &SyncJob,
        source: &Artifact,
        observation: &Observation,
        warnings: &mut Vec<String>,
    ) -> Result<CopySettings, FailReason> {
        // An encrypted snapshot can't be copied to another region without a key of that region; see
        // <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
        if source.encrypted == Some(true) && job.kms_key_id.is_none() {
            return Err(FailReason::NoKmsKey {
                source: source.id.clone(),
                destination: job.destination_region.clone(),
            });
        }
        let engine = source.engine().unwrap_or_default();
        // See <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/custom-copying-snapshot-sqlserver.html>.
        let option_group_name = if engine.starts_with("custom-sqlserver") {
            None
        } else {
            self.check_option_group(job, source, observation, warnings)?;
            self.option_group_name.clone()
        };
        Ok(CopySettings {
            option_group_name,
            ..CopySettings::default()
        })
    }

    fn copy_owner(&self, job: &SyncJob, copy: &Artifact) -> CopyOwner {
        copy_owner(&self.db_instance, job, copy)
    }

    fn retention(&self) -> Option<RetentionRules> {
        Some(RetentionRules {
            option: "max_snapshots_to_retain",
            max_retained: self.max_snapshots_to_retain,
            earlier_parents: self.retain_earlier_databases,
            keep_launched_within: None,
        })
    }

    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement> {
        let group = self.option_group_name.as_ref();
        let mut statements = permissions(&IAM_NAMES, &self.db_instance, job, stage, group);
        if stage == PolicyStage::Plan {
            let source = &job.source_region;
            let read = |sid, action| Statement::read(sid, action, [source]);
            statements.push(read("ReadOptionGroups", "rds:DescribeOptionGroups"));
            statements.push(read("ReadInstances", "rds:DescribeDBInstances"));
        }
        statements
    }
}

impl DbSnapshotOptions {
    /// Checks that the job has an option group if the source has persistent or permanent options, which stay with the data.
    fn check_option_group(
        &self,
        job: &SyncJob,
        source: &Artifact,
        observation: &Observation,
        warnings: &mut Vec<String>,
    ) -> Result<(), FailReason> {
        let Some(group) = own_option_group(source).filter(|_| self.option_group_name.is_none())
        else {
            return Ok(());
        };
        match observation.options.get(group) {
            Some(Ok(options)) if !options.is_empty() => Err(FailReason::NoOptionGroup {
                source: source.id.clone(),
                group: group.to_string(),
                options: options.clone(),
                destination: job.destination_region.clone(),
            }),
            Some(Err(error)) => {
                warnings.push(format!(
                    "it is unknown whether {} needs an option group in {}, because its own, {group}, can't be read: {error}",
                    source.id, job.destination_region
                ));
                Ok(())
            }
            Some(Ok(_)) | None => Ok(()),
        }
    }
}
