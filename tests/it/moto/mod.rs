//! `provider::aws` and the program against moto, a simulation of AWS over HTTP that is not part of this project.
//!
//! One server serves all tests. Each test has an account of its own, so it shares no artifacts, log or errors with others.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail with the test; clippy exempts only the test functions"
)]

mod batches;
mod caller;
mod chaos;
mod clusters;
mod credentials;
mod destinations;
mod environment;
mod failures;
mod hostile;
mod image_jobs;
mod images;
mod policy;
mod program;
mod routes;
pub(crate) mod server;
mod site;
mod snapshots;
mod status;
mod waiting;
pub(crate) mod world;
