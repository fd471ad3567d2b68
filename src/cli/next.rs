//! The command to run next.

use std::path::Path;

use crate::model::inventory::ProviderKind;
use crate::model::plan::{CredentialsFrom, SavedPlan};

/// The command that applies a plan saved at `path`: with the sandbox it was made on, and with the config if it
/// takes credentials from there. None if there is nothing to apply.
pub(super) fn apply(
    plan: &SavedPlan,
    path: Option<&Path>,
    sandbox: Option<&Path>,
) -> Option<String> {
    if plan.summary.actions() == 0 {
        return None;
    }
    let mut words = vec![
        "xrs".to_owned(),
        "apply".to_owned(),
        quoted(path.unwrap_or(Path::new("plan.json"))),
    ];
    let from_config = plan
        .jobs
        .iter()
        .filter_map(|job| job.client_config.as_ref())
        .any(|c| c.from == CredentialsFrom::Config);
    if from_config {
        words.extend(["--config".to_owned(), quoted(Path::new(&plan.config.path))]);
    }
    if plan.provider == ProviderKind::Sandbox {
        words.extend([
            "--sandbox".to_owned(),
            sandbox.map_or_else(|| "WORLD.json".to_owned(), quoted),
        ]);
    }
    let apply = words.join(" ");
    Some(if path.is_some() {
        apply
    } else {
        format!("save this plan with --out plan.json, then {apply}")
    })
}

/// A path as a shell takes it for one word.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    let text = if text.starts_with('-') {
        format!("./{text}")
    } else {
        text.into_owned()
    };
    if !text.is_empty() && text.chars().all(plain) {
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
