//! Lines about what is going on while a plan is applied.

use owo_colors::OwoColorize;

use super::results::outcome;
use crate::model::action::Action;
use crate::model::id::JobName;
use crate::model::result::{ActionOutcome, ActionResult};
use crate::model::safe::safe;
use crate::render::styles::Styles;

/// One line of progress: an action has ended. None for what was not begun, of which the results tell. `action` is the
/// one of the plan.
pub fn finished(
    job: &JobName,
    action: Option<&Action>,
    result: &ActionResult,
    styles: &Styles,
) -> Option<String> {
    let ActionResult {
        id,
        action: word,
        outcome: ended,
        resource,
        detail,
    } = result;
    if *ended == ActionOutcome::Skipped {
        return None;
    }
    let mut line = format!("{}: {}", safe(job.as_str()).style(styles.name), safe(word));
    match (resource, action) {
        (Some(resource), _) => {
            line.push_str(&format!(" {} ({})", outcome(*ended), safe(resource)));
        }
        (None, Some(action)) => {
            line.push_str(&format!(" {} {}", safe(subject(action)), outcome(*ended)));
        }
        (None, None) => line.push_str(&format!(" {}", outcome(*ended))),
    }
    if let Some(detail) = detail {
        // What the line begins with is not said again.
        let said = [
            format!("{id} {}: ", outcome(*ended)),
            "the plan is stale: ".to_owned(),
        ];
        let rest = said
            .iter()
            .find_map(|said| detail.strip_prefix(said.as_str()));
        line.push_str(&format!(": {}", safe(rest.unwrap_or(detail))));
    }
    Some(line)
}

/// A copy that AWS takes only when others are done.
pub fn put_off(job: &JobName, action: &Action, styles: &Styles) -> String {
    format!(
        "{}: {} {} waits until other copies are done",
        safe(job.as_str()).style(styles.name),
        action.word(),
        safe(subject(action))
    )
}

/// How far a copy has got.
pub fn copying(
    job: &JobName,
    copy: &str,
    state: &str,
    percent: Option<u8>,
    styles: &Styles,
) -> String {
    let name = safe(job.as_str());
    let percent = percent.filter(|percent| *percent < 100);
    let percent = percent.map_or(String::new(), |percent| format!(" ({percent}%)"));
    format!(
        "{}: copy {} is {}{percent}",
        name.style(styles.name),
        safe(copy),
        safe(state)
    )
}

/// The image or snapshot that an action is about.
fn subject(action: &Action) -> &str {
    match action {
        Action::CopyImage(copy) => copy.source_image_id.as_str(),
        Action::CopySnapshot(copy) => copy.source_snapshot_id.as_str(),
        Action::TagCopy(tag) => tag.copy.id(),
        Action::TagSource(tag) => tag.source.id(),
        Action::DeleteSnapshot(delete) => delete.snapshot_id.as_str(),
    }
}
