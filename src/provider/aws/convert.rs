//! AWS's images, snapshots and tags in our words.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types as ec2;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types as rds;
use jiff::Timestamp;

use crate::model::Tags;
use crate::model::client_config::Place;
use crate::model::id::{AccountId, DbInstance, ImageId, Region, SnapshotArn, SnapshotId};
use crate::model::inventory::{Image, ImageRef, Looked, Snapshot, State};

use super::error::unreadable;

/// Images as `call` listed them. One without an id is an answer that cannot be read, not an image less.
pub(super) fn images(
    call: &'static str,
    at: &Place,
    images: Vec<ec2::Image>,
) -> Looked<Vec<Image>> {
    let read = images
        .into_iter()
        .map(|listed| image(listed).ok_or_else(|| unreadable(call, at, "an image without an id")));
    let read = read.collect::<Looked<Vec<_>>>()?;
    Ok(each_once(read, |image| image.id.clone()))
}

fn image(image: ec2::Image) -> Option<Image> {
    let disks = || {
        image
            .block_device_mappings()
            .iter()
            .filter_map(ec2::BlockDeviceMapping::ebs)
    };
    let copied_from = image
        .source_image_id()
        .zip(image.source_image_region())
        .map(|(id, region)| ImageRef {
            id: ImageId::from(id),
            region: Region::from(region),
        });
    let sizes: Vec<u64> = disks()
        .filter_map(|disk| disk.volume_size())
        .filter_map(|size| u64::try_from(size).ok())
        .collect();
    Some(Image {
        id: ImageId::from(image.image_id()?),
        name: image.name().unwrap_or_default().to_owned(),
        description: image.description().unwrap_or_default().to_owned(),
        state: State::from(image.state().map_or("", ec2::ImageState::as_str)),
        state_reason: image
            .state_reason()
            .and_then(|reason| reason.message())
            .map(str::to_owned),
        owner: AccountId::from(image.owner_id().unwrap_or_default()),
        created: image
            .creation_date()
            .and_then(|date| date.parse::<Timestamp>().ok()),
        copied_from,
        size_gib: (!sizes.is_empty()).then(|| sizes.iter().sum()),
        encrypted: disks().any(|disk| disk.encrypted() == Some(true)),
        tags: image
            .tags()
            .iter()
            .filter_map(|tag| pair(tag.key(), tag.value()))
            .collect(),
    })
}

/// Snapshots as `call` listed them. One without identifier or ARN is an answer that cannot be read.
pub(super) fn snapshots(
    call: &'static str,
    at: &Place,
    snapshots: Vec<rds::DbSnapshot>,
) -> Looked<Vec<Snapshot>> {
    let read = snapshots.into_iter().map(|listed| {
        snapshot(&listed)
            .ok_or_else(|| unreadable(call, at, "a snapshot without identifier or ARN"))
    });
    let read = read.collect::<Looked<Vec<_>>>()?;
    Ok(each_once(read, |snapshot| snapshot.id.clone()))
}

fn snapshot(snapshot: &rds::DbSnapshot) -> Option<Snapshot> {
    Some(Snapshot {
        id: SnapshotId::from(snapshot.db_snapshot_identifier()?),
        arn: SnapshotArn::from(snapshot.db_snapshot_arn()?),
        db_instance: DbInstance::from(
            snapshot
                .db_instance_identifier()
                .unwrap_or_default()
                .to_lowercase(),
        ),
        status: State::from(snapshot.status().unwrap_or_default()),
        created: snapshot.snapshot_create_time().and_then(timestamp),
        original_created: snapshot.original_snapshot_create_time().and_then(timestamp),
        copied_from: stated(snapshot.source_db_snapshot_identifier()).map(SnapshotArn::from),
        instance_created: snapshot.instance_create_time().and_then(timestamp),
        encrypted: snapshot.encrypted().unwrap_or_default(),
        option_group_name: stated(snapshot.option_group_name()).map(Into::into),
        size_gib: snapshot
            .allocated_storage()
            .and_then(|size| u64::try_from(size).ok())
            .filter(|size| *size > 0),
        percent: snapshot
            .percent_progress()
            .and_then(|percent| u8::try_from(percent).ok()),
        tags: snapshot
            .tag_list()
            .iter()
            .filter_map(|tag| pair(tag.key(), tag.value()))
            .collect(),
    })
}

/// Each thing once, as it was listed last: while a list is read page by page, what it lists moves on.
pub(super) fn each_once<T, K: Ord>(
    listed: impl IntoIterator<Item = T>,
    id: impl Fn(&T) -> K,
) -> Vec<T> {
    let by_id: BTreeMap<K, T> = listed
        .into_iter()
        .map(|thing| (id(&thing), thing))
        .collect();
    by_id.into_values().collect()
}

/// Only the snapshots of these databases: the filter said so already, and nothing else may come of it.
pub(super) fn of_databases(snapshots: Vec<Snapshot>, of: &[DbInstance]) -> Vec<Snapshot> {
    let asked: BTreeSet<String> = of.iter().map(|name| name.as_str().to_lowercase()).collect();
    snapshots
        .into_iter()
        .filter(|snapshot| asked.contains(snapshot.db_instance.as_str()))
        .collect()
}

/// Tags for EC2.
pub(super) fn ec2_tags(tags: &Tags) -> Vec<ec2::Tag> {
    tags.iter()
        .map(|(key, value)| ec2::Tag::builder().key(key).value(value).build())
        .collect()
}

/// Tags for RDS.
pub(super) fn rds_tags(tags: &Tags) -> Vec<rds::Tag> {
    tags.iter()
        .map(|(key, value)| rds::Tag::builder().key(key).value(value).build())
        .collect()
}

fn pair<'a>(key: Option<&'a str>, value: Option<&'a str>) -> Option<(&'a str, &'a str)> {
    Some((key?, value.unwrap_or_default()))
}

fn stated(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
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

    #[test]
    fn disks_add_up_and_one_encrypted_disk_makes_an_encrypted_image() {
        let listed = ec2::Image::builder()
            .image_id("ami-1")
            .creation_date("2026-01-14T05:10:33.000Z")
            .source_image_id("ami-0")
            .block_device_mappings(disk(8, false))
            .block_device_mappings(disk(100, true))
            .build();
        let image = image(listed).expect("an image");
        assert_eq!((image.size_gib, image.encrypted), (Some(108), true));
        assert_eq!(
            image.created.map(|time| time.to_string()).as_deref(),
            Some("2026-01-14T05:10:33Z")
        );
        assert_eq!(
            image.copied_from, None,
            "a source without its region says nothing"
        );
    }

    #[test]
    fn what_aws_leaves_out_is_left_open() {
        let image = image(ec2::Image::builder().image_id("ami-1").build()).expect("an image");
        assert_eq!(
            (image.size_gib, image.created, image.state_reason),
            (None, None, None)
        );
        assert!(!image.state.is_available() && !image.state.is_failed());
        assert_eq!(super::image(ec2::Image::builder().build()), None);
    }

    #[test]
    fn snapshot_times_keep_their_meaning() {
        let listed = rds::DbSnapshot::builder()
            .db_snapshot_identifier("rds-mydb-2026-01-14-05-10")
            .db_snapshot_arn(
                "arn:aws:rds:us-west-1:123456789012:snapshot:rds-mydb-2026-01-14-05-10",
            )
            .db_instance_identifier("MyDB")
            .source_db_snapshot_identifier("")
            .snapshot_create_time(DateTime::from_secs(1_768_400_000))
            .original_snapshot_create_time(DateTime::from_secs_and_nanos(
                1_768_367_433,
                987_000_000,
            ))
            .percent_progress(40)
            .build();
        let snapshot = snapshot(&listed).expect("a snapshot");
        assert_eq!(
            snapshot.taken().map(|time| time.to_string()).as_deref(),
            Some("2026-01-14T05:10:33Z")
        );
        assert_eq!(
            (
                snapshot.db_instance.as_str(),
                snapshot.copied_from,
                snapshot.percent
            ),
            ("mydb", None, Some(40))
        );
    }

    #[test]
    fn law_5_of_what_is_listed_twice_the_later_counts() {
        let listed = [("b", 1), ("a", 2), ("b", 3)];
        assert_eq!(each_once(listed, |(id, _)| *id), [("a", 2), ("b", 3)]);
    }
}
