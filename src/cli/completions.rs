//! `xrs completions`

use clap::Args;
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

/// Print shell completions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mkdir -p ~/.local/share/bash-completion/completions\n  \
    xrs completions bash > ~/.local/share/bash-completion/completions/xrs\n  \
    xrs completions zsh > \"${fpath[1]}/_xrs\"\n  \
    xrs completions fish > ~/.config/fish/completions/xrs.fish\n  \
    xrs completions powershell >> $PROFILE\n  \
    xrs completions elvish >> ~/.config/elvish/rc.elv")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(
        &self,
        mut cli: clap::Command,
        terminal: &Terminal,
    ) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli, "xrs", &mut script);
        terminal.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
