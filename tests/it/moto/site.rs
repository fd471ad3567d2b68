//! A folder with a config, an account at the moto server, and the program that runs on both.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::server;
use super::world::{EAST, SECRET_KEY, WEST, World};
use crate::cli::{Ended, Folder, ended};

/// The name of the database.
pub(super) const DATABASE: &str = "mydatabase";

/// A job for an image and a job for a database, with keys of an account of its own.
pub(super) struct Site {
    pub(super) folder: Folder,
    pub(super) world: World,
}

impl Site {
    /// Has an image to copy, a database without snapshots, and nothing in the destination.
    pub(super) fn new(retain: u32) -> Self {
        let site = Self {
            folder: Folder::new(),
            world: World::new(),
        };
        let image = format!(
            "sync_app: {{sync_type: ec2_ami, {}, sync_identifier: app}}\n",
            regions()
        );
        site.configure(&format!(
            "{image}{}",
            database_job("sync_db", DATABASE, retain)
        ));
        let tags = json!({"Sync-Identifier": "app", "Team": "web"});
        let image = json!({"name": "app-1", "created": "2026-01-14T22:00:00Z", "tags": tags});
        site.world.image(EAST, image);
        site.world.database(EAST, DATABASE, None);
        site
    }

    /// Has databases, each with a snapshot to copy.
    pub(super) fn of_databases(number: usize) -> Self {
        let site = Self::new(1);
        let names = || (0..number).map(|n| format!("db{n}"));
        let jobs = names().map(|name| database_job(&format!("sync_{name}"), &name, 1));
        site.configure(&jobs.collect::<String>());
        for name in names() {
            site.world.database(EAST, &name, None);
            site.world
                .snapshot(EAST, &name, "2026-01-15T05:10:33Z", json!({}));
        }
        site
    }

    pub(super) fn configure(&self, jobs: &str) {
        let key = self.world.access_key();
        let keys = format!(
            "aws_client_config: {{aws_access_key: '{key}', aws_secret_key: '{SECRET_KEY}'}}\n"
        );
        self.folder.write("xrs.yaml", format!("{keys}{jobs}"));
    }

    /// Creates an automated snapshot of the database and returns its id.
    pub(super) fn automated(&self, created: &str) -> String {
        let snapshot = self.world.snapshot(EAST, DATABASE, created, json!({}));
        snapshot.id.to_string()
    }

    /// The program, which reads no AWS files of the caller and sends all calls to the moto server.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("xrs"));
        command
            .env_clear()
            .current_dir(self.folder.path(""))
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", self.folder.path("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.folder.path("none"))
            .args(arguments);
        command
    }

    /// Runs the program to its end.
    pub(super) fn xrs(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments).into())
    }

    /// Runs the program to its end, with success.
    pub(super) fn done(&self, arguments: &[&str]) -> Ended {
        let ended = self.xrs(arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// Runs the program to its end, with success. What it prints does not matter.
    pub(super) fn succeeds(&self, arguments: &[&str]) {
        let _ = self.done(arguments);
    }

    /// Starts the program.
    pub(super) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// Plans into `plan.json` and returns the plan.
    pub(super) fn plan(&self) -> Value {
        self.succeeds(&["plan", "--out", "plan.json"]);
        self.folder.json("plan.json")
    }

    /// Plans, applies, and returns the results.
    pub(super) fn plan_and_apply(&self) -> Value {
        self.plan();
        self.succeeds(&["apply", "plan.json", "--results", "results.json"]);
        self.folder.json("results.json")
    }

    /// Asserts that planning finds nothing to do.
    #[track_caller]
    pub(super) fn assert_up_to_date(&self) {
        assert_eq!(actions(&self.plan()), [""; 0]);
    }

    /// The manual snapshots in the destination, in order.
    pub(super) fn copies(&self) -> Vec<String> {
        let request = json!({"region": WEST, "type": "manual"});
        let found = self.world.control("list", request);
        let mut ids: Vec<String> = serde_json::from_value(found).expect("ids");
        ids.sort();
        ids
    }
}

pub(super) fn regions() -> String {
    format!("source_region: {EAST}, destination_region: {WEST}")
}

pub(super) fn database_job(name: &str, database: &str, retain: u32) -> String {
    format!(
        "{name}: {{sync_type: rds_automated_snapshot, {}, db_instance: {database}, max_snapshots_to_retain: {retain}}}\n",
        regions()
    )
}

/// The id of the copy of the automated snapshot of a day of January.
pub(super) fn copy_of_day(day: u32) -> String {
    format!("rds-{DATABASE}-2026-01-{day}-05-10")
}

/// When the automated snapshot of that day was created.
pub(super) fn on_day(day: u32) -> String {
    format!("2026-01-{day}T05:10:33Z")
}

/// The ids of a plan's actions.
pub(super) fn actions(plan: &Value) -> Vec<&str> {
    let jobs = plan["jobs"].as_array().expect("jobs");
    let actions = jobs
        .iter()
        .flat_map(|job| job["actions"].as_array().expect("actions"));
    actions
        .map(|action| action["id"].as_str().expect("an id"))
        .collect()
}

/// A job of a plan or status, or the result of a job.
pub(super) fn job<'a>(document: &'a Value, name: &str) -> &'a Value {
    let list = document.get("jobs").or_else(|| document.get("results"));
    let jobs = list.and_then(Value::as_array).expect("a list");
    jobs.iter()
        .find(|job| job["name"] == name)
        .expect("the job")
}
