//! The command line: a thin file per command, and what they share.

mod apply;
mod args;
mod completions;
mod exit;
mod guide;
mod init;
mod interrupt;
mod man;
mod next;
mod plan;
mod policy;
mod progress;
mod run;
mod schema;
mod show;
mod status;
mod terminal;
mod validate;
mod world;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;

use crate::model::safe::safe;
use args::Color;
pub use exit::Exit;
use exit::Failure;
use terminal::Terminal;

/// What every screen of help says of exit codes.
const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    something failed, is stale or was deferred; also usage and config
       errors, and jobs that are not ready (only `status --max-age`)
  2    changes are due (only `plan --detailed-exitcode`)
  3    the whole plan was refused, and nothing was written
  130  interrupted";

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

/// Keeps copies of EC2 AMIs and RDS automated snapshots in a second AWS region.
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
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,
    /// Print only warnings and errors to stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true)]
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
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
    Guide(guide::Guide),
}

/// The command line as it is stated, for whoever writes about it.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    // Only then its commands have the options that all have, and their full names.
    command.build();
    command
}

/// Parses the command line, runs the command, and gives the code to exit with.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let exit = match Cli::try_parse_from(arguments) {
        Ok(cli) => execute(&cli),
        Err(error) => {
            // Nowhere is left to say so, if even that cannot be printed.
            let _ = error.print();
            // Help and versions were asked for; all else is an error of usage.
            if error.use_stderr() {
                Exit::Failed
            } else {
                Exit::Done
            }
        }
    };
    exit.into()
}

fn execute(cli: &Cli) -> Exit {
    let Cli {
        global: Global {
            verbose,
            quiet,
            color,
        },
        command,
    } = cli;
    let terminal = Terminal::new(*color, *verbose, *quiet);
    let outcome = log(*verbose, &terminal).and_then(|()| match command {
        Command::Init(command) => command.execute(&terminal),
        Command::Validate(command) => command.execute(&terminal),
        Command::Plan(command) => command.execute(&terminal),
        Command::Show(command) => command.execute(&terminal),
        Command::Apply(command) => command.execute(&terminal),
        Command::Run(command) => command.execute(&terminal),
        Command::Status(command) => command.execute(&terminal),
        Command::Policy(command) => command.execute(&terminal),
        Command::Schema(command) => command.execute(&terminal),
        Command::Completions(command) => command.execute(&terminal),
        Command::Man(command) => command.execute(&terminal),
        Command::Guide(command) => command.execute(&terminal),
    });
    outcome.unwrap_or_else(|failure| {
        terminal.failure(&failure);
        failure.exit()
    })
}

/// Sends log lines to stderr: what `XRS_LOG` asks for, else what `-v` does.
fn log(verbose: u8, terminal: &Terminal) -> Result<(), Failure> {
    let by_count = match verbose {
        0 => "off",
        1 => "aws_xregion_sync=info",
        _ => "info,aws_xregion_sync=debug",
    };
    let filter = match args::environment("XRS_LOG")? {
        Some(filter) => EnvFilter::try_new(&filter).map_err(|error| {
            Failure::usage(
                format!("XRS_LOG is no log filter: {error}"),
                "say for example XRS_LOG=aws_xregion_sync=debug",
            )
        })?,
        None => EnvFilter::new(by_count),
    };
    // Every value of every crate's events and spans: any of them may hold what AWS or a file says.
    let fields = debug_fn(|writer, field, value| {
        let value = format!("{value:?}");
        match field.name() {
            "message" => write!(writer, "{}", safe(&value)),
            name => write!(writer, "{name}={}", safe(&value)),
        }
    });
    let to_stderr = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(fields.delimited(" "))
        .with_writer(std::io::stderr)
        // Said on stderr, too, with a panic if that is gone.
        .log_internal_errors(false);
    // It fails only where a log is set up already, as by a program that calls this function; then that one serves.
    let _ = to_stderr.with_ansi(terminal.colors_on_stderr()).try_init();
    Ok(())
}
