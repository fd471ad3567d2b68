//! The actions of a plan, each with all that it will do.

use jiff::Timestamp;
use owo_colors::{OwoColorize, Style};

use super::{Screen, grouped};
use crate::model::Tags;
use crate::model::action::{
    Action, CopyId, CopyImage, CopySnapshot, DeleteSnapshot, ExpectedCopy, ExpectedDeletion,
    ExpectedSource, KeptCopy, Resource, Tag, TagCopy, TagSource,
};
use crate::model::safe::safe;
use crate::model::sync_tag::SyncTag;
use crate::model::words::utc;

/// One action of a job, with all that it will do.
pub(super) fn action(screen: &mut Screen<'_>, action: &Action, destination: &str) {
    match action {
        Action::CopyImage(copy) => copy_image(screen, copy, destination),
        Action::CopySnapshot(copy) => copy_snapshot(screen, copy, destination),
        Action::TagCopy(TagCopy {
            id: _,
            reason: _,
            copy,
            source: _,
            sync_tag,
            expects,
        }) => {
            let ExpectedCopy {
                no_tag: _,
                taken: _,
            } = expects;
            let Tag { key, value } = sync_tag;
            let what = format!("tag copy {} in {}", resource(copy), safe(destination));
            head(
                screen,
                '~',
                screen.styles.tag,
                &format!("{what}: {} = {}", safe(key), safe(value)),
            );
        }
        Action::TagSource(TagSource {
            id: _,
            reason: _,
            after: _,
            source,
            key,
            taken,
            copy,
        }) => {
            let copy = match copy {
                CopyId::Id(id) => safe(id).into_owned(),
                CopyId::OfAction(_) => "<id of the copy>".to_owned(),
            };
            let value = SyncTag::new(*taken, copy);
            head(
                screen,
                '~',
                screen.styles.tag,
                &format!("tag source {}: {} = {value}", resource(source), safe(key)),
            );
        }
        // They stand together, after all else.
        Action::DeleteSnapshot(_) => {}
    }
}

/// The deletions of a job, oldest copy first; what is the same for several is said once, below them.
pub(super) fn deletions(screen: &mut Screen<'_>, actions: &[Action], destination: &str) {
    let deletions: Vec<&DeleteSnapshot> = actions
        .iter()
        .filter_map(|action| match action {
            Action::DeleteSnapshot(delete) => Some(delete),
            _ => None,
        })
        .collect();
    // The line of a deletion says how old the copy is.
    let reason = |delete: &DeleteSnapshot| {
        let age = format!("the copy of {}", utc(delete.expects.taken));
        delete.reason.replace(&age, "the copy")
    };
    for (reason, group) in grouped(deletions.iter().map(|delete| (reason(delete), *delete))) {
        for delete in group {
            delete_snapshot(screen, delete, destination);
        }
        screen.line(6, safe(&reason).style(screen.styles.quiet));
    }
    if deletions.iter().any(|delete| delete.after.is_some()) {
        screen.line(
            4,
            "once AWS has accepted the copy above (it need not be finished)",
        );
    }
    kept(screen, &deletions);
}

/// The line that says what is to be done.
fn head(screen: &mut Screen<'_>, symbol: char, style: Style, what: &str) {
    screen.line(
        2,
        format_args!("{} {}", symbol.style(style), what.style(style)),
    );
}

fn copy_image(screen: &mut Screen<'_>, copy: &CopyImage, destination: &str) {
    let CopyImage {
        id: _,
        reason: _,
        source_image_id,
        source_region: _,
        name,
        description,
        tags,
        sync_tag,
        kms_key_id,
        size_gib,
        expects: ExpectedSource { state: _, taken },
    } = copy;
    let what = format!(
        "copy image {} to {} as \"{}\"{}",
        safe(source_image_id.as_str()),
        safe(destination),
        safe(name),
        size_and_time(*size_gib, *taken)
    );
    head(screen, '+', screen.styles.create, &what);
    if !description.is_empty() {
        screen.line(6, format_args!("description: {}", safe(description)));
    }
    copy_details(screen, tags, sync_tag, kms_key_id.as_deref());
}

fn copy_snapshot(screen: &mut Screen<'_>, copy: &CopySnapshot, destination: &str) {
    let CopySnapshot {
        id: _,
        reason: _,
        db_instance,
        source_snapshot_id,
        source_snapshot_arn: _,
        source_region: _,
        target_snapshot_id,
        tags,
        sync_tag,
        kms_key_id,
        option_group_name,
        size_gib,
        expects: ExpectedSource { state: _, taken },
    } = copy;
    let what = format!(
        "copy snapshot {} of database {} to {} as {}{}",
        safe(source_snapshot_id.as_str()),
        safe(db_instance.as_str()),
        safe(destination),
        safe(target_snapshot_id.as_str()),
        size_and_time(*size_gib, *taken)
    );
    head(screen, '+', screen.styles.create, &what);
    copy_details(screen, tags, sync_tag, kms_key_id.as_deref());
    if let Some(group) = option_group_name {
        screen.line(6, format_args!("option group: {}", safe(group)));
    }
}

fn copy_details(screen: &mut Screen<'_>, tags: &Tags, sync_tag: &Tag, kms_key_id: Option<&str>) {
    let Tag { key, value } = sync_tag;
    let tags: Vec<String> = tags
        .iter()
        .filter(|(other, _)| *other != key)
        .map(|(key, value)| format!("{} = {}", safe(key), safe(value)))
        .chain([format!("{} = {}", safe(key), safe(value))])
        .collect();
    screen.line(6, format_args!("tags: {}", tags.join(", ")));
    if let Some(key) = kms_key_id {
        screen.line(6, format_args!("encrypted with: {}", safe(key)));
    }
}

fn delete_snapshot(screen: &mut Screen<'_>, delete: &DeleteSnapshot, destination: &str) {
    let DeleteSnapshot {
        id: _,
        reason: _,
        after: _,
        db_instance,
        snapshot_id,
        size_gib,
        expects,
    } = delete;
    // What is kept stands once below all deletions.
    let ExpectedDeletion {
        taken,
        state,
        sync_tag: Tag { key: _, value: _ },
        kept: _,
    } = expects;
    let failed = if state == "available" {
        String::new()
    } else {
        format!(", which is {}", safe(state))
    };
    let what = format!(
        "DELETE snapshot {} of database {} in {}{}{failed}",
        safe(snapshot_id.as_str()),
        safe(db_instance.as_str()),
        safe(destination),
        size_and_time(*size_gib, *taken)
    );
    head(screen, '-', screen.styles.delete, &what);
}

/// `, 20 GiB, taken 2026-01-14 05:10 UTC`; the size as far as AWS states it.
fn size_and_time(size_gib: Option<u64>, taken: Timestamp) -> String {
    let size = size_gib
        .map(|size| format!(", {size} GiB"))
        .unwrap_or_default();
    format!("{size}, taken {}", utc(taken))
}

fn resource(resource: &Resource) -> String {
    match resource {
        Resource::Image(_) => format!("image {}", safe(resource.id())),
        Resource::Snapshot(_) => format!("snapshot {}", safe(resource.id())),
    }
}

/// What the deletions leave, once for all that leave the same.
fn kept(screen: &mut Screen<'_>, deletions: &[&DeleteSnapshot]) {
    let mut said: Vec<&[KeptCopy]> = Vec::new();
    for kept in deletions.iter().map(|delete| &delete.expects.kept) {
        if said.contains(&kept.as_slice()) {
            continue;
        }
        said.push(kept);
        let copies = match kept.len() {
            1 => "available copy is".to_owned(),
            n => format!("{n} available copies are"),
        };
        screen.line(4, format_args!("the newest {copies} kept:"));
        for KeptCopy { id, taken } in kept {
            screen.line(
                6,
                format_args!("{}, taken {}", safe(id.as_str()), utc(*taken)),
            );
        }
    }
}
