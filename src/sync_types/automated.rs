//! What the sync types of automated snapshots share.

use super::permissions::{PolicyStage, Statement, arn, in_sid, stated_account};
use super::rules::{CopyOwner, SyncJob};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::{copy_id_pattern, origin};
use crate::model::ids::{ParentId, Region};
use crate::model::sync_tag::{SYNC_KEEP, key_on_copy, key_on_source};

/// The date and time at the end of the ids of automated snapshots. It distinguishes those of `orders` from those of `orders-eu`.
const TIME: &str = "????-??-??-??-??";

/// How IAM names the snapshots of one kind, and the calls for them.
pub(super) struct IamNames {
    /// The part before `Snapshots` in Sids.
    pub(super) sid: &'static str,
    /// The type of resource in ARNs.
    pub(super) resource: &'static str,
    /// The action that lists snapshots.
    pub(super) describe: &'static str,
    /// The action that copies a snapshot.
    pub(super) copy: &'static str,
    /// The action that deletes a snapshot.
    pub(super) delete: &'static str,
}

/// Returns how many copies are retained if the config does not say.
pub(super) fn default_max_retained() -> u32 {
    2
}

/// Returns true if a text is a valid identifier of a DB instance or cluster.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>.
pub(super) fn is_identifier(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(is_allowed)
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Returns what to write instead of a text that is not an identifier. `resource` is the type of resource in the ARN of a DB
/// instance or cluster, and `list` is the command of the AWS CLI that lists identifiers.
pub(super) fn identifier_help(text: &str, resource: &str, list: &str) -> String {
    let of_arn = text.rsplit_once(&format!(":{resource}:"));
    if let Some((_, name)) = of_arn.filter(|(_, name)| is_identifier(name)) {
        return format!("write its identifier, {name}");
    }
    let snapshot = text.rsplit_once("rds:").map(|(_, id)| id);
    if let Some(name) = snapshot.and_then(parent_in_id) {
        return format!("this is a snapshot; write the identifier of its database, {name}");
    }
    let host = text.split_once('.').map(|(name, _)| name);
    if let Some(name) = host.filter(|name| is_identifier(name)) {
        return format!("this is a host name; write the identifier, {name}");
    }
    format!(
        "up to 63 letters, digits and single hyphens, with a letter first and no hyphen last; `aws rds {list}` lists them"
    )
}

/// Returns the parent that the id of an automated snapshot names after `rds:`. The id of a snapshot taken before an upgrade does
/// not show where the name of the parent ends.
fn parent_in_id(id: &str) -> Option<&str> {
    let (parent, end) = id.split_at_checked(id.len().checked_sub(TIME.len() + 1)?)?;
    let time = end.strip_prefix('-')?;
    let is_time = time.bytes().zip(TIME.bytes()).all(|(byte, of)| match of {
        b'?' => byte.is_ascii_digit(),
        _ => byte == of,
    });
    (is_time && is_identifier(parent) && !parent.starts_with("preupgrade-")).then_some(parent)
}

/// Returns the newest available snapshot with a time.
pub(super) fn newest_available<'a>(
    sources: impl IntoIterator<Item = &'a Artifact>,
) -> Option<&'a Artifact> {
    sources
        .into_iter()
        .filter(|snapshot| snapshot.state.is_available() && snapshot.source_time().is_some())
        .max_by_key(|snapshot| (snapshot.source_time(), &snapshot.id))
}

/// Returns why there is no source. `what` names the snapshots that are missing, and `help` says what to check if there are none in
/// any state.
pub(super) fn no_source<'a>(
    what: &str,
    sources: impl IntoIterator<Item = &'a Artifact>,
    region: &Region,
    help: &str,
) -> FailReason {
    let sources = sources.into_iter();
    let states = sources.map(|snapshot| format!("{} ({})", snapshot.id, snapshot.state));
    let mut instead: Vec<String> = states.collect();
    instead.sort();
    let (which, help) = if instead.is_empty() {
        ("", help)
    } else {
        ("available ", "plan again when one is available")
    };
    FailReason::NoSource {
        what: format!("{which}{what}"),
        instead,
        region: region.clone(),
        help: help.to_owned(),
    }
}

/// Returns whether a copy belongs to a job for the snapshots of `parent`.
pub(super) fn copy_owner(parent: &ParentId, job: &SyncJob, copy: &Artifact) -> CopyOwner {
    let is_from_source = origin(copy, &job.source_region).is_some();
    if is_from_source && copy.parent.as_ref() == Some(parent) {
        CopyOwner::ThisJob
    } else {
        CopyOwner::OtherJob
    }
}

/// Returns the IAM statements that a stage of a job for the snapshots of `parent` needs. `group` is the option group of copies.
pub(super) fn permissions(
    names: &IamNames,
    parent: &ParentId,
    job: &SyncJob,
    stage: PolicyStage,
    group: Option<&String>,
) -> Vec<Statement> {
    let (source, destination) = (&job.source_region, &job.destination_region);
    let sid = names.sid;
    let read = |sid: String, action, regions: &[&Region]| {
        Statement::read(sid, action, regions.iter().copied())
    };
    let list = read(
        format!("Read{sid}Snapshots"),
        names.describe,
        &[source, destination],
    );
    if stage == PolicyStage::Plan {
        let (tags, limits) = ("rds:ListTagsForResource", "rds:DescribeAccountAttributes");
        return vec![
            list,
            read("ReadTagsOfCopies".to_owned(), tags, &[destination]),
            read("ReadLimits".to_owned(), limits, &[destination]),
        ];
    }
    let account = stated_account(&job.client_config);
    let arn = |region, resource: &str| arn("rds", region, account, resource);
    // RDS gives automated snapshots these ids; the second is for those taken before an upgrade.
    let ids = [
        format!("rds:{parent}-{TIME}*"),
        format!("rds:preupgrade-{parent}-*"),
    ];
    let snapshot = |region, id: &str| arn(region, &format!("{}:{id}", names.resource));
    let sources = ids.each_ref().map(|id| snapshot(source, id));
    let copies = ids.map(|id| snapshot(destination, &copy_id_pattern(job.kind(), &id)));
    let group = group.map(|group| arn(destination, &format!("og:{group}")));
    let all = sources.iter().chain(&copies).cloned().chain(group);
    let copy = Statement::new(format!("Copy{sid}Snapshots"), &[names.copy], all);
    let tag = |sid: String, artifacts| Statement::new(sid, &["rds:AddTagsToResource"], artifacts);
    // The key of the sync tag names the region, so each source region has a statement of its own.
    let delete = format!("Delete{sid}CopiesFrom{}", in_sid(source));
    let delete = Statement::new(delete, &[names.delete], copies.clone());
    let sync_tag = format!("aws:ResourceTag/{}", key_on_copy(source));
    vec![
        list,
        copy,
        tag(format!("TagCopiesOf{sid}Snapshots"), copies),
        tag(format!("TagSource{sid}Snapshots"), sources).when(
            "ForAllValues:StringEquals",
            "aws:TagKeys",
            [key_on_source(destination)],
        ),
        delete.when("Null", sync_tag, ["false".to_owned()]).when(
            "Null",
            format!("aws:ResourceTag/{SYNC_KEEP}"),
            ["true".to_owned()],
        ),
    ]
}
