//! Plans, results and problems as text, worked out from the saved documents alone.

pub mod problems;
pub mod styles;
pub mod text;
