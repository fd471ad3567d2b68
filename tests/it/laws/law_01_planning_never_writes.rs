//! Law 1: planning never writes to AWS. Neither does a status.
//!
//! `moto/program.rs` tests the same for the program, with the calls that the SDK makes.

use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_1_planning_never_writes(recipe in recipes()) {
        let sandbox = Sandbox::new(recipe.world());
        let before = sandbox.world();
        plan(&sandbox, &recipe.jobs());
        prop_assert_eq!(writes(&sandbox), Vec::<String>::new());
        prop_assert_eq!(before.regions, sandbox.world().regions);
    }

    #[test]
    fn law_1_a_status_never_writes(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let before = sandbox.world();
        prop_assert_eq!(status_within(&sandbox, &jobs, None).len(), jobs.len());
        prop_assert_eq!(writes(&sandbox), Vec::<String>::new());
        prop_assert_eq!(before.regions, sandbox.world().regions);
    }
}
