//! The actions of a plan, each with all that it will do.

use jiff::Timestamp;

use super::screen::{PLAIN, Screen};
use crate::model::action::{Action, Copy, Delete, KeptCopy, KnownCopy, TagSource};
use crate::model::artifact::ArtifactRef;
use crate::model::kind::Kind;
use crate::model::words::{list, span, utc};
use crate::render::vocabulary::in_brackets;

/// Writes the actions of a job. A reason that is also that of the job, or of the next action, is not repeated.
pub(super) fn actions(screen: &mut Screen, actions: &[Action], job_reason: &str) {
    let styles = screen.styles;
    let mut deletions: Vec<&Delete> = Vec::new();
    for (n, action) in actions.iter().enumerate() {
        let (symbol, style, what) = match action {
            Action::Copy(copy) => ("+", styles.good, copy_words(copy)),
            Action::TagCopy(tag) => {
                let (copy, tags) = (in_region(tag.kind, &tag.copy), tag.all_tags());
                let tags: Vec<String> = tags
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                let what = format!("tag copy {copy}: {}", tags.join(", "));
                ("~", styles.tag, what)
            }
            Action::TagSource(tag) => ("~", styles.tag, tag_source_words(tag)),
            Action::Delete(delete) => {
                deletions.push(delete);
                ("-", styles.bad, delete_words(delete))
            }
        };
        screen.parts(2, &[(style, symbol), (PLAIN, " "), (style, &what)]);
        match action {
            Action::Copy(copy) => write_settings(screen, copy),
            Action::Delete(delete) if !delete.snapshots.is_empty() => {
                let snapshots = list(&delete.snapshots);
                screen.line(6, format_args!("with its snapshots: {snapshots}"));
            }
            _ => {}
        }
        let next = actions.get(n + 1).map(Action::reason);
        if action.reason() != job_reason && Some(action.reason()) != next {
            screen.quiet(6, action.reason());
        }
    }
    if deletions.iter().any(|delete| delete.after.is_some()) {
        screen.line(4, "deleted only once AWS has accepted the copy above");
    }
    if deletions.iter().any(|delete| delete.before.is_some()) {
        screen.line(
            4,
            "deleted before the copy: without that, there is no room for it",
        );
    }
    write_kept(screen, &deletions);
}

fn copy_words(copy: &Copy) -> String {
    let name = match (&copy.copy.id, &copy.copy.name) {
        (Some(id), _) => format!(" as {id}"),
        (None, Some(name)) => format!(" as \"{name}\""),
        (None, None) => String::new(),
    };
    let (source, to) = (artifact(copy.kind, &copy.source), &copy.copy.region);
    let size_and_time = size_and_time(copy.size_gib, copy.expects.data_time);
    format!("copy {source} to {to}{name}{size_and_time}")
}

/// Writes the tags and settings of a copy.
fn write_settings(screen: &mut Screen, copy: &Copy) {
    let sync_tag = &copy.sync_tag;
    let tags = copy.tags.iter().filter(|(key, _)| *key != sync_tag.key);
    let tags = tags.chain([(&*sync_tag.key, &*sync_tag.value)]);
    let tags: Vec<String> = tags
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    screen.line(6, format_args!("tags: {}", tags.join(", ")));
    for (label, value) in [
        ("description", &copy.copy.description),
        ("encrypted with", &copy.kms_key_id),
        ("option group", &copy.option_group_name),
    ] {
        if let Some(value) = value {
            screen.line(6, format_args!("{label}: {value}"));
        }
    }
    if let Some(minutes) = copy.copy_within_minutes {
        let time = span(i64::from(minutes) * 60);
        screen.line(
            6,
            format_args!("complete within: {time} (AWS charges extra per GiB)"),
        );
    }
}

fn tag_source_words(tag: &TagSource) -> String {
    let source = in_region(tag.kind, &tag.source);
    let tag = match &tag.copy {
        KnownCopy::Id(id) => tag.tag(id),
        KnownCopy::OfAction(_) => tag.tag(&"<id of the copy>".into()),
    };
    format!("tag source {source}: {} = {}", tag.key, tag.value)
}

fn delete_words(delete: &Delete) -> String {
    let (copy, expects) = (artifact(delete.kind, &delete.artifact), &delete.expects);
    let (name, region) = (in_brackets(delete.name.as_deref()), &delete.artifact.region);
    let size_and_time = size_and_time(delete.size_gib, expects.data_time);
    let state = (!expects.state.is_available()).then(|| format!(", state {}", expects.state));
    let state = state.unwrap_or_default();
    format!("DELETE {copy}{name} in {region}{size_and_time}{state}")
}

/// Writes what the deletions keep, once for all that keep the same.
fn write_kept(screen: &mut Screen, deletions: &[&Delete]) {
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
        for KeptCopy { id, data_time, .. } in kept {
            screen.line(6, format_args!("{id}, data of {}", utc(*data_time)));
        }
    }
}

/// Returns what an artifact is called: `snapshot rds:mydatabase-2026-01-14-05-10 of mydatabase`.
fn artifact(kind: Kind, artifact: &ArtifactRef) -> String {
    let parent = artifact.parent.as_ref();
    let parent = parent.map_or_else(String::new, |parent| format!(" of {parent}"));
    format!("{kind} {}{parent}", artifact.id)
}

fn in_region(kind: Kind, which: &ArtifactRef) -> String {
    format!("{} in {}", artifact(kind, which), which.region)
}

/// Returns `, 20 GiB, data of 2026-01-14 05:10 UTC`; the size only where AWS states it.
fn size_and_time(size_gib: Option<u32>, data_time: Timestamp) -> String {
    let size = size_gib.map_or_else(String::new, |size| format!(", {size} GiB"));
    format!("{size}, data of {}", utc(data_time))
}
