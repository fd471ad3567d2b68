//! The commands that a plan recommends.

/// The commands that a plan recommends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Shows all of the plan.
    pub show: String,
    /// Carries it out, if there is something to carry out.
    pub apply: Option<String>,
}
