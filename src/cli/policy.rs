//! `xrs policy`

use clap::Args;

use super::args::{self, ConfigArg};
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::ids::JobName;
use crate::model::json::document;
use crate::model::words;
use crate::ops::{self, MAX_POLICY_CHARACTERS, PolicyStage};

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
    stage: PolicyStage,
    #[command(flatten)]
    config: ConfigArg,
    /// Write the policy only for this job, or NAME@REGION for one of its destinations; can be given several times
    #[arg(long = "job", value_name = "NAME", value_parser = args::job_name)]
    jobs: Vec<JobName>,
}

impl Policy {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let config = ops::validate(&file, &self.jobs)?;
        terminal.config(&file, &config);
        let written = ops::policy(&file, self.stage, &self.jobs)?;
        for role in &written.roles {
            terminal.note(&format!(
                "the policy is for the role {role}; who assumes that role needs sts:AssumeRole on it"
            ));
        }
        if written.accounts.len() > 1 {
            let accounts = words::list(&written.accounts);
            terminal.note(&format!(
                "the jobs are in the accounts {accounts}; --job writes a policy for some of them"
            ));
        }
        let characters = written.policy.characters()?;
        if characters > MAX_POLICY_CHARACTERS {
            terminal.warning(&format!(
                "the policy has {characters} characters, and IAM accepts {MAX_POLICY_CHARACTERS} in a managed policy: \
                 write several with --job"
            ));
        }
        terminal.print(&document(&written.policy)?)?;
        Ok(Exit::failed_if(!config.errors.is_empty()))
    }
}
