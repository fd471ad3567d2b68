//! Whether a plan is the one that the worlds it was shown ask for.

use std::collections::BTreeSet;

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::plan::{JobPlan, Outcome, SavedPlan};
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::planfile;
use aws_xregion_sync::provider::sandbox::{World, WorldArtifact};
use aws_xregion_sync::sync_types::{AmiOptions, SyncJob};

use super::faulty_provider::Read;
use super::ledger::Ledger;
use super::monitor::{Monitor, ReadRecord, source_word};
use super::rules::{self, Route};
use super::setup::{KindDatabase, SECRETS};
use crate::support::{ami_options, selector};

/// What a job's plan has to come to.
enum Expected {
    Fails,
    /// Another job has the image.
    Nothing,
    Comes {
        copy: bool,
        tag_copy: bool,
        deletes: BTreeSet<String>,
    },
}

pub fn check(monitor: &Monitor<'_>, ledger: &mut Ledger, plan: &SavedPlan) {
    let mut claimed: Vec<(String, Option<String>)> = Vec::new();
    for job_plan in &plan.jobs {
        let job = monitor.setup.job(&job_plan.name);
        check_job(monitor, ledger, job, job_plan, &mut claimed);
    }
}

/// Law 8, and that a plan is what its file says.
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
    claimed: &mut Vec<(String, Option<String>)>,
) {
    let name = &job.name;
    let reads: Vec<ReadRecord> = monitor
        .log()
        .reads
        .iter()
        .filter(|read| concerns(job, read))
        .cloned()
        .collect();
    let reads = without_others_copies(ledger, job, reads);
    let failed: Vec<&str> = reads
        .iter()
        .filter_map(|read| Some(read.error.as_ref()?.code.as_str()))
        .collect();
    if !failed.is_empty() {
        let said = plan
            .errors
            .iter()
            .filter_map(|error| error.aws.as_ref())
            .any(|aws| failed.contains(&aws.code.as_str()));
        if plan.outcome != Outcome::Failed || !plan.actions.is_empty() || !said {
            ledger.breach(format!(
                "law 6: {name} is planned as {:?} after {failed:?}",
                plan.outcome
            ));
        }
        ledger.count("a job is not planned, for its reads failed");
        return;
    }
    // Who read for images by their ids cannot be description where several sources have the same destination.
    let unclear = |read: &ReadRecord| {
        let by_id = matches!(read.read, Read::Find(Kind::Image, Query::ByIds(_)));
        by_id && (read.error.is_some() || monitor.faults.stale > 0)
    };
    if job.kind_database().is_none() && monitor.log().reads.iter().any(unclear) {
        return;
    }
    let Some((source, destination)) = worlds(ledger, job, &reads) else {
        return;
    };
    let expected = match ami_options(job) {
        None => {
            check_name(ledger, job, plan, &destination);
            let database = job.rules.parent().expect("a database").as_str();
            expected_snapshot(job, &source, &destination, database, plan)
        }
        Some(ami) => expected_image(job, ami, &source, &destination, claimed),
    };
    compare(ledger, plan, expected);
}

/// Law 9: a copy has the usual name, unless something holds that.
fn check_name(ledger: &mut Ledger, job: &SyncJob, plan: &JobPlan, destination: &World) {
    let Some(action @ Action::Copy(copy)) = plan.actions.first() else {
        return;
    };
    let mut usual = copy.source.id.as_str().replace(':', "-");
    if job.has_shared_parent_name {
        usual = format!("{usual}-{}", job.source_region);
    }
    if copy.copy.id.as_ref().map(ArtifactId::as_str) == Some(&usual) {
        return;
    }
    let holder = destination.snapshot(&job.destination_region, &usual.as_str().into());
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
    let is_failed = plan.outcome == Outcome::Failed;
    match expected {
        Expected::Fails if is_failed => ledger.count("a job cannot be planned"),
        Expected::Fails => ledger.breach(format!("{name} should fail, and is {:?}", plan.outcome)),
        Expected::Nothing if plan.outcome == Outcome::UpToDate => {
            ledger.count("an image is left to another job");
        }
        Expected::Nothing => ledger.breach(format!(
            "{name} has nothing to do, and is {:?}",
            plan.outcome
        )),
        Expected::Comes { .. } if is_failed => {
            ledger.breach(format!("{name} fails without a reason: {:?}", plan.errors));
        }
        Expected::Comes {
            copy,
            tag_copy,
            deletes,
        } => {
            if copies != copy {
                ledger.breach(format!(
                    "law 4: {name}: a copy is planned: {copies}; is due: {copy}"
                ));
            }
            if tags != tag_copy {
                ledger.breach(format!(
                    "{name}: a tag for a copy is planned: {tags}; is due: {tag_copy}"
                ));
            }
            if deleted != deletes {
                ledger.breach(format!("law 5: {name}: {deleted:?} are planned to be deleted; to be deleted are {deletes:?}"));
            }
        }
    }
}

/// Whether a read when planning was made for this job, too.
pub fn concerns(job: &SyncJob, read: &ReadRecord) -> bool {
    let at_source = read.region == job.source_region;
    let at_destination = read.region == job.destination_region;
    if read.credentials != job.client_config {
        return false;
    }
    let Read::Find(_, query) = &read.read else {
        return at_destination;
    };
    match (query, job.rules.parent()) {
        (Query::Matching(read), None) => {
            let ours = selector(job);
            let identifiers = &read.sync_identifiers;
            at_source
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

/// Copies are read for by the images of many jobs: what is left is what was read for this one, too.
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
        Read::Find(_, Query::Matching(_)) if read.error.is_none() => {
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

/// The worlds of source and destination that a job was planned with, where that can be description.
fn worlds(ledger: &Ledger, job: &SyncJob, reads: &[ReadRecord]) -> Option<(World, World)> {
    let shown = |is_wanted: fn(&Query) -> bool| {
        let read = reads.iter().rfind(|read| match &read.read {
            Read::Find(_, query) => is_wanted(query),
            Read::Identity => false,
        })?;
        Some(ledger.at(*read.shown.last()?))
    };
    if job.kind_database().is_some() {
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
    database: &str,
    plan: &JobPlan,
) -> Expected {
    let account = rules::account_of(job);
    let route = Route {
        account: &account,
        from: &job.source_region,
        to: &job.destination_region,
    };
    let Some(newest) = rules::newest_automated(source, route, database) else {
        return Expected::Fails;
    };
    let taken = newest.data_time.map_or(0, rules::seconds);
    let id = newest.id.as_str();
    let due = !rules::manual(destination, route, database)
        .any(|c| rules::serves(c, route.from, id, taken));
    if due && newest.kms_key_id.is_some() && job.kms_key_id.is_none() {
        return Expected::Fails;
    }
    if due
        && plan.outcome == Outcome::Failed
        && riddle(destination, route, database, newest).is_some()
    {
        return Expected::Fails;
    }
    let retain = rules::retained(job);
    let deletes = rules::outlived(destination, route, database, retain, newest, due);
    // A copy that retention would not keep is not tagged first.
    let untagged = rules::to_be_tagged(destination, route, database, newest);
    let tag_copy = !due
        && untagged.is_some_and(|copy| {
            let mut tagged = destination.clone();
            if let Some(copy) = tagged.snapshot_mut(route.to, &copy.id) {
                let key = format!("Sync-From-{}", route.from);
                copy.tags.insert(
                    key,
                    rules::tag_value(newest.data_time.unwrap_or(source.now), id),
                );
                copy.tags.retain(|key, _| key != "Sync-Keep");
            }
            !rules::outlived(&tagged, route, database, retain, newest, false)
                .contains(copy.id.as_str())
        });
    Expected::Comes {
        copy: due,
        tag_copy,
        deletes,
    }
}

/// A snapshot that holds a name for the copy, and of which nobody can tell what it is.
pub fn riddle(
    world: &World,
    route: Route<'_>,
    database: &str,
    source: &WorldArtifact,
) -> Option<String> {
    let here = world.region(route.to).expect("a region");
    let mut holders = here.snapshots.iter().filter(|s| {
        s.account == *route.account
            && s.parent
                .as_ref()
                .is_some_and(|parent| parent.as_str() == database)
            && !rules::is_dead(&s.state)
    });
    let key = format!("Sync-From-{}", route.from);
    let riddle = holders.find(|s| {
        rules::is_given_name(s.id.as_str(), source.id.as_str(), route.from)
            && s.data_time
                .is_none_or(|taken| Some(taken) == source.data_time)
            && read_as(s, &key).is_none_or(|id| id == source.id.as_str())
    });
    riddle.map(|s| s.id.to_string())
}

fn read_as(copy: &WorldArtifact, key: &str) -> Option<String> {
    Some(rules::read_tag(&copy.tags, key)?.1)
}

fn expected_image(
    job: &SyncJob,
    ami: &AmiOptions,
    source: &World,
    destination: &World,
    claimed: &mut Vec<(String, Option<String>)>,
) -> Expected {
    let account = rules::account_of(job);
    let route = Route {
        account: &account,
        from: &job.source_region,
        to: &job.destination_region,
    };
    let Some(image) = chosen(job, ami, source) else {
        return Expected::Fails;
    };
    let claim = format!("{account} {} {} {}", route.from, route.to, image.id);
    if let Some((_, key)) = claimed.iter().find(|(claimed, _)| *claimed == claim) {
        return if *key == job.kms_key_id {
            Expected::Nothing
        } else {
            Expected::Fails
        };
    }
    claimed.push((claim, job.kms_key_id.clone()));
    let named = rules::named_copy(source, route, image.id.as_str());
    let copies: Vec<&WorldArtifact> = rules::own_images(destination, route)
        .filter(|i| !rules::is_dead(&i.state))
        .filter(|i| rules::is_image_copy(i, route.from, image.id.as_str(), named.as_ref()))
        .collect();
    let key = format!("Sync-From-{}", route.from);
    let tagged = copies
        .iter()
        .any(|i| rules::read_tag(&i.tags, &key).is_some());
    let named = copies.iter().any(|i| i.name == image.name);
    Expected::Comes {
        copy: copies.is_empty(),
        tag_copy: !copies.is_empty() && !tagged && named,
        deletes: BTreeSet::new(),
    }
}

/// The image that a job is about, if there is just one, or the newest may be taken.
pub fn chosen<'a>(job: &SyncJob, ami: &AmiOptions, world: &'a World) -> Option<&'a WorldArtifact> {
    let account = rules::account_of(job);
    let here = world.region(&job.source_region).expect("a region");
    let identifier = selector(job).sync_identifiers.first().cloned();
    let mut found: Vec<&WorldArtifact> = here
        .images
        .iter()
        .filter(|i| i.account == account && i.state.as_str() == "available")
        .filter(|i| i.tags.get("Sync-Identifier") == identifier.as_deref())
        .filter(|i| {
            !i.tags
                .contains_key(&format!("Sync-From-{}", job.destination_region))
        })
        .collect();
    found.sort_by_key(|i| (i.created, i.id.clone()));
    match found.len() {
        1 => found.pop(),
        _ if ami.most_recent => found.pop(),
        _ => None,
    }
}
