//! Plans, results, states and problems as text, worked out from the saved documents alone.

pub mod problems;
pub mod prometheus;
pub mod status_markdown;
mod status_words;
pub mod styles;
pub mod text;
