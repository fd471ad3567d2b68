//! The sandbox file: reading, checking and writing its JSON text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::calls::{Fault, READS, WRITES};
use super::contents::WorldArtifact;
use super::image_filters;
use super::world::{FORMAT_VERSION, World};
use crate::model::ids::{AccountId, ParentId};
use crate::model::json::document;
use crate::model::kind::Kind;
use crate::model::problem::{Problem, TextPlace};

/// The earlier format, in which some keys have different names.
const EARLIER_VERSION: &str = "1.0";

impl World {
    /// What to do about a file that can't be used.
    pub const WAY_OUT: &str =
        "edit it, or move it aside: `xrs plan --sandbox FILE` creates a new one for the config";

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
        let version = json.get("format_version");
        let version = version.ok_or("it is not a JSON object with a format_version");
        let version = version.map_err(|message| way_out(message.to_owned()))?;
        if version != FORMAT_VERSION && version != EARLIER_VERSION {
            let message = format!(
                "its format version is {version}; this version of xrs reads {FORMAT_VERSION:?} and {EARLIER_VERSION:?}"
            );
            let help = format!("use the version of xrs that wrote it; or {}", Self::WAY_OUT);
            return Err(Problem::new(message).help(help));
        }
        // The text is read again, so that problems have a line.
        let mut world: Self = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        FORMAT_VERSION.clone_into(&mut world.format_version);
        world.check().map_err(way_out)?;
        Ok(world)
    }

    /// Returns the text of the sandbox file. The same world gives the same text.
    pub fn to_json(&self) -> String {
        // Strings, numbers, and maps with string keys can always be serialised.
        document(self).unwrap_or_default()
    }

    /// Checks what the types do not guarantee. Most of these mistakes would otherwise go unnoticed.
    fn check(&self) -> Result<(), String> {
        let message = "accounts is empty; the first is that of callers that state none";
        require(!self.accounts.is_empty(), message)?;
        for account in &self.expired_credentials {
            self.check_account("expired_credentials", account)?;
        }
        let calls = [READS.as_slice(), &WRITES].concat();
        for Fault { call, .. } in &self.faults {
            let known = calls.join(", ");
            let message = format!("faults: {call:?} is not one of the calls {known}");
            require(calls.contains(&call.as_str()), message)?;
        }
        let planned = self.fail_next_copies.iter();
        let planned = planned.map(|planned| ("fail_next_copies", &planned.region));
        let faults = self.faults.iter().filter_map(|fault| fault.region.as_ref());
        for (what, region) in planned.chain(faults.map(|region| ("faults", region))) {
            let message = format!("{what}: the world has no region {region:?}");
            require(self.regions.contains_key(region), message)?;
        }
        for (code, region) in &self.regions {
            let mut seen = BTreeSet::new();
            for kind in Kind::ALL {
                for artifact in region.artifacts(kind) {
                    let what = format!("{} in {code}", artifact.id);
                    let is_new = seen.insert((kind, &artifact.id, &artifact.account));
                    require(is_new, format!("{what} appears twice"))?;
                    check_artifact(&what, artifact)?;
                    if kind != Kind::Image {
                        self.check_account(&what, &artifact.account)?;
                    }
                }
                for database in region.databases(kind) {
                    let what = format!("database {} in {code}", database.id);
                    check_lower_case(&what, database.id.as_str())?;
                    self.check_account(&what, &database.account)?;
                }
            }
        }
        Ok(())
    }

    fn check_account(&self, what: &str, account: &AccountId) -> Result<(), String> {
        let message = format!("{what}: {account:?} is not one of the accounts");
        require(self.accounts.contains(account), message)
    }
}

fn check_artifact(what: &str, artifact: &WorldArtifact) -> Result<(), String> {
    let parent = artifact.parent.as_ref().map(ParentId::as_str);
    for id in [artifact.id.as_str()].into_iter().chain(parent) {
        check_lower_case(what, id)?;
    }
    let has_state = !artifact.state.as_str().is_empty();
    require(has_state, format!("{what}: the state is empty"))?;
    let source = artifact.copied_from.as_ref();
    let message = format!("{what}: copied_from is not the ARN of an image or snapshot");
    require(source.is_none_or(|arn| arn.id().is_some()), message)?;
    let mut names = artifact.attributes.keys();
    let unknown = names.find(|name| image_filters::attribute(name).is_none());
    unknown.map_or(Ok(()), |name| {
        Err(format!(
            "{what}: attributes: {name:?} is not a filter on an attribute"
        ))
    })
}

fn check_lower_case(what: &str, id: &str) -> Result<(), String> {
    let message = format!("{what}: the id {id:?} is empty or not in lower case");
    require(!id.is_empty() && !id.contains(char::is_uppercase), message)
}

fn require(is_met: bool, message: impl Into<String>) -> Result<(), String> {
    if is_met { Ok(()) } else { Err(message.into()) }
}

/// Returns the message of serde, with the line and column as a place.
fn unreadable(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = format!(" at line {line} column {column}");
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let problem = Problem::new(message).help(World::WAY_OUT);
    match line {
        0 => problem,
        _ => problem.at(TextPlace {
            line,
            column: column.max(1),
            length: 1,
        }),
    }
}
