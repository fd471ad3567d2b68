//! The promises of xrs, one module for each.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    unreachable_pub,
    reason = "a test may panic, and has files of its own"
)]

mod architecture;
mod batches;
#[cfg(unix)]
mod ci;
mod cli;
mod config;
mod destinations;
mod executor;
mod fuzz;
mod hostile;
mod laws;
mod meanwhile;
#[cfg(feature = "aws")]
mod moto;
mod odd_worlds;
mod policy;
#[cfg(feature = "aws")]
mod python;
mod random_world;
mod readme;
mod render;
mod sandbox;
mod scenarios;
mod schema;
mod simulation;
mod status;
mod support;
mod waiting;
