//! Plain data, and the rules about it that all modules share: no I/O, no clock, no environment.

pub mod action;
pub mod artifact;
pub mod client_config;
pub mod fail_reason;
pub mod groups;
pub mod identity;
pub mod ids;
pub mod invariants;
pub mod inventory;
pub mod json;
pub mod kind;
pub mod location;
pub mod plan;
pub mod problem;
pub mod provider_error;
pub mod provider_error_help;
pub mod query;
pub mod reason;
pub mod report;
pub mod result;
pub mod safe;
pub mod status;
pub mod sync_tag;
pub mod tags;
pub mod wildcard;
pub mod words;
