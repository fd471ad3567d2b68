//! `xrs` keeps copies of EC2 AMIs and RDS automated snapshots in a second AWS region, the way
//! Terraform changes infrastructure.
//!
//! # Use
//!
//! All that a program needs to call is [`run`]. It gives a [`SyncResult`] for each job of the config. Here it runs on
//! a [sandbox](provider::sandbox), an AWS in memory; for the real one, pass `provider::aws::Aws::new()`.
//!
//! ```
//! use aws_xregion_sync::provider::sandbox::{Sandbox, World};
//! use aws_xregion_sync::{ConfigFile, Options};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let config = ConfigFile::open("testdata/config/seed.yaml")?;
//! let provider = Sandbox::new(World::fitting(&config.sound_jobs()?));
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
//! [`plan`] and [`apply`] are the two halves of [`run`], with room in between to look at the plan.
//!
//! # The map of the house
//!
//! ```text
//! config.yaml ─ config ─▶ jobs ─ observe ─▶ Inventory ─ planner ─▶ Plan ─ planfile ─▶ plan.json
//!                                  │ reads                 pure                      │
//!                               provider                                 review, approval
//!                                  │ writes                                          │
//! results.json ◀─ SyncResults ◀─ executor ◀──────────────────────────────────────────┘
//! ```
//!
//! Data runs one way. Every choice is made in [`planner`]; [`executor`] only checks that what an action
//! expects still holds, and then does what is written.
//!
//! # What may use what
//!
//! A test reads the sources and compares them with this table; it lives here and nowhere else.
//!
//! | module | may use |
//! |---|---|
//! | `model` | |
//! | `config` | `model` |
//! | `planner` | `model` |
//! | `status` | `model` |
//! | `planfile` | `model` |
//! | `policy` | `model` |
//! | `render` | `model` |
//! | `files` | |
//! | `guide` | |
//! | `provider` | `model` |
//! | `observe` | `model` `provider` |
//! | `executor` | `model` `provider` `observe` |
//! | `ops` | `model` `config` `planner` `status` `planfile` `policy` `files` `provider` `observe` `executor` |
//! | `cli` | `model` `ops` `render` `provider` `guide` |
//!
//! Crates whose name starts with `aws_` are named in `provider/aws` only.

// pub mod cli;
// pub mod config;
pub mod executor;
pub mod files;
pub mod guide;
pub mod model;
pub mod observe;
// pub mod ops;
pub mod planfile;
pub mod planner;
pub mod policy;
pub mod provider;
pub mod render;
pub mod status;
pub mod sync_types;
