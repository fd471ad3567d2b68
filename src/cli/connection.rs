//! What a command calls, AWS or a sandbox, and how it waits for the answers.

use std::path::Path;

use super::args::ProviderArgs;
use super::exit::Failure;
use super::interrupt::{Interrupts, block_on};
use super::terminal::Terminal;
use crate::model::inventory::ProviderKind;
use crate::model::words;
use crate::ops::{self, ConfigFile, OpenSandbox, open_sandbox};
use crate::provider::Provider;
#[cfg(feature = "aws")]
use crate::provider::aws::Aws;

/// What a command calls, and the signals since then.
pub(super) struct Connection {
    backend: Backend,
    pub(super) interrupts: Interrupts,
}

/// AWS or a sandbox.
enum Backend {
    /// In memory, and kept in a file.
    Sandbox(Box<OpenSandbox>),
    /// AWS itself.
    #[cfg(feature = "aws")]
    Aws(Aws),
}

impl ProviderArgs {
    /// Returns which of them these options select.
    pub(super) fn kind(&self) -> ProviderKind {
        match self.sandbox {
            Some(_) => ProviderKind::Sandbox,
            None => ProviderKind::Aws,
        }
    }

    /// Opens it, and listens to signals. A sandbox that does not exist is made only for a config.
    pub(super) fn open(
        &self,
        terminal: &Terminal,
        config: Option<&ConfigFile>,
    ) -> Result<Connection, Failure> {
        // Until the sandbox is open, a signal ends the command at once: it may wait for another command.
        let interrupts = Interrupts::listen()?;
        let backend = match &self.sandbox {
            Some(path) => sandbox(path, config, terminal)?,
            None => aws()?,
        };
        interrupts.begin();
        Ok(Connection {
            backend,
            interrupts,
        })
    }
}

fn sandbox(
    path: &Path,
    config: Option<&ConfigFile>,
    terminal: &Terminal,
) -> Result<Backend, Failure> {
    let waiting = || {
        let path = path.display();
        terminal.note(&format!("waiting for another xrs process that uses {path}"));
    };
    let sandbox = open_sandbox(path, config, waiting)?;
    let shown = path.display();
    if let Some(new) = &sandbox.new_world {
        let but = match new.invalid_jobs.len() {
            0 => String::new(),
            number => format!(
                ", but not for {}: remove {shown} when {} valid",
                words::list(&new.invalid_jobs),
                if number == 1 { "it is" } else { "they are" }
            ),
        };
        terminal.note(&format!("made the sandbox {shown} for the config{but}"));
        for problem in &new.problems {
            let help = problem.help.as_deref().unwrap_or_default();
            terminal.note(&format!("{problem}: {help}"));
        }
    }
    if !sandbox.jobs_without_source.is_empty() {
        let jobs = words::list(&sandbox.jobs_without_source);
        terminal.note(&format!(
            "{shown} has no source for {jobs}, and is never adapted to a config: move it aside, and xrs creates a new one"
        ));
    }
    Ok(Backend::Sandbox(Box::new(sandbox)))
}

#[cfg(feature = "aws")]
fn aws() -> Result<Backend, Failure> {
    Ok(Backend::Aws(Aws::new()))
}

#[cfg(not(feature = "aws"))]
fn aws() -> Result<Backend, Failure> {
    Err(Failure::usage(
        "this build of xrs cannot call AWS: it was made without the feature `aws`",
        "pass --sandbox WORLD.json, or build xrs with its default features",
    ))
}

impl Connection {
    pub(super) fn provider(&self) -> &dyn Provider {
        match &self.backend {
            Backend::Sandbox(sandbox) => &sandbox.sandbox,
            #[cfg(feature = "aws")]
            Backend::Aws(aws) => aws,
        }
    }

    /// Runs an operation that only reads, until a signal.
    pub(super) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, ops::Error>>,
    ) -> Result<T, Failure> {
        Ok(block_on(self.interrupts.run_abandonable(work))???)
    }

    /// Closes it at the end of a command.
    pub(super) fn close(self) -> Result<(), Failure> {
        match self.backend {
            Backend::Sandbox(sandbox) => Ok(sandbox.close()?),
            #[cfg(feature = "aws")]
            Backend::Aws(_) => Ok(()),
        }
    }
}
