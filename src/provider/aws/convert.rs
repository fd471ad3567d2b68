//! AWS's images, snapshots and tags as artifacts and tags of the model.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use aws_sdk_ec2::types as ec2;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types as rds;
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::model::artifact::{Artifact, ArtifactState, ImageDetails, SnapshotDetails};
use crate::model::ids::{AccountId, Arn, ArtifactId, ParentId, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::tags::Tags;

use super::error::Call;

/// Returns an image of a region as it is at this time, or what its description lacks.
pub(super) fn image(
    image: &ec2::Image,
    region: &Region,
    now: Timestamp,
) -> Result<Artifact, &'static str> {
    let id = image.image_id().ok_or("an image without an id")?;
    let id = ArtifactId::from(id);
    let source = stated(image.source_image_id()).zip(stated(image.source_image_region()));
    let copied_from = source.map(|(id, region)| Arn::of_image(&region.into(), &id.into()));
    let reason = image.state_reason().and_then(|reason| reason.message());
    let created = image.creation_date().and_then(|date| date.parse().ok());
    let disks = image.block_device_mappings().iter();
    let disks: Vec<_> = disks.filter_map(ec2::BlockDeviceMapping::ebs).collect();
    let snapshots = disks.iter().filter_map(|disk| stated(disk.snapshot_id()));
    let snapshots = snapshots.map(SmolStr::from);
    let sizes = disks.iter().filter_map(|disk| disk.volume_size());
    let sizes = sizes.filter_map(|size| u32::try_from(size).ok());
    let deprecation = image
        .deprecation_time()
        .and_then(|date| date.parse::<Timestamp>().ok());
    let tags = image.tags().iter();
    let details = ImageDetails {
        name: image.name().unwrap_or_default().to_owned(),
        description: image.description().unwrap_or_default().to_owned(),
        state_reason: reason.map(str::to_owned),
        owner: stated(image.owner_id()).map(AccountId::from),
        is_deprecated: deprecation.is_some_and(|time| time <= now),
        is_protected: stated(image.deregistration_protection())
            .is_some_and(|protection| protection != "disabled"),
        // An unreadable time counts as recent, so that the image is kept.
        last_launched: stated(image.last_launched_time())
            .map(|time| time.parse().unwrap_or(Timestamp::MAX)),
        snapshots: snapshots.collect::<BTreeSet<_>>().into_iter().collect(),
    };
    Ok(Artifact {
        kind: Kind::Image,
        arn: Arn::of_image(region, &id),
        id,
        parent: None,
        state: ArtifactState::from(image.state().map_or("", ec2::ImageState::as_str)),
        created,
        data_time: None,
        database_time: None,
        copied_from,
        encrypted: any_is_encrypted(&disks),
        size_gib: sizes.reduce(u32::saturating_add),
        percent: None,
        tags: to_tags(tags.map(|tag| (tag.key(), tag.value()))),
        has_unknown_tags: false,
        image: Some(Box::new(details)),
        snapshot: None,
    })
}

/// Returns a DB snapshot, or what its description lacks.
pub(super) fn db_snapshot(snapshot: rds::DbSnapshot) -> Result<Artifact, &'static str> {
    let id = snapshot.db_snapshot_identifier();
    let (id, arn) = id
        .zip(snapshot.db_snapshot_arn())
        .ok_or("a snapshot without identifier or ARN")?;
    let database = stated(snapshot.db_instance_identifier());
    let size = snapshot.allocated_storage();
    let size = size.and_then(|size| u32::try_from(size).ok());
    let percent = snapshot.percent_progress();
    let tags = snapshot.tag_list().iter();
    Ok(Artifact {
        kind: Kind::DbSnapshot,
        id: ArtifactId::from(id),
        arn: Arn::from(arn),
        parent: database.map(|name| ParentId::from(name.to_lowercase())),
        state: ArtifactState::from(snapshot.status().unwrap_or_default()),
        created: snapshot.snapshot_create_time().and_then(timestamp),
        data_time: snapshot.original_snapshot_create_time().and_then(timestamp),
        database_time: snapshot.snapshot_database_time().and_then(timestamp),
        copied_from: stated(snapshot.source_db_snapshot_identifier()).map(Arn::from),
        encrypted: snapshot.encrypted(),
        size_gib: size.filter(|size| *size > 0),
        percent: percent.and_then(|percent| u8::try_from(percent).ok()),
        tags: to_tags(tags.map(|tag| (tag.key(), tag.value()))),
        has_unknown_tags: false,
        image: None,
        snapshot: Some(Arc::new(SnapshotDetails {
            parent_created: snapshot.instance_create_time().and_then(timestamp),
            kms_key: stated(snapshot.kms_key_id()).map(Into::into),
            engine: stated(snapshot.engine()).map(Into::into),
            option_group: stated(snapshot.option_group_name()).map(Into::into),
        })),
    })
}

/// Returns a DB cluster snapshot, or what its description lacks. AWS states no time that survives copying.
pub(super) fn db_cluster_snapshot(
    snapshot: rds::DbClusterSnapshot,
) -> Result<Artifact, &'static str> {
    let id = snapshot.db_cluster_snapshot_identifier();
    let (id, arn) = id
        .zip(snapshot.db_cluster_snapshot_arn())
        .ok_or("a cluster snapshot without identifier or ARN")?;
    let cluster = stated(snapshot.db_cluster_identifier());
    let size = snapshot.allocated_storage();
    let size = size.and_then(|size| u32::try_from(size).ok());
    let percent = snapshot.percent_progress();
    let tags = snapshot.tag_list().iter();
    Ok(Artifact {
        kind: Kind::DbClusterSnapshot,
        id: ArtifactId::from(id),
        arn: Arn::from(arn),
        parent: cluster.map(|name| ParentId::from(name.to_lowercase())),
        state: ArtifactState::from(snapshot.status().unwrap_or_default()),
        created: snapshot.snapshot_create_time().and_then(timestamp),
        data_time: None,
        database_time: None,
        copied_from: stated(snapshot.source_db_cluster_snapshot_arn()).map(Arn::from),
        encrypted: snapshot.storage_encrypted(),
        // Aurora's storage has no fixed size: AWS states 0 or 1 for it. No other cluster is that small. See
        // <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ClusterPendingModifiedValues.html>.
        size_gib: size.filter(|size| *size > 1),
        percent: percent.and_then(|percent| u8::try_from(percent).ok()),
        tags: to_tags(tags.map(|tag| (tag.key(), tag.value()))),
        has_unknown_tags: false,
        image: None,
        snapshot: Some(Arc::new(SnapshotDetails {
            parent_created: snapshot.cluster_create_time().and_then(timestamp),
            kms_key: stated(snapshot.kms_key_id()).map(Into::into),
            engine: stated(snapshot.engine()).map(Into::into),
            option_group: None,
        })),
    })
}

/// Returns everything that `call` listed, each artifact once. One that can't be read makes the whole answer unreadable: to skip it
/// would be to report it as absent.
pub(super) fn all(
    call: Call<'_>,
    listed: impl Iterator<Item = Result<Artifact, &'static str>>,
) -> Answer<Vec<Artifact>> {
    let listed: Result<Vec<_>, _> = listed.collect();
    let mut listed = listed.map_err(|what| call.unreadable(what))?;
    let mut known: HashSet<Arc<SnapshotDetails>> = HashSet::new();
    for details in listed
        .iter_mut()
        .filter_map(|artifact| artifact.snapshot.as_mut())
    {
        match known.get(details) {
            Some(same) => *details = Arc::clone(same),
            None => drop(known.insert(Arc::clone(details))),
        }
    }
    Ok(each_once(listed))
}

/// Returns each artifact once, as it was listed last: while a list is read page by page, artifacts move from one page to another.
pub(super) fn each_once(listed: impl IntoIterator<Item = Artifact>) -> Vec<Artifact> {
    let listed = listed.into_iter();
    let by_id: BTreeMap<_, _> = listed
        .map(|artifact| (artifact.id.clone(), artifact))
        .collect();
    by_id.into_values().collect()
}

/// Returns tags for EC2.
pub(super) fn ec2_tags(tags: &Tags) -> Vec<ec2::Tag> {
    tags.iter()
        .map(|(key, value)| ec2::Tag::builder().key(key).value(value).build())
        .collect()
}

/// Returns tags for RDS.
pub(super) fn rds_tags(tags: &Tags) -> Vec<rds::Tag> {
    tags.iter()
        .map(|(key, value)| rds::Tag::builder().key(key).value(value).build())
        .collect()
}

pub(super) fn to_tags<'a>(tags: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Tags {
    tags.filter_map(|(key, value)| Some((key?, value.unwrap_or_default())))
        .collect()
}

/// Returns the text unless it is empty: RDS writes an empty element for what it doesn't know.
fn stated(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Returns whether any disk is encrypted; `None` if that is not stated for all of them, or if there are none.
fn any_is_encrypted(disks: &[&ec2::EbsBlockDevice]) -> Option<bool> {
    let stated: Vec<Option<bool>> = disks.iter().map(|disk| disk.encrypted()).collect();
    if stated.contains(&Some(true)) {
        return Some(true);
    }
    let is_known = !stated.is_empty() && !stated.contains(&None);
    is_known.then_some(false)
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(size: i32, encrypted: bool) -> ec2::BlockDeviceMapping {
        let ebs = ec2::EbsBlockDevice::builder()
            .volume_size(size)
            .encrypted(encrypted)
            .build();
        ec2::BlockDeviceMapping::builder().ebs(ebs).build()
    }

    fn in_west(listed: ec2::builders::ImageBuilder) -> Artifact {
        image(
            &listed.build(),
            &Region::from("us-west-1"),
            Timestamp::UNIX_EPOCH,
        )
        .expect("an image")
    }

    fn time(artifact: &Artifact) -> String {
        artifact.source_time().expect("a time").to_string()
    }

    #[test]
    fn disks_add_up_and_one_encrypted_disk_makes_an_encrypted_image() {
        let listed = ec2::Image::builder()
            .image_id("ami-1")
            .creation_date("2026-01-14T05:10:33.000Z")
            .source_image_id("ami-0")
            .block_device_mappings(disk(8, false))
            .block_device_mappings(disk(100, true));
        let image = in_west(listed.clone());
        assert_eq!((image.size_gib, image.encrypted), (Some(108), Some(true)));
        assert_eq!(time(&image), "2026-01-14T05:10:33Z");
        assert_eq!(image.arn.as_str(), "arn:aws:ec2:us-west-1::image/ami-1");
        assert_eq!(image.copied_from, None, "no region of the source");
        let image = in_west(listed.source_image_region("us-east-1"));
        let source = Arn::from("arn:aws:ec2:us-east-1::image/ami-0");
        assert_eq!(image.copied_from, Some(source));
    }

    #[test]
    fn an_image_is_unencrypted_only_if_all_its_disks_are() {
        let unstated = ec2::EbsBlockDevice::builder().volume_size(8).build();
        let unstated = ec2::BlockDeviceMapping::builder().ebs(unstated).build();
        let with = |disks: &[ec2::BlockDeviceMapping]| {
            let listed = ec2::Image::builder().image_id("ami-1");
            in_west(listed.set_block_device_mappings(Some(disks.to_vec()))).encrypted
        };
        let (plain, encrypted) = (disk(8, false), disk(8, true));
        assert_eq!(with(&[plain.clone(), plain.clone()]), Some(false));
        assert_eq!(with(&[plain, unstated.clone()]), None);
        assert_eq!(with(&[unstated, encrypted]), Some(true));
    }

    #[test]
    fn unstated_values_stay_unknown() {
        let image = in_west(ec2::Image::builder().image_id("ami-1"));
        assert_eq!((image.created, image.size_gib), (None, None));
        assert_eq!(image.encrypted, None);
        assert_eq!((image.state_reason(), image.owner()), (None, None));
        assert!(!image.state.is_available() && !image.state.is_failed());
    }

    #[test]
    fn law_6_an_artifact_without_id_is_not_skipped() {
        assert!(
            image(
                &ec2::Image::builder().build(),
                &Region::from("us-west-1"),
                Timestamp::UNIX_EPOCH
            )
            .is_err()
        );
        assert!(db_snapshot(rds::DbSnapshot::builder().build()).is_err());
    }

    #[test]
    fn the_time_of_a_copied_snapshot_is_that_of_its_data() {
        let original = DateTime::from_secs_and_nanos(1_768_367_433, 987_000_000);
        let listed = rds::DbSnapshot::builder()
            .db_snapshot_identifier("rds-mydb")
            .db_snapshot_arn("arn:aws:rds:us-west-1:123456789012:snapshot:rds-mydb")
            .db_instance_identifier("MyDB")
            .source_db_snapshot_identifier("")
            .snapshot_create_time(DateTime::from_secs(1_768_400_000))
            .percent_progress(40);
        let automated = db_snapshot(listed.clone().build()).expect("a snapshot");
        assert_eq!(time(&automated), "2026-01-14T14:13:20Z");
        let listed = listed.original_snapshot_create_time(original).build();
        let copy = db_snapshot(listed).expect("a snapshot");
        assert_eq!(time(&copy), "2026-01-14T05:10:33Z");
        assert_eq!(copy.parent, Some(ParentId::from("mydb")));
        assert_eq!((copy.copied_from, copy.percent), (None, Some(40)));
    }

    #[test]
    fn law_5_an_artifact_that_is_listed_twice_counts_as_it_was_listed_last() {
        let listed = [("b", "pending"), ("a", "failed"), ("b", "available")];
        let once = each_once(listed.map(|(id, state)| {
            let listed = ec2::Image::builder().image_id(id);
            in_west(listed.state(state.into()))
        }));
        let once = once
            .iter()
            .map(|image| (image.id.as_str(), image.state.as_str()));
        assert!(once.eq([("a", "failed"), ("b", "available")]));
    }
}
