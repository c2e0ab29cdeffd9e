//! `axt up`.

use std::{net::SocketAddr, path::PathBuf};

use axt_proto::RegionId;
use clap::Args;

use crate::settings::limits::LimitArg;

/// Start a relay and simulated instances on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Examples:
  axt up
  axt up --instances 3 --limit idle_timeout_s=20
  axt up --ephemeral --api-listen 127.0.0.1:0 --axt-listen 127.0.0.1:0 \\
         --admin-listen 127.0.0.1:0 --ready-file ready.json")]
pub(crate) struct UpFlags {
    /// How many simulated instances to start [default: 1]
    #[arg(long, env = "AXT_INSTANCES", hide_env = true, value_name = "N")]
    pub(crate) instances: Option<u16>,

    /// The region that they are in [default: cn-hangzhou]
    #[arg(long, env = "AXT_REGION", hide_env = true)]
    pub(crate) region: Option<RegionId>,

    /// Change a limit, for example `idle_timeout_s=20`; can be given again
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) limit: Vec<LimitArg>,

    /// Make ids and tokens from this number, the same on every run
    #[arg(long, env = "AXT_SEED", hide_env = true, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Where the OpenAPI listens; port 0 picks a free one [default: 127.0.0.1:7080]
    #[arg(
        long,
        env = "AXT_API_LISTEN",
        hide_env = true,
        value_name = "ADDR:PORT",
        help_heading = "Listeners"
    )]
    pub(crate) api_listen: Option<SocketAddr>,

    /// Where sessions and agents connect [default: 127.0.0.1:7443]
    #[arg(
        long,
        env = "AXT_AXT_LISTEN",
        hide_env = true,
        value_name = "ADDR:PORT",
        help_heading = "Listeners"
    )]
    pub(crate) axt_listen: Option<SocketAddr>,

    /// Where health, metrics, state and the clock are served [default: 127.0.0.1:7090]
    #[arg(
        long,
        env = "AXT_ADMIN_LISTEN",
        hide_env = true,
        value_name = "ADDR:PORT",
        help_heading = "Listeners"
    )]
    pub(crate) admin_listen: Option<SocketAddr>,

    /// Where sessions, keys and the CA are kept between runs [default: ~/.local/state/axt]
    #[arg(
        long,
        env = "AXT_STATE_DIR",
        hide_env = true,
        value_name = "DIR",
        help_heading = "State"
    )]
    pub(crate) state_dir: Option<PathBuf>,

    /// Keep nothing: memory, and a temporary folder that goes at the end
    #[arg(long, help_heading = "State")]
    pub(crate) ephemeral: bool,

    /// Write a further copy of ready.json here once everything answers
    #[arg(
        long,
        env = "AXT_READY_FILE",
        hide_env = true,
        value_name = "FILE",
        help_heading = "State"
    )]
    pub(crate) ready_file: Option<PathBuf>,
}
