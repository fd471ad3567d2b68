//! The command to run next.

use std::path::Path;

use crate::model::inventory::ProviderKind;
use crate::model::plan::{CredentialsFrom, SavedPlan};
use crate::render::markdown::Commands;

/// Returns the command that applies a plan, if there is something to apply: with its digest, the sandbox it was made on, and the
/// config if it takes credentials from there. `path` is where it is saved.
pub(super) fn apply(
    plan: &SavedPlan,
    path: Option<&Path>,
    sandbox: Option<&Path>,
) -> Option<String> {
    let words = words(plan, path, sandbox)?;
    Some(if path.is_some() {
        expecting(&words, plan)
    } else {
        // Saving it means planning again, and that plan may have another digest.
        format!("{SAVE_FIRST}, then {}", words.join(" "))
    })
}

/// Returns the commands for people who review the plan elsewhere, and approve what they read.
pub(super) fn commands(plan: &SavedPlan, path: Option<&Path>, sandbox: Option<&Path>) -> Commands {
    let apply = words(plan, path, sandbox).map(|words| {
        let apply = expecting(&words, plan);
        if path.is_some() {
            apply
        } else {
            format!("# {SAVE_FIRST}\n{apply}")
        }
    });
    Commands {
        show: show(path.unwrap_or(Path::new(UNSAVED))),
        apply,
    }
}

/// Returns the command that applies this plan and no other.
fn expecting(words: &[String], plan: &SavedPlan) -> String {
    let digest = quoted(Path::new(&plan.digest));
    format!("{} --expect-digest {digest}", words.join(" "))
}

/// Returns the command that shows a saved plan or results file.
pub(super) fn show(path: &Path) -> String {
    format!("xrs show {}", quoted(path))
}

/// The suggested file for a plan that is not saved yet.
const UNSAVED: &str = "plan.json";
const SAVE_FIRST: &str = "save this plan with --out plan.json";

fn words(plan: &SavedPlan, path: Option<&Path>, sandbox: Option<&Path>) -> Option<Vec<String>> {
    if plan.summary.actions() == 0 {
        return None;
    }
    let mut words = vec![
        "xrs".to_owned(),
        "apply".to_owned(),
        quoted(path.unwrap_or(Path::new(UNSAVED))),
    ];
    let is_from_config = plan
        .jobs
        .iter()
        .filter_map(|job| job.client_config.as_ref())
        .any(|c| c.from == CredentialsFrom::Config);
    if is_from_config {
        words.extend(["--config".to_owned(), quoted(Path::new(&plan.config.path))]);
    }
    if plan.provider == ProviderKind::Sandbox {
        words.extend([
            "--sandbox".to_owned(),
            sandbox.map_or_else(|| "WORLD.json".to_owned(), quoted),
        ]);
    }
    Some(words)
}

/// Returns a path quoted for a shell as one word.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let text = if text.starts_with('-') {
        format!("./{text}")
    } else {
        text.into_owned()
    };
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_each() {
        assert_eq!(quoted(Path::new("target/plan.json")), "target/plan.json");
        assert_eq!(quoted(Path::new("my plan.json")), "'my plan.json'");
        assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
        assert_eq!(quoted(Path::new("-x")), "./-x");
    }
}
