//! One job of a plan while it is carried out.

mod waiting;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::awaited::{Awaited, Silence};
use super::flights::{Copies, Destination};
use super::session::Session;
use super::verdict::{Known, Verdict, check};
use super::{Event, Written, copy_image, copy_snapshot, delete_snapshot, tag_copy, tag_source};
use crate::model::action::{Action, CopyId, TagSource, Wave};
use crate::model::client_config::{ClientConfig, Place};
use crate::model::id::{AccountId, Region};
use crate::model::inventory::{Found, Inventory, Observation};
use crate::model::plan::{JobPlan, Outcome, Subject};
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};
use crate::observe::{Look, observe};

/// How old what was observed may be when an action rests on it.
const MOST_AGE: SignedDuration = SignedDuration::from_secs(60);

/// A job, what is known of its world, and what has become of its actions so far.
pub(super) struct JobRun<'a> {
    plan: &'a JobPlan,
    session: &'a Session<'a>,
    ends: Option<Ends>,
    facts: Option<Facts>,
    results: Vec<ActionResult>,
    result: SyncResult,
    /// Why its copy cannot be begun for the moment, if so.
    put_off: Option<Problem>,
    was_put_off: bool,
    /// Since the looks before its copy, which was put off, have failed.
    silence: Option<Silence>,
    /// Its copy, from when AWS has accepted it until it is available.
    awaited: Option<Awaited>,
    /// Copies in flight that were there before.
    earlier: BTreeSet<String>,
    finished: bool,
}

/// What it takes to reach the two ends of a job.
struct Ends {
    source: Place,
    destination: Place,
    account: AccountId,
    /// What AWS counts its copies by.
    counted: Destination,
}

impl Ends {
    fn places(&self) -> [&Place; 2] {
        [&self.source, &self.destination]
    }

    /// Where an error came from.
    fn place_of(&self, error: &ProviderError) -> Place {
        Place {
            credentials: Arc::clone(&self.destination.credentials),
            region: error.region.clone(),
        }
    }
}

/// What was observed.
struct Facts {
    /// When the looking began.
    observed_at: Timestamp,
    wave: Wave,
    seen: Observation,
}

impl<'a> JobRun<'a> {
    pub(super) fn new(
        plan: &'a JobPlan,
        caller: Option<&Result<Arc<ClientConfig>, Problem>>,
        session: &'a Session<'a>,
    ) -> Self {
        let result = SyncResult {
            name: plan.name.clone(),
            completed: plan.outcome != Outcome::Failed,
            sync_required: plan.has_a_copy_to_make(),
            created_resource: None,
            deleted_resources: Vec::new(),
            actions: Vec::new(),
            warnings: plan.warnings.clone(),
            errors: plan.errors.clone(),
        };
        let mut run = Self {
            plan,
            session,
            ends: None,
            facts: None,
            results: Vec::new(),
            result,
            put_off: None,
            was_put_off: false,
            silence: None,
            awaited: None,
            earlier: BTreeSet::new(),
            finished: false,
        };
        match ends(plan, caller) {
            Ok(ends) => {
                run.ends = Some(ends);
                run.await_earlier_copy();
                let earlier = plan.copy_in_flight().map(str::to_owned);
                run.count(Some(earlier.into_iter().collect()));
            }
            Err(_) if plan.actions.is_empty() => {}
            Err(problem) => {
                run.fail(problem);
                run.skip_the_rest("the job was not begun");
            }
        }
        run
    }

    /// Whether the job has actions in this wave.
    pub(super) fn is_due(&self, wave: Wave) -> bool {
        let is_reached = wave == Wave::Copies || self.put_off.is_none();
        !self.finished && is_reached && self.left(wave).next().is_some()
    }

    /// The actions of a wave that have no result yet.
    fn left(&self, wave: Wave) -> impl Iterator<Item = &'a Action> + use<'a> {
        let plan = self.plan;
        let left = plan.actions.iter().skip(self.results.len());
        left.filter(move |action| action.wave() == wave)
    }

    /// What has to be looked at before the job goes on; nothing if it cannot.
    pub(super) fn look(&self) -> Option<Look> {
        let ends = self.ends.as_ref()?;
        if self.hindrance().is_some() {
            return None;
        }
        Some(Look {
            job: self.plan.name.clone(),
            source: ends.source.clone(),
            destination: ends.destination.clone(),
            subject: self.plan.subject.as_ref()?.into(),
        })
    }

    /// Whether what is known is good enough for this wave: fresh, and for deletions read in that very wave. A look of
    /// this wave that has failed counts, too, however long it took: nothing but the failure rests on it.
    pub(super) fn has_facts_for(&self, wave: Wave) -> bool {
        let now = self.session.provider.now();
        self.facts.as_ref().is_some_and(|facts| {
            let is_of_this_wave = facts.wave == wave;
            let is_fresh = now.duration_since(facts.observed_at) <= MOST_AGE
                && (is_of_this_wave || wave != Wave::Deletions);
            is_fresh || is_of_this_wave && facts.seen.error().is_some()
        })
    }

    /// Takes over what was just observed.
    pub(super) fn learn(&mut self, inventory: &mut Inventory, wave: Wave) {
        if let Some(seen) = inventory.jobs.remove(&self.plan.name) {
            let facts = Facts {
                observed_at: inventory.observed_at,
                wave,
                seen,
            };
            // Where the source of an image was not seen, its copies were not asked for.
            if !matches!(&facts.seen.found, Found::Images { source: Err(_), .. }) {
                self.follow(&facts.seen.found, facts.observed_at);
            }
            self.facts = Some(facts);
        }
    }

    /// Carries out the job's actions of one wave, one after the other; where one is not done, no later wave follows.
    pub(super) async fn carry_out(&mut self, wave: Wave) {
        // The look before it may have ended it.
        if self.finished {
            return;
        }
        self.was_put_off |= self.put_off.take().is_some();
        let mut stopped_by = None;
        for action in self.left(wave) {
            let waits = action.after().filter(|after| {
                !self
                    .results
                    .iter()
                    .any(|result| result.id == **after && result.outcome.is_done())
            });
            if let Some(after) = waits {
                self.record(
                    ActionResult::new(action, ActionOutcome::Skipped)
                        .detail(format!("{after} was not done")),
                );
                continue;
            }
            let result = match self.hindrance() {
                Some(problem) => {
                    let skipped = ActionResult::new(action, ActionOutcome::Skipped);
                    let result = skipped.detail(problem.to_string());
                    self.complain(action, problem);
                    result
                }
                None => match self.one(action, wave).await {
                    Some(result) => result,
                    None => return,
                },
            };
            if !result.outcome.is_done() && !matches!(action, Action::TagSource(_)) {
                stopped_by.get_or_insert_with(|| action.id());
            }
            self.record(result);
            if wave == Wave::Copies {
                self.await_copy(action);
            }
            if self.finished {
                return;
            }
        }
        if let Some(id) = stopped_by {
            self.skip_the_rest(&format!("{id} was not done"));
        }
        self.finish_if_nothing_is_left();
    }

    /// Why nothing more can be begun for this job, if so.
    fn hindrance(&self) -> Option<Problem> {
        self.session.hindrance(self.ends.as_ref()?.places())
    }

    /// What told that the job's credentials have expired, if they have.
    fn expired(&self) -> Option<ProviderError> {
        self.session.expired(self.ends.as_ref()?.places())
    }

    /// Ends the job once each of its actions has a result, and nothing is waited for.
    pub(super) fn finish_if_nothing_is_left(&mut self) {
        let is_left = self.results.len() < self.plan.actions.len() || self.is_waited_for();
        if !self.finished && !is_left {
            self.finished = true;
            self.result.actions = std::mem::take(&mut self.results);
            self.session.tell(Event::JobFinished(&self.result));
        }
    }

    /// What became of the job.
    pub(super) fn into_result(self) -> SyncResult {
        self.result
    }

    /// Checks and carries out one action; no result for a copy that is put off, or where the look before it ended the job.
    async fn one(&mut self, action: &'a Action, wave: Wave) -> Option<ActionResult> {
        if !self.has_facts_for(wave) {
            self.look_again(wave).await;
            if self.finished {
                return None;
            }
        }
        let (Some(facts), Some(ends)) = (&self.facts, &self.ends) else {
            self.fail(Problem::new(format!(
                "nothing was observed for {}",
                self.plan.name
            )));
            return Some(ActionResult::new(action, ActionOutcome::Skipped));
        };
        let known = Known {
            account: &ends.account,
            destination: &ends.destination.region,
            copy: self.copy_named_in(action),
        };
        let verdict = check(action, known, &facts.seen);
        if !matches!(verdict, Verdict::Unknown(_)) {
            self.silence = None;
            self.session.note_answer(ends.places());
        }
        let result = match verdict {
            Verdict::Go => {
                if let Action::CopySnapshot(copy) = action
                    && let Some(newer) = copy_snapshot::newer_source(copy, &facts.seen.found)
                {
                    let note = format!(
                        "{newer} is newer than the planned {}: plan again to sync it",
                        copy.source_snapshot_id
                    );
                    if !self.result.warnings.contains(&note) {
                        self.result.warnings.push(note);
                    }
                }
                if wave == Wave::Copies && !self.takes_its_place(action) {
                    return None;
                }
                self.session.tell(Event::ActionStarted {
                    job: &self.plan.name,
                    action,
                });
                return self.write(action).await;
            }
            Verdict::AlreadyDone(id) => {
                ActionResult::new(action, ActionOutcome::AlreadyDone).resource(id)
            }
            Verdict::Needless(why) => {
                ActionResult::new(action, ActionOutcome::AlreadyDone).detail(why)
            }
            Verdict::Stale(difference) => {
                let problem = difference.problem();
                let result =
                    ActionResult::new(action, ActionOutcome::Stale).detail(&problem.message);
                self.complain(action, problem);
                result
            }
            Verdict::Unknown(error) => {
                self.session.note_expired(ends.place_of(&error), &error);
                let problem = error.problem(format!("failed to look before {}", action.id()));
                if wave == Wave::Copies && self.stays_put_off(&error) {
                    (self.put_off, self.facts) = (Some(problem), None);
                    return None;
                }
                let result =
                    ActionResult::new(action, ActionOutcome::Skipped).detail(problem.to_string());
                self.complain(action, problem);
                result
            }
        };
        Some(result)
    }

    async fn look_again(&mut self, wave: Wave) {
        self.facts = None;
        if let Some(look) = self.look() {
            let mut inventory = observe(self.session.provider, &[look], 1).await;
            self.learn(&mut inventory, wave);
        }
    }

    /// The write itself.
    async fn write(&mut self, action: &'a Action) -> Option<ActionResult> {
        let ends = self.ends.as_ref()?;
        let Ends {
            source,
            destination,
            account,
            counted,
        } = ends;
        let provider = self.session.provider;
        let written = match action {
            Action::CopyImage(copy) => {
                copy_image::carry_out(provider, source, destination, account, copy).await
            }
            Action::CopySnapshot(copy) => {
                copy_snapshot::carry_out(provider, destination, copy).await
            }
            Action::TagCopy(tag) => tag_copy::carry_out(provider, destination, tag).await,
            Action::TagSource(tag) => {
                tag_source::carry_out(provider, source, tag, self.copy_named_in(action)).await
            }
            Action::DeleteSnapshot(deletion) => {
                delete_snapshot::carry_out(provider, destination, deletion).await
            }
        };
        let result = match written {
            Ok(Written::Done(id)) => ActionResult::new(action, ActionOutcome::Done).resource(id),
            Ok(Written::AlreadyDone(id)) => {
                ActionResult::new(action, ActionOutcome::AlreadyDone).resource(id)
            }
            Err(error) if error.is_too_many_copies_in_flight() => {
                let flights = &self.session.flights;
                let now = provider.now();
                let problem = flights.refuse(counted, &self.plan.name, action.id(), &error, now);
                self.put_off = Some(problem);
                return None;
            }
            Err(error) => {
                self.session.note_expired(ends.place_of(&error), &error);
                let problem = error.problem(format!("{} failed", action.id()));
                let result =
                    ActionResult::new(action, ActionOutcome::Failed).detail(problem.to_string());
                self.complain(action, problem);
                result
            }
        };
        Some(result)
    }

    /// The copy that a source's tag is to name, once it is known.
    fn copy_named_in(&self, action: &'a Action) -> Option<&str> {
        match action {
            Action::TagSource(TagSource {
                copy: CopyId::Id(id),
                ..
            }) => Some(id),
            Action::TagSource(TagSource {
                copy: CopyId::OfAction(id),
                ..
            }) => self
                .results
                .iter()
                .find(|result| result.id == *id)?
                .resource
                .as_deref(),
            _ => None,
        }
    }

    /// What hinders a source's tag is worth a warning; what hinders anything else fails the job.
    fn complain(&mut self, action: &Action, problem: Problem) {
        match action {
            Action::TagSource(_) => self.result.warnings.push(problem.to_string()),
            _ => self.fail(problem),
        }
    }

    fn fail(&mut self, problem: Problem) {
        self.result.completed = false;
        self.result.errors.push(problem);
    }

    /// Actions are listed in the order of their waves, so those without a result are the last ones.
    fn skip_the_rest(&mut self, because: &str) {
        let plan = self.plan;
        for action in plan.actions.iter().skip(self.results.len()) {
            self.record(ActionResult::new(action, ActionOutcome::Skipped).detail(because));
        }
    }

    fn record(&mut self, result: ActionResult) {
        self.session.tell(Event::ActionFinished {
            job: &self.plan.name,
            result: &result,
        });
        if result.outcome == ActionOutcome::Done {
            match result.action.as_str() {
                "copy_image" | "copy_snapshot" => {
                    self.result.created_resource.clone_from(&result.resource)
                }
                "delete_snapshot" => self
                    .result
                    .deleted_resources
                    .extend(result.resource.clone()),
                _ => {}
            }
        }
        self.results.push(result);
    }
}

fn ends(
    plan: &JobPlan,
    caller: Option<&Result<Arc<ClientConfig>, Problem>>,
) -> Result<Ends, Problem> {
    let client = caller
        .map(|caller| caller.as_ref().map_err(Clone::clone))
        .transpose()?;
    let ends = || {
        let place = |region: &Region| {
            Some(Place {
                credentials: Arc::clone(client?),
                region: region.clone(),
            })
        };
        let account = plan.account_id.clone()?;
        let destination = place(&plan.destination.as_ref()?.region)?;
        let counted = Destination {
            account: account.clone(),
            region: destination.region.clone(),
            copies: match plan.subject.as_ref()? {
                Subject::Image(_) => Copies::Images,
                Subject::Database(_) => Copies::Snapshots,
            },
        };
        Some(Ends {
            source: place(&plan.source.as_ref()?.region)?,
            destination,
            account,
            counted,
        })
    };
    ends().ok_or_else(|| {
        Problem::new(format!(
            "the plan of {} does not say where and as whom to act",
            plan.name
        ))
    })
}
