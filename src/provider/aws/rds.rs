//! The calls to RDS.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use aws_sdk_rds::types::Filter;

use crate::model::action::Copy;
use crate::model::artifact::Artifact;
use crate::model::identity::has_id_of_copy;
use crate::model::ids::{Arn, ArtifactId};
use crate::model::inventory::{AccountLimit, Answer};
use crate::model::query::Query;
use crate::model::tags::Tags;

use super::clients::Clients;
use super::convert;
use super::error::Call;
use super::pages::all_pages;
use super::presign::{is_demanded, presigned_url};

pub(super) const DESCRIBE: &str = "DescribeDBSnapshots";

/// The filter by database.
const DATABASE: &str = "db-instance-id";

const AUTOMATED: &str = "automated";
/// Copies are manual snapshots.
const MANUAL: &str = "manual";

/// Snapshots per page: the most that RDS allows.
const PAGE: i32 = 100;

/// Returns the snapshots that a query asks for.
pub(super) async fn find(clients: &Clients, query: &Query) -> Answer<Vec<Artifact>> {
    let database = |snapshot: &Artifact| snapshot.parent.as_ref().map(ToString::to_string);
    let id = |snapshot: &Artifact| Some(snapshot.id.to_string());
    match query {
        Query::Automated(names) => {
            let answer = matching(clients, AUTOMATED, (DATABASE, names), database).await;
            or_nothing(answer, names.len(), "DBInstanceNotFound")
        }
        Query::Manual(names) => matching(clients, MANUAL, (DATABASE, names), database).await,
        Query::ByIds(ids) => {
            let answer = matching(clients, MANUAL, ("db-snapshot-id", ids), id).await;
            or_nothing(answer, ids.len(), "DBSnapshotNotFound")
        }
        Query::AllManual => read(clients, MANUAL, None).await,
        Query::Matching(_) | Query::CopiesOf { .. } | Query::CopiedFrom(_) => {
            Err(Call::new(DESCRIBE, &clients.at).invalid("it is a query for images"))
        }
    }
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

/// Returns how many manual snapshots the account has in the region, and may have.
pub(super) async fn account_limit(clients: &Clients) -> Answer<AccountLimit> {
    let call = Call::new("DescribeAccountAttributes", &clients.at);
    let answer = clients.rds.describe_account_attributes().send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let mut quotas = answer.account_quotas().iter();
    let quota = quotas.find(|quota| quota.account_quota_name() == Some("ManualSnapshots"));
    let number = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
    let limit = quota.and_then(|quota| {
        Some(AccountLimit {
            used: number(quota.used())?,
            max: number(quota.max())?,
        })
    });
    limit.ok_or_else(|| call.unreadable("no quota ManualSnapshots"))
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

/// Starts a copy. Its tags are part of the call. AWS's own copying of tags stays off, because it would also copy `aws:` and sync
/// tags. Where
/// RDS demands a request that is signed in the source region, too, the call is made again with its URL.
pub(super) async fn copy(clients: &Clients, copy: &Copy) -> Answer<ArtifactId> {
    let call = Call::new("CopyDBSnapshot", &clients.at);
    let id = copy.copy.id.as_ref();
    let id = id.ok_or_else(|| call.invalid("the copy has no id"))?;
    let request = clients
        .rds
        .copy_db_snapshot()
        .source_db_snapshot_identifier(copy.source.arn.as_str())
        .target_db_snapshot_identifier(id.as_str())
        .set_tags(Some(convert::rds_tags(&copy.all_tags())))
        .set_kms_key_id(copy.kms_key_id.clone())
        .set_option_group_name(copy.option_group_name.clone());
    // What is presigned is the very request that RDS refused.
    let parameters = Arc::new(OnceLock::new());
    let sent = Arc::clone(&parameters);
    let first = request.clone().customize().mutate_request(move |request| {
        let text = request.body().bytes().map(String::from_utf8_lossy);
        sent.get_or_init(|| text.unwrap_or_default().into_owned());
    });
    let answer = first.send().await.map_err(|error| call.failed(&error));
    let answer = match (answer, parameters.get()) {
        (Err(error), Some(parameters)) if is_demanded(&error.message) => {
            let url = presigned_url(clients, &copy.source.region, parameters).await;
            let url = url.map_err(|error| call.invalid(&error.to_string()))?;
            let again = request.pre_signed_url(url).send().await;
            again.map_err(|error| call.failed(&error))?
        }
        (answer, _) => answer?,
    };
    let stated = answer.db_snapshot();
    let stated = stated.and_then(|snapshot| snapshot.db_snapshot_identifier());
    Ok(stated.map_or_else(|| id.clone(), ArtifactId::from))
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
pub(super) async fn delete(clients: &Clients, id: &ArtifactId) -> Answer<()> {
    let call = Call::new("DeleteDBSnapshot", &clients.at);
    let request = clients.rds.delete_db_snapshot();
    let request = request.db_snapshot_identifier(id.as_str());
    let answer = request.send().await.map(drop);
    answer.map_err(|error| call.failed(&error))
}

/// Returns the snapshots that a filter of this name and these values finds. The answer is filtered once more, by what the filter is
/// about: nothing else may follow from it.
async fn matching(
    clients: &Clients,
    snapshot_type: &str,
    (name, values): (&str, &[impl ToString]),
    about: impl Fn(&Artifact) -> Option<String>,
) -> Answer<Vec<Artifact>> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let filter = Filter::builder().name(name);
    let filter = filter.set_values(Some(values.clone())).build();
    let mut found = read(clients, snapshot_type, Some(filter)).await?;
    let values: HashSet<String> = values.iter().map(|value| value.to_lowercase()).collect();
    found.retain(|snapshot| {
        about(snapshot).is_some_and(|text| values.contains(&text.to_lowercase()))
    });
    Ok(found)
}

/// Returns what is on all pages of the answer.
async fn read(
    clients: &Clients,
    snapshot_type: &str,
    filter: Option<Filter>,
) -> Answer<Vec<Artifact>> {
    let call = Call::new(DESCRIBE, &clients.at);
    let request = clients.rds.describe_db_snapshots();
    let request = request.snapshot_type(snapshot_type);
    let request = request.set_filters(filter.map(|filter| vec![filter]));
    let page = |token| {
        let request = request.clone().max_records(PAGE);
        request.set_marker(token).send()
    };
    let pages = all_pages(call, page, |page| page.marker()).await?;
    let snapshots = pages
        .into_iter()
        .flat_map(|page| page.db_snapshots.unwrap_or_default());
    let found = convert::all(call, snapshots.map(convert::db_snapshot))?;
    with_tags(clients, found).await
}
