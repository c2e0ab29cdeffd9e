//! `axt completions`.

use clap::Args;
use clap_complete::Shell;

/// Print the script that completes axt in a shell
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "\
Commands, flags and their values are completed; behind `axt api` the actions and their parameters too,
and behind -i the instances of the sandbox that runs. The script asks the program itself, so load it at
the shell's start instead of keeping a copy.

Examples:
  echo 'source <(axt completions bash)' >> ~/.bashrc
  echo 'source <(axt completions zsh)' >> ~/.zshrc
  echo 'axt completions fish | source' >> ~/.config/fish/config.fish")]
pub(crate) struct CompletionsFlags {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
