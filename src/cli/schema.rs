//! `xrs schema`

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::json::document;
use crate::ops;

/// Print the JSON Schema of a document
///
/// With that of the config, editors complete and check it: save it, and begin xrs.yaml with the line
/// `# yaml-language-server: $schema=xrs.schema.json`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xrs schema config > xrs.schema.json\n  xrs schema plan")]
pub(super) struct Schema {
    /// Which document
    #[arg(value_enum, value_name = "DOCUMENT")]
    document: Kind,
}

/// A document that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The config file, xrs.yaml.
    Config,
    /// What `xrs plan --out` saves.
    Plan,
    /// What `xrs apply --results` saves.
    Results,
    /// What `xrs status --format json` prints.
    Status,
    /// What `xrs validate --format json` prints.
    Problems,
}

impl Schema {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let of = match self.document {
            Kind::Config => ops::Document::Config,
            Kind::Plan => ops::Document::Plan,
            Kind::Results => ops::Document::Results,
            Kind::Status => ops::Document::Status,
            Kind::Problems => ops::Document::Problems,
        };
        terminal.print(&document(&ops::schema(of))?)?;
        Ok(Exit::Done)
    }
}
