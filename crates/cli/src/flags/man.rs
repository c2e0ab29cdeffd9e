//! `axt man`.

use std::path::PathBuf;

use clap::Args;

/// Write the manual pages
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  axt man | man -l -                       read the first page
  axt man ~/.local/share/man/man1          then: man axt-session")]
pub(crate) struct ManFlags {
    /// Write all of them, axt.1 and axt-COMMAND.1, into this folder [default: axt.1 to stdout]
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
