//! Python virtual environments for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_xregion_sync::model::client_config::sha256;

/// Returns the Python of a virtual environment with the packages that a requirements file pins. Creates the environment on first
/// use. Each list has its own environment.
///
/// The environment is created next to its final place and then moved there. So nobody uses an incomplete one, and several processes
/// can create it at once.
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
        "this test needs `python3`, 3.10 or newer; `cargo test --no-default-features` runs without it"
    );
    let new = tempfile::tempdir_in(target).expect("a folder");
    let environment = new.path().join("python");
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment));
    let pip = "-m pip install --quiet --disable-pip-version-check --no-deps --requirement";
    run(Command::new(environment.join("bin/python"))
        .args(pip.split(' '))
        .arg(requirements));
    // This fails if another process or thread was faster.
    let moved = fs::rename(&environment, &place);
    assert!(python.exists(), "{}: {moved:?}", place.display());
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
