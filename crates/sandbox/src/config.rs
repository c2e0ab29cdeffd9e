//! What a sandbox is started with.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use crate::behaving::Behaving;
use axt_agent::{AGENT_VERSION, Machine, Shells};
use axt_control::admin::fault::Fault;
use axt_net::wall::Wall;
use axt_openapi::AccessKey;
use axt_proto::{AccountId, Extensions, InstanceId, Limits, RegionId, Secret, Tick};
use axt_relay::{AccountSettings, InstanceSpec, InstanceStatus, OsType, RegionSettings, Urls};

/// What a sandbox is started with; [`SandboxConfig::default`] is what `axt up` starts but for the
/// free ports and the state that goes with it.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// How relay, agents and clients reach each other.
    pub transport: Transport,
    /// What outlives the sandbox.
    pub state: State,
    /// Where a further copy of the ready file goes.
    pub ready_file: Option<PathBuf>,
    /// The region of the instances, and of calls that name none.
    pub region: RegionId,
    /// The account that owns them.
    pub account: AccountId,
    /// How many instances are simulated, each with an agent of its own; 0 is the relay alone.
    pub instances: usize,
    /// What is said of the first of them, in order; nothing of the rest.
    pub traits: Vec<Traits>,
    /// The limits, checked.
    pub limits: Limits,
    /// Where limits were set that are not at their defaults: name → `flag`, `environment` or a
    /// file.
    pub limit_sources: BTreeMap<String, String>,
    /// Instances that are declared and whose agents come from elsewhere.
    pub declared: Vec<InstanceSpec>,
    /// Access keys beside the one that the state folder keeps.
    pub access_keys: Vec<AccessKey>,
    /// What is said of accounts.
    pub accounts: BTreeMap<AccountId, AccountSettings>,
    /// Regions beside the built-in table, and what is said of those in it.
    pub regions: BTreeMap<RegionId, RegionSettings>,
    /// What session URLs are made of.
    pub urls: Urls,
    /// Host names and addresses that the dev CA vouches for beside its own: those of
    /// [`axt_net::ca::constraints`].
    pub names: Vec<String>,
    /// What the admin API wants as a bearer; needed off loopback.
    pub admin_token: Option<Secret>,
    /// Whether calls without a signature are the account's own; refused off loopback.
    pub no_auth: bool,
    /// Whether an agent of an instance that has no key may come without a signature.
    pub allow_unsigned: bool,
    /// Whose metadata a caller gets whose address no instance has; absent: the only instance's, if
    /// there is but one.
    pub metadata_instance: Option<InstanceId>,
    /// Whether actions that the metadata calls HTTPS-only are refused over plain HTTP.
    pub enforce_tls: bool,
    /// Rule time at the start.
    pub clock: ClockStart,
    /// Wall time.
    pub wall: Wall,
    /// Faults that are there from the start.
    pub faults: Vec<Fault>,
    /// Which of the simulated instances misbehave, and how.
    pub behaviours: Vec<Behaving>,
    /// What the agents open when a session wants a shell.
    pub shells: Shells,
    /// The version that the agents say they have: four numbers with dots.
    pub agent_version: String,
    /// What the agents say of the machine that they are on.
    pub machine: Machine,
    /// What the agents announce; [`Extensions::NONE`] makes them look like official ones.
    pub extensions: Extensions,
    /// Ids, tokens and back-off depend on this alone, where it is given.
    pub seed: Option<u64>,
    /// What is traced from the start; absent: the sessions that are asked for, and these into the
    /// folder `traces` of the state folder.
    pub trace: Option<TraceSettings>,
}

/// A trace of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// Where its files go; made when it is not there.
    pub folder: PathBuf,
    /// Whether what people type and read is written too.
    pub payload: bool,
}

/// What is said of a simulated instance, where it is not like the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// Its name; absent: `local-` and its number.
    pub name: Option<String>,
    /// Its system; absent: the machine's.
    pub os_type: Option<OsType>,
    /// Where it stands in its power cycle.
    pub status: InstanceStatus,
    /// A version to be taken for its agent's, whatever it says.
    pub agent_version: Option<String>,
    /// Ports that its security group denies.
    pub denied_ports: BTreeSet<u16>,
}

/// How the parts reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP with TLS, as in the cloud.
    Sockets(Listen),
    /// Pipes in this process, plain: for the simulation on a paused runtime.
    Memory,
}

/// The relay's addresses; port 0 picks a free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The OpenAPI.
    pub api: SocketAddr,
    /// Session URLs and agents.
    pub axt: SocketAddr,
    /// The admin API.
    pub admin: SocketAddr,
    /// The metadata service, which may have the API's address; absent: there is none.
    pub metadata: Option<SocketAddr>,
}

impl Listen {
    /// Three free ports on 127.0.0.1.
    #[must_use]
    pub const fn free_ports() -> Self {
        Self::on_loopback(0, 0, 0)
    }

    /// These ports on 127.0.0.1.
    #[must_use]
    pub const fn on_loopback(api: u16, axt: u16, admin: u16) -> Self {
        const fn at(port: u16) -> SocketAddr {
            SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
        }
        Self {
            api: at(api),
            axt: at(axt),
            admin: at(admin),
            metadata: None,
        }
    }
}

/// What outlives the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A folder, with keys, the dev CA and the journal.
    Kept(PathBuf),
    /// Nothing. The ready file is left in `home` too, unless a live one is there.
    Ephemeral {
        /// The folder in which clients look for a sandbox.
        home: Option<PathBuf>,
    },
}

/// Rule time at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStart {
    /// Running with wall time, or ahead of it by what the state folder says.
    Running,
    /// Frozen there, until it is moved or released.
    Frozen(Tick),
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            transport: Transport::Sockets(Listen::free_ports()),
            state: State::Ephemeral { home: None },
            ready_file: None,
            region: known("cn-hangzhou"),
            account: known("1000000000000001"),
            instances: 1,
            traits: Vec::new(),
            limits: Limits::default(),
            limit_sources: BTreeMap::new(),
            declared: Vec::new(),
            access_keys: Vec::new(),
            accounts: BTreeMap::new(),
            regions: BTreeMap::new(),
            urls: Urls::default(),
            names: Vec::new(),
            admin_token: None,
            no_auth: false,
            allow_unsigned: false,
            metadata_instance: None,
            enforce_tls: false,
            clock: ClockStart::Running,
            wall: Wall::system(),
            faults: Vec::new(),
            behaviours: Vec::new(),
            shells: Shells::default(),
            agent_version: AGENT_VERSION.to_owned(),
            machine: Machine {
                // They are reached by way of this machine alone.
                ip: Ipv4Addr::LOCALHOST.to_string(),
                ..Machine::here()
            },
            extensions: Extensions::ALL,
            seed: None,
            trace: None,
        }
    }
}

/// A literal that is well-formed, as the test below says.
#[allow(clippy::panic)]
fn known<T: std::str::FromStr>(literal: &str) -> T {
    match literal.parse() {
        Ok(value) => value,
        Err(_) => unreachable!("`{literal}` is well-formed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_well_formed_and_touch_nobodys_ports() {
        let config = SandboxConfig::default();

        assert_eq!(config.region.as_str(), "cn-hangzhou");
        assert_eq!(config.account.as_str(), "1000000000000001");
        assert_eq!(config.transport, Transport::Sockets(Listen::free_ports()));
    }
}
