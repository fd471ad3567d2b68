//! `xrs`: the command line of the library `aws_xregion_sync`.

use std::process::ExitCode;

fn main() -> ExitCode {
    aws_xregion_sync::cli::main(std::env::args_os())
}
