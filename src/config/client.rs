//! `aws_client_config`: the settings of all jobs merged with those of one job.

use serde_yaml::{Mapping, Value};

use super::document::Entry;
use super::legacy;
use super::options::ClientOptions;
use super::reference::{OptionFacts, OptionGroup};
use super::section::Section;
use crate::model::client_config::ClientConfig;
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::read_options;

/// The settings that are credentials.
const KEYS: [&str; 3] = ["aws_access_key", "aws_secret_key", "session_token"];
/// The settings that have an effect only with a role.
const OF_ROLE: [&str; 2] = ["external_id", "role_session_name"];

/// A job's own setting on the left disables the global ones on the right. With other credentials the job may be in another account.
const DISABLES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "aws_access_key",
            "aws_secret_key",
            "session_token",
            "aws_account_id",
        ],
    ),
    (
        "aws_access_key",
        &["profile", "session_token", "aws_account_id"],
    ),
    (
        "aws_secret_key",
        &["profile", "session_token", "aws_account_id"],
    ),
    (
        "role_arn",
        &["external_id", "role_session_name", "aws_account_id"],
    ),
];

/// The settings of all jobs, or those of one job.
#[derive(Default)]
pub(super) struct Level {
    /// How messages name it.
    owner: String,
    /// The settings by their names.
    values: Mapping,
    /// Where the first of the credentials is given.
    keys: Option<TextPlace>,
    /// The first of the settings that need a role, and where it is given.
    of_role: Option<(&'static str, TextPlace)>,
    problems: Vec<Problem>,
    /// What is accepted without effect.
    pub(super) notes: Vec<Problem>,
}

impl Level {
    /// Reads the settings; nothing is set if there are none.
    pub(super) fn read(owner: &str, entry: Option<&Entry>, group: &OptionGroup) -> Self {
        let mut level = Self {
            owner: owner.to_owned(),
            ..Self::default()
        };
        let Some(entry) = entry.filter(|entry| !entry.node.is_blank()) else {
            return level;
        };
        if let Some(settings) = entry.node.entries() {
            level.fill(entry.place, settings, group);
        } else {
            let message = format!(
                "{owner} must be a mapping of settings, not {}",
                entry.node.noun()
            );
            level.problems.push(Problem::new(message).at(entry.place));
        }
        level
    }

    fn fill(&mut self, place: TextPlace, settings: &[Entry], group: &OptionGroup) {
        let notes = settings
            .iter()
            .filter_map(|setting| legacy::note(setting, &self.owner));
        self.notes = notes.collect();
        let settings = settings
            .iter()
            .filter(|setting| legacy::note(setting, &self.owner).is_none());
        let known: Vec<&OptionFacts> = group.options.iter().collect();
        let mut section = Section::new(&self.owner, place, settings, &known, |_| None);
        let place = |name| Some(section.get(name)?.place);
        self.keys = KEYS.into_iter().find_map(place);
        self.of_role = OF_ROLE
            .into_iter()
            .find_map(|name| Some((name, place(name)?)));
        if let (Some(_), Some(profile)) = (self.keys, place("profile")) {
            let message = format!("{} has both keys and a `profile`", self.owner);
            let help = "give only one of them: it must be clear which credentials are used";
            section
                .problems
                .push(Problem::new(message).at(profile).help(help));
        }
        let _ = section.read(&group.options, read_options::<ClientOptions>);
        self.values = section.values(&group.options);
        self.problems = section.problems;
    }
}

/// Returns the settings of a job: the global ones and its own, key by key. Its own win.
pub(super) fn merged(global: &Level, own: &Level) -> Result<ClientConfig, Vec<Problem>> {
    let problems: Vec<Problem> = global
        .problems
        .iter()
        .chain(&own.problems)
        .cloned()
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut values = global.values.clone();
    for (setting, disabled) in DISABLES {
        if own.values.contains_key(setting) {
            values.retain(|name, _| !disabled.iter().any(|disabled| name == disabled));
        }
    }
    values.extend(own.values.clone());
    let level = if own.keys.is_some() { own } else { global };
    let message = match incomplete(&values) {
        Some((has, lacks)) => format!("{} has {has} but no {lacks}", level.owner),
        None => match read_options::<ClientOptions>(Value::Mapping(values)) {
            Ok(options) => return Ok(options.into()),
            // Not reached: each level was read without a problem.
            Err(_) => format!(
                "{} can't be read together with the global settings",
                own.owner
            ),
        },
    };
    let mut problem = Problem::new(message).help("give both or neither");
    problem.at = level.keys;
    Err(vec![problem])
}

/// Returns a note on a setting that needs a role, where there is none.
pub(super) fn without_role(
    merged: &Result<ClientConfig, Vec<Problem>>,
    global: &Level,
    own: &Level,
) -> Option<Problem> {
    if merged
        .as_ref()
        .map_or(true, |merged| merged.role_arn.is_some())
    {
        return None;
    }
    let level = if own.of_role.is_some() { own } else { global };
    let (name, place) = level.of_role?;
    let message = format!(
        "`{name}` of {} has no effect without a `role_arn`",
        level.owner
    );
    let help = "give the `role_arn` to assume, or remove it";
    Some(Problem::new(message).at(place).help(help))
}

/// Returns what there is of credentials, and what is missing.
fn incomplete(values: &Mapping) -> Option<(&'static str, &'static str)> {
    match KEYS.map(|name| values.contains_key(name)) {
        [true, false, _] => Some(("an access key", "secret key")),
        [false, true, _] => Some(("a secret key", "access key")),
        [false, false, true] => Some(("a session token", "keys")),
        _ => None,
    }
}
