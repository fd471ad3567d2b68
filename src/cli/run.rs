//! `xrs run`

use clap::Args;

use super::args::{ApplyArgs, ConfigArg, Format};
use super::carry_out::Apply;
use super::exit::{Exit, Failure};
use super::interrupt::block_on;
use super::terminal::Terminal;
use crate::ops;
use crate::render;

/// Plan and apply in one step
///
/// Nobody reviews the plan in between; --max-deletes limits how much it may delete.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs run xrs.yaml --max-deletes 3 --wait=8h --results results.json\n  \
                        xrs run xrs.yaml --sandbox world.json",
    mut_arg("format", |arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        arg.help(help + ". With json and markdown, the plan goes to stderr")
    })
)]
pub(super) struct Run {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    args: ApplyArgs,
}

impl Run {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let (args, file) = (&self.args, self.config.open()?);
        let results = args.results.as_deref();
        args.provider
            .refuse_to_replace("--results", results, &file)?;
        let config = ops::validate(&file, &[])?;
        terminal.config_to_use(&file, &config, args.provider.kind());
        let connection = args.provider.open(terminal, Some(&file))?;
        let options = &args.options();
        let work = async {
            let planning = ops::plan_with_inventory(&file, connection.provider(), options);
            let (plan, observed) = connection.interrupts.run_abandonable(planning).await??;
            let shown = |styles| render::text::plan(&plan, None, styles);
            match args.format {
                Format::Text => terminal.print(&format!("{}\n", shown(&terminal.out)))?,
                Format::Json | Format::Markdown => terminal.progress(&shown(&terminal.err)),
            }
            let apply = Apply {
                terminal,
                connection: &connection,
                args,
                options,
            };
            let results = apply.begin(&plan)?;
            let carrying_out = apply.carry_out(&plan, results, Some(observed), Some(&file));
            carrying_out.await
        };
        let exit = block_on(work)??;
        connection.close()?;
        Ok(exit)
    }
}
