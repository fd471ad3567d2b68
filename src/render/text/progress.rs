//! Lines about what happens while a plan is applied.

use owo_colors::OwoColorize;

use crate::model::action::Action;
use crate::model::ids::{ArtifactId, JobName};
use crate::model::result::{ActionOutcome, ActionResult};
use crate::model::safe::safe;
use crate::render::styles::Styles;
use crate::render::vocabulary::{action_name, outcome_name};

/// Returns the line about an action that has ended; nothing for a skipped one, which the results name. `action` is that of the
/// plan.
pub fn finished(
    job: &JobName,
    action: Option<&Action>,
    result: &ActionResult,
    styles: &Styles,
) -> Option<String> {
    let is_shown = result.outcome != ActionOutcome::Skipped;
    is_shown.then(|| line(job, &finished_action(result, action.map(about)), styles))
}

/// Returns which action has ended and how. `about` is what it is about, if the result does not name what it made.
pub(super) fn finished_action(result: &ActionResult, about: Option<&ArtifactId>) -> String {
    let (action, outcome) = (action_name(result.action), outcome_name(result.outcome));
    let id = result.resource.as_ref().or(about);
    let id = id.map_or_else(String::new, |id| format!(" {id}"));
    let detail = result.detail.as_ref();
    let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
    format!("{action}{id} {outcome}{detail}")
}

/// Returns the line about a copy that AWS accepts only when others have finished.
pub fn deferred(job: &JobName, action: &Action, styles: &Styles) -> String {
    let (name, id) = (action_name(action.name()), about(action));
    let what = format!("{name} {id} deferred until other copies have finished");
    line(job, &what, styles)
}

/// Returns the line about the progress of a copy.
pub fn copying(
    job: &JobName,
    copy: &str,
    state: &str,
    percent: Option<u8>,
    styles: &Styles,
) -> String {
    let percent = percent.filter(|percent| *percent < 100);
    let percent = percent.map_or_else(String::new, |percent| format!(" ({percent}%)"));
    line(job, &format!("copy {copy} is {state}{percent}"), styles)
}

fn line(job: &JobName, what: &str, styles: &Styles) -> String {
    let job = safe(job.as_str());
    format!("{}: {}", job.style(styles.strong), safe(what))
}

/// Returns the artifact that an action is about.
fn about(action: &Action) -> &ArtifactId {
    match action {
        Action::Copy(copy) => &copy.source.id,
        Action::TagCopy(tag) => &tag.copy.id,
        Action::TagSource(tag) => &tag.source.id,
        Action::Delete(delete) => &delete.artifact.id,
    }
}
