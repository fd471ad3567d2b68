//! A job whose copy is put off, or under way.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::JobRun;
use crate::executor::awaited::{Awaited, Silence, Standing, in_flight, may_pass};
use crate::executor::copy_snapshot;
use crate::executor::flights::Destination;
use crate::executor::{Event, SeenCopies};
use crate::model::action::{Action, Wave};
use crate::model::client_config::Place;
use crate::model::inventory::Found;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::result::{ActionOutcome, ActionResult};
use crate::observe::Again;

impl<'a> JobRun<'a> {
    /// Where its copy is to go, if it is put off.
    pub(in crate::executor) fn put_off_to(&self) -> Option<&Destination> {
        self.put_off.as_ref()?;
        Some(&self.ends.as_ref()?.counted)
    }

    /// An end of it that does not answer, if any.
    pub(in crate::executor) fn silent_end(&self) -> Option<Place> {
        let places = self.ends.as_ref()?.places();
        self.session.silent_one(places).cloned()
    }

    /// Whether its copy is waited for.
    pub(in crate::executor) fn is_waited_for(&self) -> bool {
        self.session.waits && !self.finished && self.awaited.is_some()
    }

    /// Whether there is anything to wait for.
    pub(in crate::executor) fn waits(&self) -> bool {
        self.is_waited_for() || self.put_off.is_some()
    }

    /// Whether its credentials have expired: then nothing more can be seen of its copy.
    pub(in crate::executor) fn has_expired(&self) -> bool {
        self.expired().is_some()
    }

    /// The copies under way, its own and others', to be looked at again; nothing if there are none, or the job cannot go on.
    pub(in crate::executor) fn look_again_at_copies(&self) -> Option<Again> {
        let mut ids = self.earlier.clone();
        ids.extend(self.awaited.as_ref().map(|awaited| awaited.id.clone()));
        let ends = self.ends.as_ref().filter(|_| !ids.is_empty())?;
        if self.hindrance().is_some() {
            return None;
        }
        Some(Again {
            job: self.plan.name.clone(),
            sync_type: self.plan.sync_type?,
            at: ends.destination.clone(),
            ids,
        })
    }

    /// Takes over what the copies were just seen to be.
    pub(in crate::executor) fn learn_copies(&mut self, seen: &SeenCopies) {
        if let Some(found) = seen.found.get(&self.plan.name) {
            self.follow(found, seen.at);
        }
    }

    /// Takes a place among the copies in flight; if there is none left, the copy is put off.
    pub(super) fn takes_its_place(&mut self, action: &Action) -> bool {
        let begun = self.ends.as_ref().map(|ends| {
            let flights = &self.session.flights;
            flights.begin(&ends.counted, &self.plan.name, action.id())
        });
        self.put_off = begun.and_then(Result::err);
        self.put_off.is_none()
    }

    /// Whether a copy that was put off is put off again where the look before it fails: if that may pass, though not for
    /// ever.
    pub(super) fn stays_put_off(&mut self, error: &ProviderError) -> bool {
        if !self.was_put_off || !self.session.waits {
            return false;
        }
        let Some(ends) = self.ends.as_ref().filter(|_| may_pass(error.kind)) else {
            return false;
        };
        let of_place = self.session.note_silence(ends.place_of(error));
        let own = Silence::after(self.silence, self.session.provider.now());
        self.silence = Some(own);
        !own.is_too_long() && !of_place.is_too_long()
    }

    /// Says that the copy is put off, if it is.
    pub(in crate::executor) fn tell_if_put_off(&self) {
        let put_off = self.put_off.as_ref().and(self.left(Wave::Copies).next());
        if let Some(action) = put_off {
            let job = &self.plan.name;
            self.session.tell(Event::CopyPutOff { job, action });
        }
    }

    /// Gives up a copy that is put off.
    pub(in crate::executor) fn give_up(&mut self) {
        let Some(problem) = self.put_off.take() else {
            return;
        };
        let (outcome, problem) = match self.hindrance() {
            Some(hindrance) => (ActionOutcome::Skipped, hindrance),
            // The last that was heard of it is that it could not be looked.
            None if self.silence.is_some() => (ActionOutcome::Skipped, problem),
            None => (ActionOutcome::Deferred, problem),
        };
        if let Some(action) = self.left(Wave::Copies).next() {
            self.record(ActionResult::new(action, outcome).detail(problem.to_string()));
            self.lose(problem, &format!("{} was not done", action.id()));
        }
    }

    /// Waits no longer, whatever for, and counts no copies any more.
    pub(in crate::executor) fn stop_waiting(&mut self, why: &str) {
        self.give_up();
        if let Some(awaited) = self.awaited.take() {
            self.lose(
                awaited.still_under_way(why),
                &format!("{} is not available", awaited.id),
            );
        }
        self.count(Some(BTreeSet::new()));
    }

    /// Follows a copy that was under way when the plan was made, if old ones are to be deleted for its sake.
    pub(super) fn await_earlier_copy(&mut self) {
        let deletes = self.left(Wave::Deletions).next().is_some();
        let id = self.plan.copy_under_way().filter(|_| deletes);
        let now = self.session.provider.now();
        self.awaited = id.map(|id| Awaited::new(id.to_owned(), now));
    }

    /// Follows the copy that the last action has come to, until it is available.
    pub(super) fn await_copy(&mut self, action: &Action) {
        let done = self.results.last().filter(|last| last.outcome.is_done());
        let id = done.and_then(|done| match (action, &self.facts) {
            (Action::CopySnapshot(copy), Some(facts)) if done.resource.is_none() => {
                copy_snapshot::reached_in(copy, &facts.seen.found).map(ToString::to_string)
            }
            _ => done.resource.clone(),
        });
        self.awaited = id.map(|id| Awaited::new(id, self.session.provider.now()));
        if let Some(facts) = self.facts.take() {
            self.follow(&facts.seen.found, facts.observed_at);
            self.facts = Some(facts);
        }
    }

    /// Takes over what was seen at that time of the copy that is followed, and of others in flight.
    pub(super) fn follow(&mut self, found: &Found, at: Timestamp) {
        let mut lost = None;
        if let Some(mut awaited) = self.awaited.take() {
            let before = awaited.seen.clone();
            let standing = awaited.learn(found, at);
            if let Some(seen) = awaited.seen.as_ref().filter(|_| awaited.seen != before)
                && self.session.waits
            {
                self.session.tell(Event::CopyProgress {
                    job: &self.plan.name,
                    copy: &awaited.id,
                    state: seen.state.as_str(),
                    percent: seen.percent,
                });
            }
            match standing {
                Standing::UnderWay => self.awaited = Some(awaited),
                Standing::There if self.is_another(&awaited.id, found) => {
                    let problem = Problem::new(format!(
                        "the copy {} is gone, and another snapshot has its name",
                        awaited.id
                    ));
                    let problem = problem.help("plan again: a copy that is missing is made anew");
                    lost = Some((awaited.id, problem));
                }
                Standing::There => {}
                Standing::Lost(problem) => lost = Some((awaited.id, problem)),
            }
        }
        self.count(in_flight(found));
        match lost.filter(|_| self.session.waits) {
            Some((id, problem)) => self.lose(problem, &format!("{id} is not available")),
            None => self.finish_if_nothing_is_left(),
        }
    }

    /// Counts the copies in flight, those that were just seen and its own. What could not be seen is looked at again, and
    /// does not take the place of others meanwhile, or it might for ever.
    pub(super) fn count(&mut self, seen: Option<BTreeSet<String>>) {
        let Some(ends) = &self.ends else { return };
        let mut copies = seen.clone().unwrap_or_default();
        self.earlier = seen.unwrap_or_else(|| std::mem::take(&mut self.earlier));
        if let Some(awaited) = &self.awaited {
            self.earlier.remove(&awaited.id);
            copies.insert(awaited.id.clone());
        }
        let flights = &self.session.flights;
        flights.know(&ends.counted, &self.plan.name, copies);
    }

    /// Whether what has the name of its copy is something else.
    fn is_another(&self, id: &str, found: &Found) -> bool {
        self.plan.actions.iter().any(|action| {
            matches!(action, Action::CopySnapshot(copy) if !copy_snapshot::is_reached_in(copy, id, found))
        })
    }

    /// Ends the job here. Its copies are not looked at any more, and must not take the place of others for ever.
    fn lose(&mut self, problem: Problem, because: &str) {
        self.awaited = None;
        self.count(Some(BTreeSet::new()));
        self.fail(problem);
        self.skip_the_rest(because);
        self.finish_if_nothing_is_left();
    }
}
