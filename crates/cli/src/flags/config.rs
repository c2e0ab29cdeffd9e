//! `axt config`.

use std::path::PathBuf;

use clap::Args;

/// Show the settings in force, and where each was set
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
The file is the one that --config or AXT_CONFIG names, else ./axt.toml, else
~/.config/axt/axt.toml. A flag stands over the environment, that over the file, and the file over the
default.

Examples:
  axt config
  axt config --example > axt.toml
  axt config --check axt.toml

Exit code of --check: 0 when there is nothing wrong, 2 when it says what is, and where.")]
pub(crate) struct ConfigFlags {
    /// Print a whole file: each key with its unit, its default and what it means
    #[arg(long, conflicts_with = "check")]
    pub(crate) example: bool,

    /// Only say whether the file is right [default: the file in force]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option)] // asked for or not, with a file or without
    pub(crate) check: Option<Option<PathBuf>>,
}
