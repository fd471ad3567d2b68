//! The calls to RDS.

use std::collections::HashSet;

use aws_sdk_rds::types::Filter;

use crate::model::action::{Copy, Delete};
use crate::model::artifact::Artifact;
use crate::model::identity::has_id_of_copy;
use crate::model::ids::{Arn, ArtifactId};
use crate::model::inventory::{AccountLimit, AccountLimits, Answer};
use crate::model::kind::Kind;
use crate::model::query::Query;
use crate::model::tags::Tags;

use super::clients::Clients;
use super::convert;
use super::error::Call;
use super::{rds_clusters, rds_instances};

const AUTOMATED: &str = "automated";
/// Copies are manual snapshots.
const MANUAL: &str = "manual";

/// How RDS names the snapshots of a kind.
pub(super) struct Names {
    /// The call that lists them.
    pub(super) describe: &'static str,
    /// The filter by parent.
    parent_filter: &'static str,
    /// The filter by id.
    id_filter: &'static str,
    /// The error code if there is no such parent.
    no_parent: &'static str,
    /// The error code if there is no such snapshot.
    not_found: &'static str,
}

/// Returns how RDS names the snapshots of a kind.
pub(super) fn names(kind: Kind) -> Names {
    match kind {
        Kind::Image | Kind::DbSnapshot => Names {
            describe: "DescribeDBSnapshots",
            parent_filter: "db-instance-id",
            id_filter: "db-snapshot-id",
            no_parent: "DBInstanceNotFound",
            not_found: "DBSnapshotNotFound",
        },
        Kind::DbClusterSnapshot => Names {
            describe: "DescribeDBClusterSnapshots",
            parent_filter: "db-cluster-id",
            id_filter: "db-cluster-snapshot-id",
            no_parent: "DBClusterNotFound",
            not_found: "DBClusterSnapshotNotFound",
        },
    }
}

/// Returns the snapshots that a query asks for.
pub(super) async fn find(clients: &Clients, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
    let names = names(kind);
    let parent = |snapshot: &Artifact| snapshot.parent.as_ref().map(ToString::to_string);
    let id = |snapshot: &Artifact| Some(snapshot.id.to_string());
    match query {
        Query::Automated(parents) => {
            let filter = (names.parent_filter, parents.as_slice());
            let answer = matching(clients, kind, AUTOMATED, filter, parent).await;
            or_nothing(answer, parents.len(), names.no_parent)
        }
        Query::Manual(parents) => {
            let filter = (names.parent_filter, parents.as_slice());
            matching(clients, kind, MANUAL, filter, parent).await
        }
        Query::ByIds(ids) => {
            let filter = (names.id_filter, ids.as_slice());
            let answer = matching(clients, kind, MANUAL, filter, id).await;
            or_nothing(answer, ids.len(), names.not_found)
        }
        Query::AllManual => read(clients, kind, MANUAL, None).await,
        Query::Matching(_) | Query::CopiesOf { .. } | Query::CopiedFrom(_) => {
            Err(Call::new(names.describe, &clients.at).invalid("it is a query for images"))
        }
    }
}

/// Returns the snapshots of this type that a filter finds.
async fn read(
    clients: &Clients,
    kind: Kind,
    snapshot_type: &str,
    filter: Option<Filter>,
) -> Answer<Vec<Artifact>> {
    let found = match kind {
        Kind::Image | Kind::DbSnapshot => rds_instances::read(clients, snapshot_type, filter).await,
        Kind::DbClusterSnapshot => rds_clusters::read(clients, snapshot_type, filter).await,
    };
    with_tags(clients, found?).await
}

/// Reads the tags of snapshots that may have some although they were listed without.
async fn with_tags(clients: &Clients, mut found: Vec<Artifact>) -> Answer<Vec<Artifact>> {
    let call = Call::new("ListTagsForResource", &clients.at);
    let untagged = found.iter_mut().filter(|snapshot| snapshot.tags.is_empty());
    for snapshot in untagged.filter(|snapshot| has_id_of_copy(snapshot)) {
        let request = clients.rds.list_tags_for_resource();
        let answer = request.resource_name(snapshot.arn.as_str()).send().await;
        let tags = answer.map(|answer| {
            let tags = answer.tag_list().iter();
            convert::to_tags(tags.map(|tag| (tag.key(), tag.value())))
        });
        snapshot.read_tags(tags.map_err(|error| call.failed(&error)))?;
    }
    Ok(found)
}

/// Returns no artifacts instead of an error with this code, if only one thing was asked for, so that the code is about it.
fn or_nothing(answer: Answer<Vec<Artifact>>, asked: usize, code: &str) -> Answer<Vec<Artifact>> {
    match answer {
        Err(error) if asked == 1 && error.code == code => Ok(Vec::new()),
        answer => answer,
    }
}

/// Returns, for every kind with a quota, how many manual snapshots the account has in the region, and how many it may have.
pub(super) async fn account_limits(clients: &Clients) -> Answer<AccountLimits> {
    let call = Call::new("DescribeAccountAttributes", &clients.at);
    let answer = clients.rds.describe_account_attributes().send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let number = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
    let mut limits = AccountLimits::new();
    for kind in Kind::ALL {
        let Some(name) = kind.facts().account_quota else {
            continue;
        };
        let mut quotas = answer.account_quotas().iter();
        let quota = quotas.find(|quota| quota.account_quota_name() == Some(name));
        let limit = quota.and_then(|quota| {
            Some(AccountLimit {
                used: number(quota.used())?,
                max: number(quota.max())?,
            })
        });
        let limit = limit.ok_or_else(|| call.unreadable(&format!("no quota {name}")))?;
        limits.insert(kind, limit);
    }
    Ok(limits)
}

/// Returns the persistent and permanent options of an option group; none if there is no such group.
pub(super) async fn required_options(clients: &Clients, group: &str) -> Answer<Vec<String>> {
    let call = Call::new("DescribeOptionGroups", &clients.at);
    let request = clients.rds.describe_option_groups();
    let answer = match request.option_group_name(group).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let error = call.failed(&error);
            return match error.code.as_str() {
                "OptionGroupNotFound" => Ok(Vec::new()),
                _ => Err(error),
            };
        }
    };
    let groups = answer.option_groups_list().iter();
    let options = groups.flat_map(|group| group.options());
    let required = options.filter(|option| {
        option.persistent().unwrap_or_default() || option.permanent().unwrap_or_default()
    });
    let names = required.filter_map(|option| option.option_name());
    Ok(names.map(str::to_owned).collect())
}

/// Starts a copy.
pub(super) async fn copy(clients: &Clients, copy: &Copy) -> Answer<ArtifactId> {
    match copy.kind {
        Kind::Image | Kind::DbSnapshot => rds_instances::copy(clients, copy).await,
        Kind::DbClusterSnapshot => rds_clusters::copy(clients, copy).await,
    }
}

/// Writes tags on a snapshot.
pub(super) async fn tag(clients: &Clients, arn: &Arn, tags: &Tags) -> Answer<()> {
    let call = Call::new("AddTagsToResource", &clients.at);
    let request = clients.rds.add_tags_to_resource();
    let request = request.resource_name(arn.as_str());
    let request = request.set_tags(Some(convert::rds_tags(tags)));
    let answer = request.send().await.map(drop);
    answer.map_err(|error| call.failed(&error))
}

/// Deletes a manual snapshot.
pub(super) async fn delete(clients: &Clients, delete: &Delete) -> Answer<()> {
    let id = &delete.artifact.id;
    match delete.kind {
        Kind::Image | Kind::DbSnapshot => rds_instances::delete(clients, id).await,
        Kind::DbClusterSnapshot => rds_clusters::delete(clients, id).await,
    }
}

/// Returns the snapshots that a filter of this name and these values finds. The answer is filtered once more, by what the filter is
/// about: nothing else may follow from it.
async fn matching(
    clients: &Clients,
    kind: Kind,
    snapshot_type: &str,
    (name, values): (&str, &[impl ToString]),
    about: impl Fn(&Artifact) -> Option<String>,
) -> Answer<Vec<Artifact>> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let filter = Filter::builder().name(name);
    let filter = filter.set_values(Some(values.clone())).build();
    let mut found = read(clients, kind, snapshot_type, Some(filter)).await?;
    let values: HashSet<String> = values.iter().map(|value| value.to_lowercase()).collect();
    found.retain(|snapshot| {
        about(snapshot).is_some_and(|text| values.contains(&text.to_lowercase()))
    });
    Ok(found)
}
