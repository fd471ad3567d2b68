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
pub mod wildcard;
pub mod words;

use std::collections::BTreeMap;

/// Resource tags, in key order, so that whatever is made from them is the same every time.
pub type Tags = BTreeMap<String, String>;
