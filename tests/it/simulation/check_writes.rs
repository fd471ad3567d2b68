//! Checks whether xrs was allowed to make a write that AWS accepted: according to the world that it observed, and, if its
//! observations are exact and nobody else changes anything, according to the world as it was.

use std::cell::RefCell;

use aws_xregion_sync::model::action::{Copy, Tag, TagCopy};
use jiff::SignedDuration;

use super::calls::Write;
use super::image_retention;
use super::ledger::{Ledger, Made};
use super::monitor::{Monitor, source_word};
use super::retention_rules;
use super::rules::{self, Source};
use crate::support::prelude::*;

/// For this long after someone changed a copy, xrs may observe its previous state.
const SETTLED: SignedDuration = SignedDuration::from_secs(240);

pub fn check(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    (job, plan, action): (&SyncJob, &JobPlan, &Action),
    write: &Write<'_>,
    id: Option<&str>,
) {
    let mut check = Check {
        monitor,
        ledger,
        job,
        plan,
        action,
    };
    match (action, write) {
        (Action::Copy(copy), _) => match copy.kind {
            Kind::DbSnapshot | Kind::DbClusterSnapshot => check.snapshot(copy),
            Kind::Image => check.image(copy, id.unwrap_or_default()),
        },
        (Action::Delete(deletion), _) => match deletion.kind {
            Kind::DbSnapshot | Kind::DbClusterSnapshot => check.deletion(deletion),
            Kind::Image => check.image_deletion(deletion),
        },
        (Action::TagSource(tag), Write::Tag(_, tags)) => {
            check.source_tag(tag.source.id.as_str(), tags);
        }
        (Action::TagCopy(tag), _) => {
            check.copy_tag(tag);
        }
        _ => {}
    }
}

/// One write, with the job and the action that it belongs to.
struct Check<'a> {
    monitor: &'a Monitor<'a>,
    ledger: &'a mut Ledger,
    job: &'a SyncJob,
    plan: &'a JobPlan,
    action: &'a Action,
}

impl Check<'_> {
    fn breach(&mut self, law: &str, what: impl std::fmt::Display) {
        let (name, id) = (&self.monitor.name, self.action.id());
        self.ledger.breach(format!("{law}: {name} in {id}: {what}"));
    }

    fn breach_if(&mut self, is_broken: bool, law: &str, what: impl std::fmt::Display) {
        if is_broken {
            self.breach(law, what);
        }
    }

    /// Returns true if the condition holds in every world that this job observed of its destination since that state.
    fn in_all_observed(&self, since: usize, holds: impl Fn(&World) -> bool) -> bool {
        let moments = self.monitor.observed_by(self.job, self.plan, since);
        moments.iter().all(|moment| holds(&self.ledger.at(*moment)))
    }

    /// Returns true if the condition held in any remembered state.
    fn was(&self, holds: impl Fn(&World) -> bool) -> bool {
        self.ledger.since(0).iter().any(holds)
    }

    fn snapshot(&mut self, copy: &Copy) {
        let (job, source) = (self.job, Source::planned(copy));
        let is_synced =
            |world: &World| rules::manual(world, job).any(|c| rules::serves(c, job, source));
        self.needed(is_synced, true);
        let is_live = |world: &World, made: &Made| {
            let id = made.id.as_str().into();
            let there = rules::snapshot(world, job, &job.destination_region, &id);
            there.is_some_and(|c| !rules::is_dead(&c.state) && rules::is_copy(c, job, source))
        };
        let id = copy.copy.id.as_ref().expect("a snapshot's id is chosen");
        self.one_copy(id.as_str(), is_live);

        let after = self.ledger.after();
        let mut copies = rules::manual(after, job);
        let Some(made) = copies.find(|copy| copy.id == *id).cloned() else {
            drop(copies);
            self.breach("law 10", "no snapshot of the planned name is there");
            return;
        };
        drop(copies);
        self.tags(&made.tags, copy);
        // An old listing may show a snapshot of a database that has just been recreated, taken in the same minute.
        let is_other = made.data_time.map(rules::seconds) != Some(source.taken);
        let what = format!("a copy of what was taken at {:?}", made.data_time);
        self.breach_if(is_other && !self.monitor.is_stale(), "law 10", what);
        // If the job names no key, AWS decides the key of the copy.
        let is_other = made.kms_key_id != job.kms_key_id && job.kms_key_id.is_some();
        let what = format!("it is encrypted with {:?}", made.kms_key_id);
        self.breach_if(is_other, "law 10", what);
        let before = self.ledger.before();
        let newest = rules::newest_automated(&before, job);
        if newest.is_some_and(|newest| newest.id.as_str() != source.id) {
            self.ledger
                .count("an older source than the newest is copied");
        }
    }

    fn image(&mut self, copy: &Copy, id: &str) {
        let (job, to) = (self.job, &self.job.destination_region);
        let made = self.ledger.after().image(to, &id.into()).cloned();
        let is_known = self.ledger.before().image(to, &id.into()).is_some();
        let Some(made) = made.filter(|made| !is_known && made.copying.is_some()) else {
            self.ledger.count("a client token is used again");
            return;
        };
        let source = copy.source.id.as_str();
        let is_synced = |world: &World| {
            rules::image_copies(world, world, job, source).any(|i| !rules::is_dead(&i.state))
        };
        // It takes several reads to find the copies of an image. They show the same moment only if nothing lags and nobody else
        // writes.
        self.needed(is_synced, self.monitor.alone && !self.monitor.is_stale());
        let is_live = |world: &World, made: &Made| {
            let there = world.image(to, &made.id.as_str().into());
            there.is_some_and(|image| {
                !rules::is_dead(&image.state) && rules::is_image_copy(image, job, source, None)
            })
        };
        self.one_copy(id, is_live);

        self.tags(&made.tags, copy);
        let description = copy.copy.description.clone().unwrap_or_default();
        let is_other = Some(made.name.as_str()) != copy.copy.name.as_deref()
            || made.description != description;
        self.breach_if(is_other, "law 10", format!("it is named {}", made.name));
        let mut disks = made.backing_snapshots.iter();
        let is_other = disks.any(|disk| disk.tags != made.tags);
        self.breach_if(is_other, "law 10", "its disks have other tags");
        let is_other = made.copied_from.is_none_or(|from| from != copy.source.arn);
        self.breach_if(is_other, "law 10", "it is a copy of another image");
    }

    /// Law 4: nothing that was observed to be synced is copied.
    fn needed(&mut self, is_synced: impl Fn(&World) -> bool, is_of_one_moment: bool) {
        let was_observed = is_of_one_moment && self.in_all_observed(0, &is_synced);
        self.breach_if(was_observed, "law 4", "a copy, though each read shows one");
        let is_known = self.monitor.is_calm() && is_synced(&self.ledger.before());
        self.breach_if(is_known, "law 4", "a copy of what has one");
    }

    /// Laws 4 and 9: each source has one live copy by xrs that can be identified as such.
    fn one_copy(&mut self, id: &str, is_live: impl Fn(&World, &Made) -> bool) {
        let source = source_word(self.action, self.job).expect("a copy");
        let (ledger, before) = (&self.ledger, self.ledger.before());
        let is_settled = |made: &&Made| {
            let changed = ledger.interfered.get(&made.id);
            changed.is_none_or(|changed| before.now.duration_since(*changed) > SETTLED)
        };
        let mut others = ledger
            .made
            .iter()
            .filter(|made| made.source == source && made.id != id)
            .filter(is_settled);
        let other = others.find(|made| is_live(&before, made)).cloned();
        if let Some(other) = other {
            // RDS leaves this race open: while one of the plans was made, a failed copy or something else had the name, so the
            // plans give the copy different names.
            let is_blind = !self.monitor.alone || self.monitor.is_stale();
            if is_blind && self.ledger.renamed.contains(&source) {
                self.ledger.count("two plans give one copy two names");
            } else {
                let what = format!("{id} is a second copy besides {}", other.id);
                self.breach("laws 4 and 9", what);
            }
        }
        let id = id.to_owned();
        let made = (self.action.id().to_string(), id.clone());
        self.ledger.made.push(Made { id, source });
        self.monitor.log().made.push(made);
    }

    fn tags(&mut self, found: &Tags, copy: &Copy) {
        let key = rules::copy_key(self.job);
        let value = rules::tag_value(copy.expects.data_time, copy.source.id.as_str());
        let mut expected = copy.tags.clone();
        expected.insert(key.clone(), value.clone());
        let is_other = *found != expected || copy.sync_tag != Tag { key, value };
        let what = format!("tags {found:?}, where {expected:?} were planned");
        self.breach_if(is_other, "law 10", what);
    }

    fn deletion(&mut self, deletion: &Delete) {
        let (job, id) = (self.job, &deletion.artifact.id);
        let before = self.ledger.before();
        if rules::snapshot(&before, job, &job.destination_region, id).is_none() {
            return;
        }
        let deleted = (self.action.id().to_string(), id.to_string());
        self.monitor.log().deleted.push(deleted);
        let since = self.monitor.log().led_to.get(&job.name).copied();
        let sources = self
            .monitor
            .sources_observed_by(job, self.plan, since.unwrap_or(0));
        let sources = sources.into_iter().map(|moment| self.ledger.at(moment));
        let sources: Vec<World> = sources.collect();
        let why_not_with = |world: &World, sources: &World| {
            retention_rules::reason_not_to_delete(world, sources, job, id.as_str())
                .or_else(|| missing(world, job, deletion))
        };
        // It is wrong if it is wrong with whatever was observed of the sources.
        let why_not = |world: &World| {
            let mut reasons = sources.iter().map(|sources| why_not_with(world, sources));
            let first = reasons.next()?;
            reasons.fold(first, |all, reason| all.and(reason))
        };
        let last = RefCell::new("there was no read since the last wave".to_owned());
        let is_wrong = |world: &World| {
            why_not(world).is_some_and(|why| {
                *last.borrow_mut() = why;
                true
            })
        };
        let is_always_wrong = self.in_all_observed(since.unwrap_or(0), is_wrong);
        let what = format!("{id} is deleted, by each read wrongly: {}", last.borrow());
        self.breach_if(is_always_wrong, "law 5", what);
        if self.monitor.is_calm()
            && let Some(why) = why_not_with(&before, &before)
        {
            self.breach("law 5", format!("{id} is deleted wrongly: {why}"));
        }
        self.waited(deletion);
    }

    fn image_deletion(&mut self, deletion: &Delete) {
        let (job, id) = (self.job, &deletion.artifact.id);
        let before = self.ledger.before();
        if before.image(&job.destination_region, id).is_none() {
            return;
        }
        let deleted = (self.action.id().to_string(), id.to_string());
        self.monitor.log().deleted.push(deleted);
        let since = self.monitor.log().led_to.get(&job.name).copied();
        let since = since.unwrap_or(0);
        let why_not = |world: &World| image_retention::reason_not_to_delete(world, job, deletion);
        let is_always_wrong = self.in_all_observed(since, |world| why_not(world).is_some());
        let what = format!(
            "{id} is deleted, by each read wrongly: {:?}",
            why_not(&before)
        );
        self.breach_if(is_always_wrong, "law 5", what);
        let is_used = |world: &World| !image_retention::users(world, job, id).is_empty();
        let read = self.monitor.users_read(job, id, since);
        let was_used = read.iter().all(|moment| is_used(&self.ledger.at(*moment)));
        self.breach_if(
            was_used,
            "law 5",
            format!("{id} is deleted, and is used in all of {read:?}"),
        );
        if self.monitor.is_calm() {
            let why = why_not(&before).or(is_used(&before).then(|| "it is used".to_owned()));
            if let Some(why) = why {
                self.breach("law 5", format!("{id} is deleted wrongly: {why}"));
            }
        }
        self.came_after_copy(deletion);
    }

    /// A deletion that waits for the job's copy comes after AWS has accepted the copy.
    fn came_after_copy(&mut self, deletion: &Delete) {
        let copy = self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) if Some(&copy.id) == deletion.after.as_ref() => Some(copy),
            _ => None,
        });
        let Some(copy) = copy else {
            let is_wrong = deletion.after.is_some();
            return self.breach_if(
                is_wrong,
                "law 10",
                "it waits for what the plan does not have",
            );
        };
        let (job, source) = (self.job, copy.source.id.as_str());
        let is_accepted = |world: &World| {
            let mut copies = rules::image_copies(world, world, job, source);
            copies.any(|image| !rules::is_dead(&image.state))
        };
        let was_accepted = self.was(is_accepted);
        let what = "the copy it waits for has not been accepted";
        self.breach_if(!was_accepted, "law 5", what);
    }

    /// A deletion that waits for the job's copy comes after AWS has accepted the copy, no matter who requested it; in a run that
    /// waits for copies, it comes after the copy was observed to be available.
    fn waited(&mut self, deletion: &Delete) {
        let Some(after) = &deletion.after else {
            return;
        };
        let copy = self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) if copy.id == *after => Some(copy),
            _ => None,
        });
        let Some(copy) = copy else {
            let what = format!("it waits for {after}, which the plan does not have");
            self.breach("law 10", what);
            return;
        };
        let (job, source) = (self.job, Source::planned(copy));
        // An old listing may show a snapshot of a database that has just been recreated, taken in the same minute.
        let is_stale = self.monitor.is_stale();
        let is_it = |c: &WorldArtifact| {
            rules::serves(c, job, source) || is_stale && has_origin(c, job, source.id)
        };
        let serves = |world: &World, is_enough: &dyn Fn(&WorldArtifact) -> bool| {
            rules::manual(world, job).any(|c| is_enough(c) && is_it(c))
        };
        let is_unavailable = |world: &World| !serves(world, &rules::is_available);
        let is_available = |(ids, moment): (Vec<ArtifactId>, _)| {
            let is_named = |c: &WorldArtifact| rules::is_available(c) && ids.contains(&c.id);
            serves(&self.ledger.at(moment), &is_named)
        };
        let mut by_id = self.monitor.observed_by_id(job).into_iter();
        let was_observed = by_id.any(is_available) || !self.in_all_observed(0, is_unavailable);
        let was_accepted = self.was(|world| serves(world, &|_| true));
        let waits = self.monitor.faults.waits.is_some();
        let what = "the copy it waits for was never observed to be available";
        self.breach_if(waits && !was_observed, "law 5", what);
        let what = "the copy it waits for has not been accepted";
        self.breach_if(!was_accepted, "law 5", what);
    }

    fn source_tag(&mut self, source: &str, tags: &Tags) {
        let value = tags.iter().map(|(_, value)| value).next();
        let named = value.and_then(|value| value.split_once(" / "));
        let named = named.map_or("", |(_, id)| id).to_owned();
        let job = self.job;
        let is_copy = |world: &World| match job.rules.parent() {
            Some(_) => rules::manual(world, job)
                .any(|c| c.id.as_str() == named && has_origin(c, job, source)),
            None => rules::image_copies(world, world, job, source).any(|i| i.id.as_str() == named),
        };
        let is_wrong = !self.was(is_copy);
        let what = format!("the tag of {source} names {named}, which is no copy of it");
        self.breach_if(is_wrong, "law 10", what);
    }

    fn copy_tag(&mut self, planned: &TagCopy) {
        let (copy, source) = (planned.copy.id.as_str(), planned.source.id.as_str());
        let (job, tag) = (self.job, &planned.sync_tag);
        let is_other =
            tag.key != rules::copy_key(job) || !tag.value.ends_with(&format!(" / {source}"));
        self.breach_if(is_other, "law 10", format!("{copy} gets the tag {tag:?}"));
        let has_tag = |c: &WorldArtifact| c.tags.get(&tag.key) == Some(&tag.value);
        let is_untagged = |c: &WorldArtifact| {
            c.id.as_str() == copy && (rules::copy_tag(c, job).is_none() || has_tag(c))
        };
        let was_untagged = |world: &World| match job.rules.parent() {
            Some(_) => {
                rules::manual(world, job).any(|c| is_untagged(c) && has_origin(c, job, source))
            }
            None => rules::own_images(world, job).any(is_untagged),
        };
        // It only matters that it was so recently, and image ids are never reused.
        let is_wrong = !self.was(was_untagged);
        let what = format!("{copy} is tagged, which was no untagged copy of {source}");
        self.breach_if(is_wrong, "law 10", what);
        let is_other = planned.tags.keys().any(|key| key != "Sync-Identifier");
        let what = format!("{copy} gets {:?}", planned.tags);
        self.breach_if(is_other, "law 10", what);
    }
}

fn has_origin(copy: &WorldArtifact, job: &SyncJob, source: &str) -> bool {
    rules::origin(copy, job).is_some_and(|(id, _)| id == source)
}

/// Returns the copies that the plan keeps but that are not there as planned.
fn missing(world: &World, job: &SyncJob, deletion: &Delete) -> Option<String> {
    let missing = deletion.expects.kept.iter().find(|kept| {
        !rules::manual(world, job).any(|copy| {
            let taken = rules::origin(copy, job).and_then(|origin| origin.1);
            let is_kept = copy.id == kept.id && rules::is_available(copy);
            is_kept && taken == Some(rules::seconds(kept.data_time))
        })
    });
    missing.map(|kept| format!("the plan keeps {}, which is not there", kept.id))
}
