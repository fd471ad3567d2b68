//! Colours. Everything that is printed makes sense without them.

use owo_colors::Style;

/// The colours of the parts of a screen; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Styles {
    /// Copies to make, and success.
    pub good: Style,
    /// Tags to write.
    pub tag: Style,
    /// Deletions, errors and failures.
    pub bad: Style,
    /// Names of jobs, and summary lines.
    pub strong: Style,
    /// Reasons and other small print.
    pub quiet: Style,
    /// Warnings.
    pub warning: Style,
}

impl Styles {
    /// Returns styles with or without colours.
    pub fn new(color: bool) -> Self {
        if !color {
            return Self::default();
        }
        Self {
            good: Style::new().green(),
            tag: Style::new().yellow(),
            bad: Style::new().red().bold(),
            strong: Style::new().bold(),
            quiet: Style::new().dimmed(),
            warning: Style::new().yellow().bold(),
        }
    }
}
