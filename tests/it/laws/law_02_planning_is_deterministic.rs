//! Law 2: planning is deterministic. The order of AWS's answers changes nothing; the same jobs and the same inventory give the
//! same digest.

use aws_xregion_sync::provider::sandbox::Sandbox;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::worlds::cases;
use crate::random_world::recipes;
use crate::support::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_2_the_order_of_listings_and_the_hour_change_nothing(recipe in recipes(), other in any::<u64>(), hours in 0..9i64) {
        let jobs = recipe.jobs();
        let first = plan(&Sandbox::new(recipe.world()), &jobs);
        let mut world = recipe.world();
        world.listing_seed = other;
        for region in world.regions_mut() {
            region.snapshots.reverse();
            region.images.reverse();
        }
        world.now += SignedDuration::from_hours(hours);
        let second = plan(&Sandbox::new(world), &jobs);
        prop_assert_eq!(&first.jobs, &second.jobs);
        prop_assert_eq!(first.digest, second.digest);
    }
}
