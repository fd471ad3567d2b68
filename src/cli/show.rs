//! `xrs show`

use std::path::PathBuf;

use clap::Args;

use super::args::Format;
use super::exit::{Exit, Failure};
use super::next;
use super::terminal::Terminal;
use crate::model::json::document;
use crate::ops::{self, Saved};
use crate::render;

/// Show a saved plan or results file, offline
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs show plan.json\n  xrs show results.json --format json\n  xrs show plan.json --format markdown > comment.md"
)]
pub(super) struct Show {
    /// A plan from `xrs plan --out`, or results from `xrs apply --results`
    #[arg(value_name = "PLAN_OR_RESULTS")]
    file: PathBuf,
    /// How to print the document
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

impl Show {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let saved = ops::open_saved(&self.file)?;
        let mut exit = Exit::Done;
        if let Saved::Plan(_, Some(flaw)) = &saved {
            terminal.warning(&format!("apply would refuse this plan: {}", flaw.why));
            if flaw.is_edited {
                exit = Exit::Failed;
            }
        }
        let text = match (saved, self.format) {
            (Saved::Plan(plan, None), Format::Text) => {
                let next = next::apply(&plan, Some(&self.file), None);
                render::text::plan(&plan, next.as_deref(), &terminal.out)
            }
            (Saved::Plan(plan, Some(flaw)), Format::Text) => {
                render::text::refused_plan(&plan, flaw.digest.as_deref(), &flaw.why, &terminal.out)
            }
            (Saved::Plan(plan, _), Format::Json) => document(&plan)?,
            (Saved::Plan(plan, None), Format::Markdown) => {
                render::markdown::plan(&plan, &next::commands(&plan, Some(&self.file), None))
            }
            (Saved::Plan(plan, Some(flaw)), Format::Markdown) => {
                let show = next::show(&self.file);
                render::markdown::refused_plan(&plan, flaw.digest.as_deref(), &flaw.why, &show)
            }
            (Saved::Results(results), Format::Text) => {
                render::text::saved_results(&results, &terminal.out)
            }
            (Saved::Results(results), Format::Json) => document(&results)?,
            (Saved::Results(results), Format::Markdown) => {
                render::markdown::results(&results, Some(&next::show(&self.file)))
            }
        };
        terminal.print(&text)?;
        Ok(exit)
    }
}
