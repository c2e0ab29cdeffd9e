//! `axt agent`.

use std::path::PathBuf;

use axt_proto::InstanceId;
use clap::Args;

/// Run the agent of one instance, on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
Its instance stands in the relay's settings, with the public half of its key. A relay that is away is
tried again and again, at least every 30 s.

Examples:
  axt agent --new-key agent.pem >> axt.toml     a key, and the [[instances]] entry for the relay
  axt relay --config axt.toml
  axt agent -i i-… --key agent.pem              on the relay's machine
  axt agent -i i-… --key agent.pem --server https://relay.example:7443 --ca ca.pem")]
pub(crate) struct AgentFlags {
    /// The instance whose agent it is
    #[arg(
        short,
        long,
        env = "AXT_INSTANCE",
        hide_env = true,
        value_name = "INSTANCE"
    )]
    pub(crate) instance: Option<InstanceId>,

    /// The file with its private key
    #[arg(long, env = "AXT_KEY", hide_env = true, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Make a key in this file, print what the relay's settings need, and end
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) new_key: Option<PathBuf>,

    /// What it signs beside its id, the same as in the relay's settings [default: nothing]
    #[arg(long, env = "AXT_MACHINE_ID", hide_env = true, value_name = "ID")]
    pub(crate) machine_id: Option<String>,

    /// The version that it says it has [default: 2.2.4.1065]
    #[arg(
        long,
        env = "AXT_AGENT_VERSION",
        hide_env = true,
        value_name = "VERSION"
    )]
    pub(crate) agent_version: Option<String>,

    /// Let background jobs outlive their shell, as the official agent does
    #[arg(
        long,
        env = "AXT_KEEP_BACKGROUND",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) keep_background: Option<bool>,

    /// Speak the base protocol only, as the official agent does
    #[arg(
        long,
        env = "AXT_NO_EXTENSIONS",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) no_extensions: Option<bool>,

    /// Let its clock be the relay's, frozen and moved with it by `axt clock`
    #[arg(
        long,
        env = "AXT_FOLLOW_CLOCK",
        hide_env = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) follow_clock: Option<bool>,

    /// The relay [default: the one that runs on this machine]
    #[arg(
        long,
        env = "AXT_SERVER",
        hide_env = true,
        value_name = "URL",
        help_heading = "Which relay"
    )]
    pub(crate) server: Option<String>,

    /// Trust the certificates in this PEM file, beside the system's
    #[arg(
        long,
        env = "AXT_CA",
        hide_env = true,
        value_name = "FILE",
        help_heading = "Which relay"
    )]
    pub(crate) ca: Option<PathBuf>,

    /// Find the relay by ready.json in this folder [default: ~/.local/state/axt]
    #[arg(
        long,
        env = "AXT_STATE_DIR",
        hide_env = true,
        value_name = "DIR",
        help_heading = "Which relay"
    )]
    pub(crate) state_dir: Option<PathBuf>,
}
