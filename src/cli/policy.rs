//! `xrs policy`

use clap::{Args, ValueEnum};

use super::args::{self, ConfigArg};
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::id::JobName;
use crate::model::job::ConfiguredJob;
use crate::model::json::document;
use crate::model::words;
use crate::ops;

/// Print the IAM policy that a stage needs
///
/// The policy allows the calls that xrs makes for this config, and no others: reads in its regions; for `apply` also
/// copying, tagging, deleting snapshots of its databases, and the use of the keys that it names. Deletions are limited
/// to copies that carry the sync tag. A `*` stands for an account that the config does not state.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  xrs policy plan > plan-policy.json\n  \
                        xrs policy apply xrs.yaml --job sync_my_database\n  \
                        aws iam create-policy --policy-name xrs --policy-document \"$(xrs policy plan)\"")]
pub(super) struct Policy {
    /// The stage
    #[arg(value_enum, value_name = "STAGE")]
    stage: Stage,
    #[command(flatten)]
    config: ConfigArg,
    /// Write the policy only for this job; can be given several times
    #[arg(long = "job", value_name = "NAME", value_parser = args::job_name)]
    jobs: Vec<JobName>,
}

/// What is to be allowed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    /// Only reading; `status` needs the same policy.
    Plan,
    /// Reading, copying, tagging and deleting; `run` needs the same policy.
    Apply,
}

impl Policy {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let config = ops::validate(&file, &self.jobs)?;
        terminal.config(&file, &config, &self.jobs);
        let stage = match self.stage {
            Stage::Plan => ops::Stage::Plan,
            Stage::Apply => ops::Stage::Apply,
        };
        let written = ops::policy(&file, stage, &self.jobs)?;
        for role in &written.roles {
            terminal.note(&format!(
                "it belongs to the role {role}; whoever assumes that needs sts:AssumeRole on it"
            ));
        }
        if written.accounts.len() > 1 {
            let accounts = words::list(&written.accounts);
            terminal.note(&format!(
                "the jobs are in the accounts {accounts}; --job writes a policy for some of them"
            ));
        }
        let characters = written.policy.characters();
        if characters > ops::MOST_POLICY_CHARACTERS {
            terminal.warning(&format!(
                "it has {characters} characters, and IAM takes {} in a managed policy: write several with --job",
                ops::MOST_POLICY_CHARACTERS
            ));
        }
        terminal.print(&document(&written.policy)?)?;
        let is_broken = |job: &ConfiguredJob| matches!(job, ConfiguredJob::Broken { .. });
        let picked = |job: &&ConfiguredJob| self.jobs.is_empty() || self.jobs.contains(job.name());
        Ok(if config.jobs.iter().filter(picked).any(is_broken) {
            Exit::Failed
        } else {
            Exit::Done
        })
    }
}
