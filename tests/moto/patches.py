"""Patches for behaviour of AWS that xrs relies on and moto 5.2.5 lacks. Nothing else is patched, except by
image_use.py.

EC2
  CopyImage       supports ClientToken (same token and request: same image; another request: refused), TagSpecifications,
                  CopyImageTags, Encrypted and KmsKeyId; the copy has the size of its source and is pending for a while
  DescribeImages  returns SourceImageId, SourceImageRegion and Encrypted; supports the filters source-image-id and
                  source-image-region; hides disabled images without IncludeDisabled; refuses more than 200 filter
                  values; returns pages
  RegisterImage   supports TagSpecifications
RDS
  CopyDBSnapshot       returns SourceRegion, SourceDBSnapshotIdentifier, OptionGroupName and PercentProgress, and keeps
                       InstanceCreateTime; the copy is in progress for a while; with `concurrent_copies` it is refused
                       if this number of copies into the region are in progress
  DeleteDBSnapshot     refuses automated snapshots and snapshots that are not available
  DescribeAccountAttributes  is answered, with the quotas ManualSnapshots and ManualClusterSnapshots
  CopyDBClusterSnapshot  returns SourceDBClusterSnapshotArn and PercentProgress, and keeps ClusterCreateTime; refuses a key for
                       a snapshot that is not encrypted, and an id of more than 63 characters; the copy is in progress for a
                       while; `concurrent_copies` applies
  DescribeDBClusterSnapshots  returns pages
  DescribeDBSnapshots  returns pages; refuses a MaxRecords outside of 20..100; with `strict_databases` also a filter for
                       a database that does not exist, as documented by AWS
Two slow functions of moto are cached: which service a call is for (moto reads its own folder), and under which names an
attribute of an answer may be stored (for each attribute of each resource).
"""

import functools
import time

from moto.core.responses import ActionResult
from moto.core.serialize import XFormedAttributePicker
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.responses.amis import AmisResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.rds.exceptions import DBInstanceNotFoundError, InvalidParameterValue, RDSClientError
from moto.rds.models import DBClusterSnapshot, DBSnapshot, RDSBackend
from moto.rds.responses import RDSResponse

# EC2: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
MAX_FILTER_VALUES = 200

# By account; `None` is for all accounts without settings of their own.
SETTINGS = {}
DEFAULTS = {
    "page_size": None,  # the most items on a page, whatever is requested
    "page_overlap": 0,  # the number of items that a page repeats from the page before
    "copy_describes": 0,  # a copy is in progress until this number of answers have listed it …
    "copy_seconds": 0.0,  # … and this time has passed
    "manual_snapshots": 100,  # the quota of manual snapshots in each region
    "concurrent_copies": None,  # the most DB snapshots that are copied into one region at a time
    "strict_databases": False,
    "latency": 0.0,  # seconds added to each call
}


def setting(account, name):
    for of in (account, None):
        if name in SETTINGS.get(of, {}):
            return SETTINGS[of][name]
    return DEFAULTS[name]


class Progress:
    """The progress of a copy."""

    def __init__(self, account):
        self.describes = setting(account, "copy_describes")
        self.until = time.monotonic() + setting(account, "copy_seconds")
        self.whole = self.describes or 1

    def is_over(self):
        return self.describes <= 0 and time.monotonic() >= self.until

    def listed(self):
        """Counts an answer. Returns the percentage, or None when the copy is done."""
        if self.is_over():
            return None
        done = 100 * (self.whole - self.describes) // self.whole
        self.describes -= 1
        return min(done, 99)


def listed(resource, attribute):
    progress = getattr(resource, "xrs_progress", None)
    if progress is None:
        return
    percent = progress.listed()
    if percent is None:
        setattr(resource, attribute, "available")
        resource.xrs_progress = None
    resource.percent_progress = 100 if percent is None else percent


def page(found, asked, token, account, most, invalid):
    """Returns one page of a list, and the token of the next one."""
    try:
        start = int(token.removeprefix("page-")) if token else 0
    except ValueError:
        raise invalid from None
    size = min(n for n in (asked, setting(account, "page_size"), most) if n)
    end = start + size
    start = max(0, start - setting(account, "page_overlap"))
    return found[start:end], f"page-{end}" if end < len(found) else None


# EC2


def tags_for(resource_type, specifications):
    tags = {}
    for specification in specifications:
        if specification["ResourceType"] not in ("image", "snapshot"):
            raise EC2ClientError(
                "InvalidParameterValue", f"'{specification['ResourceType']}' is not a valid taggable resource type."
            )
        if specification["ResourceType"] == resource_type:
            tags.update({tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags", [])})
    return tags


def copy_image(self):
    names = (
        "SourceImageId",
        "SourceRegion",
        "Name",
        "Description",
        "Encrypted",
        "KmsKeyId",
        "CopyImageTags",
        "TagSpecifications",
    )
    request = {name: self._get_param(name) for name in names}
    token = self._get_param("ClientToken")
    backend = self.ec2_backend
    self.error_on_dryrun()
    known = backend.__dict__.setdefault("xrs_tokens", {})
    if token in known:
        earlier, image_id = known[token]
        if earlier != request:
            raise EC2ClientError("IdempotentParameterMismatch", "Client token reused with different parameters.")
        return ActionResult({"ImageId": image_id})
    if request["KmsKeyId"] and not request["Encrypted"]:
        raise EC2ClientError(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )
    specifications = request["TagSpecifications"] or []
    image_tags, snapshot_tags = tags_for("image", specifications), tags_for("snapshot", specifications)
    source_backend = ec2_backends[backend.account_id][request["SourceRegion"]]
    source = source_backend.describe_images(ami_ids=[request["SourceImageId"]])[0]
    if request["CopyImageTags"]:
        image_tags = {
            tag["key"]: tag["value"] for tag in source.get_tags() if not tag["key"].startswith("aws:")
        } | image_tags
    image = backend.copy_image(
        request["SourceImageId"], request["SourceRegion"], request["Name"], request["Description"]
    )
    image.source_image_id, image.source_image_region = request["SourceImageId"], request["SourceRegion"]
    image.ebs_snapshot.volume.size = source.ebs_snapshot.volume.size
    image.ebs_snapshot.encrypted = bool(request["Encrypted"]) or source.ebs_snapshot.encrypted
    image.ebs_snapshot.kms_key_id = request["KmsKeyId"]
    image.add_tags(image_tags)
    image.ebs_snapshot.add_tags(snapshot_tags)
    image.state, image.xrs_progress = "pending", Progress(backend.account_id)
    if token:
        known[token] = (request, image.id)
    return ActionResult({"ImageId": image.id})


def describe_images(self):
    self.error_on_dryrun()
    filters = self._filters_from_querystring()
    if sum(len(values) for values in filters.values()) > MAX_FILTER_VALUES:
        raise EC2ClientError(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is {MAX_FILTER_VALUES}",
        )
    images = self.ec2_backend.describe_images(
        ami_ids=self._get_param("ImageIds", []),
        filters=filters,
        exec_users=self._get_param("ExecutableUsers", []),
        owners=self._get_param("Owners", []),
    )
    if not self._get_param("IncludeDisabled"):
        images = [image for image in images if image.state != "disabled"]
    size, token = self._get_param("MaxResults"), self._get_param("NextToken")
    invalid = EC2ClientError("InvalidNextToken", "The token is not valid.")
    images, following = page(images, size and int(size), token, self.current_account, 1000, invalid)
    for image in images:
        listed(image, "state")
    return ActionResult({"Images": images, "NextToken": following})


def register_image(self):
    specifications = self._get_param("TagSpecifications", [])
    self.error_on_dryrun()
    image = self.ec2_backend.register_image(self._get_param("Name"), self._get_param("Description", ""))
    image.add_tags(tags_for("image", specifications))
    return ActionResult({"ImageId": image.id})


def block_device_mappings(self):
    def ebs(snapshot):
        return {
            "SnapshotId": snapshot.id,
            "VolumeSize": snapshot.volume.size,
            "DeleteOnTermination": False,
            "VolumeType": "standard",
            "Encrypted": bool(snapshot.encrypted),
        }

    more = [{"DeviceName": f"/dev/sdb{n}", "Ebs": ebs(snapshot)} for n, snapshot in enumerate(self.xrs_more_disks)]
    return [{"DeviceName": self.root_device_name, "Ebs": ebs(self.ebs_snapshot)}, *more]


def with_sources(get_filter_value):
    def patched(self, name, method_name=None):
        if name in ("source-image-id", "source-image-region"):
            return getattr(self, name.replace("-", "_"), "")
        return get_filter_value(self, name, method_name)

    return patched


# RDS


def copies_in_progress(backend):
    progress = [getattr(snapshot, "xrs_progress", None) for snapshot in backend.database_snapshots.values()]
    return sum(1 for copy in progress if copy and not copy.is_over())


def with_origin(copy_db_snapshot):
    def patched(self, source_db_snapshot_identifier, target_db_snapshot_identifier, **others):
        most = setting(self.account_id, "concurrent_copies")
        if most is not None and copies_in_progress(self) >= most:
            raise RDSClientError("SnapshotQuotaExceeded", f"Cannot copy more than {most} snapshots across regions")
        snapshot = copy_db_snapshot(self, source_db_snapshot_identifier, target_db_snapshot_identifier, **others)
        source = self.get_db_snapshot(source_db_snapshot_identifier)
        snapshot.source_region = source.region
        snapshot.source_db_snapshot_identifier = source.arn if source.region != self.region_name else None
        snapshot.option_group_name = others.get("option_group_name")
        snapshot.instance_create_time = source.instance_create_time
        snapshot.status, snapshot.xrs_progress = "creating", Progress(self.account_id)
        snapshot.percent_progress = 0
        return snapshot

    return patched


def describe_db_snapshots(self):
    params = self.params
    size = params.get("MaxRecords")
    if size is not None and not 20 <= int(size) <= 100:
        raise InvalidParameterValue("Invalid value for max records. Must be between 20 and 100")
    filters = {f["Name"]: f["Values"] for f in params.get("Filters", [])}
    if setting(self.current_account, "strict_databases"):
        for name in filters.get("db-instance-id", []):
            if name not in self.backend.databases:
                raise DBInstanceNotFoundError(name)
    snapshots = self.backend.describe_db_snapshots(
        params.get("DBInstanceIdentifier"), params.get("DBSnapshotIdentifier"), params.get("SnapshotType"), filters
    )
    invalid = InvalidParameterValue("Invalid marker.")
    snapshots, following = page(snapshots, size and int(size), params.get("Marker"), self.current_account, 100, invalid)
    for snapshot in snapshots:
        listed(snapshot, "status")
    return ActionResult({"DBSnapshots": snapshots, "Marker": following})


def cluster_copies_in_progress(backend):
    progress = [getattr(snapshot, "xrs_progress", None) for snapshot in backend.cluster_snapshots.values()]
    return sum(1 for copy in progress if copy and not copy.is_over())


def with_cluster_origin(copy_db_cluster_snapshot):
    def patched(self, source_db_cluster_snapshot_identifier, target_db_cluster_snapshot_identifier, **others):
        most = setting(self.account_id, "concurrent_copies")
        if most is not None and cluster_copies_in_progress(self) >= most:
            raise RDSClientError("SnapshotQuotaExceeded", f"Cannot copy more than {most} snapshots across regions")
        if len(target_db_cluster_snapshot_identifier) > 63:
            raise InvalidParameterValue("The identifier has more than 63 characters.")
        source = self.get_db_cluster_snapshot(source_db_cluster_snapshot_identifier)
        key = others.get("kms_key_id")
        if key and not source.storage_encrypted:
            raise RDSClientError("InvalidParameterCombination", "The source is not encrypted, so it takes no KmsKeyId.")
        if source.storage_encrypted and not key and source.region != self.region_name:
            raise InvalidParameterValue("Must specify new KMS key for cross region encrypted snapshot copy")
        snapshot = copy_db_cluster_snapshot(
            self, source_db_cluster_snapshot_identifier, target_db_cluster_snapshot_identifier, **others
        )
        snapshot.source_db_cluster_snapshot_arn = source.arn
        snapshot.cluster_create_time = source.cluster_create_time
        snapshot.status, snapshot.xrs_progress = "copying", Progress(self.account_id)
        snapshot.percent_progress = 0
        return snapshot

    return patched


def describe_db_cluster_snapshots(self):
    params = self.params
    size = params.get("MaxRecords")
    filters = {f["Name"]: f["Values"] for f in params.get("Filters", [])}
    snapshots = self.backend.describe_db_cluster_snapshots(
        params.get("DBClusterIdentifier"),
        params.get("DBClusterSnapshotIdentifier"),
        params.get("SnapshotType"),
        filters,
    )
    invalid = InvalidParameterValue("Invalid marker.")
    snapshots, following = page(snapshots, size and int(size), params.get("Marker"), self.current_account, 100, invalid)
    for snapshot in snapshots:
        listed(snapshot, "status")
    return ActionResult({"DBClusterSnapshots": snapshots, "Marker": following})


def describe_account_attributes(self):
    manual = self.backend.describe_db_snapshots(None, None, "manual", {})
    of_clusters = self.backend.describe_db_cluster_snapshots(None, None, "manual", {})
    most = setting(self.current_account, "manual_snapshots")
    quotas = [
        {"AccountQuotaName": name, "Used": len(snapshots), "Max": most}
        for name, snapshots in (("ManualSnapshots", manual), ("ManualClusterSnapshots", of_clusters))
    ]
    return ActionResult({"AccountQuotas": quotas})


def with_refusals(delete_db_snapshot):
    def patched(self, db_snapshot_identifier):
        snapshot = self.database_snapshots.get(db_snapshot_identifier)
        if snapshot is not None and snapshot.snapshot_type == "automated":
            raise RDSClientError(
                "InvalidDBSnapshotState", f"Cannot delete the automated snapshot {db_snapshot_identifier}."
            )
        if snapshot is not None and snapshot.status not in ("available", "failed"):
            raise RDSClientError(
                "InvalidDBSnapshotState",
                f"Cannot delete the snapshot because it is not currently in the available state: {snapshot.status}.",
            )
        return delete_db_snapshot(self, db_snapshot_identifier)

    return patched


# Answers


def cached(get_possible_keys):
    known = {}

    def patched(self, context):
        # moto caches the models, so each shape is one object for the whole run.
        request = type(context.obj), context.key, context.shape
        if request not in known:
            known[request] = tuple(get_possible_keys(self, context))
        return known[request]

    return patched


def apply():
    DomainDispatcherApplication.get_backend_for_host = functools.cache(
        DomainDispatcherApplication.get_backend_for_host
    )
    XFormedAttributePicker.get_possible_keys = cached(XFormedAttributePicker.get_possible_keys)
    Ami.source_image_id = Ami.source_image_region = None
    Ami.xrs_more_disks = ()
    Ami.block_device_mappings = property(block_device_mappings)
    Ami.get_filter_value = with_sources(Ami.get_filter_value)
    AmisResponse.copy_image = copy_image
    AmisResponse.describe_images = describe_images
    AmisResponse.register_image = register_image
    DBSnapshot.source_region = DBSnapshot.source_db_snapshot_identifier = DBSnapshot.option_group_name = None
    DBSnapshot.percent_progress = 100
    RDSBackend.copy_db_snapshot = with_origin(RDSBackend.copy_db_snapshot)
    RDSBackend.delete_db_snapshot = with_refusals(RDSBackend.delete_db_snapshot)
    DBClusterSnapshot.source_db_cluster_snapshot_arn = None
    RDSBackend.copy_db_cluster_snapshot = with_cluster_origin(RDSBackend.copy_db_cluster_snapshot)
    RDSResponse.describe_db_cluster_snapshots = describe_db_cluster_snapshots
    RDSResponse.describe_db_snapshots = describe_db_snapshots
    RDSResponse.describe_account_attributes = describe_account_attributes
