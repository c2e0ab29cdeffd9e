//! `axt up`.

use std::{net::SocketAddr, path::PathBuf};

use axt_proto::RegionId;
use clap::Args;

use crate::settings::limits::LimitArg;

/// The limits, with their defaults: a test holds them against the documented ones.
const AFTER_HELP: &str = "\
Limits:
  url_validity_s            600      how long a session's URL opens connections, seconds
  idle_timeout_s            180      how long a connection may be without payload, seconds
  bandwidth_bytes_per_s     204800   of a session, each way; 0 is no limit, else at least 2048
  burst_bytes               20480    what may go through at once beyond the bandwidth
  sessions_per_region       100      created and active
  connections_per_instance  20       at the same time
  history_days              30       how long a session's record is kept
  history_records           1000     how many records of sessions a region keeps
  history_connections       1000     how many connections a record keeps
  client_token_hours        24       how long a ClientToken is remembered
  client_tokens             10000    how many ClientTokens an account has remembered
  activations_per_region    10       neither expired nor disabled

Examples:
  axt up
  axt up --instances 3 --limit idle_timeout_s=20
  axt up --ephemeral --api-listen 127.0.0.1:0 --axt-listen 127.0.0.1:0 \\
         --admin-listen 127.0.0.1:0 --ready-file ready.json";

/// Start a relay and simulated instances on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct UpFlags {
    /// How many simulated instances to start [default: 1]
    #[arg(long, env = "AXT_INSTANCES", hide_env = true, value_name = "N")]
    pub(crate) instances: Option<u16>,

    /// The region that they are in [default: cn-hangzhou]
    #[arg(long, env = "AXT_REGION", hide_env = true)]
    pub(crate) region: Option<RegionId>,

    /// Change one of the limits below; can be given again
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::limits;

    #[test]
    fn the_help_lists_every_limit_with_its_default() {
        let listed: Vec<(&str, &str)> = AFTER_HELP
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                Some((words.next()?, words.next()?))
            })
            .collect();

        for (name, value) in limits::defaults() {
            let value = value.to_string();
            assert!(listed.contains(&(&name, &value)), "{name} {value}");
        }
    }
}
