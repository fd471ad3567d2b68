//! Random jobs and worlds: sources, and copies from various makers, in all known AWS states.

use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::*;

/// Who made a copy, and what is left of its tags and its source.
#[derive(Clone, Copy, Debug)]
pub enum Maker {
    Ours,
    Gem,
    GemWithoutTag,
    Person,
    OursToKeep,
    OtherRegion,
    UnreadableTag,
    EarlierDatabase,
    OtherTool,
}

#[derive(Clone, Debug)]
pub struct DatabaseRecipe {
    pub is_cluster: bool,
    pub retain: u32,
    pub automated: Vec<(i64, &'static str)>,
    /// Copies of the snapshots taken this number of days ago.
    pub copies: Vec<(i64, Maker, &'static str)>,
}

#[derive(Clone, Debug)]
pub struct ImageRecipe {
    pub state: &'static str,
    pub several: bool,
    pub most_recent: bool,
    pub copy: Option<(Maker, &'static str)>,
    pub retain: Option<u32>,
    /// Copies of images that were made this number of days ago and are gone.
    pub earlier: Vec<(i64, Fate, &'static str)>,
}

/// What has happened to a copy of an earlier image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Unused,
    Launched,
    LaunchedLongAgo,
    Used,
    Protected,
    ToKeep,
    OfOtherJob,
    OtherOrigin,
}

/// The recipe for random jobs and their world.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub databases: Vec<DatabaseRecipe>,
    pub images: Vec<ImageRecipe>,
    pub listing_seed: u64,
}

pub fn recipes() -> impl Strategy<Value = Recipe> {
    (vec(databases(), 0..4), vec(images(), 0..4), any::<u64>()).prop_map(
        |(databases, images, listing_seed)| Recipe {
            databases,
            images,
            listing_seed,
        },
    )
}

fn makers() -> impl Strategy<Value = Maker> {
    prop_oneof![
        6 => Just(Maker::Ours),
        2 => Just(Maker::Gem),
        1 => Just(Maker::GemWithoutTag),
        1 => Just(Maker::Person),
        1 => Just(Maker::OursToKeep),
        1 => Just(Maker::OtherRegion),
        1 => Just(Maker::UnreadableTag),
        1 => Just(Maker::EarlierDatabase),
        1 => Just(Maker::OtherTool),
    ]
}

fn statuses() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just("available"), 1 => Just("creating"), 1 => Just("failed"), 1 => Just("deleting")]
}

fn databases() -> impl Strategy<Value = DatabaseRecipe> {
    let copy = (0..9i64, makers(), statuses());
    let automated = vec((0..5i64, statuses()), 0..4);
    (any::<bool>(), 0..4u32, automated, vec(copy, 0..9)).prop_map(
        |(is_cluster, retain, automated, copies)| DatabaseRecipe {
            is_cluster,
            retain,
            automated,
            copies,
        },
    )
}

fn images() -> impl Strategy<Value = ImageRecipe> {
    let state = prop_oneof![6 => Just("available"), 1 => Just("pending"), 1 => Just("failed")];
    let copy_state = prop_oneof![
        4 => Just("available"),
        1 => Just("pending"),
        1 => Just("failed"),
        1 => Just("disabled"),
        1 => Just("deregistered")
    ];
    let copy = proptest::option::of((makers(), copy_state.clone()));
    let earlier = vec((2..12i64, fates(), copy_state), 0..7);
    let retain = proptest::option::of(0..4u32);
    (state, any::<bool>(), any::<bool>(), copy, retain, earlier).prop_map(
        |(state, several, most_recent, copy, retain, earlier)| ImageRecipe {
            state,
            several,
            most_recent,
            copy,
            retain,
            earlier,
        },
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Unused),
        1 => Just(Fate::Launched),
        1 => Just(Fate::LaunchedLongAgo),
        1 => Just(Fate::Used),
        1 => Just(Fate::Protected),
        1 => Just(Fate::ToKeep),
        1 => Just(Fate::OfOtherJob),
        1 => Just(Fate::OtherOrigin),
    ]
}

impl Recipe {
    pub fn jobs(&self) -> Vec<SyncJob> {
        let databases = self.databases.iter().enumerate();
        let databases = databases.map(|(n, recipe)| {
            let job = match recipe.is_cluster {
                true => cluster_job,
                false => snapshot_job,
            };
            job(&format!("sync_db_{n}"), &format!("db{n}"), recipe.retain)
        });
        let images = self.images.iter().enumerate().map(|(n, recipe)| {
            let mut job = ami_job(&format!("sync_ami_{n}"), &format!("app {n}"));
            change_ami(&mut job, |ami| {
                ami.most_recent = recipe.most_recent;
                ami.max_images_to_retain = recipe.retain;
            });
            job
        });
        databases.chain(images).collect()
    }

    pub fn world(&self) -> World {
        let mut world = empty_world();
        world.listing_seed = self.listing_seed;
        let databases = self.databases.iter().enumerate();
        for (n, recipe) in databases.clone().filter(|(_, recipe)| recipe.is_cluster) {
            recipe.build(&mut world, &format!("db{n}"));
        }
        world = with_clusters(world);
        // AWS makes 5 copies of cluster snapshots at a time, and up to 3 jobs start one each: leave room, so that none is deferred.
        let copies = destination(&mut world).cluster_snapshots.iter_mut();
        let in_progress = copies.filter(|copy| copy.state.is_being_copied());
        for copy in in_progress.skip(2) {
            copy.state = ArtifactState::available();
        }
        for (n, recipe) in databases.filter(|(_, recipe)| !recipe.is_cluster) {
            recipe.build(&mut world, &format!("db{n}"));
        }
        for (n, recipe) in self.images.iter().enumerate() {
            recipe.build(&mut world, n);
        }
        world
    }
}

/// Returns the same world with listings in a different order.
pub fn in_other_order(mut world: World, seed: u64) -> World {
    world.listing_seed = seed;
    for region in world.regions_mut() {
        region.snapshots.reverse();
        region.cluster_snapshots.reverse();
        region.images.reverse();
    }
    world
}

impl DatabaseRecipe {
    fn build(&self, world: &mut World, name: &str) {
        for (day, status) in &self.automated {
            let id = add_automated(world, name, days_ago(*day));
            let here = &mut source(world).snapshots;
            let made = here.len() - 1;
            if here[..made].iter().any(|snapshot| snapshot.id == id) {
                here.pop();
            } else {
                here[made].state = state(status);
            }
        }
        for (day, maker, status) in &self.copies {
            let mut copy = our_copy(world, name, days_ago(*day));
            match maker {
                Maker::Ours => {}
                Maker::Gem => (copy.copied_from, copy.data_time) = (None, None),
                Maker::GemWithoutTag => {
                    copy.tags.clear();
                    let taken = days_ago(*day);
                    let source = format!("rds:{name}-{}", taken.strftime("%Y-%m-%d-%H-%M"));
                    let source = ArtifactId::from(source);
                    if world.snapshot(&east(), &source).is_some() {
                        name_copy(world, &source, taken, &copy.id);
                    }
                }
                // A backup tool that gives its copies the same ids as xrs.
                Maker::OtherTool => {
                    copy.tags.clear();
                    copy.tags.insert("BackupTool", "nightly");
                }
                Maker::Person => {
                    copy.tags.clear();
                    copy.id = ArtifactId::from(format!("by-hand-{name}-{day}"));
                }
                Maker::OursToKeep => copy.tags.insert("Sync-Keep", "yes"),
                Maker::OtherRegion => {
                    let tag = copy.tags.get("Sync-From-us-east-1").map(str::to_owned);
                    copy.tags.clear();
                    copy.tags
                        .insert("Sync-From-eu-west-1", tag.unwrap_or_default());
                    copy.copied_from = None;
                }
                Maker::UnreadableTag => copy.tags.insert("Sync-From-us-east-1", "yesterday"),
                Maker::EarlierDatabase => copy.parent_created = Some(days_ago(900)),
            }
            copy.state = state(status);
            let here = &mut destination(world).snapshots;
            if here.iter().all(|snapshot| snapshot.id != copy.id) {
                here.push(copy);
            }
        }
    }
}

impl ImageRecipe {
    fn build(&self, world: &mut World, n: usize) {
        let (id, second) = (format!("ami-{n}a"), format!("ami-{n}b"));
        let (name, identifier) = (format!("image {n}"), format!("app {n}"));
        add_image(world, &id, &name, &identifier);
        if self.several {
            add_image(world, &second, &name, &identifier);
            image_mut(world, &second).created = Some(days_ago(0));
        }
        image_mut(world, &id).state = state(self.state);
        self.build_earlier(world, n);
        let Some((maker, copy_state)) = self.copy else {
            return;
        };
        let owner = world.default_account();
        let tag = |day, id: &str| format!("{}+0000 / {id}", days_ago(day).strftime("%Y%m%d%H%M%S"));
        let copied_from = Some(Arn::of_image(&east(), &ArtifactId::from(id.as_str())));
        let (copy_id, made) = (
            format!("ami-{n}c"),
            days_ago(0) + SignedDuration::from_mins(9),
        );
        let mut copy = WorldArtifact::image(&copy_id, &owner, &name, made);
        copy.state = state(copy_state);
        match maker {
            Maker::Ours | Maker::OursToKeep | Maker::EarlierDatabase => {
                copy = copy.tag("Sync-From-us-east-1", &tag(1, &id));
                copy.copied_from = copied_from;
            }
            Maker::Gem => {
                let source = image_mut(world, &id);
                source.tags.insert("Sync-us-west-1", tag(0, &copy_id));
            }
            Maker::GemWithoutTag => {
                copy.copied_from = copied_from;
                let source = image_mut(world, &id);
                source.tags.insert("Sync-us-west-1", tag(1, &copy_id));
            }
            Maker::OtherTool => copy.copied_from = copied_from,
            Maker::Person => {
                copy.copied_from = copied_from;
                copy.name = "by hand".into();
            }
            Maker::OtherRegion => copy = copy.tag("Sync-From-eu-west-1", &tag(1, &id)),
            Maker::UnreadableTag => {
                copy = copy.tag("Sync-From-us-east-1", "yesterday");
                copy.copied_from = copied_from;
            }
        }
        world.add_image(&west(), copy);
    }

    fn build_earlier(&self, world: &mut World, n: usize) {
        let identifier = format!("app {n}");
        for (k, (day, fate, word)) in self.earlier.iter().enumerate() {
            let mut copy = image_copy(world, *day);
            copy.id = ArtifactId::from(format!("ami-{n}e{k}"));
            copy.backing_snapshots[0].id = format!("snap-{n}e{k}").into();
            copy.tags.insert("Sync-Identifier", identifier.as_str());
            copy.state = state(word);
            match fate {
                Fate::Unused => {}
                Fate::Launched => copy.last_launched = Some(days_ago(20)),
                Fate::LaunchedLongAgo => copy.last_launched = Some(days_ago(60)),
                Fate::Used => copy.references = vec!["launch template lt-1".to_owned()],
                Fate::Protected => copy.deregistration_protection = true,
                Fate::ToKeep => copy.tags.insert("Sync-Keep", "yes"),
                Fate::OfOtherJob => copy.tags.insert("Sync-Identifier", "someone's"),
                Fate::OtherOrigin => {
                    copy.copied_from = Some(Arn::of_image(&east(), &"ami-ff".into()))
                }
            }
            world.add_image(&west(), copy);
        }
    }
}
