//! Plans, results and problems as text and Markdown, worked out from the saved documents alone.

pub mod markdown;
pub mod problems;
pub mod styles;
pub mod text;
