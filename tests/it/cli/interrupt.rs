//! Signals to the program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Folder;
use crate::support::assert_says;

/// Enough jobs that applying them takes many seconds.
const JOBS: usize = 400;

/// Far longer than anything here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Creates a folder with many jobs with names so long that their plan and results fill any pipe.
fn many_jobs() -> Folder {
    let folder = Folder::new();
    let long = "x".repeat(200);
    let job = |n| {
        format!(
            "sync_{n:03}_{long}: {{sync_type: rds_automated_snapshot, source_region: us-east-1, \
             destination_region: us-west-1, db_instance: db{n}, max_snapshots_to_retain: 0}}\n"
        )
    };
    folder.write("xrs.yaml", (0..JOBS).map(job).collect::<String>());
    folder
}

/// The running program, which does not outlive its test.
struct Running {
    child: Child,
    err: BufReader<ChildStderr>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(folder: &Folder, words: &str, stdout: Stdio) -> Self {
        let mut child = folder.spawn(words, stdout);
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, err }
    }

    /// Waits for its first line of progress. By then it handles signals.
    fn wait_for_progress(&mut self) {
        self.wait_for(": copy ");
    }

    fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let length = self.err.read_line(&mut line).expect("a line");
            assert_ne!(length, 0, "it ended without having done anything");
        }
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -s {signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success(), "{kill}");
    }

    /// Returns its exit code, and the rest of its stderr.
    fn ended(mut self) -> (Option<i32>, String) {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(20));
        };
        let mut err = String::new();
        self.err.read_to_string(&mut err).expect("UTF-8");
        (status.code(), err)
    }
}

#[test]
fn after_the_first_signal_nothing_is_begun_and_the_second_ends_the_apply() {
    let folder = many_jobs();
    folder.planned();
    folder.edit("world.json", |world| {
        world["quotas"]["snapshot_copies_in_flight"] = JOBS.into();
    });
    let copies = || {
        let world = folder.json("world.json");
        let there = &world["regions"]["us-west-1"]["snapshots"];
        there.as_array().expect("snapshots").len()
    };
    let before = copies();
    let apply = |results, stdout| {
        let apply = format!("apply plan.json --sandbox world.json --results {results}");
        let mut running = Running::start(&folder, &apply, stdout);
        running.wait_for_progress();
        running.signal("TERM");
        running
    };

    let (code, err) = apply("results.json", Stdio::null()).ended();
    assert_eq!(code, Some(130), "{err}");
    let saved = folder.json("results.json");
    assert_eq!(saved["complete"], true);
    assert_eq!(saved["interrupted"], true);
    let results = saved["results"].as_array().expect("results");
    assert_eq!(results.len(), JOBS);
    let actions = results
        .iter()
        .flat_map(|result| result["actions"].as_array().expect("actions"));
    let (done, skipped): (Vec<&Value>, Vec<&Value>) =
        actions.partition(|action| action["outcome"] == "done");
    assert!((1..JOBS).contains(&done.len()), "{} done", done.len());
    let made = copies() - before;
    assert_eq!(done.len(), made, "what is reported is what was done");
    assert!(skipped.iter().all(|action| action["outcome"] == "skipped"));
    let last = &results[JOBS - 1];
    assert_eq!(last["completed"], false);
    for why in [&last["errors"][0]["message"], &last["actions"][0]["detail"]] {
        assert_says(why.as_str().expect("a text"), "the apply was interrupted");
    }
    let shown = folder.xrs("show results.json");
    shown.went_well(&["the apply was interrupted"]);

    // Nobody reads its results, so without the second signal it would wait forever.
    let running = apply("again.json", Stdio::piped());
    running.signal("INT");
    let (code, err) = running.ended();
    assert_eq!(code, Some(130), "{err}");
}

#[test]
fn a_signal_ends_a_command_that_waits_for_a_sandbox() {
    let folder = Folder::new();
    folder.planned();
    let lock = std::fs::File::open(folder.path("world.json.lock")).expect("a lock");
    lock.lock().expect("locked");
    let mut running = Running::start(&folder, "status --sandbox world.json", Stdio::null());
    running.wait_for("waiting for another xrs process");
    running.signal("TERM");
    let (code, err) = running.ended();
    assert_eq!(code, Some(130), "{err}");
}

#[test]
fn the_second_signal_ends_a_run_whose_plan_nobody_reads() {
    let folder = many_jobs();
    let run = "run --sandbox world.json";
    let mut running = Running::start(&folder, run, Stdio::piped());
    // Once there is something to read, it handles signals, and is stuck in the middle of its plan.
    let mut out = running.child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0]).expect("a byte");
    running.signal("TERM");
    running.signal("INT");
    let (code, err) = running.ended();
    assert_eq!(code, Some(130), "{err}");
    drop(out);
    let world = folder.read("world.json");
    assert!(!world.contains("\"creating\""), "nothing was begun");
}
