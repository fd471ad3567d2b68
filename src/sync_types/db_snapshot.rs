//! `rds_automated_snapshot`: the newest automated snapshot of one DB instance.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::option_value::{from_text, length_of_time, refused, whole_number};
use super::permissions::{PolicyStage, Statement, arn, in_sid, stated_account};
use super::rules::{Belonging, CopySettings, RetentionRules, SyncJob, SyncTypeRules};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::{origin, own_option_group};
use crate::model::ids::ParentId;
use crate::model::inventory::Observation;
use crate::model::kind::SyncTypeName;
use crate::model::query::Queries;
use crate::model::sync_tag::{SYNC_KEEP, key_on_copy, key_on_source};

/// The date and time at the end of the ids of automated snapshots. It distinguishes those of `orders` from those of `orders-eu`.
const TIME: &str = "????-??-??-??-??";

/// Keeps copies of the newest automated snapshots of one RDS DB instance in the destination region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DbSnapshotOptions {
    /// The identifier of the DB instance in the source region.
    #[serde(deserialize_with = "db_instance")]
    #[schemars(with = "String", regex(pattern = "^[A-Za-z][A-Za-z0-9-]{0,62}$"))]
    pub db_instance: ParentId,
    /// How many existing copies to keep besides the one being made.
    #[serde(
        default = "default_max_retained",
        deserialize_with = "whole_number::<0, _>"
    )]
    #[schemars(range(min = 0, max = u32::MAX), extend("x-per-destination" = true))]
    pub max_snapshots_to_retain: u32,
    /// How long copies of an earlier database of the same name are kept, such as `30d`. Without it, xrs never deletes them.
    #[serde(default, deserialize_with = "length_of_time")]
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

fn default_max_retained() -> u32 {
    2
}

/// Reads the identifier of a DB instance. RDS stores it in lower case.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>.
fn db_instance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ParentId, D::Error> {
    let must_be = "the identifier of a DB instance";
    let help = "up to 63 letters, digits and hyphens, as listed by `aws rds describe-db-instances`; not an ARN or a host name";
    from_text(deserializer, must_be, help, |text| {
        let is_identifier = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_identifier.then(|| ParentId::from(text.to_ascii_lowercase()))
    })
}

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
        let available = sources
            .iter()
            .filter(|snapshot| snapshot.state.is_available() && snapshot.source_time().is_some());
        let newest = available.max_by_key(|snapshot| (snapshot.source_time(), &snapshot.id));
        newest.ok_or_else(|| self.no_source(job, sources))
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
        if source.encrypted && job.kms_key_id.is_none() {
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

    fn belonging(&self, job: &SyncJob, copy: &Artifact) -> Belonging {
        let is_from_source = origin(copy, &job.source_region).is_some();
        if is_from_source && copy.parent.as_ref() == Some(&self.db_instance) {
            Belonging::ThisJob
        } else {
            Belonging::OtherJob
        }
    }

    fn retention(&self) -> Option<RetentionRules> {
        Some(RetentionRules {
            max_retained: self.max_snapshots_to_retain,
            earlier_parents: self.retain_earlier_databases,
        })
    }

    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement> {
        let (source, destination) = (&job.source_region, &job.destination_region);
        let regions = [source, destination];
        let read = Statement::read("ReadSnapshots", "rds:DescribeDBSnapshots", regions);
        if stage == PolicyStage::Plan {
            let limits = "rds:DescribeAccountAttributes";
            let options = "rds:DescribeOptionGroups";
            return vec![
                read,
                Statement::read("ReadTagsOfCopies", "rds:ListTagsForResource", [destination]),
                Statement::read("ReadLimits", limits, [destination]),
                Statement::read("ReadOptionGroups", options, [source]),
            ];
        }
        let account = stated_account(&job.client_config);
        let arn = |region, resource: &str| arn("rds", region, account, resource);
        let database = &self.db_instance;
        // RDS gives automated snapshots these names; the second is for those taken before an upgrade.
        let names = [
            format!("{database}-{TIME}*"),
            format!("preupgrade-{database}-*"),
        ];
        let sources = names
            .each_ref()
            .map(|name| arn(source, &format!("snapshot:rds:{name}")));
        // These match the ids that copies get, which may end in a region and a number.
        let copies = names.map(|name| arn(destination, &format!("snapshot:rds-{name}")));
        let group = self.option_group_name.as_ref();
        let group = group.map(|group| arn(destination, &format!("og:{group}")));
        let all = sources.iter().chain(&copies).cloned().chain(group);
        let copy = Statement::new("CopySnapshots", &["rds:CopyDBSnapshot"], all);
        let tag = |sid, artifacts| Statement::new(sid, &["rds:AddTagsToResource"], artifacts);
        let keys = [key_on_source(destination)];
        // The key of the sync tag names the region, so each source region has a statement of its own.
        let sid = format!("DeleteCopiesFrom{}", in_sid(source));
        let delete = Statement::new(sid, &["rds:DeleteDBSnapshot"], copies.clone());
        let sync_tag = format!("aws:ResourceTag/{}", key_on_copy(source));
        vec![
            read,
            copy,
            tag("TagCopiesOfSnapshots", copies),
            tag("TagSourceSnapshots", sources).when(
                "ForAllValues:StringEquals",
                "aws:TagKeys",
                keys,
            ),
            delete.when("Null", sync_tag, ["false".to_owned()]).when(
                "Null",
                format!("aws:ResourceTag/{SYNC_KEEP}"),
                ["true".to_owned()],
            ),
        ]
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

    fn no_source(&self, job: &SyncJob, sources: &[Artifact]) -> FailReason {
        let states = sources
            .iter()
            .map(|snapshot| format!("{} ({})", snapshot.id, snapshot.state));
        let mut instead: Vec<String> = states.collect();
        instead.sort();
        let (which, help) = if sources.is_empty() {
            (
                "",
                "check db_instance and source_region, and that automated backups of the database are enabled; Aurora clusters and \
                 AWS Backup make no automated DB snapshots",
            )
        } else {
            ("available ", "plan again when one is available")
        };
        FailReason::NoSource {
            what: format!("{which}automated snapshot of database {}", self.db_instance),
            instead,
            region: job.source_region.clone(),
            help: help.to_owned(),
        }
    }
}
