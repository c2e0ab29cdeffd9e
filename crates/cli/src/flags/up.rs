//! `axt up`.

use clap::Args;

use axt_sandbox::Behaving;

use super::{behave, relay::RelayFlags};
use crate::settings::limits;

/// Start a relay and simulated instances on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = after_help())]
pub(crate) struct UpFlags {
    /// How many simulated instances to start [default: 1]
    #[arg(long, env = "AXT_INSTANCES", hide_env = true, value_name = "N")]
    pub(crate) instances: Option<u16>,

    /// Have simulated instances misbehave: `WORD[=VALUE][,…]` for all, `30%:WORDS` for a share of them,
    /// `local-3:WORDS` for one; can be given again
    #[arg(long, value_name = "HOW")]
    pub(crate) behave: Vec<Behaving>,

    #[command(flatten)]
    pub(crate) relay: RelayFlags,
}

fn after_help() -> String {
    let limits = limits::help();
    let habits = behave::help();
    format!(
        "{limits}\n{habits}\n\
Examples:
  axt up
  axt up --instances 3 --limit idle_timeout_s=20
  axt up --instances 1000 --behave 30%:never_dials --behave 1%:dies_after=30s,posts_never
  axt up --ephemeral --api-listen 127.0.0.1:0 --axt-listen 127.0.0.1:0 \\
         --admin-listen 127.0.0.1:0 --ready-file ready.json"
    )
}
