//! The world file: JSON text in and out, and what is checked in it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::calls::Call;
use super::filters;
use super::world::{FORMAT_VERSION, World, WorldRegion};
use crate::model::id::{AccountId, Region};
use crate::model::problem::{Problem, TextPlace};

/// The way out of a file that cannot be used.
const HELP: &str = "mend it, or move the file away and have a new one made: a sandbox that does not exist is made to fit the config";

/// Copies that take longer than this are a slip of the pen.
const MAX_COPY_SECONDS: u64 = 366 * 24 * 60 * 60;

impl World {
    /// Reads a world file. Problems fit behind "… is no sandbox that can be used: ".
    pub fn from_json(text: &str) -> Result<Self, Problem> {
        /// What every version of the format has.
        #[derive(Deserialize)]
        struct Versioned {
            format_version: String,
        }
        let Versioned { format_version } =
            serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        if format_version != FORMAT_VERSION {
            let message = format!(
                "its format version is {format_version:?}, and this xrs reads {FORMAT_VERSION:?}"
            );
            let help = "use the version of xrs that wrote it, or move the file away and have a new one made";
            return Err(Problem::new(message).help(help));
        }
        let world: Self = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        world
            .check()
            .map_err(|message| Problem::new(message).help(HELP))?;
        Ok(world)
    }

    /// The world as the text of a world file: the same for the same world.
    pub fn to_json(&self) -> String {
        // Strings, numbers, and maps whose keys are strings always serialise.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
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
        unique("accounts", &self.accounts)?;
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
            region.images.iter().map(|image| &image.id),
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
            region.databases.iter().map(|db| (&db.account, &db.id)),
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
                .map(|snap| (&snap.account, &snap.id)),
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
            .map(|token| (&token.account, &token.token));
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

fn unique<T: Ord + std::fmt::Debug>(
    what: &str,
    ids: impl IntoIterator<Item = T>,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if let Some(twice) = seen.replace(id) {
            return Err(format!("{what}: {twice:?} stands twice"));
        }
    }
    Ok(())
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

/// What serde says, with the place apart.
fn unreadable(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let said = said
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&said);
    let problem = Problem::new(said).help(HELP);
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
