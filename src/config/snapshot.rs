//! The options of `rds_automated_snapshot` jobs.

use super::job::Type;
use super::options::{Given, Options};
use super::text::quoted;
use crate::model::id::DbInstance;
use crate::model::job::{DEFAULT_MAX_SNAPSHOTS_TO_RETAIN, JobKind, SnapshotJob, SyncType};

pub(super) const TYPE: Type = Type {
    sync_type: SyncType::RdsAutomatedSnapshot,
    options: &[
        "db_instance",
        "max_snapshots_to_retain",
        "option_group_name",
    ],
    read,
};

fn read(options: &mut Options<'_>) -> Option<JobKind> {
    let db_instance = options
        .required(
            "db_instance",
            "the identifier of the DB instance whose automated snapshots are copied",
        )
        .and_then(|given| db_instance(options, given));
    let max_snapshots_to_retain = options
        .given(&["max_snapshots_to_retain"])
        .map_or(Some(DEFAULT_MAX_SNAPSHOTS_TO_RETAIN), |given| {
            options.whole_number(given, 0)
        });
    let option_group = options
        .given(&["option_group_name"])
        .map(|given| options.text(given).map(str::to_owned));

    let option_group_name = match option_group {
        Some(given) => Some(given?),
        None => None,
    };
    Some(JobKind::Snapshot(SnapshotJob {
        db_instance: db_instance?,
        max_snapshots_to_retain: max_snapshots_to_retain?,
        option_group_name,
        is_namesake: false,
    }))
}

/// RDS keeps identifiers in lower case: letters, digits and hyphens, 63 of them at most.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>.
fn db_instance(options: &mut Options<'_>, given: Given<'_>) -> Option<DbInstance> {
    let text = options.text(given)?;
    let is_identifier = text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_identifier {
        let help = "up to 63 letters, digits and hyphens, as `aws rds describe-db-instances` lists them; no ARN, no host name";
        options.must(
            given,
            "the identifier of a DB instance",
            Some(quoted(text)),
            Some(help),
        );
        return None;
    }
    Some(DbInstance::from(text.to_ascii_lowercase()))
}
