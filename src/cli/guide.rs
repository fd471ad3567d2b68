//! `xrs guide`

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::guide;

/// Print a guide, offline
///
/// The guides are Markdown text inside the program: they need neither a network nor a browser.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs guide\n  xrs guide restore\n  xrs guide reference > reference.md"
)]
pub(super) struct Guide {
    /// The guide to print; without it, the list of guides
    #[arg(value_enum, value_name = "TOPIC")]
    topic: Option<Topic>,
}

/// The topic of a guide.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Topic {
    /// How to restore from a copy when the source region is unavailable.
    Restore,
    /// Commands, exit codes, environment, options of the config, files, metrics and the sandbox.
    Reference,
}

impl Topic {
    fn text(self) -> &'static str {
        match self {
            Self::Restore => guide::restore::TEXT,
            Self::Reference => guide::reference::TEXT,
        }
    }
}

impl Guide {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        match self.topic {
            Some(topic) => terminal.print(topic.text())?,
            None => terminal.print(&list())?,
        }
        Ok(Exit::Done)
    }
}

/// Lists the guides, each as the command that prints it and what it is about.
fn list() -> String {
    let topics = Topic::value_variants().iter();
    let lines = topics.filter_map(Topic::to_possible_value).map(|topic| {
        let about = topic.get_help().map(ToString::to_string);
        let command = format!("xrs guide {}", topic.get_name());
        format!("{command:<19}  {}\n", about.unwrap_or_default())
    });
    lines.collect()
}
