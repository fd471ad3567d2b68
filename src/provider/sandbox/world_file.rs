//! The sandbox file: JSON text in and out, and what is checked in it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde_json::Value;

use super::calls::{READS, WRITES};
use super::contents::WorldArtifact;
use super::image_filters;
use super::world::{FORMAT_VERSION, World, WorldRegion};
use crate::model::ids::{AccountId, Region};
use crate::model::json::document;
use crate::model::problem::{Problem, TextPlace};

/// The earlier format, in which some keys have other names.
const EARLIER_VERSION: &str = "1.0";

impl World {
    /// What to do about a file that can't be used.
    pub const WAY_OUT: &str =
        "edit it, or move it away: `xrs plan --sandbox FILE` makes a new one for the config";

    /// Reads a sandbox file. The message of a problem can follow "… is not a valid sandbox: ".
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let json: Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let other_file = |what| Err(Problem::new(what).help("--sandbox takes a sandbox file"));
        if json.get("plan_digest").is_some() {
            return other_file("it holds the results of an apply");
        }
        if json.get("digest").is_some() {
            return other_file("it is a plan");
        }
        let way_out = |message: String| Problem::new(message).help(Self::WAY_OUT);
        match json.get("format_version") {
            Some(version) if version == FORMAT_VERSION || version == EARLIER_VERSION => {}
            Some(version) => {
                let message = format!(
                    "its format version is {version}, and this xrs reads {FORMAT_VERSION:?} and {EARLIER_VERSION:?}"
                );
                let help = format!("use the version of xrs that wrote it; or {}", Self::WAY_OUT);
                return Err(Problem::new(message).help(help));
            }
            None => {
                let message = "it is not a JSON object with a format_version";
                return Err(way_out(message.to_owned()));
            }
        }
        // The text is read again, so that problems have a line.
        let mut world: Self = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        FORMAT_VERSION.clone_into(&mut world.format_version);
        world.check().map_err(way_out)?;
        Ok(world)
    }

    /// Returns the text of the sandbox file: the same text for the same world.
    pub fn to_json(&self) -> String {
        // Strings, numbers, and maps with strings as keys always serialise.
        document(self).unwrap_or_default()
    }

    /// Checks what the types alone do not ensure.
    fn check(&self) -> Result<(), String> {
        require(!self.accounts.is_empty(), || {
            "accounts is empty; the first is that of callers that state none".to_owned()
        })?;
        unique("accounts", self.accounts.iter())?;
        let mut expired = self.expired_credentials.iter();
        expired.try_for_each(|account| self.check_account("expired_credentials", account))?;
        for planned in &self.fail_next_copies {
            self.check_has_region("fail_next_copies", &planned.region)?;
        }
        for fault in &self.faults {
            let calls = [READS.as_slice(), &WRITES].concat();
            require(calls.contains(&fault.call.as_str()), || {
                let calls = calls.join(", ");
                format!("faults: {:?} is not one of the calls {calls}", fault.call)
            })?;
            if let Some(region) = &fault.region {
                self.check_has_region("faults", region)?;
            }
        }
        let mut regions = self.regions.iter();
        regions.try_for_each(|(code, region)| self.check_region(code, region))
    }

    fn check_region(&self, code: &Region, region: &WorldRegion) -> Result<(), String> {
        let images = region.images.iter();
        unique(&format!("images of {code}"), images.map(|image| &image.id))?;
        for image in &region.images {
            let what = format!("image {} of {code}", image.id);
            check_artifact(&what, image)?;
            let mut attributes = image.attributes.keys();
            let unknown = attributes.find(|name| image_filters::attribute(name).is_none());
            require(unknown.is_none(), || {
                format!("{what}: attributes: {unknown:?} is not a filter that attributes answer")
            })?;
        }
        let what = format!("databases of {code}");
        let databases = region.databases.iter();
        unique(
            &what,
            databases.map(|database| (&database.id, &database.account)),
        )?;
        for database in &region.databases {
            lower_case(&what, database.id.as_str())?;
            self.check_account(&format!("{what}: {}", database.id), &database.account)?;
        }
        let snapshots = region.snapshots.iter();
        let snapshots = snapshots.map(|snapshot| (&snapshot.id, &snapshot.account));
        unique(&format!("snapshots of {code}"), snapshots)?;
        for snapshot in &region.snapshots {
            let what = format!("snapshot {} of {code}", snapshot.id);
            check_artifact(&what, snapshot)?;
            self.check_account(&what, &snapshot.account)?;
            lower_case(&format!("{what}: id"), snapshot.id.as_str())?;
            let parent = snapshot.parent.as_ref();
            lower_case(
                &format!("{what}: parent"),
                parent.map_or("", |parent| parent.as_str()),
            )?;
        }
        Ok(())
    }

    fn check_has_region(&self, what: &str, region: &Region) -> Result<(), String> {
        require(self.regions.contains_key(region), || {
            format!("{what}: the world has no region {region:?}")
        })
    }

    fn check_account(&self, what: &str, account: &AccountId) -> Result<(), String> {
        require(self.accounts.contains(account), || {
            format!("{what}: {account:?} is not one of the accounts")
        })
    }
}

fn check_artifact(what: &str, artifact: &WorldArtifact) -> Result<(), String> {
    let source = artifact.copied_from.as_ref();
    require(source.is_none_or(|arn| arn.id().is_some()), || {
        format!("{what}: copied_from is not the ARN of an image or snapshot")
    })?;
    let (id, state) = (artifact.id.as_str(), artifact.state.as_str());
    require(!id.is_empty() && !state.is_empty(), || {
        format!("{what}: the id or the state is empty")
    })
}

fn require(is_met: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if is_met { Ok(()) } else { Err(message()) }
}

fn unique<T: Ord + Debug>(what: &str, ids: impl Iterator<Item = T>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if let Some(twice) = seen.replace(id) {
            return Err(format!("{what}: {twice:?} appears twice"));
        }
    }
    Ok(())
}

fn lower_case(what: &str, text: &str) -> Result<(), String> {
    let is_lower_case = !text.is_empty() && !text.chars().any(char::is_uppercase);
    require(is_lower_case, || {
        format!("{what}: {text:?} is not in lower case")
    })
}

/// Returns what serde says, with the line and column as a place.
fn unreadable(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = format!(" at line {line} column {column}");
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let problem = Problem::new(message).help(World::WAY_OUT);
    if line == 0 {
        return problem;
    }
    problem.at(TextPlace {
        line,
        column: column.max(1),
        length: 1,
    })
}
