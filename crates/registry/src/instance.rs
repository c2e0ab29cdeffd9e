//! Instances, and what is known of their agents.

use std::collections::{BTreeMap, BTreeSet};

use axt_proto::{AccountId, InstanceId, RegionId, Tick};
use serde::{Deserialize, Serialize};

use crate::{ActivationId, supports_session_manager};

/// Where an instance stands in its power cycle (DescribeInstances' `Status`). A managed instance
/// has none and counts as running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InstanceStatus {
    /// Being created.
    Pending,
    /// The only one that lets sessions in (limits-and-semantics R1).
    #[default]
    Running,
    /// Being started.
    Starting,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
}

/// An instance's operating system, in the API's spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OsType {
    /// Linux.
    #[default]
    #[serde(alias = "linux")]
    Linux,
    /// Windows.
    #[serde(alias = "windows")]
    Windows,
    /// FreeBSD.
    #[serde(alias = "freebsd", alias = "FreeBSD", rename = "FreeBSD")]
    FreeBsd,
}

/// What somebody declares an instance to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSpec {
    /// `i-…`, or `mi-…` for a managed one.
    pub id: InstanceId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it is.
    pub region: RegionId,
    /// Its display name.
    pub name: String,
    /// Its host name.
    pub host_name: String,
    /// Where it stands in its power cycle.
    pub status: InstanceStatus,
    /// Its operating system.
    pub os_type: OsType,
    /// The operating system's version in words, possibly empty.
    pub os_version: String,
    /// The agent's version when it shall pass for another than the agent itself reports.
    pub agent_version: Option<String>,
    /// What its agent signs beside its id. `None` for an agent that does not sign.
    pub machine_id: Option<String>,
    /// What its agent's signatures are checked with: opaque here.
    pub public_key: Option<String>,
    /// Ports that its security group's inbound rules deny.
    pub denied_ports: BTreeSet<u16>,
    /// Its private address, possibly empty.
    pub intranet_ip: String,
    /// Its public address, possibly empty.
    pub internet_ip: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl InstanceSpec {
    /// A running Linux instance that is named after its id and has nothing special.
    #[must_use]
    pub fn new(id: InstanceId, account: AccountId, region: RegionId) -> Self {
        Self {
            name: id.to_string(),
            host_name: id.to_string(),
            id,
            account,
            region,
            status: InstanceStatus::Running,
            os_type: OsType::Linux,
            os_version: String::new(),
            agent_version: None,
            machine_id: None,
            public_key: None,
            denied_ports: BTreeSet::new(),
            intranet_ip: String::new(),
            internet_ip: String::new(),
            tags: BTreeMap::new(),
        }
    }
}

/// Which parts of an instance to change; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstancePatch {
    /// See [`InstanceSpec::region`]. Sessions that exist stay in the region they were made in.
    pub region: Option<RegionId>,
    /// See [`InstanceSpec::name`].
    pub name: Option<String>,
    /// See [`InstanceSpec::host_name`].
    pub host_name: Option<String>,
    /// See [`InstanceSpec::status`]. Leaving `Running` ends live connections and commands.
    pub status: Option<InstanceStatus>,
    /// See [`InstanceSpec::os_type`].
    pub os_type: Option<OsType>,
    /// See [`InstanceSpec::agent_version`]; an empty text goes back to what the agent reports.
    pub agent_version: Option<String>,
    /// See [`InstanceSpec::denied_ports`].
    pub denied_ports: Option<BTreeSet<u16>>,
    /// See [`InstanceSpec::tags`].
    pub tags: Option<BTreeMap<String, String>>,
}

impl InstancePatch {
    /// Changes `spec` as this says.
    pub fn apply(self, spec: &mut InstanceSpec) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut spec.region, self.region);
        set(&mut spec.name, self.name);
        set(&mut spec.host_name, self.host_name);
        set(&mut spec.status, self.status);
        set(&mut spec.os_type, self.os_type);
        set(&mut spec.denied_ports, self.denied_ports);
        set(&mut spec.tags, self.tags);
        let version = self
            .agent_version
            .map(|text| Some(text).filter(|text| !text.is_empty()));
        set(&mut spec.agent_version, version);
    }
}

/// What an agent tells of itself when it comes online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its version, four numbers with dots.
    pub version: String,
    /// The extensions that it announced (design, "Extensions that official peers never notice").
    pub extensions: BTreeSet<String>,
    /// Whether it can encrypt sessions; no official one announces it (limits-and-semantics R18).
    pub encryption: bool,
    /// Whether it can forward ports.
    pub port_forwarding: bool,
}

impl AgentInfo {
    /// An agent of that version which forwards ports, encrypts nothing and has no extension.
    #[must_use]
    pub fn new(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            extensions: BTreeSet::new(),
            encryption: false,
            port_forwarding: true,
        }
    }
}

/// Whether an agent is there now. Judged on link time by the relay (notify channel open, or a
/// heart-beat within 150 s), told here, and unknown after a restart until the agent is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whether it counts as online.
    pub is_online: bool,
    /// Rule time of its last heart-beat.
    pub last_heart_beat: Option<Tick>,
}

/// How a managed instance came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// By which activation.
    pub activation: ActivationId,
    /// When.
    pub at: Tick,
}

/// An instance as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// What it was declared to be.
    pub spec: InstanceSpec,
    /// When it was first declared.
    pub declared: Tick,
    /// What its agent last told of itself; `None` when none has ever been online.
    pub agent: Option<AgentInfo>,
    /// How it was registered, if it was.
    pub registered: Option<Registered>,
    /// Whether InstallCloudAssistant was called for it (ecs-api 3.5).
    pub install_asked: bool,
    /// How many commands it was sent (`InvocationCount` of ecs-api 3.4 and 3.9).
    #[serde(default)]
    pub invocations: u64,
    /// When a command was last sent to it.
    #[serde(default)]
    pub last_invoked: Option<Tick>,
    /// Whether its agent is there now; not journalled.
    #[serde(skip)]
    pub presence: Presence,
}

impl Instance {
    /// The version that its agent passes for; `None` without any agent.
    #[must_use]
    pub fn agent_version(&self) -> Option<&str> {
        let reported = || self.agent.as_ref().map(|agent| agent.version.as_str());
        self.spec.agent_version.as_deref().or_else(reported)
    }

    /// Whether its agent's version has the session manager: `SupportSessionManager`, and whether
    /// connections are kicked (limits-and-semantics R3).
    #[must_use]
    pub fn supports_session_manager(&self) -> bool {
        self.agent_version()
            .is_some_and(|version| supports_session_manager(self.spec.os_type, version))
    }

    /// Whether it is up: `Running`, or managed and so without a power state
    /// (limits-and-semantics R1).
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.spec.id.is_managed() || self.spec.status == InstanceStatus::Running
    }
}
