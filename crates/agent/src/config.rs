//! What an agent is told before it starts.

use std::{sync::Arc, time::Duration};

use axt_control::luban::Signer;
use axt_net::{
    clock::Clock,
    http::HttpClient,
    tap::{Label, Tap, Taps},
    tls::ClientTls,
    transport::Dialer,
    wall::Wall,
};
use axt_proto::{ChannelId, Extensions, InstanceId, Limits};
use tokio::sync::Semaphore;

use crate::{behaviour::Behaviour, machine::Machine, outage::Outage, shell::HelperProgram};

/// The version that an agent says it has, unless told otherwise.
pub const AGENT_VERSION: &str = "2.2.4.1065";

/// How many agents of one process dial at once.
const AT_ONCE: usize = 16;
/// What two connections that come one upon the other need: the list, the data channel, and the status
/// of its end.
const SIGNED_AHEAD: usize = 6;

/// One agent of one instance.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The relay's root: `https://HOST[:PORT]` or `http://…`, without a path.
    pub server: String,
    /// Who the agent is. Instances of one process may share a key.
    pub signer: Signer,
    /// Four numbers with dots, see [`AGENT_VERSION`].
    pub version: String,
    /// What it says of its machine. Agents of one process share it.
    pub machine: Arc<Machine>,
    /// What it opens when a session wants a shell.
    pub shells: Shells,
    /// The extensions that it announces; with [`Extensions::NONE`] it sends no header, as an
    /// official agent.
    pub extensions: Extensions,
    /// How long a session may be idle where the relay does not tell.
    pub idle_timeout: Duration,
    /// Whether it asks the relay for its rule time and moves its own clock along. Of no use where
    /// both share a clock.
    pub follow_clock: bool,
    /// How many requests are signed ahead, so that opening a session waits for no signature. Each
    /// costs about 2 ms of CPU a minute, so many simulated instances do without.
    pub signed_ahead: usize,
    /// Whether this is its first start since the machine's: it tells the relay so.
    pub is_cold_start: bool,
    /// What is wrong with it: nothing, usually.
    pub behaviour: Behaviour,
    /// Request ids and back-off depend on this alone, where it is given.
    pub seed: Option<u64>,
}

impl AgentConfig {
    /// An agent like any other: this version, shells through `axt __shell`, all extensions.
    #[must_use]
    pub fn new(server: impl Into<String>, signer: Signer, machine: Arc<Machine>) -> Self {
        Self {
            server: server.into(),
            signer,
            version: AGENT_VERSION.to_owned(),
            machine,
            shells: Shells::default(),
            extensions: Extensions::ALL,
            idle_timeout: Limits::default().idle_timeout(),
            follow_clock: false,
            is_cold_start: false,
            behaviour: Behaviour::default(),
            signed_ahead: SIGNED_AHEAD,
            seed: None,
        }
    }

    /// Whether it is one of many in its process: then what is not urgent is not done at the start,
    /// so that all of them are online sooner.
    pub(crate) const fn is_one_of_many(&self) -> bool {
        self.signed_ahead == 0
    }
}

/// What an agent opens when a session wants a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shells {
    /// Shells of this machine.
    Real {
        /// What starts them.
        helper: HelperProgram,
        /// Whether background jobs outlive their shell, as with the official agent.
        keep_background: bool,
    },
    /// The scripted shell of the simulation: deterministic, in memory, knowing `echo TEXT`,
    /// `exit [N]`, `size`, `flood N` and Ctrl-C.
    Scripted,
}

impl Default for Shells {
    fn default() -> Self {
        Self::Real {
            helper: HelperProgram::default(),
            keep_background: false,
        }
    }
}

/// What the agents of one process share: connections, trust and clocks.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// How the relay is reached.
    pub dialer: Dialer,
    /// How the targets of forwards are reached.
    pub targets: Dialer,
    /// Whom they trust.
    pub tls: ClientTls,
    /// Calls to the relay, pooled.
    pub http: HttpClient,
    /// Rule time.
    pub clock: Clock,
    /// Wall time.
    pub wall: Wall,
    /// Who dials its notify channel, or tells what nobody waits for: so many at once, in order. When
    /// all agents of one process start, or lose their relay, each is through in a moment; together they
    /// would be in each other's way until their handshakes were too old.
    pub(crate) turns: Arc<Semaphore>,
    /// What they have said of a relay that is away.
    pub(crate) outage: Outage,
    /// Sees each frame of each data channel, each call, and what passes on the notify channel.
    pub taps: Taps,
    /// Whether what people type and read is for those taps too.
    pub taps_payload: bool,
}

impl Surroundings {
    /// Agents that reach both the relay and targets by `dialer`.
    #[must_use]
    pub fn new(dialer: Dialer, tls: ClientTls, clock: Clock, wall: Wall) -> Self {
        Self {
            http: HttpClient::new(dialer.clone(), tls.clone()),
            targets: dialer.clone(),
            dialer,
            tls,
            clock,
            wall,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            outage: Outage::default(),
            taps: Taps::none(),
            taps_payload: false,
        }
    }

    /// The tap of a channel.
    pub(crate) fn channel_tap(&self, instance: &InstanceId, channel: &ChannelId) -> Tap {
        if self.taps.is_none() {
            return Tap::none();
        }
        let label = Label {
            name: format!("agent.{instance}.{channel}"),
            ids: vec![
                ("instance", instance.to_string()),
                ("channel", channel.to_string()),
            ],
            is_shared: false,
        };
        self.taps.tap(label, self.taps_payload)
    }

    /// The tap of an instance's control plane.
    pub(crate) fn control_tap(&self, instance: &InstanceId) -> Tap {
        if self.taps.is_none() {
            return Tap::none();
        }
        let label = Label {
            name: format!("agent.{instance}.control"),
            ids: vec![("instance", instance.to_string())],
            is_shared: false,
        };
        self.taps.tap(label, self.taps_payload)
    }
}
