//! Colours. Everything that is printed makes sense without them.

use owo_colors::Style;

/// The colours of the parts of a screen; none by default.
#[derive(Clone, Debug, Default)]
pub struct Styles {
    /// Copies to make, and success.
    pub create: Style,
    /// Tags to write.
    pub tag: Style,
    /// Deletions.
    pub delete: Style,
    /// Names of jobs.
    pub name: Style,
    /// Reasons and other small print.
    pub quiet: Style,
    /// Warnings.
    pub warning: Style,
    /// Errors and failures.
    pub error: Style,
    /// Summary lines.
    pub summary: Style,
}

impl Styles {
    /// Returns styles with or without colours.
    pub fn new(color: bool) -> Self {
        if !color {
            return Self::default();
        }
        Self {
            create: Style::new().green(),
            tag: Style::new().yellow(),
            delete: Style::new().red().bold(),
            name: Style::new().bold(),
            quiet: Style::new().dimmed(),
            warning: Style::new().yellow().bold(),
            error: Style::new().red().bold(),
            summary: Style::new().bold(),
        }
    }
}
