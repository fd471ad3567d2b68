//! One `sync_*` entry: the options of all jobs, and those of its type.

use std::sync::Arc;

use super::client::{self, Level};
use super::document::Entry;
use super::forms;
use super::names::named;
use super::reference::{OptionGroup, REFERENCE};
use super::section::Section;
use super::shared_options::{CLIENT_CONFIG, CommonOptions};
use super::source::{is_control, is_template};
use crate::model::client_config::ClientConfig;
use crate::model::ids::JobName;
use crate::model::kind::SyncTypeName;
use crate::model::problem::Problem;
use crate::sync_types::{ConfiguredJob, SyncJob, SyncTypeRules, read_options, read_rules};

/// Returns the name of a job, escaped if it must not be shown as it is.
fn name(entry: &Entry) -> JobName {
    match entry.key.contains(is_control) {
        true => JobName::from(named(&entry.key)),
        false => JobName::from(entry.key.as_str()),
    }
}

/// Reads a job with these client settings, and adds warnings about its other options.
pub(super) fn read(
    entry: &Entry,
    client_config: Result<ClientConfig, Vec<Problem>>,
    warnings: &mut Vec<Problem>,
) -> ConfiguredJob {
    let name = name(entry);
    let mut problems = Vec::new();
    let not_allowed = if entry.key.contains(is_control) {
        Some("control characters or line breaks")
    } else {
        is_template(&entry.key).then_some("the marks of a template")
    };
    if let Some(not_allowed) = not_allowed {
        let message = format!("the name of a job must not contain {not_allowed}, as {name} does");
        problems.push(Problem::new(message).at(entry.place));
    }
    let options = options(entry, &mut problems, warnings);
    match (options, client_config) {
        (Some((common, rules)), Ok(client_config)) if problems.is_empty() => {
            ConfiguredJob::Valid(SyncJob {
                name,
                source_region: common.source_region,
                destination_region: common.destination_region,
                client_config: Arc::new(client_config),
                kms_key_id: common.kms_key_id,
                has_shared_parent_name: false,
                rules,
            })
        }
        (_, client_config) => {
            problems.extend(client_config.err().into_iter().flatten());
            problems.sort_by_key(|problem| problem.at);
            ConfiguredJob::Invalid { name, problems }
        }
    }
}

/// Reads the client settings of a job, independently of its other options. The problems returned with them are notes about settings
/// that have no effect.
pub(super) fn client_config(
    entry: &Entry,
    global: &Level<'_>,
) -> (Result<ClientConfig, Vec<Problem>>, Vec<Problem>) {
    let name = name(entry);
    let options = match entry.options(name.as_str()) {
        Ok(options) => options,
        Err(problem) => {
            let help = "every top-level key that starts with `sync_` is a job";
            return (Err(vec![problem.help(help)]), Vec::new());
        }
    };
    let own = options.iter().find(|option| option.key == CLIENT_CONFIG);
    let own = Level::read(&format!("{CLIENT_CONFIG} of {name}"), entry.place, own);
    let merged = client::merged(global, &own);
    let without_role = client::without_role(&merged, global, &own);
    let notes = own.notes.into_iter().chain(without_role).collect();
    (merged, notes)
}

/// Reads the other options of a job.
fn options(
    entry: &Entry,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<(CommonOptions, Arc<dyn SyncTypeRules>)> {
    let name = name(entry);
    // Anything but a mapping is reported with the client settings.
    let options = entry.options(name.as_str()).ok()?;
    let sync_type = options.iter().find(|option| option.key == "sync_type");
    let word = sync_type.and_then(|option| option.node.text());
    let own = REFERENCE
        .types
        .iter()
        .find(|(own, _)| word == Some(own.as_str()));
    // In a job of an unknown type, options of any type are possible.
    let types = REFERENCE.types.iter().map(|(_, group)| group);
    let types = types.filter(|group| own.is_none_or(|(_, own)| own == *group));
    let groups: Vec<&OptionGroup> = std::iter::once(&REFERENCE.common).chain(types).collect();
    let elsewhere = |option: &str| elsewhere(option, own);
    let mut section = Section::new(name.as_str(), entry.place, options, &groups, elsewhere);

    let common = section.read(&REFERENCE.common, read_options::<CommonOptions>);
    let rules = own.and_then(|(sync_type, group)| {
        let rules = section.read(group, |options| read_rules(*sync_type, options))?;
        section.check(group, rules.as_ref());
        Some(rules)
    });
    if let Some(common) = &common {
        check_regions(&mut section, common);
        check_key(&mut section, common);
    }
    problems.append(&mut section.problems);
    warnings.append(&mut section.warnings);
    common.zip(rules)
}

/// Returns where a misplaced option belongs.
fn elsewhere(option: &str, own: Option<&(SyncTypeName, OptionGroup)>) -> Option<String> {
    let other = REFERENCE
        .types
        .iter()
        .find(|(_, group)| group.find(option).is_some());
    match (other, own) {
        (Some((_, other)), Some((own, _))) => Some(format!(
            "it is an option of {}, and this is an `{}` job",
            other.of, own
        )),
        _ if REFERENCE.client.find(option).is_some() => {
            Some(format!("put it inside {CLIENT_CONFIG}"))
        }
        _ => None,
    }
}

fn check_regions(section: &mut Section<'_>, common: &CommonOptions) {
    let (source, destination) = (&common.source_region, &common.destination_region);
    let (from, to) = (source.partition(), destination.partition());
    let owner = &section.owner;
    let problem = if source == destination {
        let message = format!("source and destination of {owner} are the same region, {source}");
        Problem::new(message).help("copies for disaster recovery go to another region")
    } else if from != to {
        let message = format!(
            "{owner} can't copy from {source} to {destination}: they are in different partitions, {from} and {to}"
        );
        Problem::new(message).help("AWS copies nothing from one partition to another")
    } else {
        return;
    };
    section.report("destination_region", problem);
}

/// Checks that a key is in the destination region, which it is unless it is given by its ARN.
fn check_key(section: &mut Section<'_>, common: &CommonOptions) {
    let (owner, destination) = (&section.owner, &common.destination_region);
    let region = common.kms_key_id.as_deref().and_then(forms::kms_key_region);
    if let Some(region) = region.filter(|region| *region != destination.as_str()) {
        let region = named(region);
        let message = format!(
            "option `kms_key_id` of {owner} must be a key of the destination region, {destination}, not of {region}"
        );
        let help =
            "KMS keys stay in their region: name a key or an alias of the region that copies go to";
        section.report("kms_key_id", Problem::new(message).help(help));
    }
}
