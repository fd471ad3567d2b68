"""Patches for what decides whether an image can be deleted, which moto 5.2.5 lacks.

DescribeImageReferences  is answered for 1 to 10 images of the account, in pages
DescribeImages           returns DeregistrationProtection and LastLaunchedTime
DeregisterImage          refuses protected images; with DeleteAssociatedSnapshots it deletes the snapshots, except those that another
                         image has, and returns a code for each
"""

import patches
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError
from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html
MAX_IMAGES = 10


def describe_image_references(self):
    ids = self._get_param("ImageIds", [])
    self.error_on_dryrun()
    if not 1 <= len(ids) <= MAX_IMAGES:
        raise EC2ClientError("InvalidParameterValue", f"The number of image IDs must be 1 to {MAX_IMAGES}.")
    if not self._get_param("IncludeAllResourceTypes"):
        raise EC2ClientError("MissingParameter", "IncludeAllResourceTypes or ResourceTypes must be specified.")
    images = [self.ec2_backend.amis.get(id) for id in ids]
    if not all(image and image.owner_id == self.current_account for image in images):
        raise InvalidAMIIdError(ids)
    references = [{"ImageId": image.id} | user for image in images for user in image.xrs_users]
    size, token = self._get_param("MaxResults"), self._get_param("NextToken")
    invalid = EC2ClientError("InvalidNextToken", "The token is not valid.")
    references, following = patches.page(
        references, size and int(size), token, self.current_account, 1000, invalid
    )
    return ActionResult({"ImageReferences": references, "NextToken": following})


def deregister_image(self):
    id, backend = self._get_param("ImageId"), self.ec2_backend
    self.error_on_dryrun()
    image = backend.amis.get(id)
    if image and image.deregistration_protection != "disabled":
        raise EC2ClientError("OperationNotPermitted", f"The image {id} is protected from deregistration.")
    backend.deregister_image(id)
    if not self._get_param("DeleteAssociatedSnapshots"):
        return ActionResult({"Return": True})
    results = [{"SnapshotId": disk.id, "ReturnCode": delete(backend, disk)} for disk in disks(image)]
    return ActionResult({"Return": True, "DeleteSnapshotResults": results})


def delete(backend, disk):
    """Deletes a snapshot unless something prevents that. Returns the code for it."""
    if any(disk in disks(image) for image in backend.amis.values()):
        return "skipped"
    refusal = getattr(disk, "xrs_refusal", None)
    if refusal is None:
        backend.delete_snapshot(disk.id)
    return refusal or "success"


def disks(image):
    return [image.ebs_snapshot, *image.xrs_more_disks]


def apply():
    Ami.deregistration_protection, Ami.last_launched_time = "disabled", None
    Ami.xrs_users = ()
    # moto dispatches to the methods of this class, which inherits one of the two.
    EC2Response.deregister_image = deregister_image
    EC2Response.describe_image_references = describe_image_references
