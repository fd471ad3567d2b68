//! The copy of an automated snapshot: its name, its key, its option group, its tags.

use super::claims::Claims;
use super::snapshot::{Case, sync_tag};
use super::tags::{self, Service};
use super::{Notes, action_id};
use crate::model::action::{CopySnapshot, ExpectedSource};
use crate::model::id::{Partition, SnapshotId};
use crate::model::lineage::{snapshot_origin, target_names};
use crate::model::problem::Problem;
use crate::model::sync_tag::key_on_copy;
use crate::model::words;

pub(super) fn decide(
    case: &Case<'_>,
    claims: &mut Claims,
    notes: &mut Notes,
) -> Result<CopySnapshot, Problem> {
    check_key(case)?;
    check_option_group(case)?;
    let Case {
        job,
        options,
        snapshot,
        source,
        ..
    } = case;
    let (tags, warnings) = tags::for_copy(&snapshot.tags, Service::Rds);
    notes.warnings.extend(warnings);
    Ok(CopySnapshot {
        id: action_id(&job.name, "copy"),
        reason: reason(case),
        db_instance: options.db_instance.clone(),
        source_snapshot_id: snapshot.id.clone(),
        source_snapshot_arn: snapshot.arn.clone(),
        source_region: job.source_region.clone(),
        target_snapshot_id: target(case, claims)?,
        tags,
        sync_tag: sync_tag(job, source),
        kms_key_id: job.kms_key_id.clone(),
        option_group_name: options.option_group_name.clone(),
        size_gib: snapshot.size_gib,
        expects: ExpectedSource {
            state: snapshot.status.to_string(),
            taken: source.taken,
        },
    })
}

/// Why a copy is due, and how far behind the destination is.
fn reason(case: &Case<'_>) -> String {
    let Case {
        job,
        options,
        source,
        copies,
        ..
    } = case;
    let due = format!(
        "newest automated snapshot {} of {} is not in {}",
        source.id,
        words::utc(source.taken),
        job.destination_region
    );
    let behind = copies
        .iter()
        .filter(|copy| copy.status.is_available())
        .filter_map(|copy| snapshot_origin(copy, &job.source_region)?.taken)
        .max()
        .map(|taken| words::span(source.taken.duration_since(taken).as_secs()));
    match behind {
        Some(span) => format!("{due}; newest copy there is {span} older"),
        None => format!(
            "{due}; there is no usable copy of {} yet",
            options.db_instance
        ),
    }
}

/// An encrypted snapshot cannot cross regions without a key of the other side; see
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
fn check_key(Case { job, snapshot, .. }: &Case<'_>) -> Result<(), Problem> {
    if snapshot.encrypted && job.kms_key_id.is_none() {
        return Err(Problem::new(format!(
            "snapshot {} is encrypted, and {} has no option kms_key_id",
            snapshot.id, job.name
        ))
        .help(format!(
            "set kms_key_id to a KMS key of {}",
            job.destination_region
        )));
    }
    if snapshot.encrypted && job.source_region.partition() == Partition::GovCloud {
        return Err(Problem::new(format!(
            "snapshot {} of {} is encrypted, and between GovCloud regions encrypted snapshots need a pre-signed \
             request, which xrs does not make",
            snapshot.id, job.name
        ))
        .help("copy it with the AWS CLI and --source-region, which signs the request"));
    }
    Ok(())
}

fn check_option_group(
    Case {
        job,
        options,
        snapshot,
        ..
    }: &Case<'_>,
) -> Result<(), Problem> {
    match &snapshot.option_group_name {
        Some(group) if !group.starts_with("default:") && options.option_group_name.is_none() => {
            Err(Problem::new(format!(
                "snapshot {} needs option group {group}, and {} has no option option_group_name",
                snapshot.id, job.name
            ))
            .help(format!(
                "set option_group_name to an option group of {} with the same options",
                job.destination_region
            )))
        }
        _ => Ok(()),
    }
}

/// The first identifier for the copy that nothing else holds.
fn target(case: &Case<'_>, claims: &mut Claims) -> Result<SnapshotId, Problem> {
    let Case {
        job,
        options,
        account,
        source,
        manual,
        ..
    } = case;
    let names = target_names(source.id, source.region);
    for name in names.skip(usize::from(options.is_namesake)) {
        match manual.iter().find(|snapshot| snapshot.id == name) {
            Some(holder)
                if holder.status.is_gone() || source.is_positively_not_source_of(holder) => {}
            Some(holder) => {
                return Err(Problem::new(format!(
                    "{} in {} holds the name of the copy of {}, and it cannot be told what it is",
                    holder.id, job.destination_region, source.id
                ))
                .help(format!(
                    "if it is that copy, tag it {}={}; else rename or delete it",
                    key_on_copy(&job.source_region),
                    sync_tag(job, source).value
                )));
            }
            None if claims.name(account, job, &name).is_none() => return Ok(name),
            None => {}
        }
    }
    Err(Problem::new(format!(
        "every name for a copy of {} is taken in {}",
        source.id, job.destination_region
    )))
}
