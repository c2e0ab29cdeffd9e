//! `axt instances`.

use std::path::PathBuf;

use axt_control::admin::{InstanceStatus, OsType};
use axt_proto::{AccountId, InstanceId, RegionId};
use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};

use super::target::AdminTarget;

/// List, declare, change and remove instances
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A name stands for the instance that has it, where only one has. What is changed here holds until the
relay starts again, for what its settings file declares, and for good otherwise.

Examples:
  axt instances
  axt instances list -q web-1                       its id
  axt instances add i-old --agent-version 2.2.3.200
  axt instances set web-1 --status Stopped
  axt instances set web-1 --denied-ports 22,3389    what its security group refuses
  axt instances remove i-old")]
pub(crate) struct InstancesFlags {
    #[command(subcommand)]
    pub(crate) action: Option<InstancesAction>,

    #[command(flatten)]
    pub(crate) target: AdminTarget,
}

/// What to do with instances.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum InstancesAction {
    /// Show them (this is the default)
    #[command(after_help = "\
Examples:
  axt instances list
  axt instances list --json | jq '.[] | select(.agent_online)'
  axt session -i \"$(axt instances list -q web-1)\"")]
    List(ListFlags),
    /// Declare one, or declare it anew; its id goes to stdout
    #[command(after_help = "\
Without a key its agent cannot come, and so it is offline. An instance with an agent is made by
`axt agent --register`, or by `axt agent --new-key`.

Examples:
  axt instances add i-stopped --status Stopped
  axt instances add --name web-1 --public-key agent.pub")]
    Add(Box<AddFlags>),
    /// Change one
    #[command(after_help = "\
Examples:
  axt instances set web-1 --status Stopped
  axt instances set web-1 --denied-ports 22,3389
  axt instances set web-1 --denied-ports none
  axt instances set web-1 --agent-version 2.2.3.200    what it passes for; '' for what it says")]
    Set(Box<SetFlags>),
    /// Remove one: its agent is cut off, and no longer let in
    #[command(after_help = "\
Examples:
  axt instances remove i-old")]
    Remove {
        /// The instance, by id or name; several can be given
        #[arg(required = true, value_name = "INSTANCE")]
        which: Vec<String>,
    },
}

/// Which to show, and how.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ListFlags {
    /// Only these, by id or name
    #[arg(value_name = "INSTANCE")]
    pub(crate) which: Vec<String>,

    /// Print what the admin API says of them, as JSON
    #[arg(long, conflicts_with = "quiet")]
    pub(crate) json: bool,

    /// Print their ids alone
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// An instance that is to be.
#[derive(Clone, Debug, Args)]
pub(crate) struct AddFlags {
    /// Its id [default: one is made]
    #[arg(value_name = "INSTANCE")]
    pub(crate) instance: Option<InstanceId>,

    /// Its name [default: its id]
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Its region [default: the relay's]
    #[arg(long)]
    pub(crate) region: Option<RegionId>,

    /// Whose it is [default: the relay's account]
    #[arg(long)]
    pub(crate) account: Option<AccountId>,

    /// Where it stands in its power cycle [default: Running]
    #[arg(long, value_parser = statuses())]
    pub(crate) status: Option<InstanceStatus>,

    /// Its operating system [default: Linux]
    #[arg(long, value_name = "OS", value_parser = os_types())]
    pub(crate) os_type: Option<OsType>,

    /// The file of the public key that its agent's signatures are checked with: PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,

    /// What its agent signs beside its id [default: nothing]
    #[arg(long, value_name = "ID")]
    pub(crate) machine_id: Option<String>,

    /// The version that its agent passes for [default: what the agent says]
    #[arg(long, value_name = "VERSION")]
    pub(crate) agent_version: Option<String>,

    /// Ports that its security group refuses, with commas between them
    #[arg(long, value_name = "PORTS", value_delimiter = ',')]
    pub(crate) denied_ports: Vec<u16>,

    /// Its private address
    #[arg(long, value_name = "ADDR")]
    pub(crate) intranet_ip: Option<String>,

    /// Its public address
    #[arg(long, value_name = "ADDR")]
    pub(crate) internet_ip: Option<String>,
}

/// What an instance is to be from now on; what is not named stays as it is.
#[derive(Clone, Debug, Args)]
pub(crate) struct SetFlags {
    /// The instance, by id or name
    #[arg(value_name = "INSTANCE")]
    pub(crate) which: String,

    /// Its name
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Its host name
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Option<String>,

    /// Its region; sessions that exist stay in theirs
    #[arg(long)]
    pub(crate) region: Option<RegionId>,

    /// Where it stands in its power cycle
    #[arg(long, value_parser = statuses())]
    pub(crate) status: Option<InstanceStatus>,

    /// Its operating system
    #[arg(long, value_name = "OS", value_parser = os_types())]
    pub(crate) os_type: Option<OsType>,

    /// The version that its agent passes for; empty: what the agent says
    #[arg(long, value_name = "VERSION")]
    pub(crate) agent_version: Option<String>,

    /// Ports that its security group refuses, with commas between them, or `none`
    #[arg(long, value_name = "PORTS", value_parser = ports)]
    pub(crate) denied_ports: Option<Ports>,

    /// A tag, KEY=VALUE; can be given again, and together they are all that it has
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
}

/// A list of ports, possibly empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports(pub(crate) Vec<u16>);

fn ports(text: &str) -> Result<Ports, String> {
    if text == "none" {
        return Ok(Ports(Vec::new()));
    }
    let ports = text.split(',').map(|port| port.trim().parse());
    ports.collect::<Result<_, _>>().map(Ports).map_err(|_| {
        format!("`{text}` are no ports: expected numbers with commas between them, or `none`")
    })
}

fn statuses() -> impl TypedValueParser<Value = InstanceStatus> {
    PossibleValuesParser::new(["Pending", "Starting", "Running", "Stopping", "Stopped"]).map(
        |text| match text.as_str() {
            "Pending" => InstanceStatus::Pending,
            "Starting" => InstanceStatus::Starting,
            "Stopping" => InstanceStatus::Stopping,
            "Stopped" => InstanceStatus::Stopped,
            _ => InstanceStatus::Running,
        },
    )
}

fn os_types() -> impl TypedValueParser<Value = OsType> {
    PossibleValuesParser::new(["Linux", "Windows", "FreeBSD"]).map(|text| match text.as_str() {
        "Windows" => OsType::Windows,
        "FreeBSD" => OsType::FreeBsd,
        _ => OsType::Linux,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_a_list_or_none() {
        assert_eq!(ports("22, 3389"), Ok(Ports(vec![22, 3389])));
        assert_eq!(ports("none"), Ok(Ports(Vec::new())));
        assert!(ports("").is_err());
        assert!(ports("ssh").is_err());
        assert!(ports("70000").is_err());
    }
}
