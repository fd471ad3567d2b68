//! `xrs` keeps copies of EC2 AMIs and RDS automated snapshots in other AWS regions, the way Terraform changes infrastructure.
//!
//! # Use
//!
//! A program needs to call only [`run`], which returns a [`SyncResult`] for each job of the config. Here it runs on a
//! [sandbox](provider::sandbox), an in-memory AWS; for AWS itself, pass `provider::aws::Aws::new()`.
//!
//! ```
//! use aws_xregion_sync::ops::example_world;
//! use aws_xregion_sync::provider::sandbox::Sandbox;
//! use aws_xregion_sync::{ConfigFile, Options};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let config = ConfigFile::open("testdata/config/seed.yaml")?;
//! let provider = Sandbox::new(example_world(&config)?);
//!
//! let results = aws_xregion_sync::run(&config, &provider, &Options::default()).await?;
//! for result in &results {
//!     if result.failed() {
//!         println!("{} encountered the following errors:", result.name);
//!         for error in &result.errors {
//!             println!("{error}");
//!         }
//!     } else if let Some(created) = &result.created_resource {
//!         println!("{} successfully completed and created the AWS resource {created}.", result.name);
//!     } else {
//!         println!("{} successfully completed without creating any new AWS resources.", result.name);
//!     }
//! }
//! # assert!(results.iter().all(|result| result.created_resource.is_some()));
//!
//! // A second run finds nothing to do.
//! for result in aws_xregion_sync::sync_required(&config, &provider, &Options::default()).await? {
//!     assert!(!result.failed() && !result.sync_required());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`plan`] and [`apply`] are the two halves of [`run`], so that the plan can be reviewed in between. The [guides](guide) explain
//! the commands and the config, and how to restore from a copy.
//!
//! # Data flow
//!
//! ```text
//! config.yaml ─ config ─▶ Vec<SyncJob> ─ observe ─▶ Inventory ─ planner ─▶ Plan ─ planfile ─▶ plan.json
//!                                          │ reads                 pure                      │
//!                                       provider                                 review, approval
//!                                          │ writes                                          │
//! results.json ◀─ Vec<SyncResult> ◀──── executor ◀───────────────────────────────────────────┘
//! ```
//!
//! Data flows one way. Every choice is made in [`planner`]; [`executor`] only checks that the preconditions of an action still
//! hold, and then performs it. Everything that is specific to one type of job is in [`sync_types`], and everything that AWS fixes
//! for one kind of artifact is in the table of [`model::kind`].
//!
//! # Layers
//!
//! A test (`tests/it/architecture.rs`) compares the sources with the tables below. A module without a row inherits the row of its
//! parent module.
//!
//! | module | may use |
//! |---|---|
//! | `model` | |
//! | `sync_types` | `model` |
//! | `planfile` | `model` |
//! | `render` | `model` |
//! | `config` | `model` `sync_types` |
//! | `planner` | `model` `sync_types` |
//! | `status` | `model` `sync_types` |
//! | `policy` | `model` `sync_types` |
//! | `provider` | `model` |
//! | `provider::aws` | `model` `provider` `files` |
//! | `provider::sandbox` | `model` `sync_types` `provider` |
//! | `observe` | `model` `sync_types` `provider` |
//! | `executor` | `model` `provider` `observe` |
//! | `files` | |
//! | `guide` | |
//! | `ops` | `model` `sync_types` `planfile` `render` `config` `planner` `status` `policy` `provider` `provider::sandbox` `observe` `executor` `files` |
//! | `cli` | `model` `render` `ops` `guide` `provider` `provider::aws` `provider::sandbox` |
//! | `main` | `cli` |
//!
//! Files never import each other in a cycle, even within a module. Only `provider::aws` names crates that start with `aws_`. Only
//! `cli` uses the terminal and the environment. Only `sync_types`, the two providers and [`model::kind`] name kinds and sync types.
//!
//! Two files share a name only where two folders mirror each other, by command, document or service:
//!
//! | mirrored folders |
//! |---|
//! | `cli` `ops` `model` `render/text` `render/markdown` |
//! | `provider/aws` `provider/sandbox` |
//!
//! # Laws
//!
//! Each law has a file in `tests/it/laws` that tries to break it.
//!
//! 1. Planning never writes to AWS (`law_01_planning_never_writes.rs`).
//! 2. Planning is deterministic: the order of AWS's answers changes nothing, and the same jobs and inventory give the same digest.
//!    Rules about age use the inventory's day (UTC), never the clock (`law_02_planning_is_deterministic.rs`).
//! 3. If nothing has changed since an apply, planning again yields no actions, even while copies are in progress, and even if jobs
//!    form a ring of regions (`law_03_applying_converges.rs`).
//! 4. After a crash at any point, applying the same plan again, or making a new one, reaches the same end state as without the
//!    crash, with one copy. A lost response counts as a crash (`law_04_a_crash_changes_nothing.rs`).
//! 5. Only retention deletes: only our own copies, never the newest available copy, never more than planned
//!    (`law_05_only_retention_deletes.rs`).
//! 6. Unknown is not absent: a throttle, denial or timeout never leads to a copy or a deletion. The job fails with an error that
//!    names the call and the region, and quotes AWS's code and message (`law_06_unknown_is_not_absent.rs`).
//! 7. The failure of one job never stops another (`law_07_failures_stay_in_their_job.rs`).
//! 8. No plan, result, log line, error or `Debug` output holds a secret (`law_08_secrets_stay_secret.rs`).
//! 9. Two applies at once, of one plan or of several, make one copy (`law_09_one_source_one_copy.rs`).
//! 10. Apply does nothing that the plan does not list, and reports what it skips (`law_10_apply_follows_the_plan.rs`).
//! 11. A job that is reported as synced or ready has a restorable copy of this database or image, or the report names the copy
//!     that the job relies on, and why (`law_11_status_does_not_mislead.rs`, `law_11_plans_do_not_mislead.rs`).

pub mod cli;
pub mod config;
pub mod executor;
pub mod files;
pub mod guide;
pub mod model;
pub mod observe;
pub mod ops;
pub mod planfile;
pub mod planner;
pub mod policy;
pub mod provider;
pub mod render;
pub mod status;
pub mod sync_types;

pub use model::result::SyncResult;
pub use ops::{ConfigFile, Error, Options, apply, plan, run, sync_required};
