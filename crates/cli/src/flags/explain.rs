//! `axt explain`.

use axt_proto::SessionId;
use clap::Args;

use super::target::AdminTarget;

/// Tell a session's life in sentences: who made it, what became of it, and why it ended
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The sentences are told from the session's events, which the relay keeps for 30 days: the first 100
and the latest 100.

Examples:
  axt explain s-hz0123456789abcdef
  axt explain --json s-hz0123456789abcdef")]
pub(crate) struct ExplainFlags {
    /// The session's id, as StartTerminalSession gave it
    pub(crate) session: SessionId,

    /// Print the admin API's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}
