//! One `sync_*` entry: what all types have in common, and the table of types.

use std::sync::Arc;

use super::client_config::{self, Level};
use super::options::{Given, Options, did_you_mean, list};
use super::text::{holds_control, named, quoted};
use super::yaml::{Data, Entry};
use super::{CLIENT_CONFIG, ami, arn, snapshot};
use crate::model::client_config::ClientConfig;
use crate::model::id::{JobName, Region};
use crate::model::job::{ConfiguredJob, JobKind, SyncJob, SyncType};
use crate::model::problem::Problem;

/// A type of sync job: its word, the options that it alone has, and how they are read.
pub(super) struct Type {
    pub(super) sync_type: SyncType,
    pub(super) options: &'static [&'static str],
    /// Reads its options; says what is wrong, and gives nothing if that leaves no job.
    pub(super) read: fn(&mut Options<'_>) -> Option<JobKind>,
}

const TYPES: &[Type] = &[ami::TYPE, snapshot::TYPE];

/// Whether a top-level key is that of a job.
pub(super) fn is_job(key: &str) -> bool {
    key.get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("sync_"))
}

/// The name of a job; one that may not be shown as it is, is shown escaped.
pub(super) fn name(entry: &Entry) -> JobName {
    let text = entry.key.text.as_str();
    if holds_control(text) {
        JobName::from(named(text))
    } else {
        JobName::from(text)
    }
}

/// Reads one job: the job, and what is accepted in it but has no effect.
pub(super) fn read(entry: &Entry, global: &Level) -> (ConfiguredJob, Vec<Problem>) {
    let name = name(entry);
    let mut problems = Vec::new();
    if holds_control(&entry.key.text) {
        let message = format!(
            "the name of a job must not hold control characters or line breaks, as {name} does"
        );
        problems.push(Problem::new(message).at(entry.key.place));
    }
    let Data::Mapping(entries) = &entry.value.data else {
        problems.push(not_a_mapping(entry));
        return (ConfiguredJob::Broken { name, problems }, Vec::new());
    };
    let (client_config, notes) = client_config(entry, global);
    let mut options = Options::new(name.as_str(), entry.key.place, entries);
    let parts = parts(&mut options);
    problems.extend(options.finish(|option| elsewhere(option, parts.sync_type)));

    match (parts.sound(), client_config) {
        (Some((source_region, destination_region, kms_key_id, kind)), Ok(client_config))
            if problems.is_empty() =>
        {
            let client_config = Arc::new(client_config);
            let job = SyncJob {
                name,
                source_region,
                destination_region,
                client_config,
                kms_key_id,
                kind,
            };
            (ConfiguredJob::Sound(job), notes)
        }
        (_, client_config) => {
            problems.extend(client_config.err().into_iter().flatten());
            problems.sort_by_key(|problem| problem.at);
            (ConfiguredJob::Broken { name, problems }, notes)
        }
    }
}

/// The client settings of one job, whatever its other options are, and what has no effect in them.
pub(super) fn client_config(
    entry: &Entry,
    global: &Level,
) -> (Result<ClientConfig, Vec<Problem>>, Vec<Problem>) {
    let Data::Mapping(entries) = &entry.value.data else {
        return (Err(vec![not_a_mapping(entry)]), Vec::new());
    };
    let own = entries
        .iter()
        .find(|option| option.key.text == CLIENT_CONFIG);
    let own = Level::read(&format!("{CLIENT_CONFIG} of {}", name(entry)), own);
    let merged = client_config::merged(global, &own);
    let idle = merged
        .as_ref()
        .ok()
        .and_then(|merged| client_config::without_role(merged, global, &own));
    let mut notes = own.notes;
    notes.extend(idle);
    (merged, notes)
}

fn not_a_mapping(entry: &Entry) -> Problem {
    let message = if entry.value.is_null() {
        format!("{} has no options", name(entry))
    } else {
        format!(
            "{} must be a mapping of options, not {}",
            name(entry),
            entry.value.kind()
        )
    };
    Problem::new(message)
        .at(entry.key.place)
        .help("every top-level key that starts with `sync_` is a job")
}

/// What a job has come to so far; `None` for each part that is missing or wrong.
struct Parts {
    sync_type: Option<SyncType>,
    source: Option<Region>,
    destination: Option<Region>,
    /// `Some(None)` if there is none.
    kms_key_id: Option<Option<String>>,
    kind: Option<JobKind>,
}

impl Parts {
    fn sound(&self) -> Option<(Region, Region, Option<String>, JobKind)> {
        let Self {
            sync_type: _,
            source,
            destination,
            kms_key_id,
            kind,
        } = self;
        Some((
            source.clone()?,
            destination.clone()?,
            kms_key_id.clone()?,
            kind.clone()?,
        ))
    }
}

fn parts(options: &mut Options<'_>) -> Parts {
    let job_type = job_type(options);
    let source = region(
        options,
        "source_region",
        "the region that the original is in, such as us-east-1",
    );
    let destination = region(
        options,
        "destination_region",
        "the region that copies go to, such as us-west-1",
    );
    if let (Some((_, source)), Some((given, destination))) = (&source, &destination) {
        check_pair(options, *given, source, destination);
    }
    let destination = destination.map(|(_, region)| region);
    let kms_key_id = match options.given(&["kms_key_id"]) {
        Some(given) => kms_key_id(options, given, destination.as_ref()).map(Some),
        None => Some(None),
    };
    // Read on its own, for apply needs it of broken jobs, too.
    options.given(&[CLIENT_CONFIG]);
    let kind = match job_type {
        Some(job_type) => (job_type.read)(options),
        None => {
            // Of no type or an unknown one: any type's options may be meant.
            for job_type in TYPES {
                options.given_any(job_type.options);
            }
            None
        }
    };
    Parts {
        sync_type: job_type.map(|job_type| job_type.sync_type),
        source: source.map(|(_, region)| region),
        destination,
        kms_key_id,
        kind,
    }
}

fn job_type(options: &mut Options<'_>) -> Option<&'static Type> {
    let words: Vec<&str> = TYPES
        .iter()
        .map(|job_type| job_type.sync_type.as_str())
        .collect();
    let given = options.required("sync_type", &format!("one of {}", list(&words)))?;
    let text = options.text(given)?;
    let found = TYPES
        .iter()
        .find(|job_type| job_type.sync_type.as_str() == text);
    if found.is_none() {
        let help = did_you_mean(text, &words).map(|meant| format!("did you mean `{meant}`?"));
        let must = format!("one of {}", list(&words));
        options.must(given, &must, Some(quoted(text)), help.as_deref());
    }
    found
}

/// A region and where it was given.
fn region<'a>(
    options: &mut Options<'a>,
    name: &'static str,
    help: &str,
) -> Option<(Given<'a>, Region)> {
    let given = options.required(name, help)?;
    let text = options.text(given)?;
    if Region::is_well_formed(text) {
        return Some((given, Region::from(text)));
    }
    let lower = text.trim().to_lowercase().replace(['_', ' '], "-");
    let without_zone = lower.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let help = if Region::is_well_formed(&lower) {
        format!("did you mean {lower}?")
    } else if Region::is_well_formed(without_zone) {
        format!("{lower} is an availability zone; its region is {without_zone}")
    } else {
        "regions are written as in us-east-1".to_owned()
    };
    options.must(
        given,
        "the code of a region",
        Some(quoted(text)),
        Some(&help),
    );
    None
}

fn check_pair(options: &mut Options<'_>, given: Given<'_>, source: &Region, destination: &Region) {
    let whose = options.whose().to_owned();
    if source == destination {
        let message = format!("source and destination of {whose} are the same region, {source}");
        options.say(
            Problem::new(message)
                .at(given.value.place)
                .help("copies for disaster recovery go to another region"),
        );
    } else if source.partition() != destination.partition() {
        let (from, to) = (source.partition(), destination.partition());
        let message = format!(
            "{whose} cannot copy from {source} to {destination}: they are in the partitions {from} and {to}"
        );
        options.say(
            Problem::new(message)
                .at(given.value.place)
                .help("AWS copies nothing from one partition to another"),
        );
    }
}

fn kms_key_id(
    options: &mut Options<'_>,
    given: Given<'_>,
    destination: Option<&Region>,
) -> Option<String> {
    let text = options.text(given)?;
    match arn::kms_key_fault(text, destination) {
        None => Some(text.to_owned()),
        Some((must, not)) => {
            let help = "KMS keys stay in their region: name one, or an alias, of the region that copies go to";
            options.must(given, &must, Some(not), Some(help));
            None
        }
    }
}

/// What an option is that has no place in this job, if it has one elsewhere.
fn elsewhere(option: &str, own: Option<SyncType>) -> Option<String> {
    if let Some(other) = TYPES
        .iter()
        .find(|job_type| job_type.options.contains(&option))
    {
        let own = own.map_or_else(String::new, |own| format!(", and this is an `{own}` job"));
        return Some(format!(
            "it is an option of `{}` jobs{own}",
            other.sync_type
        ));
    }
    client_config::is_setting(option).then(|| format!("put it inside {CLIENT_CONFIG}"))
}
