//! Whether a write that AWS has taken was one that xrs may make: by the world that it was shown, and where nothing
//! blurs its sight and nobody comes in between, by the world as it was.

use std::cell::RefCell;

use aws_xregion_sync::model::action::{Action, Copy, Delete, Tag};
use aws_xregion_sync::model::artifact::ArtifactRef;
use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::plan::JobPlan;
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::sandbox::{World, WorldArtifact};
use aws_xregion_sync::sync_types::SyncJob;
use jiff::SignedDuration;

use super::faulty_provider::Write;
use super::ledger::{Ledger, Made};
use super::monitor::{Monitor, source_word};
use super::rules::{self, Route};
use super::setup::KindDatabase;

/// For so long after somebody had a hand in a copy, xrs may see it as it was before.
const SETTLED: SignedDuration = SignedDuration::from_secs(240);

pub fn check(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    job: &SyncJob,
    plan: &JobPlan,
    action: &Action,
    write: &Write<'_>,
    id: Option<&str>,
) {
    let account = rules::account_of(job);
    let route = Route {
        account: &account,
        from: &job.source_region,
        to: &job.destination_region,
    };
    let case = Case {
        monitor,
        job,
        plan,
        action,
        route,
    };
    match (action, write) {
        (Action::Copy(copy), _) => match copy.kind {
            Kind::DbSnapshot => case.snapshot(ledger, copy),
            Kind::Image => case.image(ledger, copy, id.unwrap_or_default()),
        },
        (Action::Delete(deletion), _) => case.deletion(ledger, deletion),
        (Action::TagSource(tag), Write::Tag(_, tags)) => {
            case.source_tag(ledger, tag.source.id.as_str(), tags)
        }
        (Action::TagCopy(tag), _) => case.copy_tag(
            ledger,
            tag.copy.id.as_str(),
            tag.source.id.as_str(),
            &tag.sync_tag,
        ),
        _ => {}
    }
}

/// The database that a snapshot was taken of.
fn parent(artifact: &ArtifactRef) -> &str {
    artifact.parent.as_ref().expect("a snapshot").as_str()
}

struct Case<'a> {
    monitor: &'a Monitor<'a>,
    job: &'a SyncJob,
    plan: &'a JobPlan,
    action: &'a Action,
    route: Route<'a>,
}

impl Case<'_> {
    fn breach(&self, ledger: &mut Ledger, law: &str, what: String) {
        let id = self.action.id();
        ledger.breach(format!("{law}: {} in {id}: {what}", self.monitor.name));
    }

    /// Whether that is so in every world that this job was shown of its destination since that state.
    fn in_all_shown(&self, ledger: &Ledger, since: usize, is_so: impl Fn(&World) -> bool) -> bool {
        let moments = self.monitor.shown_to(self.job, self.plan, since);
        moments.iter().all(|moment| is_so(&ledger.at(*moment)))
    }

    fn snapshot(&self, ledger: &mut Ledger, copy: &Copy) {
        let (from, id) = (self.route.from, copy.source.id.as_str());
        let taken = rules::seconds(copy.expects.data_time);
        let database = parent(&copy.source);
        let needless = |world: &World| {
            rules::manual(world, self.route, database).any(|c| rules::serves(c, from, id, taken))
        };
        let before = ledger.before();
        if self.in_all_shown(ledger, 0, needless) {
            self.breach(
                ledger,
                "law 4",
                "a copy, though each read has shown one".to_owned(),
            );
        }
        if self.monitor.is_calm() && needless(&before) {
            self.breach(ledger, "law 4", "a copy of what has one".to_owned());
        }
        let live = |world: &World, made: &Made| {
            let there = world.snapshot(self.route.to, &made.id.as_str().into());
            there.is_some_and(|c| !rules::is_dead(&c.state) && rules::is_copy(c, from, id, taken))
        };
        let copy_id = copy.copy.id.as_ref().expect("a snapshot's id is chosen");
        self.one_copy(ledger, &before, copy_id.as_str(), live);

        let source = rules::newest_automated(&before, self.route, database).cloned();
        let here = ledger.after().region(self.route.to).expect("a region");
        let made = here
            .snapshots
            .iter()
            .find(|s| s.id == *copy_id && s.account == *self.route.account);
        let Some(made) = made.cloned() else {
            self.breach(
                ledger,
                "law 10",
                "no snapshot of the planned name is there".to_owned(),
            );
            return;
        };
        self.tags(
            ledger,
            &made.tags,
            &copy.tags,
            &copy.sync_tag,
            &rules::tag_value(copy.expects.data_time, id),
        );
        // A listing of earlier may show a snapshot of a database that has just been made anew, and of one minute.
        if !self.monitor.is_stale() && made.data_time.map(rules::seconds) != Some(taken) {
            self.breach(
                ledger,
                "law 10",
                format!("a copy of what was taken at {:?}", made.data_time),
            );
        }
        // AWS copies the key of an unencrypted source, too: none.
        if made.kms_key_id != self.job.kms_key_id && self.job.kms_key_id.is_some() {
            self.breach(
                ledger,
                "law 10",
                format!("it is encrypted with {:?}", made.kms_key_id),
            );
        }
        if source.is_some_and(|newest| newest.id.as_str() != id) {
            ledger.count("an older source than the newest is copied");
        }
    }

    fn image(&self, ledger: &mut Ledger, copy: &Copy, id: &str) {
        let before = ledger.before();
        let is_new = before.image(self.route.to, &id.into()).is_none()
            && ledger
                .after()
                .image(self.route.to, &id.into())
                .is_some_and(|image| image.copying.is_some());
        if !is_new {
            ledger.count("a client token is used again");
            return;
        }
        let (from, source) = (self.route.from, copy.source.id.as_str());
        let needless = |world: &World| {
            let named = rules::named_copy(world, self.route, source);
            rules::own_images(world, self.route).any(|i| {
                !rules::is_dead(&i.state) && rules::is_image_copy(i, from, source, named.as_ref())
            })
        };
        // It takes several reads to know the copies of an image; of one moment they are only where nothing lags and
        // nobody comes in between.
        let of_one_moment = self.monitor.alone && !self.monitor.is_stale();
        if of_one_moment && self.in_all_shown(ledger, 0, needless) {
            self.breach(
                ledger,
                "law 4",
                "a copy, though each read has shown one".to_owned(),
            );
        }
        if self.monitor.is_calm() && needless(&before) {
            self.breach(ledger, "law 4", "a copy of what has one".to_owned());
        }
        let live = |world: &World, made: &Made| {
            let there = world.image(self.route.to, &made.id.as_str().into());
            there.is_some_and(|i| {
                !rules::is_dead(&i.state) && rules::is_image_copy(i, from, source, None)
            })
        };
        self.one_copy(ledger, &before, id, live);

        let Some(made) = ledger.after().image(self.route.to, &id.into()).cloned() else {
            return;
        };
        self.tags(
            ledger,
            &made.tags,
            &copy.tags,
            &copy.sync_tag,
            &rules::tag_value(copy.expects.data_time, source),
        );
        let description = copy.copy.description.clone().unwrap_or_default();
        if Some(&made.name) != copy.copy.name.as_ref() || made.description != description {
            self.breach(ledger, "law 10", format!("it is named {}", made.name));
        }
        if made
            .backing_snapshots
            .iter()
            .any(|disk| disk.tags != copy.tags)
        {
            self.breach(ledger, "law 10", "its disks have other tags".to_owned());
        }
        if made.copied_from.is_none_or(|from| from != copy.source.arn) {
            self.breach(ledger, "law 10", "it is a copy of another image".to_owned());
        }
    }

    /// Laws 4 and 9: of each source there is one copy by xrs that is alive and can be known for one.
    fn one_copy(
        &self,
        ledger: &mut Ledger,
        before: &World,
        id: &str,
        live: impl Fn(&World, &Made) -> bool,
    ) {
        let source = source_word(self.action, self.job).expect("a copy");
        let settled = |made: &Made| {
            ledger
                .interfered
                .get(&made.id)
                .is_none_or(|interfered| before.now.duration_since(*interfered) > SETTLED)
        };
        let others = ledger
            .made
            .iter()
            .filter(|made| made.source == source && made.id != id);
        let other = others
            .filter(|made| settled(made))
            .find(|made| live(before, made))
            .cloned();
        let made = Made {
            id: id.to_owned(),
            source,
        };
        if let Some(other) = other {
            // The race that RDS leaves open: while one of the plans was made, a copy that had failed or something else
            // held the name, so that the other gives the copy another name.
            let unseen = !self.monitor.alone || self.monitor.is_stale();
            if unseen && ledger.renamed.contains(&made.source) {
                ledger.count("two plans give one copy two names");
            } else {
                self.breach(
                    ledger,
                    "laws 4 and 9",
                    format!("{id} is a second copy beside {}", other.id),
                );
            }
        }
        ledger.made.push(made);
        self.monitor
            .log()
            .made
            .push((self.action.id().to_string(), id.to_owned()));
    }

    fn tags(&self, ledger: &mut Ledger, found: &Tags, planned: &Tags, sync_tag: &Tag, value: &str) {
        let key = format!("Sync-From-{}", self.route.from);
        let mut expected = planned.clone();
        expected.insert(key.clone(), value.to_owned());
        if *found != expected || sync_tag.key != key || sync_tag.value != value {
            self.breach(
                ledger,
                "law 10",
                format!("tags {found:?}, where {expected:?} were planned"),
            );
        }
    }

    fn deletion(&self, ledger: &mut Ledger, deletion: &Delete) {
        let (id, database) = (deletion.artifact.id.as_str(), parent(&deletion.artifact));
        let before = ledger.before();
        if before
            .snapshot(self.route.to, &deletion.artifact.id)
            .is_none()
        {
            return;
        }
        self.monitor
            .log()
            .deleted
            .push((self.action.id().to_string(), id.to_owned()));
        let retain = rules::retained(self.job);
        let why_not = |world: &World| {
            let wrong = rules::not_to_delete(world, self.route, database, retain, id);
            wrong.or_else(|| self.missing(world, deletion))
        };
        let since = self
            .monitor
            .log()
            .led_to
            .get(&self.job.name)
            .copied()
            .unwrap_or(0);
        let last = RefCell::new("there was no read since the last wave".to_owned());
        let wrong = |world: &World| {
            why_not(world).is_some_and(|found| {
                *last.borrow_mut() = found;
                true
            })
        };
        if self.in_all_shown(ledger, since, wrong) {
            self.breach(
                ledger,
                "law 5",
                format!("{id} is deleted, by each read wrongly: {}", last.borrow()),
            );
        }
        if self.monitor.is_calm()
            && let Some(why) = why_not(&before)
        {
            self.breach(ledger, "law 5", format!("{id} is deleted wrongly: {why}"));
        }
        self.waited(ledger, deletion);
    }

    /// What the plan keeps and is not there as planned.
    fn missing(&self, world: &World, deletion: &Delete) -> Option<String> {
        let missing = deletion.expects.kept.iter().find(|kept| {
            !rules::manual(world, self.route, parent(&deletion.artifact)).any(|copy| {
                let taken = rules::origin(copy, self.route.from).and_then(|origin| origin.1);
                copy.id == kept.id
                    && copy.state.as_str() == "available"
                    && taken == Some(rules::seconds(kept.data_time))
            })
        });
        missing.map(|kept| format!("the plan keeps {}, which is not there", kept.id))
    }

    /// A deletion that waits for the job's copy comes after that has been accepted, by whomever; in a run that stays for
    /// it, after it was shown to be available.
    fn waited(&self, ledger: &mut Ledger, deletion: &Delete) {
        let Some(after) = &deletion.after else {
            return;
        };
        let copy = self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) if copy.id == *after => Some(copy),
            _ => None,
        });
        let Some(copy) = copy else {
            self.breach(
                ledger,
                "law 10",
                format!("it waits for {after}, which the plan has not"),
            );
            return;
        };
        let (id, taken) = (
            copy.source.id.as_str(),
            rules::seconds(copy.expects.data_time),
        );
        let serves = |world: &World, is_enough: fn(&WorldArtifact) -> bool| {
            rules::manual(world, self.route, parent(&copy.source))
                .any(|c| is_enough(c) && rules::serves(c, self.route.from, id, taken))
        };
        let accepted = ledger.since(0).iter().any(|world| serves(world, |_| true));
        let never_available =
            |world: &World| !serves(world, |copy| copy.state.as_str() == "available");
        let is_available = |ids: &[ArtifactId], world: &World| {
            rules::manual(world, self.route, parent(&copy.source)).any(|c| {
                let is_so = c.state.as_str() == "available" && ids.contains(&c.id);
                is_so && rules::serves(c, self.route.from, id, taken)
            })
        };
        let mut by_id = self.monitor.shown_by_id(self.job).into_iter();
        let seen_by_id = by_id.any(|(ids, moment)| is_available(&ids, &ledger.at(moment)));
        if self.monitor.faults.waits.is_some()
            && !seen_by_id
            && self.in_all_shown(ledger, 0, never_available)
        {
            self.breach(
                ledger,
                "law 5",
                "the copy it waits for was never shown to be available".to_owned(),
            );
        }
        if !accepted {
            self.breach(
                ledger,
                "law 5",
                "the copy it waits for has not been accepted".to_owned(),
            );
        }
    }

    fn source_tag(&self, ledger: &mut Ledger, source: &str, tags: &Tags) {
        let named = tags
            .iter()
            .next()
            .and_then(|(_, value)| value.split_once(" / "))
            .map(|(_, id)| id.to_owned());
        let named = named.unwrap_or_default();
        let database = self.job.kind_database();
        let is_copy = |world: &World| match database {
            Some(database) => rules::manual(world, self.route, database.as_str()).any(|c| {
                c.id.as_str() == named
                    && rules::origin(c, self.route.from).is_some_and(|o| o.0 == source)
            }),
            None => {
                let by_source = rules::named_copy(world, self.route, source);
                rules::own_images(world, self.route).any(|i| {
                    i.id.as_str() == named
                        && rules::is_image_copy(i, self.route.from, source, by_source.as_ref())
                })
            }
        };
        if !ledger.since(0).iter().any(is_copy) {
            self.breach(
                ledger,
                "law 10",
                format!("the tag of {source} names {named}, which is no copy of it"),
            );
        }
    }

    fn copy_tag(&self, ledger: &mut Ledger, copy: &str, source: &str, tag: &Tag) {
        let key = format!("Sync-From-{}", self.route.from);
        if tag.key != key || !tag.value.ends_with(&format!(" / {source}")) {
            self.breach(ledger, "law 10", format!("{copy} gets the tag {tag:?}"));
        }
        let untagged = |world: &World| match self.job.kind_database() {
            Some(database) => rules::manual(world, self.route, database.as_str()).any(|c| {
                c.id.as_str() == copy
                    && rules::origin(c, self.route.from).is_some_and(|o| o.0 == source)
                    && rules::read_tag(&c.tags, &key).is_none()
            }),
            None => rules::own_images(world, self.route)
                .any(|i| i.id.as_str() == copy && rules::read_tag(&i.tags, &key).is_none()),
        };
        // What matters is that it was so a short while ago; and an image id never comes again.
        if !ledger.since(0).iter().any(untagged) {
            self.breach(
                ledger,
                "law 10",
                format!("{copy} is tagged, which was no untagged copy of {source}"),
            );
        }
    }
}
