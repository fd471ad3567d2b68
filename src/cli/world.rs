//! The world that a command talks to, and the runtime that waits for it.

use std::path::Path;

use super::args::WorldArgs;
use super::exit::Failure;
use super::terminal::Terminal;
use crate::model::inventory::ProviderKind;
use crate::model::words;
use crate::ops::{ConfigFile, OpenSandbox, open_sandbox};
use crate::provider::Provider;
#[cfg(feature = "aws")]
use crate::provider::aws::Aws;

/// An opened world.
pub(super) enum World {
    /// In memory, and in a file.
    Sandbox(Box<OpenSandbox>),
    /// The real one.
    #[cfg(feature = "aws")]
    Aws(Aws),
}

impl WorldArgs {
    /// What kind of world these options ask for.
    pub(super) fn kind(&self) -> ProviderKind {
        if self.sandbox.is_some() {
            ProviderKind::Sandbox
        } else {
            ProviderKind::Aws
        }
    }

    /// Opens it. A sandbox that does not exist is made only to fit a config.
    pub(super) fn open(
        &self,
        terminal: &Terminal,
        fitting: Option<&ConfigFile>,
    ) -> Result<World, Failure> {
        match &self.sandbox {
            Some(path) => sandbox(path, fitting, terminal),
            None => aws(),
        }
    }
}

fn sandbox(
    path: &Path,
    fitting: Option<&ConfigFile>,
    terminal: &Terminal,
) -> Result<World, Failure> {
    let waiting = || {
        terminal.note(&format!(
            "waiting for another xrs that uses {}",
            path.display()
        ))
    };
    let sandbox = open_sandbox(path, fitting, waiting)?;
    if let Some(unfit) = sandbox.made() {
        let path = path.display();
        let but = match unfit.len() {
            0 => String::new(),
            n => format!(
                ", but not its broken {}: remove {path} once {} corrected",
                words::list(unfit),
                if n == 1 { "that is" } else { "those are" }
            ),
        };
        terminal.note(&format!("made the sandbox {path}, fitting the config{but}"));
    }
    if !sandbox.lacking().is_empty() {
        let (path, jobs) = (path.display(), words::list(sandbox.lacking()));
        terminal.note(&format!(
            "{path} holds nothing that {jobs} could look at, and is never altered to fit: move it away, and a new one fits the config"
        ));
    }
    Ok(World::Sandbox(Box::new(sandbox)))
}

#[cfg(feature = "aws")]
fn aws() -> Result<World, Failure> {
    Ok(World::Aws(Aws::new()))
}

#[cfg(not(feature = "aws"))]
fn aws() -> Result<World, Failure> {
    Err(Failure::usage(
        "this build of xrs has no AWS: it was made without the feature `aws`",
        "pass --sandbox WORLD.json, or build xrs with its default features",
    ))
}

impl World {
    pub(super) fn provider(&self) -> &dyn Provider {
        match self {
            Self::Sandbox(sandbox) => sandbox.sandbox(),
            #[cfg(feature = "aws")]
            Self::Aws(aws) => aws,
        }
    }

    /// Lets go of it, once all that was to be done is done.
    pub(super) fn close(self) -> Result<(), Failure> {
        match self {
            Self::Sandbox(sandbox) => Ok(sandbox.close()?),
            #[cfg(feature = "aws")]
            Self::Aws(_) => Ok(()),
        }
    }
}

/// Runs what waits, on this thread alone: the work is waiting.
pub(super) fn block_on<F: Future>(work: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    Ok(runtime.block_on(work))
}
