//! Plans, results, statuses and problems as text and Markdown, from the saved documents alone.

pub mod markdown;
pub mod problems;
pub mod prometheus;
pub mod styles;
pub mod text;
mod vocabulary;
