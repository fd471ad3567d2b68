//! Commands that print a text of the program itself: schemas, completions, manual pages and guides.

use clap::builder::PossibleValue;
use clap::{Subcommand, ValueEnum};
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::guide;
use crate::model::json;
use crate::ops::{self, Document};

#[derive(Debug, Subcommand)]
pub(super) enum Texts {
    /// Print the JSON Schema of a document
    ///
    /// Editors use the schema of the config to complete and check it: save it as xrs.schema.json, and make
    /// `# yaml-language-server: $schema=xrs.schema.json` the first line of xrs.yaml.
    #[command(after_help = "Examples:\n  xrs schema config > xrs.schema.json\n  xrs schema plan")]
    Schema {
        /// The document
        #[arg(value_enum, value_name = "DOCUMENT")]
        document: Document,
    },
    /// Print shell completions
    #[command(after_help = "Examples:\n  \
        mkdir -p ~/.local/share/bash-completion/completions\n  \
        xrs completions bash > ~/.local/share/bash-completion/completions/xrs\n  \
        xrs completions zsh > \"${fpath[1]}/_xrs\"\n  \
        xrs completions fish > ~/.config/fish/completions/xrs.fish\n  \
        xrs completions powershell >> $PROFILE\n  \
        xrs completions elvish >> ~/.config/elvish/rc.elv")]
    Completions {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of xrs or of one of its commands
    #[command(
        after_help = "Examples:\n  xrs man | man -l -\n  mkdir -p ~/.local/share/man/man1\n  \
                      xrs man plan > ~/.local/share/man/man1/xrs-plan.1"
    )]
    Man {
        /// The command; without it, the page of xrs itself
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
    /// Print a guide, offline
    ///
    /// The guides are Markdown text inside the program: they need neither a network nor a browser.
    #[command(
        after_help = "Examples:\n  xrs guide\n  xrs guide restore\n  xrs guide reference > reference.md"
    )]
    Guide {
        /// The guide to print; without it, the list of guides
        #[arg(value_enum, value_name = "TOPIC")]
        topic: Option<Topic>,
    },
}

/// The topic of a guide.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Topic {
    /// How to restore from a copy when the source region is unavailable.
    Restore,
    /// Commands, exit codes, environment, options of the config, files, metrics and the sandbox.
    Reference,
    /// For developers: how to add a sync type, with its files, rules and tests.
    AddingASyncType,
}

impl Texts {
    /// Prints the text. `cli` is the command line that completions and manual pages are about.
    pub(super) fn execute(&self, cli: clap::Command, terminal: &Terminal) -> Result<Exit, Failure> {
        terminal.print(&match self {
            Self::Schema { document } => json::document(&ops::schema(*document))?,
            Self::Completions { shell } => completions(*shell, cli),
            Self::Man { command } => manual_page(command.as_deref(), cli)?,
            Self::Guide { topic: None } => guides(),
            Self::Guide { topic: Some(topic) } => match topic {
                Topic::Restore => guide::restore::TEXT.to_owned(),
                Topic::Reference => guide::reference::TEXT.to_owned(),
                Topic::AddingASyncType => guide::adding_a_sync_type::TEXT.to_owned(),
            },
        })?;
        Ok(Exit::Done)
    }
}

fn completions(shell: Shell, mut cli: clap::Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli, "xrs", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn manual_page(command: Option<&str>, cli: clap::Command) -> Result<String, Failure> {
    let command = match command {
        None => cli,
        Some(name) => cli.find_subcommand(name).cloned().ok_or_else(|| {
            let message = format!("there is no command {name}");
            Failure::usage(message, "xrs --help lists them")
        })?,
    };
    let mut page = Vec::new();
    let version = concat!("xrs ", env!("CARGO_PKG_VERSION"));
    let page_of = clap_mangen::Man::new(command).source(version);
    let rendered = page_of.render(&mut page);
    rendered.map_err(Failure::Output)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Lists the guides, each as the command that prints it and what it is about.
fn guides() -> String {
    let line = |topic: PossibleValue| {
        let about = topic.get_help().map(ToString::to_string);
        let command = format!("xrs guide {}", topic.get_name());
        format!("{command:<28}  {}\n", about.unwrap_or_default())
    };
    let topics = Topic::value_variants().iter();
    topics
        .filter_map(Topic::to_possible_value)
        .map(line)
        .collect()
}
