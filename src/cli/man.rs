//! `xrs man`

use clap::Args;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

/// Print the manual page of xrs or of one of its commands
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs man | man -l -\n  mkdir -p ~/.local/share/man/man1\n  \
                        xrs man plan > ~/.local/share/man/man1/xrs-plan.1"
)]
pub(super) struct Man {
    /// The command; without it, the page of xrs itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Man {
    pub(super) fn execute(&self, cli: clap::Command, terminal: &Terminal) -> Result<Exit, Failure> {
        let command = match &self.command {
            None => cli,
            Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
                Failure::usage(
                    format!("there is no command {name}"),
                    "xrs --help lists them",
                )
            })?,
        };
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(Failure::Output)?;
        terminal.print(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Done)
    }
}
