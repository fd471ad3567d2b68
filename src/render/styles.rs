//! Colours, for those who want them. Whatever is printed makes sense without.

use owo_colors::Style;

/// How the parts of a screen look; plain unless [`Styles::colorize`] is called.
#[derive(Clone, Debug, Default)]
pub struct Styles {
    /// Copies to be made, and what went well.
    pub create: Style,
    /// Tags to be written.
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
    /// Plain ones, or coloured ones.
    pub fn new(color: bool) -> Self {
        let mut styles = Self::default();
        if color {
            styles.colorize();
        }
        styles
    }

    /// Gives them colours.
    pub fn colorize(&mut self) {
        *self = Self {
            create: Style::new().green(),
            tag: Style::new().yellow(),
            delete: Style::new().red().bold(),
            name: Style::new().bold(),
            quiet: Style::new().dimmed(),
            warning: Style::new().yellow().bold(),
            error: Style::new().red().bold(),
            summary: Style::new().bold(),
        };
    }
}
