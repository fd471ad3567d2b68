//! The command line: a thin file per command, and what they share.

mod apply;
mod args;
mod carry_out;
mod connection;
mod exit;
mod init;
mod interrupt;
mod log;
mod next;
mod plan;
mod policy;
mod progress;
mod run;
mod show;
mod status;
mod terminal;
mod texts;
mod validate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use args::Color;
pub use exit::Exit;
use exit::Failure;
use terminal::Terminal;

/// What every screen of help says about exit codes.
const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    something failed, is stale or was deferred; also usage and config
       errors, jobs that are not ready (only `status --max-age`), and
       warnings or notes (only with `--warnings-as-errors`)
  2    changes are due (only `plan --detailed-exitcode`)
  3    the whole plan was refused, and nothing was written
  130  interrupted";

/// The heading of the options that every command takes.
const OF_ALL: &str = "Options of every command";

const EXAMPLES: &str = "\
Examples:
  xrs init                        write a config to start from
  xrs plan --out plan.json        show what would be done, and save the plan
  xrs apply plan.json             carry out that plan and nothing else
  xrs run                         plan and apply in one step
  xrs status --max-age 26h        check that the copies are there
  xrs guide restore               read how to restore from a copy
  xrs run xrs.yaml --sandbox world.json
                                  try it without an AWS account";

/// Keeps copies of EC2 AMIs and RDS automated snapshots in other AWS regions.
///
/// `xrs plan` reads both regions and shows what would be copied, tagged and deleted, and why; `xrs apply` carries out
/// that plan and nothing else.
#[derive(Debug, Parser)]
#[command(name = "xrs", version, propagate_version = true, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Log to stderr; give it twice for more detail. XRS_LOG takes filters such as `aws_xregion_sync=debug`
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = OF_ALL)]
    verbose: u8,
    /// Print only warnings and errors to stderr
    #[arg(short, long, global = true, help_heading = OF_ALL, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = OF_ALL)]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Validate(validate::Validate),
    Plan(plan::Plan),
    Show(show::Show),
    Apply(apply::Apply),
    Run(run::Run),
    Status(status::Status),
    Policy(policy::Policy),
    #[command(flatten)]
    Texts(texts::Texts),
}

/// Returns the command line as clap knows it, with the options that all commands have and with their full names.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Parses the command line, runs the command, and returns the code to exit with.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let exit = match Cli::try_parse_from(arguments) {
        Ok(cli) => execute(&cli),
        Err(error) => {
            // If this fails, there is no stream left to report it on.
            let is_printed = error.print().is_ok();
            // Help and version were asked for; everything else is a usage error.
            Exit::failed_if(error.use_stderr() || !is_printed)
        }
    };
    exit.into()
}

fn execute(cli: &Cli) -> Exit {
    let global = &cli.global;
    let terminal = &Terminal::new(global.color, global.verbose, global.quiet);
    let outcome = log::set_up(global.verbose, terminal.err_color);
    let outcome = outcome.and_then(|()| match &cli.command {
        Command::Init(command) => command.execute(terminal),
        Command::Validate(command) => command.execute(terminal),
        Command::Plan(command) => command.execute(terminal),
        Command::Show(command) => command.execute(terminal),
        Command::Apply(command) => command.execute(terminal),
        Command::Run(command) => command.execute(terminal),
        Command::Status(command) => command.execute(terminal),
        Command::Policy(command) => command.execute(terminal),
        Command::Texts(texts) => texts.execute(command(), terminal),
    });
    let exit = outcome.unwrap_or_else(|failure| {
        terminal.failure(&failure);
        failure.exit()
    });
    if terminal.is_cut_off() && matches!(exit, Exit::Done | Exit::ChangesDue) {
        terminal.failure(&Failure::CutOff);
        return Failure::CutOff.exit();
    }
    exit
}
