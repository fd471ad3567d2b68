//! `xrs` keeps copies of EC2 AMIs and RDS automated snapshots in a second AWS region, the way
//! Terraform changes infrastructure.
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
//! | `planfile` | `model` |
//! | `render` | `model` |
//! | `files` | |
//! | `provider` | `model` |
//! | `observe` | `model` `provider` |
//! | `executor` | `model` `provider` `observe` |
//! | `ops` | `model` `config` `planner` `planfile` `files` `provider` `observe` `executor` |
//! | `cli` | `model` `ops` `render` `provider` |
//!
//! Crates whose name starts with `aws_` are named in `provider/aws` only.

pub mod config;
pub mod model;
pub mod provider;
