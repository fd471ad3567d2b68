//! `xrs init`

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::next::quoted;
use super::terminal::Terminal;
use crate::ops;

/// Write a commented config to start from
///
/// The config is valid as it is, and can be tried on a sandbox at once. An existing file is never overwritten.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xrs init\n  xrs init staging.yaml")]
pub(super) struct Init {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "xrs.yaml")]
    file: PathBuf,
}

impl Init {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        if self.file.as_os_str() == "-" {
            let help = "name a file; without a name it is xrs.yaml";
            return Err(Failure::usage("init writes a file, not -", help));
        }
        ops::init(&self.file)?;
        let file = quoted(&self.file);
        terminal.print(&format!(
            "Wrote {file}. Adapt it, then:\n  xrs validate {file}\n  xrs plan {file} --sandbox world.json\n"
        ))?;
        Ok(Exit::Done)
    }
}
