//! What exists now.

use std::collections::BTreeMap;

use axt_proto::{AccountId, Carried, ConnectionId, InstanceId, RegionId, SessionId};
use serde::{Deserialize, Serialize};

use super::{InstanceStatus, OsType};

/// The answer of `GET /v1/state`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Rule time, Unix milliseconds.
    pub now_ms: u64,
    /// Whether rule time stands still.
    pub frozen: bool,
    /// All instances.
    pub instances: Vec<InstanceState>,
    /// Sessions that are in memory, newest first.
    pub sessions: Vec<SessionState>,
    /// Connections that have not ended.
    pub connections: Vec<ConnectionState>,
    /// Sessions that count, for each region and account.
    pub usage: Vec<UsageState>,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceState {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Where.
    pub region: RegionId,
    /// Whose.
    pub account: AccountId,
    /// Its power state.
    pub status: InstanceStatus,
    /// Its system.
    pub os_type: OsType,
    /// Whether its agent is there.
    pub agent_online: bool,
    /// The agent's version, when it told one.
    pub agent_version: Option<String>,
    /// Connections that hold a slot.
    pub connections: u32,
    /// Of how many.
    pub connections_limit: u32,
    /// Its private address, possibly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub intranet_ip: String,
    /// Ports that its security group refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_ports: Vec<u16>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// Its id.
    pub id: SessionId,
    /// Where to.
    pub instance: InstanceId,
    /// Where.
    pub region: RegionId,
    /// Whose.
    pub account: AccountId,
    /// `issued`, `in_use`, `expired` or `ended`.
    pub state: String,
    /// Rule time of StartTerminalSession, Unix milliseconds.
    pub created_ms: u64,
    /// Rule time until which the URL opens connections, Unix milliseconds.
    pub url_expires_ms: u64,
    /// The port, when it forwards one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Connections that have not ended.
    pub connections: u32,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionState {
    /// Its id.
    pub id: ConnectionId,
    /// Of which session.
    pub session: SessionId,
    /// Where to.
    pub instance: InstanceId,
    /// `kicked`, `live`, `closed` or `failed`.
    pub state: String,
    /// Rule time of the upgrade, Unix milliseconds.
    pub opened_ms: u64,
    /// The client's address, without port.
    pub client_ip: String,
    /// Rule time at which the agent's channel was paired with it, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_ms: Option<u64>,
    /// Rule time at which it will have been idle for too long, if nothing passes until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_deadline_ms: Option<u64>,
    /// What has gone through it until now.
    #[serde(flatten, default)]
    pub carried: Carried,
}

/// Sessions that count in a region for an account (R6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageState {
    /// Where.
    pub region: RegionId,
    /// Whose.
    pub account: AccountId,
    /// Sessions created and active.
    pub sessions: u32,
    /// Of how many.
    pub sessions_limit: u32,
}

/// The answer of `GET /v1/limits`: each limit by name.
pub type LimitsAnswer = BTreeMap<String, LimitState>;

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitState {
    /// Its value, in the unit that its name ends with.
    pub value: u64,
    /// Where it was set: `default`, `flag`, `environment`, or a file.
    pub source: String,
    /// The greatest use of it now, in the same unit, where a use is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Whose use that is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<String>,
}
