//! Plans, results and problems as text and JSON, worked out from the saved documents alone.

pub mod json;
pub mod problems;
pub mod styles;
pub mod text;
