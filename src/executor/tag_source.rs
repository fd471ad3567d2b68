//! `tag_source`: a note on the source where its copy is, for people and for the older tool. The copy's own tag is
//! the truth, so nothing here fails a job.

use super::Written;
use super::verdict::{Verdict, images, snapshots};
use crate::model::Tags;
use crate::model::action::{Resource, TagSource};
use crate::model::client_config::Place;
use crate::model::inventory::{Found, Looked};
use crate::model::sync_tag::SyncTag;
use crate::provider::Provider;

pub(super) fn check(tag: &TagSource, copy: Option<&str>, found: &Found) -> Looked<Verdict> {
    let tags = match &tag.source {
        Resource::Image(id) => images(found)?
            .0
            .iter()
            .find(|image| image.id == *id)
            .map(|image| &image.tags),
        Resource::Snapshot(arn) => snapshots(found)?
            .0
            .iter()
            .find(|snapshot| snapshot.arn == *arn)
            .map(|snapshot| &snapshot.tags),
    };
    let Some(copy) = copy else {
        return Ok(Verdict::Needless(
            "there is no copy of this very source to name".to_owned(),
        ));
    };
    Ok(match tags {
        // Automated snapshots expire; a finished plan stays finished.
        None => Verdict::Needless("the source is gone".to_owned()),
        Some(tags) if tags.get(&tag.key) == Some(&SyncTag::new(tag.taken, copy).to_string()) => {
            Verdict::AlreadyDone(tag.source.id().to_owned())
        }
        Some(_) => Verdict::Go,
    })
}

pub(super) async fn carry_out(
    provider: &dyn Provider,
    source: &Place,
    tag: &TagSource,
    copy: Option<&str>,
) -> Looked<Written> {
    // Without a copy the check has found the tag needless, and it does not come to this.
    if let Some(copy) = copy {
        let value = SyncTag::new(tag.taken, copy).to_string();
        let tags = Tags::from([(tag.key.clone(), value)]);
        provider.tag(source, &tag.source, &tags).await?;
    }
    Ok(Written::Done(tag.source.id().to_owned()))
}
