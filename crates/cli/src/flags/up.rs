//! `axt up`.

use clap::Args;

use super::relay::RelayFlags;
use crate::settings::limits;

/// Start a relay and simulated instances on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = after_help())]
pub(crate) struct UpFlags {
    /// How many simulated instances to start [default: 1]
    #[arg(long, env = "AXT_INSTANCES", hide_env = true, value_name = "N")]
    pub(crate) instances: Option<u16>,

    #[command(flatten)]
    pub(crate) relay: RelayFlags,
}

fn after_help() -> String {
    let limits = limits::help();
    format!(
        "{limits}\n\
Examples:
  axt up
  axt up --instances 3 --limit idle_timeout_s=20
  axt up --ephemeral --api-listen 127.0.0.1:0 --axt-listen 127.0.0.1:0 \\
         --admin-listen 127.0.0.1:0 --ready-file ready.json"
    )
}
