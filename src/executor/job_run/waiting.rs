//! A job whose copy is put off, or under way.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::JobRun;
use crate::executor::Event;
use crate::executor::awaited::{Awaited, MOST_BLIND, Standing, in_flight, may_pass};
use crate::executor::copy_snapshot;
use crate::executor::flights::Destination;
use crate::model::action::{Action, Wave};
use crate::model::id::{JobName, Region};
use crate::model::inventory::Found;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::result::{ActionOutcome, ActionResult};
use crate::observe::{Again, Look};

impl<'a> JobRun<'a> {
    /// Where its copy is to go, if it is put off.
    pub(in crate::executor) fn put_off_to(&self) -> Option<&Destination> {
        self.put_off.as_ref()?;
        Some(&self.ends.as_ref()?.counted)
    }

    /// The source region that does not answer, if its copy is put off for that reason.
    pub(in crate::executor) fn blind_to(&self) -> Option<&Region> {
        self.put_off.as_ref().and(self.blind_since)?;
        self.source()
    }

    /// Where its source is.
    pub(in crate::executor) fn source(&self) -> Option<&Region> {
        Some(&self.ends.as_ref()?.source.region)
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

    /// Whether it knows of copies in flight, its own or others'.
    pub(in crate::executor) fn knows_of_copies(&self) -> bool {
        let seen = self.facts.as_ref().map(|facts| &facts.seen.found);
        self.awaited.is_some() || seen.and_then(in_flight).is_some_and(|ids| !ids.is_empty())
    }

    /// Whether its copies could be looked at, so that it is enough to look at those under way.
    pub(in crate::executor) fn knows_its_copies(&self) -> bool {
        let seen = self.facts.as_ref().map(|facts| &facts.seen.found);
        seen.and_then(in_flight).is_some()
    }

    /// The copies under way, its own and others'; nothing if the job cannot go on.
    pub(in crate::executor) fn look_again_at_copies(&self) -> Option<Again> {
        let Look {
            job, destination, ..
        } = self.look()?;
        let found = self.facts.as_ref()?.seen.found.clone();
        let mut copies = in_flight(&found)?;
        copies.extend(self.awaited.as_ref().map(|awaited| awaited.id.clone()));
        Some(Again {
            job,
            at: destination,
            found,
            copies,
        })
    }

    /// Takes over what the copies were just seen to be.
    pub(in crate::executor) fn learn_copies(
        &mut self,
        found: &mut HashMap<JobName, Found>,
        at: Timestamp,
    ) {
        let (Some(facts), Some(found)) = (&mut self.facts, found.remove(&self.plan.name)) else {
            return;
        };
        let before = std::mem::replace(&mut facts.seen.found, found);
        facts.copies_at = at;
        self.follow();
        // After a look that has failed the copy is looked at by its id again: for that no source need answer.
        if self.awaited.is_some()
            && !self.knows_its_copies()
            && let Some(facts) = &mut self.facts
        {
            facts.seen.found = before;
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
        let now = self.session.provider.now();
        let since = *self.blind_since.get_or_insert(now);
        may_pass(error.kind) && now.duration_since(since) <= MOST_BLIND
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
            None if self.blind_since.is_some() => (ActionOutcome::Skipped, problem),
            None => (ActionOutcome::Deferred, problem),
        };
        if let Some(action) = self.left(Wave::Copies).next() {
            self.record(ActionResult::new(action, outcome).detail(problem.to_string()));
            self.lose(problem, &format!("{} was not done", action.id()));
        }
    }

    /// Waits no longer, whatever for.
    pub(in crate::executor) fn stop_waiting(&mut self, why: &str) {
        self.give_up();
        if let Some(awaited) = self.awaited.take() {
            self.lose(
                awaited.still_under_way(why),
                &format!("{} is not available", awaited.id),
            );
        }
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
        let now = self.session.provider.now();
        self.awaited = id.map(|id| Awaited::new(id, now));
        self.follow();
    }

    /// Takes over what the facts say of the copy that is followed, and of others in flight.
    pub(super) fn follow(&mut self) {
        let (Some(facts), Some(ends)) = (&self.facts, &self.ends) else {
            return;
        };
        let mut lost = None;
        if let Some(mut awaited) = self.awaited.take() {
            let before = awaited.seen.clone();
            let standing = awaited.learn(&facts.seen.found, facts.copies_at);
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
                Standing::There if self.is_another(&awaited.id, &facts.seen.found) => {
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
        match in_flight(&facts.seen.found) {
            Some(mut copies) => {
                copies.extend(self.awaited.as_ref().map(|awaited| awaited.id.clone()));
                let flights = &self.session.flights;
                flights.know(&ends.counted, &self.plan.name, copies);
            }
            None if self.awaited.is_none() => self.forget_copies(),
            None => {}
        }
        match lost.filter(|_| self.session.waits) {
            Some((id, problem)) => self.lose(problem, &format!("{id} is not available")),
            None => self.finish_if_nothing_is_left(),
        }
    }

    /// Whether what has the name of its copy is something else.
    fn is_another(&self, id: &str, found: &Found) -> bool {
        self.plan.actions.iter().any(|action| {
            matches!(action, Action::CopySnapshot(copy) if !copy_snapshot::is_reached_in(copy, id, found))
        })
    }

    /// Counts its copies in flight no longer: what is not looked at any more must not take the place of others for ever.
    pub(super) fn forget_copies(&self) {
        if let Some(ends) = &self.ends {
            let flights = &self.session.flights;
            flights.know(&ends.counted, &self.plan.name, BTreeSet::new());
        }
    }

    /// Ends the job here.
    fn lose(&mut self, problem: Problem, because: &str) {
        self.forget_copies();
        self.fail(problem);
        self.skip_the_rest(because);
        self.finish_if_nothing_is_left();
    }
}
