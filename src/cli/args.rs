//! Options that several commands take.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::exit::Failure;
use crate::model::ids::JobName;
use crate::ops::{ConfigFile, DEFAULT_PARALLELISM, Error, Wait};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set; everywhere if CLICOLOR_FORCE is set.
    #[default]
    Auto,
    /// Everywhere, also in files and pipes.
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
        if self.config.is_some() || environment("XRS_CONFIG")?.is_none() {
            return Ok(opened?);
        }
        Ok(opened.map_err(|error| match error {
            Error::Other(problem) => {
                Error::Other(problem.help("XRS_CONFIG names it: correct that, or unset it"))
            }
            error => error,
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

/// Whether a command waits until copies are available.
#[derive(Debug, Args)]
pub(super) struct WaitArg {
    /// Wait until the copies are available, and delete old copies only then. With LIMIT, such as 30m or 2h, wait no longer
    /// than that. Copies beyond AWS's limit of concurrent copies start when others have finished
    #[arg(long, value_name = "LIMIT", num_args = 0..=1, require_equals = true, value_parser = duration)]
    #[expect(
        clippy::option_option,
        reason = "clap's type for an option with an optional value"
    )]
    wait: Option<Option<SignedDuration>>,
}

impl From<&WaitArg> for Wait {
    fn from(arg: &WaitArg) -> Self {
        match arg.wait {
            None => Self::No,
            Some(None) => Self::ToTheEnd,
            Some(Some(limit)) => Self::UpTo(limit),
        }
    }
}

/// Reads the name of a job.
pub(super) fn job_name(text: &str) -> Result<JobName, String> {
    if text.is_empty() {
        Err("the name of a job is not empty".to_owned())
    } else {
        Ok(JobName::from(text))
    }
}

fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=100) => Ok(number),
        _ => Err("it is a number from 1 to 100".to_owned()),
    }
}

/// Reads a number of deletions.
pub(super) fn deletions(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "it is a number of deletions, 0 or more".to_owned())
}

/// Reads a length of time such as `24h`, `90m`, `2d` or `1d 12h`; a day is 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text
        .parse()
        .map_err(|_| "use for example 24h, 90m or 2d".to_owned())?;
    match span.to_duration(SpanRelativeTo::days_are_24_hours()) {
        Ok(duration) if duration.is_positive() => Ok(duration),
        Ok(_) => Err("it must be longer than 0".to_owned()),
        Err(_) => Err("use weeks, days, hours, minutes and seconds".to_owned()),
    }
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

/// Returns a variable of the environment; an empty one counts as not set.
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
    fn lengths_of_time_are_read() {
        for (text, hours) in [
            ("24h", 24),
            ("2d", 48),
            ("1d 12h", 36),
            ("90m", 1),
            ("1w", 168),
        ] {
            assert_eq!(
                duration(text).map(|span| span.as_hours()),
                Ok(hours),
                "{text}"
            );
        }
        for bad in [
            "",
            "24",
            "h",
            "0h",
            "-3h",
            "3 months",
            "tomorrow",
            "99999999999999999999h",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn digests_are_read_with_and_without_their_prefix() {
        let hex = "0".repeat(63) + "A";
        assert_eq!(digest(&hex), Ok(format!("sha256:{}a", "0".repeat(63))));
        assert_eq!(digest(&format!("sha256:{hex}")), digest(&hex));
        assert!(digest("sha256:12").is_err());
    }
}
