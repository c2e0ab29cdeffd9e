//! Declaring and changing instances and regions.

use std::collections::BTreeMap;

use axt_proto::{AccountId, InstanceId, RegionId};
use serde::{Deserialize, Serialize};

/// The power state of an instance, in the API's own words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceStatus {
    /// Being created.
    Pending,
    /// On its way up.
    Starting,
    /// Up: the only state in which sessions start (R1).
    #[default]
    Running,
    /// On its way down.
    Stopping,
    /// Down.
    Stopped,
}

/// The operating system family of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OsType {
    /// Linux.
    #[default]
    Linux,
    /// Windows.
    Windows,
    /// FreeBSD.
    #[serde(rename = "FreeBSD")]
    FreeBsd,
}

/// The body of `POST /v1/instances`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceDeclaration {
    /// Its id; absent: one is made.
    pub id: Option<InstanceId>,
    /// Its name; absent: the id.
    pub name: Option<String>,
    /// Its region; absent: the default one.
    pub region: Option<RegionId>,
    /// Whose; absent: the default account.
    pub account: Option<AccountId>,
    /// Its state; absent: `Running`.
    pub status: Option<InstanceStatus>,
    /// Its system; absent: `Linux`.
    pub os_type: Option<OsType>,
    /// PEM of the key that its agent signs with.
    pub public_key: Option<String>,
    /// What its agent signs beside its id; absent: empty.
    pub machine_id: Option<String>,
    /// The agent's version before it ever told one.
    pub agent_version: Option<String>,
    /// Ports that its security group refuses.
    pub denied_ports: Vec<u16>,
    /// Its private address; absent: none.
    pub intranet_ip: Option<String>,
    /// Its public address; absent: none.
    pub internet_ip: Option<String>,
}

/// The body of `PATCH /v1/instances/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceChange {
    /// Another region. Sessions that exist stay in the one they were made in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Another host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// Other tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<InstanceStatus>,
    /// Another system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_type: Option<OsType>,
    /// A version to be taken for the agent's, whatever it says; an empty text goes back to what it
    /// says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Ports that its security group refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_ports: Option<Vec<u16>>,
}

/// The body of `PATCH /v1/regions/{id}`: what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionChange {
    /// Whether the session API exists there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_supported: Option<bool>,
    /// Whether ports can be forwarded there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_forwarding: Option<bool>,
    /// Whether there is an intranet endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intranet: Option<bool>,
    /// Make the journal's commit fail, so that Start answers `InternalError.Dispatch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch_failure: Option<bool>,
    /// Keep Start between admission and commit until released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_commit: Option<bool>,
    /// Let sessions start while the agent is away; their connections then fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_without_agent: Option<bool>,
    /// Let a shell session have one live connection only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_shell_connection: Option<bool>,
}
