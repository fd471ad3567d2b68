//! Options that several commands take.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::exit::Failure;
use crate::model::ids::JobName;
use crate::model::words::duration;
use crate::ops::{self, ConfigFile, DEFAULT_PARALLELISM, Error, Options, Wait};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set; everywhere if CLICOLOR_FORCE is set.
    #[default]
    Auto,
    /// Everywhere, even in files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// How a document is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: the document as xrs saves it.
    Json,
    /// For a pull request comment or a job summary.
    Markdown,
}

/// The config of a command.
#[derive(Debug, Args)]
pub(super) struct ConfigArg {
    /// The config file; without it, the file that XRS_CONFIG names, otherwise xrs.yaml
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    pub(super) fn open(&self) -> Result<ConfigFile, Failure> {
        let opened = ConfigFile::open(config_path(self.config.as_deref())?);
        let is_from_environment = self.config.is_none() && environment("XRS_CONFIG")?.is_some();
        // In `--wait 2h`, without the equals sign, the limit is taken for the config.
        let named = self.config.as_deref().and_then(Path::to_str);
        let limit = named.filter(|named| duration(named).is_ok());
        Ok(opened.map_err(|error| match (error, limit) {
            (Error::Other(problem), _) if is_from_environment => {
                Error::Other(problem.help("XRS_CONFIG names it: correct or unset the variable"))
            }
            (Error::Other(problem), Some(limit)) => Error::Other(problem.help(format!(
                "a limit of --wait needs an equals sign: --wait={limit}"
            ))),
            (error, _) => error,
        })?)
    }
}

/// Returns the config that is given, otherwise the one that `XRS_CONFIG` names, otherwise xrs.yaml.
pub(super) fn config_path(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let named = environment("XRS_CONFIG")?;
    Ok(named.map_or_else(|| PathBuf::from("xrs.yaml"), PathBuf::from))
}

/// What a command calls: AWS or a sandbox, and how.
#[derive(Debug, Args)]
pub(super) struct ProviderArgs {
    /// Use an in-memory AWS, stored in this file, instead of the real one
    #[arg(long, value_name = "WORLD.json")]
    pub(super) sandbox: Option<PathBuf>,
    /// How many jobs to process concurrently, 1 to 100
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLELISM, value_parser = parallelism)]
    pub(super) parallelism: usize,
}

impl ProviderArgs {
    pub(super) fn options(&self) -> Options {
        Options {
            parallelism: self.parallelism,
            ..Options::default()
        }
    }

    /// Refuses an output that is the config, the sandbox or its lock.
    pub(super) fn refuse_to_replace(
        &self,
        option: &'static str,
        output: Option<&Path>,
        config: &ConfigFile,
    ) -> Result<(), Error> {
        let config = ("the config", config.file());
        ops::refuse_to_replace(option, output, &[config], self.sandbox.as_deref())
    }
}

/// How `apply` and `run` apply a plan, and report on it.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// Refuse a plan with more deletions than this
    #[arg(long, value_name = "N", value_parser = deletions, allow_negative_numbers = true)]
    max_deletes: Option<usize>,
    /// Write the results to this file, and update it after each job
    #[arg(long, value_name = "FILE")]
    pub(super) results: Option<PathBuf>,
    /// How to print the results; json prints the same document that --results saves
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(super) format: Format,
    /// Wait until the copies are available, and delete old copies only then. With a limit, such as --wait=30m or --wait=2h,
    /// wait no longer than that. Copies beyond AWS's limit of concurrent copies start when others have finished
    #[arg(long, value_name = "LIMIT", num_args = 0..=1, require_equals = true, value_parser = duration)]
    #[expect(
        clippy::option_option,
        reason = "clap's type for an option with an optional value"
    )]
    wait: Option<Option<SignedDuration>>,
    #[command(flatten)]
    pub(super) provider: ProviderArgs,
}

impl ApplyArgs {
    pub(super) fn options(&self) -> Options {
        Options {
            max_deletes: self.max_deletes,
            wait: match self.wait {
                None => Wait::No,
                Some(None) => Wait::ToTheEnd,
                Some(Some(limit)) => Wait::UpTo(limit),
            },
            ..self.provider.options()
        }
    }
}

/// Reads the name of a job.
pub(super) fn job_name(text: &str) -> Result<JobName, String> {
    if text.is_empty() {
        Err("the name of a job can't be empty".to_owned())
    } else {
        Ok(JobName::from(text))
    }
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=100) => Ok(number),
        _ => Err("it must be a number from 1 to 100".to_owned()),
    }
}

fn deletions(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "it must be a number of deletions, 0 or more".to_owned())
}

/// Reads a digest as plans state it; `sha256:` is optional.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(format!("sha256:{}", hex.to_ascii_lowercase()))
    } else {
        Err("a digest is `sha256:` and 64 hexadecimal digits".to_owned())
    }
}

/// Returns the value of an environment variable; an empty one counts as unset.
#[expect(clippy::disallowed_methods, reason = "only cli reads the environment")]
pub(super) fn environment(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var_os(name).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Err(_)) => Err(Failure::usage(
            format!("{name} is not UTF-8 text"),
            format!("correct it, or unset {name}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_with_and_without_their_prefix() {
        let hex = "0".repeat(63) + "A";
        assert_eq!(digest(&hex), Ok(format!("sha256:{}a", "0".repeat(63))));
        assert_eq!(digest(&format!("sha256:{hex}")), digest(&hex));
        assert!(digest("sha256:12").is_err());
    }
}
