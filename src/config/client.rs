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
pub(super) struct Level<'d> {
    section: Section<'d>,
    /// The settings by their names.
    values: Mapping,
    /// What is accepted without effect.
    pub(super) notes: Vec<Problem>,
}

impl<'d> Level<'d> {
    /// Reads the settings of an owner that is at a place; nothing is set if there are none.
    pub(super) fn read(owner: &str, place: TextPlace, entry: Option<&'d Entry>) -> Self {
        let options = entry.map_or(Ok(&[][..]), |entry| entry.options(owner));
        let settings = options.as_ref().map_or(&[][..], |settings| settings);
        let mut notes = Vec::new();
        let settings = settings.iter().filter(|setting| {
            let note = legacy::note(setting, owner);
            let is_known = note.is_none();
            notes.extend(note.filter(|_| !setting.node.is_blank()));
            is_known
        });
        let group = &REFERENCE.client;
        let place = entry.map_or(place, |entry| entry.place);
        let mut section = Section::new(owner, place, settings, &[group], |_| None);
        let _ = section.read(group, read_options::<ClientOptions>);
        section.problems.extend(options.err());
        let mut level = Self {
            values: section.values(group),
            section,
            notes,
        };
        if let (Some(_), Some((_, profile))) = (level.first(KEYS), level.first(["profile"])) {
            let problem = Problem::new(format!("{owner} has both keys and a `profile`"));
            let help = "give only one of them: it must be clear which credentials are used";
            level.section.problems.push(problem.at(profile).help(help));
        }
        level
    }

    /// Returns the first of these settings that is given, and where.
    fn first<const N: usize>(&self, names: [&'static str; N]) -> Option<(&'static str, TextPlace)> {
        let place = |name| Some((name, self.section.get(name)?.place));
        names.into_iter().find_map(place)
    }
}

/// Returns the settings of a job: the global ones and its own, key by key. Its own win.
pub(super) fn merged(global: &Level<'_>, own: &Level<'_>) -> Result<ClientConfig, Vec<Problem>> {
    let problems = [&global.section.problems[..], &own.section.problems].concat();
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
        let level = if own.first(KEYS).is_some() {
            own
        } else {
            global
        };
        let message = format!("{} has {has} but no {lacks}", level.section.owner);
        let mut problem = Problem::new(message).help("give both or neither");
        problem.at = level.first(KEYS).map(|(_, place)| place);
        return Err(vec![problem]);
    }
    // Each level could be read, so both can.
    let options = read_options::<ClientOptions>(Value::Mapping(values));
    let unread = |_| vec![Problem::new(format!("{} can't be read", own.section.owner))];
    options.map(ClientConfig::from).map_err(unread)
}

/// Returns a note on a setting that needs a role, where there is none.
pub(super) fn without_role(
    merged: &Result<ClientConfig, Vec<Problem>>,
    global: &Level<'_>,
    own: &Level<'_>,
) -> Option<Problem> {
    let settings = merged.as_ref().ok()?;
    let given = |level: &Level<'_>| Some((level.section.owner.clone(), level.first(OF_ROLE)?));
    let (owner, (name, place)) = given(own).or_else(|| given(global))?;
    let message = format!("`{name}` of {owner} has no effect without a `role_arn`");
    let problem = Problem::new(message).at(place);
    let problem = problem.help("give the `role_arn` to assume, or remove it");
    Some(problem).filter(|_| settings.role_arn.is_none())
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
