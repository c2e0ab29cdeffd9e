//! Looking at the registry without changing it.

use axt_proto::{AccountId, ConnectionId, InstanceId, RegionId, SessionId};

use crate::{
    Account, Activation, ActivationId, Connection, Instance, RegionSwitches, Registry, Row,
    Session, index::count,
};

/// How much of a limit is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Taken now.
    pub used: u32,
    /// At most.
    pub limit: u32,
}

impl Usage {
    fn new(used: usize, limit: u32) -> Self {
        Self {
            used: u32::try_from(used).unwrap_or(u32::MAX),
            limit,
        }
    }

    /// Whether nothing more fits.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.used >= self.limit
    }
}

impl Registry {
    /// The session, once it is committed.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.get(id).filter(|session| session.is_committed)
    }

    /// All committed sessions of all regions and accounts, newest first. Sorted at each call.
    #[must_use]
    pub fn sessions(&self) -> Vec<&Session> {
        let committed = self.sessions.values().filter(|one| one.is_committed);
        let mut sessions: Vec<_> = committed.collect();
        sessions.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        sessions
    }

    /// A session's connections, oldest first.
    pub fn connections_of(&self, session: &SessionId) -> impl Iterator<Item = &Connection> {
        let ids = self.index.of_session.get(session).into_iter().flatten();
        ids.filter_map(|id| self.connections.get(id))
    }

    /// A connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&id)
    }

    /// Connections that hold a slot, by instance, oldest first.
    pub fn live_connections(&self) -> impl Iterator<Item = &Connection> {
        let ids = self.index.live_on.values().flatten();
        ids.filter_map(|id| self.connections.get(id))
    }

    /// Whether a connection of the session is live.
    #[must_use]
    pub fn is_in_use(&self, session: &SessionId) -> bool {
        self.index.live_of_session.contains_key(session)
    }

    /// Whether the session counts against its region (limits-and-semantics 2).
    #[must_use]
    pub fn is_active(&self, id: &SessionId) -> bool {
        let active = |session: &Session| self.index.active.get(&session.scope());
        let active = self.sessions.get(id).and_then(active);
        active.is_some_and(|active| active.contains(id))
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
    pub fn switches(&self, region: &RegionId) -> RegionSwitches {
        self.regions
            .get(region)
            .map_or_else(RegionSwitches::default, |region| region.switches)
    }

    /// An account; the default one when it was never changed.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Account {
        let known = self.accounts.get(id).cloned();
        known.unwrap_or_else(|| Account::new(id.clone()))
    }

    /// An activation.
    #[must_use]
    pub fn activation(&self, id: &ActivationId) -> Option<&Activation> {
        self.activations.get(id)
    }

    /// All activations, by id.
    pub fn activations(&self) -> impl Iterator<Item = &Activation> {
        self.activations.values()
    }

    /// An account's active sessions in a region (limits-and-semantics R6).
    #[must_use]
    pub fn sessions_usage(&self, account: &AccountId, region: &RegionId) -> Usage {
        let scope = (account.clone(), region.clone());
        let active = count(&self.index.active, &scope);
        Usage::new(active, self.limits.sessions_per_region)
    }

    /// An instance's connections (limits-and-semantics R7).
    #[must_use]
    pub fn connections_usage(&self, instance: &InstanceId) -> Usage {
        let live = count(&self.index.live_on, instance);
        Usage::new(live, self.limits.connections_per_instance)
    }

    /// The whole state as rows, as the journal would hold them: what is uncommitted is left out.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let sessions = self.sessions.values().filter(|one| one.is_committed);
        let regions = self.regions.values().cloned().map(Row::Region);
        let accounts = self.accounts.values().cloned().map(Row::Account);
        let instances = self.instances.values().cloned().map(Box::new);
        let activations = self.activations.values().cloned().map(Box::new);
        let connections = self.connections.values().cloned().map(Box::new);
        let tokens = self.ledger.remembered().cloned().map(Box::new);
        let commands = self.commands.values().cloned().map(Box::new);
        let invocations = self.invocations.values().cloned().map(Box::new);
        let runs = self.runs.values().cloned().map(Box::new);
        regions
            .chain(accounts)
            .chain(instances.map(Row::Instance))
            .chain(activations.map(Row::Activation))
            .chain(sessions.cloned().map(Box::new).map(Row::Session))
            .chain(connections.map(Row::Connection))
            .chain(tokens.map(Row::Token))
            .chain(commands.map(Row::Command))
            .chain(invocations.map(Row::Invocation))
            .chain(runs.map(Row::Run))
            .chain([Row::Counters(self.counters)])
            .collect()
    }
}
