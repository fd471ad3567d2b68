//! A fleet of databases and images in an account of its own, and a tool that works on it.

use std::{fmt, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::moto::server;
use crate::moto::world::{EAST, SECRET_KEY, WEST, World, longest_chain};
use crate::timing::{median_by, timed};
use crate::tool::{POLICY, Task, Tool};

/// How long the console of RDS keeps automated snapshots by default.
const DAYS: usize = 7;
/// How many copies xrs keeps by default besides the one it makes. The copy of the last day is due.
const COPIED: usize = 2;

/// The number of databases and images, with a job for each.
#[derive(Clone, Copy)]
pub(crate) struct Fleet {
    databases: usize,
    pub(crate) images: usize,
}

/// What the work of a tool took.
pub(crate) struct Measured {
    pub(crate) calls: usize,
    pub(crate) in_a_row: usize,
    /// Seconds from the tool's start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time that the server used during that time.
    pub(crate) server: f64,
}

struct Site {
    fleet: Fleet,
    world: World,
    folder: TempDir,
}

impl Fleet {
    pub(crate) fn new(databases: usize, images: usize) -> Self {
        Self { databases, images }
    }

    pub(crate) fn jobs(self) -> usize {
        self.databases + self.images
    }

    /// The config of xrs.
    fn config(self) -> String {
        let regions = format!("source_region: {EAST}, destination_region: {WEST}");
        let databases = (0..self.databases).map(|n| {
            format!("sync_db_{n}: {{sync_type: rds_automated_snapshot, {regions}, db_instance: db-{n}}}\n")
        });
        let images = (0..self.images).map(|n| {
            format!("sync_app_{n}: {{sync_type: ec2_ami, {regions}, sync_identifier: app-{n}}}\n")
        });
        databases.chain(images).collect()
    }

    /// The same list for the boto3 loop.
    fn listed(self) -> String {
        let named = |prefix, count| -> Vec<String> {
            (0..count).map(|n| format!("{prefix}-{n}")).collect()
        };
        json!({
            "source": EAST,
            "destination": WEST,
            "databases": named("db", self.databases),
            "identifiers": named("app", self.images),
        })
        .to_string()
    }
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count| if count == 1 { "" } else { "s" };
        write!(f, "{} database{}", self.databases, plural(self.databases))?;
        match self.images {
            0 => Ok(()),
            images => write!(f, " and {images} AMI{}", plural(images)),
        }
    }
}

/// Does the same work several times, each on a site of its own, and returns the median.
pub(crate) fn median_of(
    repeats: usize,
    fleet: Fleet,
    settings: &Value,
    tool: Tool,
    task: Task,
) -> Result<Measured, String> {
    let once = |_| Site::new(fleet, settings).measure(tool, task);
    let measured: Result<Vec<_>, _> = (0..repeats).map(once).collect();
    Ok(median_by(measured?, |measured| measured.wall))
}

impl Site {
    /// Creates the fleet, with settings of the server: see `DEFAULTS` in `tests/moto/patches.py`.
    fn new(fleet: Fleet, settings: &Value) -> Self {
        let site = Self {
            fleet,
            world: World::new(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let Fleet { databases, images } = fleet;
        site.world.control(
            "fleet",
            json!({"region": EAST, "to": WEST, "databases": databases, "images": images, "days": DAYS, "copied": COPIED}),
        );
        let mut settings = settings.clone();
        // An account with this many databases has a higher quota.
        settings["manual_snapshots"] = json!(10 * (databases + 10));
        site.world.control("settings", settings);
        let files = [
            ("xrs.yaml", fleet.config()),
            ("fleet.json", fleet.listed()),
            ("policy.yaml", POLICY.to_owned()),
        ];
        for (file, text) in files {
            fs::write(site.folder.path().join(file), text).expect("written");
        }
        site
    }

    /// Runs a tool and returns what that took, or how it failed.
    fn measure(&self, tool: Tool, task: Task) -> Result<Measured, String> {
        let before = self.world.calls().len();
        let used = self.server_time();
        let mut command = tool.command(task);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("AWS_DEFAULT_REGION", EAST)
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("AWS_ACCESS_KEY_ID", self.world.access_key())
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let (output, wall) = timed(&mut command);
        let server = self.server_time() - used;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            eprintln!("{tool}: {errors}");
            let line = errors.lines().find(|line| !line.trim().is_empty());
            return Err(format!("failed: {}", line.unwrap_or("no message")));
        }
        let made = self.made();
        let due = if task == Task::Plan {
            0
        } else {
            self.fleet.jobs()
        };
        if made != due {
            return Err(format!("failed: {made} of {due} copies were made"));
        }
        let calls = &self.world.calls()[before..];
        Ok(Measured {
            calls: calls.len(),
            in_a_row: longest_chain(calls),
            wall,
            server,
        })
    }

    fn server_time(&self) -> f64 {
        let time = self.world.control("processor", json!({}));
        time.as_f64().expect("seconds")
    }

    /// Returns the number of copies that were made.
    fn made(&self) -> usize {
        let count = |what, mut request: Value| {
            request["region"] = json!(WEST);
            let list = self.world.control(what, request);
            list.as_array().expect("a list").len()
        };
        let copied = COPIED * self.fleet.databases;
        count("list", json!({"type": "manual"})) - copied + count("images", json!({}))
    }
}

impl Drop for Site {
    /// Otherwise the server would get slower with everything that it stores.
    fn drop(&mut self) {
        self.world.control("clear", json!({}));
        self.world.control("reset", json!({}));
    }
}
