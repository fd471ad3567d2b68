//! The command to run next.

use std::path::Path;

use crate::model::inventory::ProviderKind;
use crate::model::plan::{CredentialsFrom, SavedPlan};
use crate::render::markdown::Commands;

/// The suggested file for a plan that is not saved yet.
const UNSAVED: &str = "plan.json";
const SAVE_FIRST: &str = "save this plan with --out plan.json";

/// Returns the command that applies a plan, if there is something to apply: with its digest, the sandbox it was made on, and the
/// config if it takes credentials from there. `path` is where it is saved.
pub(super) fn apply(
    plan: &SavedPlan,
    path: Option<&Path>,
    sandbox: Option<&Path>,
) -> Option<String> {
    let command = command(plan, path, sandbox)?;
    Some(match path {
        Some(_) => expecting(&command, plan),
        // Saving it means planning again, and that plan may have another digest.
        None => format!("{SAVE_FIRST}, then {command}"),
    })
}

/// Returns the commands for people who review the plan elsewhere, and approve what they read.
pub(super) fn commands(plan: &SavedPlan, path: Option<&Path>, sandbox: Option<&Path>) -> Commands {
    let apply = command(plan, path, sandbox).map(|command| expecting(&command, plan));
    Commands {
        show: show(path.unwrap_or(Path::new(UNSAVED))),
        apply: match path {
            Some(_) => apply,
            None => apply.map(|command| format!("# {SAVE_FIRST}\n{command}")),
        },
    }
}

/// Returns a command that applies this plan and no other.
fn expecting(command: &str, plan: &SavedPlan) -> String {
    let digest = quoted(Path::new(&plan.digest));
    format!("{command} --expect-digest {digest}")
}

/// Returns the command that shows a saved plan or results file.
pub(super) fn show(path: &Path) -> String {
    format!("xrs show {}", quoted(path))
}

fn command(plan: &SavedPlan, path: Option<&Path>, sandbox: Option<&Path>) -> Option<String> {
    if plan.summary.actions() == 0 {
        return None;
    }
    let path = quoted(path.unwrap_or(Path::new(UNSAVED)));
    let mut command = format!("xrs apply {path}");
    let mut client_configs = plan.jobs.iter().flat_map(|job| &job.client_config);
    if client_configs.any(|config| config.from == CredentialsFrom::Config) {
        let config = quoted(Path::new(&plan.config.path));
        command.push_str(&format!(" --config {config}"));
    }
    if plan.provider == ProviderKind::Sandbox {
        let sandbox = quoted(sandbox.unwrap_or(Path::new("WORLD.json")));
        command.push_str(&format!(" --sandbox {sandbox}"));
    }
    Some(command)
}

/// Returns a path quoted for a shell as one word.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let folder = if text.starts_with('-') { "./" } else { "" };
    let text = format!("{folder}{text}");
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
