//! The permissions that image jobs need.

use super::permissions::{PolicyStage, Statement, arn, in_sid};
use super::rules::SyncJob;
use crate::model::ids::Region;
use crate::model::sync_tag::key_on_source;

/// Returns the IAM statements that a stage needs for an image job.
pub(super) fn permissions(
    job: &SyncJob,
    stage: PolicyStage,
    has_retention: bool,
) -> Vec<Statement> {
    let (source, destination) = (&job.source_region, &job.destination_region);
    let read = Statement::read("ReadImages", "ec2:DescribeImages", [source, destination]);
    if stage == PolicyStage::Plan {
        let users = has_retention.then(|| users_of_images(destination));
        let users = users.into_iter().flatten();
        return [read].into_iter().chain(users).collect();
    }
    // Images and their snapshots have no account in their ARNs.
    let images = |region| arn("ec2", region, "", "image/*");
    let snapshots = |region| arn("ec2", region, "", "snapshot/*");
    let copies = [images(destination), snapshots(destination)];
    let all = copies.iter().cloned();
    let all = all.chain([images(source), snapshots(source)]);
    let tag_source = Statement::new("TagSourceImages", &["ec2:CreateTags"], [images(source)]);
    let keys = [key_on_source(destination)];
    let delete = has_retention.then(|| {
        // The key of the sync tag names the region, so each source region has a statement of its own.
        let sid = format!("DeleteImagesFrom{}", in_sid(source));
        let calls = ["ec2:DeregisterImage", "ec2:DeleteSnapshot"];
        Statement::new(sid, &calls, copies.clone()).only_copies_from(source)
    });
    let statements = [
        read,
        Statement::new("CopyImages", &["ec2:CopyImage"], all),
        Statement::new("TagCopiesOfImages", &["ec2:CreateTags"], copies),
        tag_source.when("ForAllValues:StringEquals", "aws:TagKeys", keys),
    ];
    statements.into_iter().chain(delete).collect()
}

/// Returns the permissions to read which resources use images. EC2 finds them with further calls on behalf of the caller. See
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html>.
fn users_of_images(region: &Region) -> [Statement; 2] {
    let call = "ec2:DescribeImageReferences";
    let calls = [
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "imagebuilder:GetContainerRecipe",
        "imagebuilder:ListContainerRecipes",
        "imagebuilder:ListImageRecipes",
        "ssm:DescribeParameters",
        "ssm:GetParameters",
    ];
    let service = ["ec2-images.amazonaws.com".to_owned()];
    let look = Statement::new("FindUsersOfImages", &calls, ["*".to_owned()]);
    [
        Statement::read("ReadUsersOfImages", call, [region]),
        look.when("ForAnyValue:StringEquals", "aws:CalledVia", service),
    ]
}
