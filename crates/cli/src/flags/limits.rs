//! `axt limits`.

use clap::Args;

use super::target::AdminTarget;

/// Show every limit: its value, how much of it is in use now, and where it was set
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
IN USE is the use of whoever is nearest to the limit, who stands behind it.
`axt up --limit NAME=VALUE` sets one.

Examples:
  axt limits
  axt limits --json | jq .sessions_per_region.used")]
pub(crate) struct LimitsFlags {
    /// Print the admin API's answer, as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}
