//! Checks whether a plan is the one that the observed worlds require.

use std::collections::{BTreeMap, BTreeSet};

use aws_xregion_sync::planfile;

use super::calls::Read;
use super::image_retention;
use super::ledger::Ledger;
use super::monitor::{Monitor, ReadRecord, source_word};
use super::retention_rules;
use super::room;
use super::rules::{self, Source};
use super::setup::SECRETS;
use crate::support::prelude::*;
use crate::support::{ami_options, selector};

/// What the plan of a job must contain.
pub enum Expected {
    Fails,
    /// Another job has the image.
    Nothing,
    Actions {
        copy: bool,
        tag_copy: bool,
        deletes: BTreeSet<String>,
        /// Whether the deletions come before the copy, to make room for it; `None` if that is unknown.
        first: Option<bool>,
    },
}

/// What earlier jobs of a plan have taken.
#[derive(Default)]
struct Taken {
    /// Images, each with the key of its copy.
    images: Vec<(String, Option<String>)>,
    /// By how many snapshots an account's region grows before the final deletions.
    growth: BTreeMap<String, isize>,
}

impl Taken {
    /// Notes which image a job has taken, if it is unknown what had to be planned.
    fn claim_planned(&mut self, job: &SyncJob, plan: &JobPlan) {
        let source = plan.observed.as_ref().and_then(|seen| seen.source.as_ref());
        if let Some(source) = source.filter(|_| plan.outcome != Outcome::Failed) {
            let claim = claim_of(job, source.id.as_str());
            self.images.push((claim, job.kms_key_id.clone()));
        }
    }
}

/// Returns what a job claims: an image of an account, on its way from one region to another.
fn claim_of(job: &SyncJob, image: &str) -> String {
    let (from, to) = (&job.source_region, &job.destination_region);
    let account = rules::account_of(&job.client_config);
    format!("{account} {from} {to} {image}")
}

pub fn check(monitor: &Monitor<'_>, ledger: &mut Ledger, plan: &SavedPlan) {
    let mut taken = Taken::default();
    for job_plan in &plan.jobs {
        let job = monitor.setup.job(&job_plan.name);
        check_job(monitor, ledger, job, job_plan, &mut taken);
    }
}

/// Checks law 8, and that a plan equals what its file says.
pub fn check_text(ledger: &mut Ledger, plan: &SavedPlan) {
    let text = planfile::to_text(plan).expect("JSON");
    if SECRETS.iter().any(|secret| text.contains(secret)) {
        ledger.breach("law 8: a secret is in the plan");
    }
    match planfile::read(text.as_bytes()) {
        Ok(read) if read == *plan => {}
        other => ledger.breach(format!("the plan is read back as {other:?}")),
    }
}

fn check_job(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    job: &SyncJob,
    plan: &JobPlan,
    taken: &mut Taken,
) {
    let all = monitor.log().reads.clone();
    let reads = all.iter().filter(|read| concerns(job, read)).cloned();
    let reads = without_others_copies(ledger, job, reads.collect());
    if is_ambiguous(monitor, job) && reads.iter().any(is_failed_match) {
        taken.claim_planned(job, plan);
        return;
    }
    let failed: Vec<&str> = reads
        .iter()
        .filter_map(|read| Some(read.error.as_ref()?.code.as_str()))
        .collect();
    if !failed.is_empty() {
        let mut named = plan.errors.iter().filter_map(|error| error.aws.as_ref());
        let is_named = named.any(|aws| failed.contains(&aws.code.as_str()));
        if plan.outcome != Outcome::Failed || !plan.actions.is_empty() || !is_named {
            let (name, outcome) = (&job.name, plan.outcome);
            ledger.breach(format!("law 6: {name} is {outcome:?} after {failed:?}"));
        }
        ledger.count("a job is not planned because its reads failed");
        return;
    }
    // If several sources have the same destination, it is unknown for which job images were read by their ids.
    let is_unclear = |read: &ReadRecord| {
        let by_id = matches!(read.read, Read::Find(Kind::Image, Query::ByIds(_)));
        by_id && (read.error.is_some() || monitor.faults.stale > 0)
    };
    let is_image_job = job.rules.parent().is_none();
    let is_unclear = is_image_job && all.iter().any(is_unclear) || saw_several(ledger, job, &all);
    let worlds = worlds(ledger, job, &reads).filter(|_| !is_unclear);
    let Some((source, destination)) = worlds else {
        taken.claim_planned(job, plan);
        return;
    };
    let expected = match ami_options(job) {
        None => {
            check_name(ledger, job, plan, &destination);
            let expected = expected_snapshot(job, &source, &destination, plan);
            room::with_room(ledger, job, &all, expected, &mut taken.growth)
        }
        Some(ami) => {
            let expected = expected_image(job, ami, &source, &destination, &mut taken.images);
            with_deletions(monitor, ledger, (job, ami, plan), (&source, &all), expected)
        }
    };
    compare(ledger, plan, expected);
}

fn is_failed_match(read: &ReadRecord) -> bool {
    let is_match = matches!(read.read, Read::Find(_, Query::Matching(_)));
    is_match && read.error.is_some()
}

/// Returns true if images with the same identifiers are read in a region for this job and for another one.
fn is_ambiguous(monitor: &Monitor<'_>, job: &SyncJob) -> bool {
    let is_image_job = |job: &SyncJob| job.rules.parent().is_none();
    let crosses = |one: &SyncJob, two: &SyncJob| {
        one.destination_region == two.source_region && one.rules.retention().is_some()
    };
    let mut others = monitor.setup.jobs.iter();
    is_image_job(job)
        && others.any(|other| is_image_job(other) && (crosses(job, other) || crosses(other, job)))
}

/// Adds the images that retention must delete, if the reads show what they are.
fn with_deletions(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    (job, ami, plan): (&SyncJob, &AmiOptions, &JobPlan),
    (source, all): (&World, &[ReadRecord]),
    expected: Expected,
) -> Expected {
    let Expected::Actions {
        copy,
        tag_copy,
        first,
        ..
    } = expected
    else {
        return expected;
    };
    let planned = plan
        .deletions()
        .map(|deletion| deletion.artifact.id.to_string());
    let planned: BTreeSet<String> = planned.collect();
    let mut deletes = BTreeSet::new();
    let selected = chosen(job, ami, source);
    if let Some(selected) = selected.filter(|_| job.rules.retention().is_some()) {
        let at_destination = |read: &&ReadRecord| read.region == job.destination_region;
        let is_of_users = |read: &&ReadRecord| matches!(read.read, Read::References(_));
        let mut reads = all.iter().filter(at_destination);
        let unread = reads
            .clone()
            .filter(is_of_users)
            .any(|read| read.error.is_some());
        if unread {
            ledger.count("it is unknown whether images are in use");
        }
        // What becomes available between two reads may be seen either way.
        let mut seen = reads.clone().flat_map(|read| read.shown.iter());
        let of =
            |moment| image_retention::due_for_deletion(&ledger.at(moment), job, selected, copy);
        let due: BTreeSet<BTreeSet<String>> = seen.by_ref().map(|moment| of(*moment)).collect();
        let is_clear = !unread && due.len() == 1 && monitor.faults.stale == 0;
        let is_clear = is_clear && reads.all(|read| read.error.is_none());
        deletes = match due.into_iter().next().filter(|_| is_clear) {
            Some(due) => {
                if !due.is_empty() {
                    ledger.count("images to delete are known");
                }
                due
            }
            None => planned,
        };
    }
    Expected::Actions {
        copy,
        tag_copy,
        deletes,
        first,
    }
}

/// Checks law 9: a copy has the usual name, unless that is in use.
fn check_name(ledger: &mut Ledger, job: &SyncJob, plan: &JobPlan, destination: &World) {
    let is_copy = |action: &&Action| matches!(action, Action::Copy(_));
    let Some(action @ Action::Copy(copy)) = plan.actions.iter().find(is_copy) else {
        return;
    };
    let mut usual = copy.source.id.as_str().replace(':', "-");
    if job.has_shared_parent_name {
        usual = format!("{usual}-{}", job.source_region);
    }
    if copy.copy.id.as_ref().map(ArtifactId::as_str) == Some(&usual) {
        return;
    }
    let to = &job.destination_region;
    let holder = rules::snapshot(destination, job, to, &usual.as_str().into());
    if holder.is_some() {
        ledger.renamed.extend(source_word(action, job));
    } else {
        let name = &plan.name;
        ledger.breach(format!(
            "law 9: {name} does not name its copy {usual}, which is free"
        ));
    }
}

fn compare(ledger: &mut Ledger, plan: &JobPlan, expected: Expected) {
    let name = &plan.name;
    let copies = plan.actions.iter().any(|a| matches!(a, Action::Copy(_)));
    let tags = plan.actions.iter().any(|a| matches!(a, Action::TagCopy(_)));
    let deleted = plan.actions.iter().filter_map(|action| match action {
        Action::Delete(deletion) => Some(deletion.artifact.id.to_string()),
        _ => None,
    });
    let deleted: BTreeSet<String> = deleted.collect();
    match (expected, plan.outcome) {
        (Expected::Fails, Outcome::Failed) => ledger.count("a job cannot be planned"),
        (Expected::Nothing, Outcome::UpToDate) => ledger.count("an image is left to another job"),
        (Expected::Fails, outcome) => {
            ledger.breach(format!("{name} should fail, but is {outcome:?}"));
        }
        (Expected::Nothing, outcome) => {
            ledger.breach(format!("{name} has nothing to do, but is {outcome:?}"));
        }
        (Expected::Actions { .. }, Outcome::Failed) => {
            ledger.breach(format!("{name} fails without a reason: {:?}", plan.errors));
        }
        (
            Expected::Actions {
                copy,
                tag_copy,
                deletes,
                first,
            },
            _,
        ) => {
            let is_first = plan.actions.iter().any(|action| match action {
                Action::Delete(deletion) => deletion.before.is_some(),
                _ => false,
            });
            if first.is_some_and(|first| is_first != (first && !deletes.is_empty())) {
                let what = format!("deletions come first: {is_first}; should: {first:?}");
                ledger.breach(format!("law 5: {name}: {what}"));
            }
            if is_first {
                ledger.count("deletions make room for a copy");
            }
            if copies != copy {
                let what = format!("a copy is planned: {copies}; is due: {copy}");
                ledger.breach(format!("law 4: {name}: {what}"));
            }
            if tags != tag_copy {
                let what = format!("a tag for a copy is planned: {tags}; is due: {tag_copy}");
                ledger.breach(format!("{name}: {what}"));
            }
            if deleted != deletes {
                let what = format!("{deleted:?} are planned to be deleted; {deletes:?} are due");
                ledger.breach(format!("law 5: {name}: {what}"));
            }
        }
    }
}

/// Returns true if a read for planning was also made for this job.
pub fn concerns(job: &SyncJob, read: &ReadRecord) -> bool {
    let at_source = read.region == job.source_region;
    let at_destination = read.region == job.destination_region;
    if read.credentials != job.client_config {
        return false;
    }
    let query = match &read.read {
        Read::Find(kind, query) if *kind == job.kind() => query,
        Read::Find(..) => return false,
        Read::Identity => return at_destination,
        // If one of these reads fails, the job does not fail.
        Read::Limit | Read::Options | Read::Cluster | Read::References(_) => return false,
    };
    match (query, job.rules.parent()) {
        (Query::Matching(read), None) => {
            let ours = selector(job);
            let identifiers = &read.sync_identifiers;
            let has_retention = job.rules.retention().is_some();
            (at_source || at_destination && has_retention)
                && (&read.owner, &read.filters) == (&ours.owner, &ours.filters)
                && ours
                    .sync_identifiers
                    .iter()
                    .all(|id| identifiers.contains(id))
        }
        (Query::CopiesOf { region, .. }, None) => at_destination && *region == job.source_region,
        (Query::Automated(of), Some(parent)) => at_source && of.contains(parent),
        (Query::Manual(of), Some(parent)) => at_destination && of.contains(parent),
        (Query::AllManual, Some(_)) => at_destination,
        _ => false,
    }
}

/// Returns the reads that were also made for this job. Copies of the images of many jobs are read together.
fn without_others_copies(
    ledger: &Ledger,
    job: &SyncJob,
    reads: Vec<ReadRecord>,
) -> Vec<ReadRecord> {
    if job.rules.parent().is_some() {
        return reads;
    }
    let identifier = selector(job).sync_identifiers.first().cloned();
    let selected = reads.iter().find_map(|read| match &read.read {
        Read::Find(_, Query::Matching(_))
            if read.error.is_none() && read.region == job.source_region =>
        {
            Some(ledger.at(*read.shown.last()?))
        }
        _ => None,
    });
    let is_ours = |id: &ArtifactId| {
        let world = selected.as_ref();
        let image = world.and_then(|world| world.image(&job.source_region, id));
        image.is_some_and(|image| image.tags.get("Sync-Identifier") == identifier.as_deref())
    };
    let concerns = |read: &ReadRecord| match &read.read {
        Read::Find(_, Query::CopiesOf { ids, .. }) => ids.iter().any(is_ours),
        _ => true,
    };
    reads.into_iter().filter(concerns).collect()
}

/// Returns true if the reads of a job that retains images showed different images in its destination.
fn saw_several(ledger: &Ledger, job: &SyncJob, reads: &[ReadRecord]) -> bool {
    if job.rules.parent().is_some() || job.rules.retention().is_none() {
        return false;
    }
    let to = &job.destination_region;
    let of_images = reads
        .iter()
        .filter(|read| read.region == *to && matches!(read.read, Read::Find(Kind::Image, _)));
    let moments = of_images.flat_map(|read| &read.shown);
    let mut shown = moments.map(|moment| ledger.at(*moment));
    let Some(first) = shown.next() else {
        return false;
    };
    let images = |world: &World| world.region(to).map(|here| here.images.clone());
    shown.any(|other| images(&other) != images(&first))
}

/// Returns the worlds of source and destination that a job was planned with, if that is known.
fn worlds(ledger: &Ledger, job: &SyncJob, reads: &[ReadRecord]) -> Option<(World, World)> {
    let shown = |is_wanted: fn(&Query) -> bool| {
        let read = reads.iter().rfind(|read| match &read.read {
            Read::Find(_, Query::Matching(_)) if read.region != job.source_region => false,
            Read::Find(_, query) => is_wanted(query),
            Read::Identity | Read::Limit | Read::Options | Read::Cluster | Read::References(_) => {
                false
            }
        })?;
        Some(ledger.at(*read.shown.last()?))
    };
    if job.rules.parent().is_some() {
        let source = shown(|query| matches!(query, Query::Automated(_)))?;
        let copies = shown(|query| matches!(query, Query::Manual(_) | Query::AllManual))?;
        return Some((source, copies));
    }
    let source = shown(|query| matches!(query, Query::Matching(_)))?;
    let destination = shown(|query| matches!(query, Query::CopiesOf { .. }));
    Some((source.clone(), destination.unwrap_or(source)))
}

fn expected_snapshot(
    job: &SyncJob,
    source: &World,
    destination: &World,
    plan: &JobPlan,
) -> Expected {
    let Some(newest) = rules::newest_automated(source, job) else {
        return Expected::Fails;
    };
    let is_synced =
        rules::manual(destination, job).any(|c| rules::serves(c, job, Source::of(newest)));
    if !is_synced {
        let lacks_key = newest.kms_key_id.is_some() && job.kms_key_id.is_none();
        let is_cluster = job.kind() == Kind::DbClusterSnapshot;
        let has_needless_key = newest.kms_key_id.is_none() && job.kms_key_id.is_some();
        let is_failed = plan.outcome == Outcome::Failed;
        let has_wrong_key = lacks_key || is_cluster && has_needless_key;
        if has_wrong_key || is_failed && has_unidentified_holder(destination, job, newest) {
            return Expected::Fails;
        }
    }
    // A copy that retention would not keep is not tagged before its deletion.
    let untagged = retention_rules::to_be_tagged(destination, job, newest);
    let tag_copy = untagged.filter(|_| is_synced).is_some_and(|copy| {
        let mut tagged = destination.clone();
        let to = &job.destination_region;
        if let Some(copy) = rules::snapshot_mut(&mut tagged, job, to, &copy.id) {
            let time = newest.data_time.unwrap_or(source.now);
            let value = rules::tag_value(time, newest.id.as_str());
            copy.tags.insert(rules::copy_key(job), value);
            copy.tags.retain(|key, _| key != "Sync-Keep");
        }
        !retention_rules::due_for_deletion(&tagged, job, newest, false).contains(copy.id.as_str())
    });
    Expected::Actions {
        copy: !is_synced,
        tag_copy,
        deletes: retention_rules::due_for_deletion(destination, job, newest, !is_synced),
        first: None,
    }
}

/// Returns true if an unidentifiable snapshot has a name that the copy could get.
fn has_unidentified_holder(world: &World, job: &SyncJob, source: &WorldArtifact) -> bool {
    let (id, to) = (source.id.as_str(), &job.destination_region);
    let database = job.rules.parent().expect("a database");
    rules::snapshots_of(world, job, to, database).any(|s| {
        !rules::is_dead(&s.state)
            && rules::is_given_name(s.id.as_str(), id, &job.source_region)
            && rules::stated_time(s, job).is_none_or(|taken| Some(taken) == source.data_time)
            && rules::copy_tag(s, job).is_none_or(|tag| tag.1 == id)
    })
}

fn expected_image(
    job: &SyncJob,
    ami: &AmiOptions,
    source: &World,
    destination: &World,
    claimed: &mut Vec<(String, Option<String>)>,
) -> Expected {
    let Some(image) = chosen(job, ami, source) else {
        return Expected::Fails;
    };
    let claim = claim_of(job, image.id.as_str());
    if let Some((_, key)) = claimed.iter().find(|(claimed, _)| *claimed == claim) {
        return if *key == job.kms_key_id {
            Expected::Nothing
        } else {
            Expected::Fails
        };
    }
    claimed.push((claim, job.kms_key_id.clone()));
    let copies: Vec<&WorldArtifact> =
        rules::image_copies(destination, source, job, image.id.as_str())
            .filter(|copy| !rules::is_dead(&copy.state))
            .collect();
    let is_tagged = copies
        .iter()
        .any(|copy| rules::copy_tag(copy, job).is_some());
    let named = rules::named_copy(image, job);
    let is_named = copies
        .iter()
        .any(|copy| named.as_deref() == Some(copy.id.as_str()));
    // The copy that counts is the oldest available one, preferably ours.
    let is_ours = |copy: &WorldArtifact| {
        let tag = rules::copy_tag(copy, job);
        copy.copied_from.is_some() && tag.is_some_and(|tag| tag.1 == image.id.as_str())
    };
    let counted = copies.iter().min_by_key(|copy| {
        let key = (copy.created, copy.id.clone());
        (!rules::is_available(copy), !is_ours(copy), key)
    });
    let identifier = |image: &WorldArtifact| image.tags.get("Sync-Identifier").map(str::to_owned);
    let is_changed =
        counted.is_some_and(|copy| is_ours(copy) && identifier(copy) != identifier(image));
    Expected::Actions {
        copy: copies.is_empty(),
        tag_copy: is_changed || !copies.is_empty() && !is_tagged && is_named,
        deletes: BTreeSet::new(),
        first: None,
    }
}

/// Returns the image that a job is about, if there is only one, or if the newest may be taken.
pub fn chosen<'a>(job: &SyncJob, ami: &AmiOptions, world: &'a World) -> Option<&'a WorldArtifact> {
    let account = rules::account_of(&job.client_config);
    let here = world.region(&job.source_region).expect("a region");
    let identifier = selector(job).sync_identifiers.first().cloned();
    let is_copy = |image: &WorldArtifact| {
        let from = image.copied_from.as_ref().and_then(Arn::region);
        let mut keys = image.tags.keys();
        keys.any(|key| key.starts_with("Sync-From-"))
            || from == Some(job.destination_region.as_str())
    };
    let mut found: Vec<&WorldArtifact> = here
        .images
        .iter()
        .filter(|i| i.account == *account && rules::is_available(i))
        .filter(|i| i.tags.get("Sync-Identifier") == identifier.as_deref())
        .filter(|i| !is_copy(i))
        .collect();
    found.sort_by_key(|i| (i.created, i.id.clone()));
    found.pop().filter(|_| found.is_empty() || ami.most_recent)
}
