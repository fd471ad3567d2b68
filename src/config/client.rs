//! `aws_client_config`: the settings of a job, merged with those of all jobs.

use serde_yaml::{Mapping, Value};

use super::document::Entry;
use super::legacy;
use super::reference::REFERENCE;
use super::section::Section;
use super::shared_options::ClientOptions;
use crate::model::client_config::ClientConfig;
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::read_options;

/// The settings that are credentials.
const KEYS: [&str; 3] = ["aws_access_key", "aws_secret_key", "session_token"];
/// The settings that have an effect only with a role.
const OF_ROLE: [&str; 2] = ["external_id", "role_session_name"];

/// A job's own setting on the left disables the global ones on the right. With other credentials the job may be in another account.
const DISABLES: [(&str, &str); 4] = [
    (
        "profile",
        "aws_access_key aws_secret_key session_token aws_account_id",
    ),
    ("aws_access_key", "profile session_token aws_account_id"),
    ("aws_secret_key", "profile session_token aws_account_id"),
    ("role_arn", "external_id role_session_name aws_account_id"),
];

/// The settings of all jobs, or those of a single job.
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
    pub(super) fn read(owner: String, entry: Option<&Entry>) -> Self {
        let mut level = Self {
            owner,
            ..Self::default()
        };
        if let Some(entry) = entry {
            match entry.options(&level.owner) {
                Ok(settings) => level.fill(entry.place, settings),
                Err(problem) => level.problems.push(problem),
            }
        }
        level
    }

    fn fill(&mut self, place: TextPlace, settings: &[Entry]) {
        let (of_gem, settings): (Vec<&Entry>, Vec<&Entry>) = settings
            .iter()
            .partition(|setting| legacy::instead(&setting.key).is_some());
        let notes = of_gem
            .into_iter()
            .filter_map(|setting| legacy::note(setting, &self.owner));
        self.notes = notes.collect();
        let group = &REFERENCE.client;
        let mut section = Section::new(&self.owner, place, settings, &[group], |_| None);
        let _ = section.read(group, read_options::<ClientOptions>);
        self.values = section.values(group);
        let place = |name| Some(section.get(name)?.place);
        self.keys = KEYS.into_iter().find_map(place);
        self.of_role = OF_ROLE
            .into_iter()
            .find_map(|name| Some((name, place(name)?)));
        let profile = place("profile").filter(|_| self.keys.is_some());
        self.problems = section.problems;
        if let Some(profile) = profile {
            let message = format!("{} has both keys and a `profile`", self.owner);
            let help = "give only one of them: it must be clear which credentials are used";
            self.problems
                .push(Problem::new(message).at(profile).help(help));
        }
    }
}

/// Returns the settings of a job: the global ones and its own, key by key. Its own win.
pub(super) fn merged(global: &Level, own: &Level) -> Result<ClientConfig, Vec<Problem>> {
    let problems = [global.problems.as_slice(), &own.problems].concat();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut values = global.values.clone();
    for (setting, disabled) in DISABLES {
        if own.values.contains_key(setting) {
            values.retain(|name, _| disabled.split(' ').all(|disabled| name != disabled));
        }
    }
    values.extend(own.values.clone());
    if let Some((has, lacks)) = incomplete(&values) {
        let level = if own.keys.is_some() { own } else { global };
        let message = format!("{} has {has} but no {lacks}", level.owner);
        let mut problem = Problem::new(message).help("give both or neither");
        problem.at = level.keys;
        return Err(vec![problem]);
    }
    // Each level could be read, so both can.
    let options = read_options::<ClientOptions>(Value::Mapping(values));
    let unread = |_| vec![Problem::new(format!("{} can't be read", own.owner))];
    options.map(ClientConfig::from).map_err(unread)
}

/// Returns a note on a setting that needs a role, where there is none.
pub(super) fn without_role(
    merged: &Result<ClientConfig, Vec<Problem>>,
    global: &Level,
    own: &Level,
) -> Option<Problem> {
    let settings = merged.as_ref().ok()?;
    let level = if own.of_role.is_some() { own } else { global };
    let (name, place) = level.of_role.filter(|_| settings.role_arn.is_none())?;
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
