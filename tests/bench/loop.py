"""What people write without a tool: the work of xrs with boto3, call by call.

    loop.py FLEET.json [--plan]

FLEET.json lists `databases` and `identifiers` (of images), the `source` and the `destination`. With `--plan` it only reads.
Every call is about one database or image.
"""

import json
import sys
from datetime import datetime

import boto3

fleet = json.load(open(sys.argv[1]))
planning = "--plan" in sys.argv
here, there = fleet["source"], fleet["destination"]
on_copy, on_source = f"Sync-From-{here}", f"Sync-{there}"


def sync_tag(key, time, other_end):
    return {"Key": key, "Value": f"{time:%Y%m%d%H%M%S}+0000 / {other_end}"}


def users(tags):
    return [tag for tag in tags if not tag["Key"].startswith(("aws:", "Sync-From-", on_source))]


def pages(client, operation, key, **request):
    return [found for page in client.get_paginator(operation).paginate(**request) for found in page[key]]


def sync_database(source, destination, database):
    def snapshots(client, kind):
        request = {"DBInstanceIdentifier": database, "SnapshotType": kind}
        return pages(client, "describe_db_snapshots", "DBSnapshots", **request)

    automated = [snapshot for snapshot in snapshots(source, "automated") if snapshot["Status"] == "available"]
    newest = max(automated, key=lambda snapshot: snapshot["SnapshotCreateTime"])
    copies = snapshots(destination, "manual")
    if planning or any(copy.get("SourceDBSnapshotIdentifier") == newest["DBSnapshotArn"] for copy in copies):
        return
    time, id = newest["SnapshotCreateTime"], newest["DBSnapshotIdentifier"]
    copy = destination.copy_db_snapshot(
        SourceDBSnapshotIdentifier=newest["DBSnapshotArn"],
        TargetDBSnapshotIdentifier=id.replace(":", "-"),
        Tags=[*users(newest["TagList"]), sync_tag(on_copy, time, id)],
    )["DBSnapshot"]
    tag = sync_tag(on_source, time, copy["DBSnapshotIdentifier"])
    source.add_tags_to_resource(ResourceName=newest["DBSnapshotArn"], Tags=[tag])


def sync_image(source, destination, identifier):
    by_tag = [{"Name": "tag:Sync-Identifier", "Values": [identifier]}]
    [image] = pages(source, "describe_images", "Images", Owners=["self"], Filters=by_tag)
    by_source = [{"Name": "source-image-id", "Values": [image["ImageId"]]}]
    copies = pages(destination, "describe_images", "Images", Owners=["self"], Filters=by_source)
    if planning or copies:
        return
    time = datetime.fromisoformat(image["CreationDate"].replace("Z", "+00:00"))
    tags = [*users(image["Tags"]), sync_tag(on_copy, time, image["ImageId"])]
    copy = destination.copy_image(
        Name=image["Name"],
        SourceImageId=image["ImageId"],
        SourceRegion=here,
        TagSpecifications=[{"ResourceType": "image", "Tags": tags}],
    )
    source.create_tags(Resources=[image["ImageId"]], Tags=[sync_tag(on_source, time, copy["ImageId"])])


for service, sync, ids in (("rds", sync_database, fleet["databases"]), ("ec2", sync_image, fleet["identifiers"])):
    if ids:
        source, destination = (boto3.client(service, region_name=region) for region in (here, there))
        for id in ids:
            sync(source, destination, id)
