//! The laws that `lib.rs` states, one file for each, with tests that try to break them.
//!
//! `cargo test law_5` runs every test of law 5, including those in the suites that the file of the law names.

mod law_01_planning_never_writes;
mod law_02_planning_is_deterministic;
mod law_03_applying_converges;
mod law_04_a_crash_changes_nothing;
mod law_05_images_in_use_stay;
mod law_05_only_retention_deletes;
mod law_06_unknown_is_not_absent;
mod law_07_failures_stay_in_their_job;
mod law_08_secrets_stay_secret;
mod law_09_one_source_one_copy;
mod law_10_apply_follows_the_plan;
mod law_11_plans_do_not_mislead;
mod law_11_status_does_not_mislead;
