//! One `sync_*` entry: the options of all jobs, and those of its type.

use std::sync::Arc;

use super::arn;
use super::client::{self, Level};
use super::document::Entry;
use super::names::named;
use super::options::{CLIENT_CONFIG, CommonOptions};
use super::reference::{OptionFacts, OptionGroup, Reference};
use super::section::Section;
use super::source::is_control;
use crate::model::client_config::ClientConfig;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::sync_types::{ConfiguredJob, SyncJob, SyncType, SyncTypeRules, read_options};

/// Returns the name of a job, escaped if it must not be shown as it is.
pub(super) fn name(entry: &Entry) -> JobName {
    if entry.key.contains(is_control) {
        JobName::from(named(&entry.key))
    } else {
        JobName::from(entry.key.as_str())
    }
}

/// Reads a job; the problems beside it are notes on what is accepted without effect.
pub(super) fn read(
    entry: &Entry,
    global: &Level,
    reference: &Reference,
) -> (ConfiguredJob, Vec<Problem>) {
    let name = name(entry);
    let (client_config, notes) = client_config(entry, global, reference);
    let mut problems = Vec::new();
    if entry.key.contains(is_control) {
        let message = format!(
            "the name of a job must not contain control characters or line breaks, as {name} does"
        );
        problems.push(Problem::new(message).at(entry.place));
    }
    let options = options(entry, reference, &mut problems);
    match (options, client_config) {
        (Some((common, rules)), Ok(client_config)) if problems.is_empty() => {
            let job = SyncJob {
                name,
                source_region: common.source_region,
                destination_region: common.destination_region,
                client_config: Arc::new(client_config),
                kms_key_id: common.kms_key_id,
                has_shared_parent_name: false,
                rules,
            };
            (ConfiguredJob::Valid(job), notes)
        }
        (_, client_config) => {
            problems.extend(client_config.err().into_iter().flatten());
            problems.sort_by_key(|problem| problem.at);
            (ConfiguredJob::Invalid { name, problems }, notes)
        }
    }
}

/// Reads the client settings of a job, whatever its other options are; the problems beside them are notes on what is accepted
/// without effect.
pub(super) fn client_config(
    entry: &Entry,
    global: &Level,
    reference: &Reference,
) -> (Result<ClientConfig, Vec<Problem>>, Vec<Problem>) {
    let name = name(entry);
    let Some(options) = entry.node.entries() else {
        let message = match entry.node.is_blank() {
            true => format!("{name} has no options"),
            false => format!(
                "{name} must be a mapping of options, not {}",
                entry.node.noun()
            ),
        };
        let help = "every top-level key that starts with `sync_` is a job";
        let problem = Problem::new(message).at(entry.place).help(help);
        return (Err(vec![problem]), Vec::new());
    };
    let own = options.iter().find(|option| option.key == CLIENT_CONFIG);
    let owner = format!("{CLIENT_CONFIG} of {name}");
    let own = Level::read(&owner, own, &reference.client);
    let merged = client::merged(global, &own);
    let without_role = client::without_role(&merged, global, &own);
    let notes = own.notes.into_iter().chain(without_role).collect();
    (merged, notes)
}

/// Reads the other options of a job.
fn options(
    entry: &Entry,
    reference: &Reference,
    problems: &mut Vec<Problem>,
) -> Option<(CommonOptions, Arc<dyn SyncTypeRules>)> {
    // Other values than mappings are reported with the client settings.
    let options = entry.node.entries()?;
    let sync_type = options.iter().find(|option| option.key == "sync_type");
    let word = sync_type.and_then(|option| option.node.text());
    let own = reference
        .types
        .iter()
        .find(|(sync_type, _)| word == Some(sync_type.name.as_str()));
    // In a job of an unknown type, the options of any type may be meant.
    let is_possible = |group: &&OptionGroup| own.is_none_or(|(_, own)| own == *group);
    let of_types = reference
        .types
        .iter()
        .map(|(_, group)| group)
        .filter(is_possible);
    let groups = std::iter::once(&reference.common).chain(of_types);
    let known: Vec<&OptionFacts> = groups.flat_map(|group| &group.options).collect();
    let owner = name(entry);
    let elsewhere = |option: &str| elsewhere(option, own, reference);
    let mut section = Section::new(owner.as_str(), entry.place, options, &known, elsewhere);

    let common = section.read(&reference.common.options, read_options::<CommonOptions>);
    let rules = own.and_then(|(sync_type, group)| section.read(&group.options, sync_type.read));
    if let Some(common) = &common {
        check_regions(&mut section, common);
        check_key(&mut section, common);
    }
    problems.append(&mut section.problems);
    common.zip(rules)
}

/// Returns where an option belongs that does not belong in a job.
fn elsewhere(
    option: &str,
    own: Option<&(SyncType, OptionGroup)>,
    reference: &Reference,
) -> Option<String> {
    let has = |group: &OptionGroup| group.find(option).is_some();
    let this = own.map_or_else(String::new, |(own, _)| {
        format!(", and this is an `{}` job", own.name)
    });
    if let Some((_, other)) = reference.types.iter().find(|(_, group)| has(group)) {
        return Some(format!("it is an option of {}{this}", other.of));
    }
    has(&reference.client).then(|| format!("put it inside {CLIENT_CONFIG}"))
}

fn check_regions(section: &mut Section<'_>, common: &CommonOptions) {
    let (source, destination) = (&common.source_region, &common.destination_region);
    let (from, to) = (source.partition(), destination.partition());
    let owner = &section.owner;
    let (message, help) = if source == destination {
        (
            format!("source and destination of {owner} are the same region, {source}"),
            "copies for disaster recovery go to another region",
        )
    } else if from != to {
        (
            format!(
                "{owner} can't copy from {source} to {destination}: they are in the partitions {from} and {to}"
            ),
            "AWS copies nothing from one partition to another",
        )
    } else {
        return;
    };
    section.report("destination_region", Problem::new(message).help(help));
}

/// Checks that a key is one of the destination region, as one without ARN always is.
fn check_key(section: &mut Section<'_>, common: &CommonOptions) {
    let destination = &common.destination_region;
    let region = common.kms_key_id.as_deref().and_then(arn::kms_key_region);
    if let Some(region) = region.filter(|region| *region != destination.as_str()) {
        let (owner, region) = (&section.owner, named(region));
        let message = format!(
            "option `kms_key_id` of {owner} must be a key of the destination region, {destination}, not of {region}"
        );
        let help =
            "KMS keys stay in their region: name a key or an alias of the region that copies go to";
        section.report("kms_key_id", Problem::new(message).help(help));
    }
}
