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
//! [`plan`] and [`apply`] are the two halves of [`run`]: the plan can be reviewed in between.
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
//! Data flows one way. Every choice is made in [`planner`]. The [`executor`] only checks that the preconditions of an action
//! still hold, and then performs it.
//!
//! # Layers
//!
//! A test compares the sources with these tables. A row covers the modules below it that have no row of their own.
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
//! | `provider/aws` | `model` `provider` |
//! | `provider/sandbox` | `model` `provider` |
//! | `observe` | `model` `sync_types` `provider` |
//! | `executor` | `model` `provider` `observe` |
//! | `files` | |
//! | `guide` | |
//! | `ops` | `model` `sync_types` `planfile` `config` `planner` `status` `policy` `provider` `provider/sandbox` `observe` `executor` `files` |
//! | `cli` | `model` `render` `ops` `guide` `provider` `provider/aws` `provider/sandbox` |
//! | `main` | `cli` |
//!
//! No two files import each other, directly or around a circle of files. Only `provider/aws` names crates that start with
//! `aws_`. Only `cli` uses the terminal and the environment. Only `sync_types`, the providers and `model/kind.rs` name kinds
//! and sync types.
//!
//! Two files share a name only if they are in folders that mirror each other:
//!
//! | mirrored folders |
//! |---|
//! | `render/text` `render/markdown` |
//! | `provider/aws` `provider/sandbox` |
//! | `cli` `ops` |

// pub mod cli;
// pub mod config;
// pub mod executor;
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
