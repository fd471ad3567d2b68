//! `xrs schema`

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::json::document;
use crate::ops;

/// Print the JSON Schema of a document
///
/// Editors use the schema of the config to complete and check it: save it as xrs.schema.json, and make
/// `# yaml-language-server: $schema=xrs.schema.json` the first line of xrs.yaml.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xrs schema config > xrs.schema.json\n  xrs schema plan")]
pub(super) struct Schema {
    /// The document
    #[arg(value_enum, value_name = "DOCUMENT")]
    document: Kind,
}

/// A document that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The config file, xrs.yaml.
    Config,
    /// The plan that `xrs plan --out` saves.
    Plan,
    /// The results that `xrs apply --results` saves.
    Results,
    /// The status that `xrs status --format json` prints.
    Status,
    /// The problems that `xrs validate --format json` prints.
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
