//! The actions of a plan, each with all that it will do.

use jiff::Timestamp;
use owo_colors::{OwoColorize, Style};

use super::screen::Screen;
use crate::model::action::{Action, Copy, Delete, KeptCopy, KnownCopy, TagCopy, TagSource};
use crate::model::artifact::ArtifactRef;
use crate::model::kind::Kind;
use crate::model::safe::safe;
use crate::model::sync_tag::SyncTag;
use crate::model::words::utc;

/// Writes the actions of a job. A reason that is also that of the job, or of the next action, is not repeated.
pub(super) fn actions(screen: &mut Screen<'_>, actions: &[Action], job_reason: &str) {
    let mut deletions: Vec<&Delete> = Vec::new();
    for (n, action) in actions.iter().enumerate() {
        match action {
            Action::Copy(copy) => write_copy(screen, copy),
            Action::TagCopy(tag) => write_tag_copy(screen, tag),
            Action::TagSource(tag) => write_tag_source(screen, tag),
            Action::Delete(delete) => {
                write_delete(screen, delete);
                deletions.push(delete);
            }
        }
        let next = actions.get(n + 1).map(Action::reason);
        if action.reason() != job_reason && Some(action.reason()) != next {
            screen.quiet(6, &safe(action.reason()));
        }
    }
    if deletions.iter().any(|delete| delete.after.is_some()) {
        screen.line(4, "deleted only once AWS has accepted the copy above");
    }
    write_kept(screen, &deletions);
}

/// Writes the line that says what is done.
fn head(screen: &mut Screen<'_>, symbol: char, style: Style, what: &str) {
    screen.line(
        2,
        format_args!("{} {}", symbol.style(style), what.style(style)),
    );
}

fn write_copy(screen: &mut Screen<'_>, copy: &Copy) {
    let name = match (&copy.copy.id, &copy.copy.name) {
        (Some(id), _) => format!(" as {}", safe(id.as_str())),
        (None, Some(name)) => format!(" as \"{}\"", safe(name)),
        (None, None) => String::new(),
    };
    let what = format!(
        "copy {} to {}{name}{}",
        artifact(copy.kind, &copy.source),
        safe(copy.copy.region.as_str()),
        size_and_time(copy.size_gib, copy.expects.data_time)
    );
    head(screen, '+', screen.styles.create, &what);
    let sync_tag = &copy.sync_tag;
    let tags = copy.tags.iter().filter(|(key, _)| *key != sync_tag.key);
    let tags = tags.chain([(&*sync_tag.key, &*sync_tag.value)]);
    let tags: Vec<String> = tags.map(|(key, value)| pair(key, value)).collect();
    screen.line(6, format_args!("tags: {}", tags.join(", ")));
    for (label, value) in [
        ("description", &copy.copy.description),
        ("encrypted with", &copy.kms_key_id),
        ("option group", &copy.option_group_name),
    ] {
        if let Some(value) = value {
            screen.line(6, format_args!("{label}: {}", safe(value)));
        }
    }
}

fn write_tag_copy(screen: &mut Screen<'_>, tag: &TagCopy) {
    let what = artifact_in_region(tag.kind, &tag.copy);
    let tags = tag.all_tags();
    let tags: Vec<String> = tags.iter().map(|(key, value)| pair(key, value)).collect();
    head(
        screen,
        '~',
        screen.styles.tag,
        &format!("tag copy {what}: {}", tags.join(", ")),
    );
}

fn write_tag_source(screen: &mut Screen<'_>, tag: &TagSource) {
    let what = artifact_in_region(tag.kind, &tag.source);
    let copy = match &tag.copy {
        KnownCopy::Id(id) => id.as_str(),
        KnownCopy::OfAction(_) => "<id of the copy>",
    };
    let tag = pair(&tag.key, &SyncTag::new(tag.data_time, copy).to_string());
    head(
        screen,
        '~',
        screen.styles.tag,
        &format!("tag source {what}: {tag}"),
    );
}

fn write_delete(screen: &mut Screen<'_>, delete: &Delete) {
    let expects = &delete.expects;
    let state = if expects.state.is_available() {
        String::new()
    } else {
        format!(", state {}", safe(expects.state.as_str()))
    };
    let what = format!(
        "DELETE {}{}{state}",
        artifact_in_region(delete.kind, &delete.artifact),
        size_and_time(delete.size_gib, expects.data_time)
    );
    head(screen, '-', screen.styles.delete, &what);
}

/// Writes what the deletions keep, once for all that keep the same.
fn write_kept(screen: &mut Screen<'_>, deletions: &[&Delete]) {
    let mut written: Vec<&[KeptCopy]> = Vec::new();
    for kept in deletions.iter().map(|delete| &*delete.expects.kept) {
        if written.contains(&kept) {
            continue;
        }
        written.push(kept);
        let copies = match kept.len() {
            1 => "available copy is".to_owned(),
            number => format!("{number} available copies are"),
        };
        screen.line(4, format_args!("the newest {copies} kept:"));
        for KeptCopy { id, data_time } in kept {
            let (id, time) = (safe(id.as_str()), utc(*data_time));
            screen.line(6, format_args!("{id}, data of {time}"));
        }
    }
}

/// Returns what an artifact is called: `snapshot rds:mydatabase-2026-01-14-05-10 of mydatabase`.
fn artifact(kind: Kind, artifact: &ArtifactRef) -> String {
    let parent = artifact.parent.as_ref().map_or_else(String::new, |parent| {
        format!(" of {}", safe(parent.as_str()))
    });
    format!("{kind} {}{parent}", safe(artifact.id.as_str()))
}

fn artifact_in_region(kind: Kind, which: &ArtifactRef) -> String {
    format!(
        "{} in {}",
        artifact(kind, which),
        safe(which.region.as_str())
    )
}

fn pair(key: &str, value: &str) -> String {
    format!("{} = {}", safe(key), safe(value))
}

/// Returns `, 20 GiB, data of 2026-01-14 05:10 UTC`; the size only where AWS states it.
fn size_and_time(size_gib: Option<u32>, data_time: Timestamp) -> String {
    let size = size_gib.map_or_else(String::new, |size| format!(", {size} GiB"));
    format!("{size}, data of {}", utc(data_time))
}
