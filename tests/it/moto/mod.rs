//! `provider::aws` against moto, an AWS that none of us wrote, over HTTP.
//!
//! One server serves all tests; each has an account of its own, and with it a world, a log and errors of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail with the test; clippy excuses the test functions alone"
)]

mod batches;
mod chaos;
mod credentials;
mod failures;
mod images;
mod policy;
mod program;
pub(crate) mod server;
mod snapshots;
mod status;
mod waiting;
pub(crate) mod world;
