//! Python with packages of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_xregion_sync::model::client_config::sha256;

/// The Python of an environment with what a list of requirements pins, made at the first use. Another list makes
/// another environment.
///
/// It is made beside its place and then moved there, so that a half-made one is never used, and of several
/// processes that make it at once one wins.
pub(crate) fn with(requirements: &Path) -> PathBuf {
    let list = fs::read(requirements).expect("a list of requirements");
    let hash: String = sha256(&list)
        .trim_start_matches("sha256:")
        .chars()
        .take(16)
        .collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = target.join(format!("python-{hash}"));
    let python = place.join("bin/python");
    if python.exists() {
        return python;
    }
    let found = Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
        .status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "`python3`, 3.10 or newer, is needed for moto; `cargo test --no-default-features` does without"
    );
    let making = target.join(format!("python-{hash}.{}", std::process::id()));
    run(Command::new("python3").args(["-m", "venv"]).arg(&making));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ];
    run(Command::new(making.join("bin/python"))
        .args(pip)
        .arg(requirements));
    if fs::rename(&making, &place).is_err() {
        assert!(
            python.exists(),
            "{} cannot be moved to {}",
            making.display(),
            place.display()
        );
        // Another process was quicker; what is left of ours is no harm.
        let _ = fs::remove_dir_all(&making);
    }
    python
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
