//! Monitors one run of xrs: what it observed, and whether each write follows from its observations and its plan.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::calls::{Read, Write, action_word};
use super::fault_plan::FaultPlan;
use super::ledger::{Ledger, Moment, RecordedSandbox};
use super::setup::Setup;
use super::{check_writes, rules};
use crate::support::prelude::*;

pub struct Monitor<'a> {
    pub recorded: &'a RecordedSandbox,
    pub setup: &'a Setup,
    /// What is applied; `None` while planning.
    pub plan: Option<&'a SavedPlan>,
    pub faults: FaultPlan,
    /// Whether nothing else happens at the same time.
    pub alone: bool,
    pub name: String,
    /// Whether what it observed before may be outdated.
    pub was_stale: bool,
    /// The number of jobs that are worked on at a time.
    pub parallelism: usize,
    state: Mutex<RunLog>,
}

/// What a run has observed and done so far.
#[derive(Default)]
pub struct RunLog {
    pub reads: Vec<ReadRecord>,
    /// The state after each job's latest copy or tag.
    pub led_to: BTreeMap<JobName, usize>,
    /// Copies made and deleted: the action and the id.
    pub made: Vec<(String, String)>,
    pub deleted: Vec<(String, String)>,
}

/// A read, and the moments of the world that its answer may show.
#[derive(Clone, Debug)]
pub struct ReadRecord {
    pub region: Region,
    pub credentials: Arc<ClientConfig>,
    pub read: Read,
    pub begun: usize,
    pub begun_at: Timestamp,
    pub shown: Vec<Moment>,
    pub error: Option<ProviderError>,
}

impl<'a> Monitor<'a> {
    pub fn new(
        recorded: &'a RecordedSandbox,
        setup: &'a Setup,
        plan: Option<&'a SavedPlan>,
        faults: FaultPlan,
        parallelism: usize,
    ) -> Self {
        let (state, name) = (Mutex::default(), String::new());
        Self {
            recorded,
            setup,
            plan,
            faults,
            alone: true,
            name,
            was_stale: false,
            parallelism,
            state,
        }
    }

    pub fn log(&self) -> MutexGuard<'_, RunLog> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if listings may have been outdated.
    pub fn is_stale(&self) -> bool {
        self.was_stale || self.faults.is_stale()
    }

    /// Returns true if everything that this run observes is true at that time, and nobody else changes anything.
    pub fn is_calm(&self) -> bool {
        self.alone && self.faults.is_none()
    }

    /// Returns which of the three observations behind a job this read provides: identity (0), source (1), copies (2).
    fn rests_on(job: &SyncJob, plan: &JobPlan, read: &ReadRecord) -> Option<usize> {
        let at_source = read.region == job.source_region;
        let at_destination = read.region == job.destination_region;
        let subject = plan.subject()?;
        let is_parent = |of: &[ParentId]| of.iter().any(|id| subject.parent.as_ref() == Some(id));
        let is_image = |ids: &[ArtifactId]| subject.parent.is_none() && ids.contains(&subject.id);
        let deletes_this = |ids: &[ArtifactId]| {
            let mut deletions = plan.deletions();
            deletions.any(|deletion| ids.contains(&deletion.artifact.id))
        };
        let query = match &read.read {
            Read::Identity => {
                let is_this = at_destination && read.credentials == job.client_config;
                return is_this.then_some(0);
            }
            Read::Find(kind, query) if *kind == job.kind() => query,
            Read::Find(..) => return None,
            Read::Limit | Read::Options | Read::Cluster | Read::References(_) => return None,
        };
        match query {
            Query::ByIds(ids) if at_source && is_image(ids) => Some(1),
            // As when planning.
            Query::ByIds(ids)
                if at_destination && subject.parent.is_none() && deletes_this(ids) =>
            {
                Some(2)
            }
            Query::Matching(_)
                if at_source
                    && subject.parent.is_none()
                    && super::check_plan::concerns(job, read) =>
            {
                Some(1)
            }
            Query::CopiesOf { region, ids }
                if at_destination && *region == job.source_region && is_image(ids) =>
            {
                Some(2)
            }
            Query::Automated(of) if at_source && is_parent(of) => Some(1),
            Query::Manual(of) if at_destination && is_parent(of) => Some(2),
            Query::AllManual if at_destination && subject.parent.is_some() => Some(2),
            _ => None,
        }
    }

    /// Checks law 6: what a write depends on was observed recently, and without an error.
    fn check_reads(&self, ledger: &mut Ledger, job: &SyncJob, plan: &JobPlan, action: &Action) {
        let id = action.id();
        let seen = self.log();
        let shared = |other: &SyncJob| {
            other.name != job.name
                && other.kind() == job.kind()
                && other.rules.parent() == job.rules.parent()
                && (other.source_region == job.source_region
                    || other.destination_region == job.destination_region)
        };
        // Of two jobs with the same subject, one may have met an error; and a whole region may be listed for any job.
        let is_shared = self.setup.jobs.iter().any(shared);
        let is_anyones =
            |read: &ReadRecord| is_shared || matches!(read.read, Read::Find(_, Query::AllManual));
        // While one job waits for its image to be listed, time passes for the other jobs.
        let is_prompt = self.alone && self.parallelism == 1 && action.kind() != Kind::Image;
        let now = self.recorded.sandbox.now();
        // Deleting images needs no reads of sources.
        let is_of_image = action.kind() == Kind::Image && matches!(action, Action::Delete(_));
        for part in (0..3).filter(|part| *part != 1 || !is_of_image) {
            let mut reads = seen
                .reads
                .iter()
                .filter(|read| Self::rests_on(job, plan, read) == Some(part));
            let latest = reads.next_back();
            let answered = match latest {
                Some(read) if part > 0 && !is_anyones(read) => read.error.is_none(),
                Some(read) => read.error.is_none() || reads.any(|read| read.error.is_none()),
                None => false,
            };
            if !answered {
                ledger.breach(format!(
                    "law 6: {} writes {id} without having observed part {part}: {latest:?}",
                    self.name
                ));
            }
            let age = latest.map(|read| now.duration_since(read.begun_at));
            if is_prompt && part > 0 && age.is_some_and(|age| age > SignedDuration::from_secs(80)) {
                ledger.breach(format!(
                    "{} writes {id}, but its latest observation is {age:?} old",
                    self.name
                ));
            }
        }
    }

    /// Returns the moments of a job's destination that the run observed since that state, latest first.
    pub fn observed_by(&self, job: &SyncJob, plan: &JobPlan, since: usize) -> Vec<Moment> {
        self.moments_of(2, job, plan, since)
    }

    /// Returns the moments of a job's source region that the run has observed since that state, latest first.
    pub fn sources_observed_by(&self, job: &SyncJob, plan: &JobPlan, since: usize) -> Vec<Moment> {
        self.moments_of(1, job, plan, since)
    }

    fn moments_of(&self, part: usize, job: &SyncJob, plan: &JobPlan, since: usize) -> Vec<Moment> {
        let seen = self.log();
        let reads = seen.reads.iter().rev().filter(|read| {
            Self::rests_on(job, plan, read) == Some(part)
                && read.error.is_none()
                && read.begun >= since
        });
        reads.flat_map(|read| read.shown.iter().copied()).collect()
    }

    /// Returns the moments of a job's destination in which the run read the users of an image, from the state `since` on.
    pub fn users_read(&self, job: &SyncJob, id: &ArtifactId, since: usize) -> Vec<Moment> {
        let seen = self.log();
        let reads = seen.reads.iter().filter(|read| {
            let is_it = matches!(&read.read, Read::References(ids) if ids.contains(id));
            let is_there = read.region == job.destination_region;
            is_it && is_there && read.error.is_none() && read.begun >= since
        });
        reads.flat_map(|read| read.shown.iter().copied()).collect()
    }

    /// Returns what the run observed of a job's destination when it read copies by their ids.
    pub fn observed_by_id(&self, job: &SyncJob) -> Vec<(Vec<ArtifactId>, Moment)> {
        let seen = self.log();
        let reads = seen.reads.iter().filter(|read| read.error.is_none());
        let by_id = reads.filter_map(|read| match &read.read {
            Read::Find(kind, Query::ByIds(ids)) => {
                let is_there = read.region == job.destination_region && *kind == job.kind();
                is_there.then_some((ids, read))
            }
            _ => None,
        });
        by_id
            .flat_map(|(ids, read)| read.shown.iter().map(|moment| (ids.clone(), *moment)))
            .collect()
    }

    /// Returns the planned job and action that a write belongs to.
    fn action_of(&self, at: &Location, write: &Write<'_>) -> Option<(&'a JobPlan, &'a Action)> {
        let jobs = self.plan?.jobs.iter();
        let mut actions = jobs.flat_map(|job| job.actions.iter().map(move |action| (job, action)));
        actions.find(|(plan, action)| {
            let job = self.setup.job(&plan.name);
            let (from, to) = (&job.source_region, &job.destination_region);
            let place = rules::account_of(&job.client_config) == rules::account_of(&at.credentials);
            place
                && match (write, action) {
                    (Write::Copy(copy), Action::Copy(planned)) => {
                        *copy == planned && at.region == *to
                    }
                    (Write::Delete(delete), Action::Delete(planned)) => {
                        *delete == planned && at.region == *to
                    }
                    (Write::Tag(artifact, tags), Action::TagCopy(planned)) => {
                        let is_there = **artifact == planned.copy && at.region == *to;
                        is_there && **tags == planned.all_tags()
                    }
                    (Write::Tag(artifact, tags), Action::TagSource(planned)) => {
                        let value = tags
                            .get(&planned.key)
                            .and_then(|value| value.split_once(" / "));
                        let named = match &planned.copy {
                            KnownCopy::Id(id) => value.is_some_and(|value| value.1 == id.as_str()),
                            KnownCopy::OfAction(_) => value.is_some(),
                        };
                        let time = planned.data_time.strftime("%Y%m%d%H%M%S+0000").to_string();
                        **artifact == planned.source
                            && at.region == *from
                            && tags.len() == 1
                            && named
                            && value.is_some_and(|value| value.0 == time)
                    }
                    _ => false,
                }
        })
    }
}

/// What the provider of a run reports.
impl Monitor<'_> {
    /// Returns a number for the current state of the world.
    pub fn state_number(&self) -> usize {
        self.recorded.moment().state
    }

    /// Returns the world as it was at that time.
    pub fn earlier(&self, time: Timestamp) -> Sandbox {
        let ledger = self.recorded.ledger();
        let mut world = ledger.at(ledger.moment_of(time));
        world.faults.clear();
        // The call itself takes a second; its answer shows the world at that time.
        world.now -= SignedDuration::from_secs(1);
        Sandbox::new(world)
    }

    /// Records that a read was answered, with the world at `shown`.
    pub fn on_read(
        &self,
        at: &Location,
        read: &Read,
        begun: usize,
        shown: Timestamp,
        error: Option<&ProviderError>,
    ) {
        let now = self.recorded.moment();
        let mut ledger = self.recorded.ledger();
        let moments = if shown < now.time {
            vec![ledger.moment_of(shown)]
        } else if matches!(read, Read::Find(_, Query::CopiesOf { .. })) {
            // Two calls, with other runs' calls in between.
            (begun..=now.state)
                .map(|state| Moment {
                    state,
                    time: now.time,
                })
                .collect()
        } else {
            vec![now]
        };
        ledger.log_line(|| {
            let what = match error {
                Some(error) => format!("is answered with {}", error.code),
                None if shown < now.time => format!(
                    "is shown {} s ago",
                    now.time.duration_since(shown).as_secs()
                ),
                None => "is shown".to_owned(),
            };
            format!(
                "    {} {} {} {read:?} {what}",
                now.time.strftime("%d %H:%M:%S"),
                self.name,
                at.region
            )
        });
        drop(ledger);
        self.log().reads.push(ReadRecord {
            region: at.region.clone(),
            credentials: Arc::clone(&at.credentials),
            read: read.clone(),
            begun,
            begun_at: now.time,
            shown: moments,
            error: error.cloned(),
        });
    }

    /// Records the world's own answer to a write, no matter what its run learns of it.
    pub fn on_write(
        &self,
        at: &Location,
        write: &Write<'_>,
        answer: Result<Option<String>, &ProviderError>,
    ) {
        let now = self.recorded.moment();
        let mut ledger = self.recorded.ledger();
        ledger.log_line(|| {
            let what = match write {
                Write::Copy(copy) => format!("copy {} as {:?}", copy.source.id, copy.copy.id),
                Write::Tag(artifact, tags) => format!("tag {} {tags:?}", artifact.id),
                Write::Delete(delete) => format!("delete {}", delete.artifact.id),
            };
            let answer = match &answer {
                Ok(id) => format!("done {}", id.clone().unwrap_or_default()),
                Err(error) => format!("refused {}", error.code),
            };
            format!(
                "    {} {} {} {what}: {answer}",
                now.time.strftime("%d %H:%M:%S"),
                self.name,
                at.region
            )
        });
        let Some((plan, action)) = self.action_of(at, write) else {
            ledger.breach(format!(
                "law 1 or 10: {} makes a write that is not in its plan: {write:?} in {}",
                self.name, at.region
            ));
            return;
        };
        let job = self.setup.job(&plan.name);
        self.check_reads(&mut ledger, job, plan, action);
        let id = match answer {
            Ok(id) => id,
            Err(error) => {
                if error.code.ends_with("SnapshotAlreadyExists") {
                    ledger.count("a name is taken");
                }
                return;
            }
        };
        ledger.count(action_word(action));
        let planned = (job, plan, action);
        check_writes::check(self, &mut ledger, planned, write, id.as_deref());
        if !matches!(action, Action::Delete(_)) {
            self.log().led_to.insert(job.name.clone(), now.state);
        }
    }

    pub fn on_fault(&self, what: &'static str, call: &str, region: &Region) {
        let mut ledger = self.recorded.ledger();
        ledger.count(what);
        ledger.log_line(|| format!("    {} {region} {call}: {what}", self.name));
    }
}

/// Describes the snapshot or image that an action copies; two copies of one source have the same description.
pub fn source_word(action: &Action, job: &SyncJob) -> Option<String> {
    let (from, to) = (&job.source_region, &job.destination_region);
    match action {
        Action::Copy(copy) if copy.kind == Kind::Image => {
            Some(format!("{} from {from} in {to}", copy.source.id))
        }
        Action::Copy(copy) => Some(format!(
            "{} {} of {} of {} from {from} in {to}",
            copy.kind,
            copy.source.id,
            copy.expects.data_time,
            rules::account_of(&job.client_config)
        )),
        _ => None,
    }
}
