//! One session, with all that is known of its life.

use axt_proto::{Carried, ConnectionId};
use serde::{Deserialize, Serialize};

use super::{EventLine, SessionState};

/// The answer of `GET /v1/sessions/{id}`: a session with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// Rule time, Unix milliseconds.
    pub now_ms: u64,
    /// The session.
    pub session: SessionState,
    /// Who started it.
    pub starter: StarterState,
    /// The host whose port is forwarded, when it is not the instance itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_server: Option<String>,
    /// As which user, when one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether it counts against its region.
    pub is_active: bool,
    /// Its connections that are remembered, oldest first.
    pub connections: Vec<ConnectionRecord>,
    /// Its events, oldest first, from the journal: the first 100 and the latest 100.
    pub events: Vec<EventLine>,
}

/// Who started a session (ecs-api 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StarterState {
    /// `Account`, `RAMUser` or `AssumedRoleUser`.
    pub identity_type: String,
    /// The id behind it.
    pub principal_id: String,
    /// The caller's address, without port.
    pub client_ip: String,
}

/// A connection, over or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRecord {
    /// Its id.
    pub id: ConnectionId,
    /// `kicked`, `live`, `closed` or `failed`.
    pub state: String,
    /// The client's address, without port.
    pub client_ip: String,
    /// Rule time of the upgrade, Unix milliseconds.
    pub opened_ms: u64,
    /// Rule time at which the agent was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kicked_ms: Option<u64>,
    /// Rule time at which the agent's channel was paired with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_ms: Option<u64>,
    /// Rule time of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// Why it ended, in history's word; absent too for an upgrade that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In words, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What has gone through it until now.
    #[serde(flatten)]
    pub carried: Carried,
}
