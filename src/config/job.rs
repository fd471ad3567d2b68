//! One `sync_*` entry: the options of all jobs, and those of its type.

use std::sync::Arc;

use super::client::{self, Level};
use super::destinations;
use super::document::Entry;
use super::forms;
use super::names::named;
use super::reference::{OptionGroup, REFERENCE};
use super::section::Section;
use super::shared_options::{CLIENT_CONFIG, CommonOptions, DESTINATION_REGION, DESTINATIONS};
use super::source::{is_control, is_template};
use crate::model::client_config::ClientConfig;
use crate::model::ids::{JobName, Region};
use crate::model::kind::SyncTypeName;
use crate::model::problem::Problem;
use crate::sync_types::{ConfiguredJob, Finding, SyncJob, SyncTypeRules, read_options, read_rules};

/// What a job gets from one of its destinations; nothing if it has no list of them.
#[derive(Clone, Copy, Default)]
struct OfDestination<'d> {
    /// The options that replace those of the entry.
    options: &'d [(&'d str, &'d Entry)],
    /// The options that any of the destinations has.
    in_any: &'d [&'d str],
}

/// Returns the name of a job. Escapes what must not be shown as it is, or could be mistaken for the region of a destination.
fn name(entry: &Entry) -> JobName {
    let key = match entry.key.contains(is_control) {
        true => named(&entry.key),
        false => entry.key.clone(),
    };
    JobName::from(key.replace('@', "\\u{40}"))
}

/// Returns what is wrong with the name of a job.
fn name_problem(entry: &Entry) -> Option<Problem> {
    let (key, shown) = (&entry.key, named(&entry.key));
    let (not_allowed, help) = if key.contains(is_control) {
        ("control characters or line breaks", None)
    } else if is_template(key) {
        ("template syntax", None)
    } else {
        let (job, region) = key.split_once('@')?;
        let help = match Region::is_well_formed(region) {
            true => format!("write `{}:` and `{DESTINATIONS}: [{region}]`", named(job)),
            false => format!("write `{}:`", named(&key.replace('@', "_"))),
        };
        let reserved =
            format!("{help}: the part after an `@` names one of the job's {DESTINATIONS}");
        ("`@`", Some(reserved))
    };
    let message = format!("the job name {shown} contains {not_allowed}, which is not allowed");
    let mut problem = Problem::new(message).at(entry.place);
    problem.help = help;
    Some(problem)
}

/// Reads the jobs of an entry with these client settings, one for each destination, and adds warnings about its other options.
/// Problems of the list that belong to none of the destinations are reported by an additional job.
pub(super) fn read(
    entry: &Entry,
    client_config: &Result<ClientConfig, Vec<Problem>>,
    warnings: &mut Vec<Problem>,
) -> Vec<ConfiguredJob> {
    let name = name(entry);
    // Anything but a mapping is reported with the client settings.
    let options = entry.options(name.as_str()).unwrap_or_default();
    let list = options.iter().find(|option| option.key == DESTINATIONS);
    let mut read = |name, of_destination, problems| {
        read_one(
            entry,
            name,
            of_destination,
            problems,
            client_config,
            warnings,
        )
    };
    let Some(list) = list.filter(|list| !list.node.is_blank()) else {
        return vec![read(name, OfDestination::default(), Vec::new())];
    };
    let mut problems = Vec::new();
    let items = destinations::items(name.as_str(), list, &mut problems);
    let own = own_type(options);
    let groups = groups_of_destination(own);
    let elsewhere = |option: &str| outside_destinations(option, own);
    let destinations = destinations::read(&items, &groups, elsewhere, &mut problems);
    let in_any = destinations.iter().flat_map(|one| &one.options);
    let in_any: Vec<&str> = in_any.map(|(option, _)| *option).collect();
    let mut jobs: Vec<ConfiguredJob> = Vec::new();
    for destination in &destinations {
        let name = JobName::of_destination(name.as_str(), &destination.region);
        let of_destination = OfDestination {
            options: &destination.options,
            in_any: &in_any,
        };
        jobs.push(read(name, of_destination, destination.problems.clone()));
    }
    if !problems.is_empty() {
        jobs.push(read(name, OfDestination::default(), problems));
    }
    jobs
}

/// Reads one job. The options of its destination replace those of its entry.
fn read_one(
    entry: &Entry,
    name: JobName,
    of_destination: OfDestination<'_>,
    mut problems: Vec<Problem>,
    client_config: &Result<ClientConfig, Vec<Problem>>,
    warnings: &mut Vec<Problem>,
) -> ConfiguredJob {
    problems.extend(name_problem(entry));
    let options = options(entry, &name, of_destination, &mut problems, warnings);
    match (options, client_config) {
        (Some((common, destination_region, rules)), Ok(client_config)) if problems.is_empty() => {
            ConfiguredJob::Valid(SyncJob {
                name,
                source_region: common.source_region,
                destination_region,
                client_config: Arc::new(client_config.clone()),
                kms_key_id: common.kms_key_id,
                has_shared_parent_name: false,
                rules,
            })
        }
        _ => {
            problems.extend(client_config.as_ref().err().into_iter().flatten().cloned());
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

/// Returns the type that a job states, if it is valid, and the options of that type.
fn own_type(options: &[Entry]) -> Option<&'static (SyncTypeName, OptionGroup)> {
    let sync_type = options.iter().find(|option| option.key == "sync_type");
    let word = sync_type.and_then(|option| option.node.text());
    let mut types = REFERENCE.types.iter();
    types.find(|(own, _)| word == Some(own.as_str()))
}

/// Reads the other options of a job. Those of its destination replace those of its entry.
fn options<'d>(
    entry: &'d Entry,
    job: &JobName,
    of_destination: OfDestination<'d>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<(CommonOptions, Region, Arc<dyn SyncTypeRules>)> {
    let name = name(entry);
    // Anything but a mapping is reported with the client settings.
    let options = entry.options(name.as_str()).ok()?;
    let own = own_type(options);
    let groups: Vec<&OptionGroup> = groups(own).collect();
    let elsewhere = |option: &str| elsewhere(option, own);
    let mut section = Section::new(name.as_str(), entry.place, options, &groups, elsewhere);

    require_destination(&mut section);
    section.remove(DESTINATIONS);
    for (name, option) in of_destination.options {
        section.replace(name, option);
    }
    let owner = |finding: &Finding| {
        let mut own = of_destination.options.iter();
        if own.any(|(option, _)| *option == finding.option) {
            return Some(job.to_string());
        }
        let has_effect = |other| of_destination.in_any.contains(&other);
        let is_right = finding.without.is_some_and(has_effect);
        (!is_right).then(|| name.to_string())
    };
    let common = section.read(&REFERENCE.common, read_options::<CommonOptions>);
    let rules = own.and_then(|(sync_type, group)| {
        let rules = section.read(group, |options| read_rules(*sync_type, options))?;
        section.check(group, rules.as_ref(), owner);
        Some(rules)
    });
    if let Some(common) = &common
        && let Some(destination) = &common.destination_region
    {
        check_regions(&mut section, &common.source_region, destination);
        let is_one_of_several = !of_destination.options.is_empty();
        check_key(&mut section, common, destination, is_one_of_several);
    }
    problems.append(&mut section.problems);
    warnings.append(&mut section.warnings);
    let common = common?;
    let destination = common.destination_region.clone()?;
    Some((common, destination, rules?))
}

/// Checks that the job has either a `destination_region` or `destinations`.
fn require_destination(section: &mut Section<'_>) {
    match (section.get(DESTINATION_REGION), section.get(DESTINATIONS)) {
        (Some(one), Some(_)) => {
            let owner = &section.owner;
            let message = format!("{owner} has both `{DESTINATION_REGION}` and `{DESTINATIONS}`");
            let help =
                format!("remove `{DESTINATION_REGION}`, and list its region in `{DESTINATIONS}`");
            let problem = Problem::new(message).at(one.place).help(help);
            section.problems.push(problem);
        }
        (None, None) => {
            let facts = REFERENCE.common.find(DESTINATION_REGION);
            facts
                .into_iter()
                .for_each(|facts| section.report_missing(facts, Some(DESTINATIONS)));
        }
        _ => {}
    }
}

/// Returns the options that a job of this type may have. If the type is unknown, options of any type are possible.
fn groups(own: Option<&(SyncTypeName, OptionGroup)>) -> impl Iterator<Item = &'static OptionGroup> {
    let types = REFERENCE.types.iter().map(|(_, group)| group);
    let types = types.filter(move |group| own.is_none_or(|(_, own)| own == *group));
    std::iter::once(&REFERENCE.common).chain(types)
}

/// Returns the options that a destination of a job of this type may have.
fn groups_of_destination(own: Option<&(SyncTypeName, OptionGroup)>) -> Vec<&'static OptionGroup> {
    let own = own.map(|(own, _)| *own);
    let of_jobs = REFERENCE.per_destination.iter();
    let of_jobs = of_jobs.filter(|(of, _)| of.is_none() || own.is_none() || *of == own);
    let of_jobs = of_jobs.map(|(_, group)| group);
    std::iter::once(&REFERENCE.destination)
        .chain(of_jobs)
        .collect()
}

/// Returns where an option that a destination can't have belongs.
fn outside_destinations(option: &str, own: Option<&(SyncTypeName, OptionGroup)>) -> Option<String> {
    if [DESTINATION_REGION, DESTINATIONS].contains(&option) {
        return Some("a destination has one region, its `region`".to_owned());
    }
    let is_of_job = groups(own).any(|group| group.find(option).is_some());
    match is_of_job {
        true => Some(format!(
            "all destinations share it: put it next to `{DESTINATIONS}`"
        )),
        false => elsewhere(option, own),
    }
}

/// Returns where a misplaced option belongs.
fn elsewhere(option: &str, own: Option<&(SyncTypeName, OptionGroup)>) -> Option<String> {
    let others = REFERENCE.types.iter().map(|(_, group)| group);
    let others = others.filter(|group| group.find(option).is_some());
    let others: Vec<&str> = others.map(|group| group.of.as_str()).collect();
    match (others.as_slice(), own) {
        ([_, ..], Some((own, group))) => {
            let others = others.join(" and ");
            let mut options = group.options.iter().map(|facts| &facts.name);
            let same = options.find(|own| is_number_kept(own) && is_number_kept(option));
            let same = same.map(|own| format!("; here it is `{own}`"));
            let same = same.unwrap_or_default();
            Some(format!(
                "it is an option of {others}, and this is an `{own}` job{same}"
            ))
        }
        _ if REFERENCE.client.find(option).is_some() => {
            Some(format!("put it inside {CLIENT_CONFIG}"))
        }
        _ => None,
    }
}

/// Returns true for an option that says how many copies are kept, which each type names after what it copies.
fn is_number_kept(option: &str) -> bool {
    option.starts_with("max_") && option.ends_with("_to_retain")
}

fn check_regions(section: &mut Section<'_>, source: &Region, destination: &Region) {
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
    section.report(DESTINATION_REGION, problem);
}

/// Checks that a key is in the destination region, which it is unless it is given by its ARN.
fn check_key(
    section: &mut Section<'_>,
    common: &CommonOptions,
    destination: &Region,
    is_one_of_several: bool,
) {
    let owner = &section.owner;
    let key = common.kms_key_id.as_deref();
    let region = key.and_then(forms::kms_key_region);
    if let Some(region) = region.filter(|region| *region != destination.as_str()) {
        let region = named(region);
        let message = format!(
            "option `kms_key_id` of {owner} must be a key of the destination region, {destination}, not of {region}"
        );
        let help = match is_one_of_several {
            true => "KMS keys stay in their region: give each destination its own",
            false => {
                "KMS keys stay in their region: name a key or an alias of the region that copies go to"
            }
        };
        section.report("kms_key_id", Problem::new(message).help(help));
    }
}
