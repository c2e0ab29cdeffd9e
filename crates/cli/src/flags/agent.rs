//! `axt agent`.

use std::{net::Ipv4Addr, num::NonZeroU16, path::PathBuf};

use axt_proto::{InstanceId, RegionId};
use clap::Args;

use super::{protocol::BaseProtocol, trace::TraceFlags};

// No doc comments on these two: a flattened one's would stand over the command's own.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WhichAgent {
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

    /// What it signs beside its id, the same as in the relay's settings [default: nothing; when it
    /// registers, this machine's]
    #[arg(long, env = "AXT_MACHINE_ID", hide_env = true, value_name = "ID")]
    pub(crate) machine_id: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which relay")]
pub(crate) struct WhichRelay {
    /// The relay [default: the one that runs on this machine]
    #[arg(long, env = "AXT_SERVER", hide_env = true, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Trust the certificates in this PEM file, beside the system's
    #[arg(long, env = "AXT_CA", hide_env = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Find the relay by ready.json in this folder [default: ~/.local/state/axt]
    #[arg(long, env = "AXT_STATE_DIR", hide_env = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// Run the agent of an instance, or of many, on this machine, until Ctrl-C
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = after_help())]
pub(crate) struct AgentFlags {
    #[command(flatten)]
    pub(crate) who: WhichAgent,

    /// Make a key in this file, print what the relay's settings need, and end
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) new_key: Option<PathBuf>,

    /// Register with an activation, if that has not been done, and run
    #[arg(
        long,
        conflicts_with_all = ["instance", "key", "new_key", "deregister"],
        help_heading = "Registration"
    )]
    pub(crate) register: bool,

    /// Take the registration back, forget the key, and end
    #[arg(
        long,
        conflicts_with_all = ["instance", "key", "new_key"],
        help_heading = "Registration"
    )]
    pub(crate) deregister: bool,

    /// The activation's id
    #[arg(
        long,
        env = "AXT_ACTIVATION_ID",
        hide_env = true,
        value_name = "ID",
        help_heading = "Registration"
    )]
    pub(crate) activation_id: Option<String>,

    /// The activation's code (better: in $AXT_ACTIVATION_CODE); `-` reads it from stdin
    #[arg(
        long,
        env = "AXT_ACTIVATION_CODE",
        hide_env = true,
        value_name = "CODE",
        help_heading = "Registration"
    )]
    pub(crate) activation_code: Option<String>,

    /// The activation's region [default: the relay's own, or cn-hangzhou]
    #[arg(
        long,
        env = "AXT_REGION",
        hide_env = true,
        value_name = "REGION",
        help_heading = "Registration"
    )]
    pub(crate) region: Option<RegionId>,

    /// What the instance is to be called [default: the host's name]
    #[arg(
        long,
        env = "AXT_INSTANCE_NAME",
        hide_env = true,
        value_name = "NAME",
        help_heading = "Registration"
    )]
    pub(crate) instance_name: Option<String>,

    /// How many instances this process is: it registers as so many, NAME, NAME-2 and so on, which share
    /// a key, and runs the agents of all [default: 1, or as many as it has registered as]
    #[arg(
        long,
        env = "AXT_INSTANCES",
        hide_env = true,
        value_name = "N",
        help_heading = "Registration"
    )]
    pub(crate) instances: Option<NonZeroU16>,

    /// A tag of the instance, KEY=VALUE; can be given again
    #[arg(long, value_name = "TAG", help_heading = "Registration")]
    pub(crate) tag: Vec<String>,

    /// Which of this machine's registered agents it is: agents/NAME [default: default]
    #[arg(
        long,
        env = "AXT_AGENT_NAME",
        hide_env = true,
        value_name = "NAME",
        help_heading = "Registration"
    )]
    pub(crate) agent_name: Option<String>,

    /// The version that it says it has [default: 2.2.4.1065]
    #[arg(
        long,
        env = "AXT_AGENT_VERSION",
        hide_env = true,
        value_name = "VERSION"
    )]
    pub(crate) agent_version: Option<String>,

    /// The operating system that it says it has: linux, windows or freebsd [default: linux]
    #[arg(
        long,
        env = "AXT_OS_TYPE",
        hide_env = true,
        value_name = "OS",
        help_heading = "What it says of its machine"
    )]
    pub(crate) os_type: Option<String>,

    /// The operating system's version [default: this machine's]
    #[arg(
        long,
        env = "AXT_OS_VERSION",
        hide_env = true,
        value_name = "TEXT",
        help_heading = "What it says of its machine"
    )]
    pub(crate) os_version: Option<String>,

    /// The machine's name [default: this machine's]
    #[arg(
        long,
        env = "AXT_HOST_NAME",
        hide_env = true,
        value_name = "NAME",
        help_heading = "What it says of its machine"
    )]
    pub(crate) host_name: Option<String>,

    /// The machine's address [default: the first one of this machine]
    #[arg(
        long,
        env = "AXT_IP",
        hide_env = true,
        value_name = "ADDR",
        help_heading = "What it says of its machine"
    )]
    pub(crate) ip: Option<Ipv4Addr>,

    /// Misbehave: `WORD[=VALUE]`; can be given again
    #[arg(
        long,
        env = "AXT_BEHAVE",
        hide_env = true,
        value_name = "WORD",
        value_delimiter = ','
    )]
    pub(crate) behave: Vec<String>,

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

    #[command(flatten)]
    pub(crate) base: BaseProtocol,

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

    /// Keep this file there for as long as the agent is online: who it is, and where
    #[arg(
        long,
        env = "AXT_READY_FILE",
        hide_env = true,
        value_name = "FILE",
        conflicts_with_all = ["new_key", "deregister"]
    )]
    pub(crate) ready_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) relay: WhichRelay,

    /// Reach it through this proxy, http://USER:PASSWORD@HOST:PORT (better: in $ALIYUN_ASSIST_PROXY, the
    /// only variable of its kind that an agent goes by, ours as the official one)
    #[arg(
        long,
        env = "ALIYUN_ASSIST_PROXY",
        hide_env = true,
        value_name = "URL",
        help_heading = "Which relay"
    )]
    pub(crate) proxy: Option<String>,

    #[command(flatten)]
    pub(crate) trace: TraceFlags,
}

fn after_help() -> String {
    let habits = super::behave::help();
    format!(
        "\
Either it registers with an activation (`axt api CreateActivation`), and from then on is the managed
instance that the relay has made of it: who it is stays in agents/NAME of the state folder. Or its
instance stands in the relay's settings, with the public half of its key. A relay that is away is
tried again and again, at least every 5 s, and one that refuses at least every 30 s.

{habits}
Examples:
  axt agent --register --activation-id I --activation-code C     registers, and runs
  axt agent                                                      runs again as what it registered as
  axt agent --deregister                                         takes that back
  axt agent --register --instances 1000 --activation-id I --activation-code C     as 1,000 instances

  axt agent --new-key agent.pem >> axt.toml     a key, and the [[instances]] entry for the relay
  axt relay --config axt.toml
  axt agent -i i-… --key agent.pem              on the relay's machine
  axt agent -i i-… --key agent.pem --server https://relay.example:7443 --ca ca.pem"
    )
}
