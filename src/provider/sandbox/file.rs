//! The world file: JSON text in and out, and what is checked in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::calls::Call;
use super::filters;
use super::world::{FORMAT_VERSION, World, WorldRegion};
use crate::model::id::{AccountId, Region};
use crate::model::json::document;
use crate::model::problem::{Problem, TextPlace};

/// Copies that take longer than this are a slip of the pen.
const MAX_COPY_SECONDS: u64 = 366 * 24 * 60 * 60;

impl World {
    /// The way out of a file that cannot be used.
    pub const WAY_OUT: &str =
        "mend it, or move it away: `xrs plan --sandbox FILE` makes a new one that fits the config";

    /// Reads a world file. Problems fit behind "… is no sandbox that can be used: ".
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        let json: Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let another_file = |kind| Err(Problem::new(kind).help("--sandbox takes a sandbox's file"));
        if json.get("plan_digest").is_some() {
            return another_file("it holds the results of an apply");
        }
        if json.get("digest").is_some() {
            return another_file("it is a plan");
        }
        match json.get("format_version") {
            Some(version) if version == FORMAT_VERSION => {}
            Some(version) => {
                let message = format!(
                    "its format version is {version}, and this xrs reads {FORMAT_VERSION:?}"
                );
                let help = format!("use the version of xrs that wrote it; or {}", Self::WAY_OUT);
                return Err(Problem::new(message).help(help));
            }
            None => {
                let message = "it is no JSON object with a format_version";
                return Err(Problem::new(message).help(Self::WAY_OUT));
            }
        }
        let world: Self = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        world
            .check()
            .map_err(|message| Problem::new(message).help(Self::WAY_OUT))?;
        Ok(world)
    }

    /// The world as the text of a world file: the same for the same world.
    pub fn to_json(&self) -> String {
        // Strings, numbers, and maps whose keys are strings always serialise.
        document(self).unwrap_or_default()
    }

    /// What types alone don't say.
    fn check(&self) -> Result<(), String> {
        let year = |year: i16| {
            jiff::civil::date(year, 1, 1)
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map(|day| day.timestamp())
        };
        let range = year(2000).unwrap_or(Timestamp::MIN)..year(3000).unwrap_or(Timestamp::MAX);
        if !range.contains(&self.now) {
            return Err(format!(
                "its clock, now, stands outside the years 2000 to 2999: {}",
                self.now
            ));
        }
        if self.copy_seconds > MAX_COPY_SECONDS {
            return Err(format!(
                "copy_seconds is more than a year: {}",
                self.copy_seconds
            ));
        }
        if self.accounts.is_empty() {
            return Err(
                "accounts is empty; the first one is that of callers who state none".to_owned(),
            );
        }
        unique("accounts", self.accounts.iter().map(quoted))?;
        for account in &self.accounts {
            if !is_account(account) {
                return Err(format!("accounts: {account:?} is no account id"));
            }
        }
        self.known_accounts("expired_credentials", &self.expired_credentials)?;
        for planned in &self.fail_next_copies {
            self.known_region("fail_next_copies", &planned.region)?;
        }
        for fault in &self.faults {
            if !Call::ALL.iter().any(|call| call.as_str() == fault.call) {
                let calls = Call::ALL.map(Call::as_str).join(", ");
                return Err(format!(
                    "faults: {:?} is not one of the calls {calls}",
                    fault.call
                ));
            }
            if fault.code.is_empty() {
                return Err(format!("faults: one of {} has no code", fault.call));
            }
            if let Some(region) = &fault.region {
                self.known_region("faults", region)?;
            }
        }
        self.regions
            .iter()
            .try_for_each(|(code, region)| self.check_region(code, region))
    }

    fn check_region(&self, code: &Region, region: &WorldRegion) -> Result<(), String> {
        if !Region::is_well_formed(code.as_str()) {
            return Err(format!("regions: {code:?} is no region code"));
        }
        unique(
            &format!("images of {code}"),
            region.images.iter().map(|image| quoted(&image.id)),
        )?;
        for image in &region.images {
            let what = format!("image {} of {code}", image.id);
            filled(&format!("images of {code}: id"), image.id.as_str())?;
            filled(&format!("{what}: owner"), image.owner.as_str())?;
            filled(&format!("{what}: state"), image.state.as_str())?;
            if let Some(name) = image
                .attributes
                .keys()
                .find(|name| !filters::is_attribute(name))
            {
                return Err(format!(
                    "{what}: attributes: {name:?} is not a filter that attributes answer"
                ));
            }
        }
        unique(
            &format!("databases of {code}"),
            region.databases.iter().map(|db| owned(&db.id, &db.account)),
        )?;
        for database in &region.databases {
            let what = format!("databases of {code}");
            lower_case(&what, database.id.as_str())?;
            self.known_accounts(&format!("{what}: {}", database.id), [&database.account])?;
        }
        unique(
            &format!("snapshots of {code}"),
            region
                .snapshots
                .iter()
                .map(|snap| owned(&snap.id, &snap.account)),
        )?;
        for snapshot in &region.snapshots {
            let what = format!("snapshot {} of {code}", snapshot.id);
            lower_case(&format!("snapshots of {code}: id"), snapshot.id.as_str())?;
            lower_case(
                &format!("{what}: db_instance"),
                snapshot.db_instance.as_str(),
            )?;
            filled(&format!("{what}: status"), snapshot.status.as_str())?;
            self.known_accounts(&what, [&snapshot.account])?;
            if let Some(arn) = snapshot
                .copied_from
                .as_ref()
                .filter(|arn| arn.snapshot_id().is_none())
            {
                return Err(format!(
                    "{what}: copied_from is no ARN of a snapshot: {arn:?}"
                ));
            }
        }
        let tokens = region
            .client_tokens
            .iter()
            .map(|token| owned(&token.token, &token.account));
        unique(&format!("client_tokens of {code}"), tokens)
    }

    fn known_region(&self, what: &str, region: &Region) -> Result<(), String> {
        if self.regions.contains_key(region) {
            Ok(())
        } else {
            Err(format!("{what}: the world has no region {region:?}"))
        }
    }

    fn known_accounts<'a>(
        &self,
        what: &str,
        accounts: impl IntoIterator<Item = &'a AccountId>,
    ) -> Result<(), String> {
        match accounts
            .into_iter()
            .find(|account| !self.accounts.contains(account))
        {
            Some(account) => Err(format!("{what}: {account:?} is not one of the accounts")),
            None => Ok(()),
        }
    }
}

/// The digits of an account; how many is left open, for people try things out with made-up ones.
pub(super) fn is_account(account: &AccountId) -> bool {
    !account.as_str().is_empty() && account.as_str().bytes().all(|byte| byte.is_ascii_digit())
}

fn unique(what: &str, ids: impl IntoIterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if let Some(twice) = seen.replace(id) {
            return Err(format!("{what}: {twice} stands twice"));
        }
    }
    Ok(())
}

fn quoted(id: impl std::fmt::Debug) -> String {
    format!("{id:?}")
}

/// An id that is one within its account.
fn owned(id: impl std::fmt::Debug, account: &AccountId) -> String {
    format!("{id:?} of account {account}")
}

fn filled(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        Err(format!("{what} is empty"))
    } else {
        Ok(())
    }
}

fn lower_case(what: &str, text: &str) -> Result<(), String> {
    filled(what, text)?;
    if text.chars().any(char::is_uppercase) {
        Err(format!("{what}: {text:?} is not in lower case"))
    } else {
        Ok(())
    }
}

/// What serde says of a value of the wrong type, without the names that types have in the program.
fn in_plain_words(said: &str) -> String {
    let Some((found, expected)) = said
        .strip_prefix("invalid ")
        .and_then(|said| said.split_once(", expected "))
    else {
        return said.to_owned();
    };
    let plain = |text: &str| {
        let (kind, value) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "map" | "struct" => "an object".to_owned(),
            "sequence" | "length" => "a list".to_owned(),
            "string" => format!("the text {value}"),
            "integer" | "floating" => {
                format!("the number {}", value.trim_start_matches("point "))
            }
            "boolean" => value.to_owned(),
            "u64" | "usize" | "u32" => "a whole number".to_owned(),
            "a" if value == "map" => "an object".to_owned(),
            "a" if value == "sequence" => "a list".to_owned(),
            "a" if value == "string" => "a text".to_owned(),
            "a" if value == "boolean" => "true or false".to_owned(),
            _ => text.to_owned(),
        }
        .replace('`', "")
    };
    // `type: string "a"`, `value: integer `-1``, `length 0`.
    let found = found.split_once(": ").map_or(found, |(_, found)| found);
    format!("{} stands where {} belongs", plain(found), plain(expected))
}

/// What serde says, with the place apart.
fn unreadable(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let said = said
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&said);
    let problem = Problem::new(in_plain_words(said)).help(World::WAY_OUT);
    if line == 0 {
        problem
    } else {
        problem.at(TextPlace {
            line,
            column: column.max(1),
            length: 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_is_said_in_plain_words() {
        let message = |change: fn(&mut Value)| {
            let mut world = World::new(Timestamp::UNIX_EPOCH);
            world.add_region(&Region::from("us-east-1"));
            let mut json = serde_json::to_value(world).expect("JSON");
            change(&mut json);
            let problem = World::from_json(&json.to_string()).expect_err("damaged");
            assert!(problem.help.is_some());
            problem.message
        };
        type Change = fn(&mut Value);
        let cases: [(&str, Change); 9] = [
            ("the number 7 stands where an object belongs", |w| {
                w["faults"] = serde_json::json!([7])
            }),
            ("an object stands where a list belongs", |w| {
                w["accounts"] = serde_json::json!({})
            }),
            ("a list stands where an object belongs", |w| {
                w["fail_next_copies"] = serde_json::json!([[]])
            }),
            (
                "the text \"many\" stands where a whole number belongs",
                |w| w["copy_seconds"] = "many".into(),
            ),
            ("the number -1 stands where a whole number belongs", |w| {
                w["copy_seconds"] = (-1).into()
            }),
            ("the number 1.5 stands where a whole number belongs", |w| {
                w["copy_seconds"] = 1.5.into()
            }),
            ("null stands where an object belongs", |w| {
                w["regions"] = Value::Null
            }),
            ("it is no JSON object with a format_version", |w| {
                *w = serde_json::json!([])
            }),
            ("it is a plan", |w| w["digest"] = "sha256:".into()),
        ];
        for (said, change) in cases {
            assert_eq!(message(change), said);
        }
    }
}
