//! `axt relay`, and what `axt up` shares with it.

use std::{net::SocketAddr, path::PathBuf};

use axt_proto::{InstanceId, RegionId};
use clap::Args;

use super::trace::TraceFlags;
use crate::settings::limits::{self, LimitArg};

/// Run the relay alone, until Ctrl-C: the API, session URLs, and agents that come to it
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = after_help())]
pub(crate) struct RelayCommand {
    #[command(flatten)]
    pub(crate) relay: RelayFlags,
}

fn after_help() -> String {
    let limits = limits::help();
    format!(
        "{limits}\n\
Instances, access keys, accounts and regions stand in the settings file:
  axt config --example prints it, axt agent --new-key FILE prints an instance to paste.

Examples:
  axt relay
  axt relay --config axt.toml --axt-listen 0.0.0.0:7443 --name relay.example"
    )
}

/// What a relay listens on, keeps, and hands out.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RelayFlags {
    /// The region of what names none [default: cn-hangzhou]
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

    /// Where agents that are not registered find the cloud's metadata service, port 80 of
    /// 100.100.100.200; it can be the OpenAPI's own [default: nowhere]
    #[arg(
        long,
        env = "AXT_METADATA_LISTEN",
        hide_env = true,
        value_name = "ADDR:PORT",
        help_heading = "Listeners"
    )]
    pub(crate) metadata_listen: Option<SocketAddr>,

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
    #[arg(
        long,
        env = "AXT_EPHEMERAL",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "State"
    )]
    pub(crate) ephemeral: Option<bool>,

    /// Write a further copy of ready.json here once everything answers
    #[arg(
        long,
        env = "AXT_READY_FILE",
        hide_env = true,
        value_name = "FILE",
        help_heading = "State"
    )]
    pub(crate) ready_file: Option<PathBuf>,

    /// The base of every session URL [default: from the host that was called]
    #[arg(
        long,
        env = "AXT_PUBLIC_URL",
        hide_env = true,
        value_name = "URL",
        help_heading = "Session URLs"
    )]
    pub(crate) public_url: Option<String>,

    /// The same for sessions with ConnectionType=Intranet [default: the public one]
    #[arg(
        long,
        env = "AXT_INTRANET_URL",
        hide_env = true,
        value_name = "URL",
        help_heading = "Session URLs"
    )]
    pub(crate) intranet_url: Option<String>,

    /// Hand out ws:// instead of wss:// where no base is set
    #[arg(
        long,
        env = "AXT_ADVERTISE_PLAIN",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Session URLs"
    )]
    pub(crate) advertise_plain: Option<bool>,

    /// A further host name or address that the dev CA vouches for; can be given again
    #[arg(
        long,
        env = "AXT_NAME",
        hide_env = true,
        value_name = "NAME",
        value_delimiter = ',',
        help_heading = "Session URLs"
    )]
    pub(crate) name: Vec<String>,

    /// What the admin listener wants to be sent (better: in $AXT_ADMIN_TOKEN)
    #[arg(
        long,
        env = "AXT_ADMIN_TOKEN",
        hide_env = true,
        value_name = "TOKEN",
        help_heading = "Who may call"
    )]
    pub(crate) admin_token: Option<String>,

    /// Let calls without a signature in; on loopback only
    #[arg(
        long,
        env = "AXT_NO_AUTH",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Who may call"
    )]
    pub(crate) no_auth: Option<bool>,

    /// Let agents of instances without a public_key in unsigned
    #[arg(
        long,
        env = "AXT_ALLOW_UNSIGNED",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Who may call"
    )]
    pub(crate) allow_unsigned: Option<bool>,

    /// Whose metadata callers get whose address no instance has [default: the only instance's]
    #[arg(
        long,
        env = "AXT_METADATA_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE",
        help_heading = "Who may call"
    )]
    pub(crate) metadata_instance: Option<InstanceId>,

    /// Refuse over plain HTTP what the cloud takes over HTTPS only
    #[arg(
        long,
        env = "AXT_ENFORCE_TLS",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        help_heading = "Who may call"
    )]
    pub(crate) enforce_tls: Option<bool>,

    #[command(flatten)]
    pub(crate) trace: TraceFlags,
}
