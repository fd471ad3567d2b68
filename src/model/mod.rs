//! The words of the field as plain data: no I/O, no clock, no environment.

pub mod action;
pub mod client_config;
pub mod id;
pub mod invariants;
pub mod inventory;
pub mod job;
pub mod json;
pub mod lineage;
pub mod plan;
pub mod problem;
pub mod provider_error;
pub mod report;
pub mod result;
pub mod safe;
pub mod status;
pub mod sync_tag;
mod tags;
pub mod wildcard;
pub mod words;

pub use tags::Tags;
