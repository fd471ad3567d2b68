//! `xrs validate`

use clap::Args;

use super::args::ConfigArg;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::job::{ConfiguredJob, SyncJob};
use crate::model::safe::safe;
use crate::model::words::count;
use crate::ops;

/// Check the config without a network
///
/// Every problem is shown with its line; what is sound is listed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xrs validate xrs.yaml")]
pub(super) struct Validate {
    #[command(flatten)]
    config: ConfigArg,
}

impl Validate {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let config = ops::validate(&file, &[])?;
        terminal.config(&file, &config, &[]);
        terminal.exposed_keys(&file);
        let sound: Vec<&SyncJob> = config
            .jobs
            .iter()
            .filter_map(|job| match job {
                ConfiguredJob::Sound(job) => Some(job),
                ConfiguredJob::Broken { .. } => None,
            })
            .collect();
        let broken = config.jobs.len() - sound.len();
        let mut text = String::new();
        for job in &sound {
            let (source, destination) = (&job.source_region, &job.destination_region);
            let name = safe(job.name.as_str());
            text.push_str(&format!(
                "{name} ({}) {source} → {destination}\n",
                job.sync_type()
            ));
        }
        let path = file.path();
        let verdict = if broken == 0 { "valid" } else { "not valid" };
        let sound = count(sound.len(), "sound job", "sound jobs");
        text.push_str(&format!(
            "{} is {verdict}: {sound}, {broken} broken.\n",
            safe(&path)
        ));
        terminal.print(&text)?;
        Ok(if broken == 0 {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}
