//! A config that has changed since a plan was made: the change is noted, and the plan is applied as approved.

use super::*;

const CHANGED: &str =
    "note: xrs.yaml has changed since this plan was made; that does not change the plan";

/// This job can be applied without settings from the config.
const JOB: &str = "sync_a: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, \
                   sync_identifier: a}\n";

/// Creates a folder with a plan of that job.
fn planned() -> Folder {
    let folder = Folder::new();
    folder.write("xrs.yaml", JOB);
    folder.planned();
    folder
}

#[test]
fn a_config_that_has_changed_is_named_and_the_plan_is_applied_anyway() {
    let folder = planned();
    let same = folder.apply("");
    same.went_well(&[]);
    same.lacks("config");
    folder.write("xrs.yaml", JOB.replace("identifier: a", "identifier: b"));
    folder.apply("").failed(0, &[CHANGED]);
    folder.apply("--config xrs.yaml").failed(0, &[CHANGED]);
    let quiet = folder.apply("-q");
    quiet.went_well(&[]);
    quiet.lacks("has changed");
    let other = || folder.apply("--config other.yaml");
    folder.write("other.yaml", JOB);
    let same = other();
    same.went_well(&[]);
    same.lacks("note:");
    folder.write("other.yaml", format!("{JOB}\n"));
    let says = "note: other.yaml is not the config that this plan was made from";
    other().failed(0, &[says]);
}

#[test]
fn a_config_that_is_used_for_its_settings_is_compared_too() {
    let folder = Folder::new();
    folder.planned();
    folder.configure("retain: 5", "retain: 4");
    folder.apply("").failed(0, &[CHANGED]);
}

#[test]
fn a_config_that_is_not_needed_may_be_missing() {
    let folder = planned();
    let quiet = || {
        let ended = folder.apply("");
        ended.went_well(&[]);
        assert!(!ended.err.contains("xrs.yaml"), "{ended:?}");
    };
    folder.remove("xrs.yaml");
    quiet();
    fs::create_dir(folder.path("xrs.yaml")).expect("made");
    quiet();
    #[cfg(unix)]
    {
        // A read from a pipe that nobody writes to would never end.
        fs::remove_dir(folder.path("xrs.yaml")).expect("removed");
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path("xrs.yaml"))
            .status();
        assert!(made.expect("it runs").success());
        quiet();
    }
}
