//! A registry with its journal, its stream of events and a clock that is moved by hand.

use std::{collections::BTreeMap, time::Duration};

use axt_proto::{
    AccountId, Carried, ChannelId, ConnectionId, Event, EventKind, InstanceId, Limits, Reason,
    RegionId, Secret, SessionId, Tick,
};
use axt_registry::{
    AgentInfo, Changes, ClientToken, ConnectRefusal, ConnectRequest, Connecting, ConnectionStatus,
    ConnectionType, Effect, EndRefusal, Fingerprint, Fresh, InstancePatch, InstanceSpec,
    InstanceStatus, RegionPatch, Registry, Row, RowChange, RowKey, SessionTarget, StartRefusal,
    StartRequest, Started, Starter,
};

pub(crate) const ACCOUNT: &str = "1000000000000001";
pub(crate) const REGION: &str = "cn-hangzhou";

/// Reads any id from a literal.
pub(crate) fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("a valid id")
}

/// So many bytes each way.
pub(crate) fn carried(bytes_up: u64, bytes_down: u64) -> Carried {
    Carried {
        bytes_up,
        bytes_down,
        ..Carried::default()
    }
}

/// The token of a session that the world made.
pub(crate) fn token_of(session: &SessionId) -> String {
    format!("token-of-{session}")
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) now: Tick,
    pub(crate) journal: BTreeMap<RowKey, Row>,
    pub(crate) events: Vec<Event>,
    pub(crate) effects: Vec<Effect>,
    /// Whether each step is checked: off where there are so many that it would take minutes.
    pub(crate) is_checked: bool,
    fresh: u64,
}

impl World {
    /// One running instance, `i-1`, with an agent, under the documented limits.
    pub(crate) fn new() -> Self {
        let mut world = Self::empty(Limits::default());
        world.declare("i-1");
        world
    }

    pub(crate) fn empty(limits: Limits) -> Self {
        Self {
            registry: Registry::new(limits),
            now: Tick::from_millis(1_700_000_000_000),
            journal: BTreeMap::new(),
            events: Vec::new(),
            effects: Vec::new(),
            is_checked: true,
            fresh: 0,
        }
    }

    /// Takes changes as the relay does, and checks that the journal holds all that there is.
    pub(crate) fn take(&mut self, changes: Changes) {
        self.write(changes);
        if self.is_checked {
            self.check();
        }
    }

    fn check(&self) {
        self.registry.invariants().expect("the invariants hold");
        let rows = self.registry.rows().into_iter();
        let state: BTreeMap<_, _> = rows.map(|row| (row.key(), row)).collect();
        let mut journal = self.journal.clone();
        journal
            .entry(RowKey::Counters)
            .or_insert_with(|| Row::Counters(Default::default()));
        let diff: Vec<_> = state
            .iter()
            .filter(|(key, row)| journal.get(key).is_none_or(|kept| !same(kept, row)))
            .collect();
        assert!(diff.is_empty(), "the journal lacks {diff:?}");
        let surplus: Vec<_> = journal
            .keys()
            .filter(|key| !state.contains_key(key))
            .collect();
        assert!(surplus.is_empty(), "the journal still has {surplus:?}");
    }

    pub(crate) fn write(&mut self, changes: Changes) {
        for change in changes.rows {
            match change {
                RowChange::Put(row) => {
                    self.journal.insert(row.key(), row);
                }
                RowChange::Delete(key) => {
                    self.journal.remove(&key);
                }
            }
        }
        self.events.extend(changes.events);
        self.effects.extend(changes.effects);
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    pub(crate) fn advance_ms(&mut self, millis: u64) {
        self.advance(Duration::from_millis(millis));
    }

    pub(crate) fn tick(&mut self) {
        let changes = self.registry.tick(self.now);
        self.take(changes);
    }

    pub(crate) fn declare(&mut self, instance: &str) {
        let spec = InstanceSpec::new(id(instance), id(ACCOUNT), id(REGION));
        self.declare_as(spec);
        self.online(instance, "2.2.4.1065");
    }

    pub(crate) fn declare_as(&mut self, spec: InstanceSpec) {
        let changes = self.registry.declare_instance(self.now, spec);
        self.take(changes);
    }

    pub(crate) fn remove(&mut self, instance: &str) {
        let (answer, changes) = self.registry.remove_instance(self.now, &id(instance));
        self.take(changes);
        answer.expect("an instance");
    }

    pub(crate) fn patch(&mut self, instance: &str, patch: InstancePatch) {
        let (answer, changes) = self
            .registry
            .change_instance(self.now, &id(instance), patch);
        self.take(changes);
        answer.expect("an instance");
    }

    pub(crate) fn set_status(&mut self, instance: &str, status: InstanceStatus) {
        let status = Some(status);
        let patch = InstancePatch {
            status,
            ..Default::default()
        };
        self.patch(instance, patch);
    }

    pub(crate) fn switch(&mut self, patch: RegionPatch) {
        let changes = self.registry.change_region(self.now, &id(REGION), patch);
        self.take(changes);
    }

    pub(crate) fn set_session_manager(&mut self, is_on: bool) {
        let changes = self
            .registry
            .set_session_manager(self.now, &id(ACCOUNT), is_on);
        self.take(changes);
    }

    pub(crate) fn online(&mut self, instance: &str, version: &str) {
        let agent = AgentInfo::new(version);
        let changes = self.registry.agent_online(self.now, &id(instance), agent);
        self.take(changes);
    }

    pub(crate) fn offline(&mut self, instance: &str) {
        let changes = self.registry.agent_offline(self.now, &id(instance));
        self.take(changes);
    }

    /// Starts a session and commits it.
    pub(crate) fn start(&mut self, request: &StartRequest) -> Result<SessionId, StartRefusal> {
        let started = self.admit(request)?;
        let session = started.session.clone();
        self.commit(started);
        Ok(session)
    }

    /// Starts a shell session on an instance and commits it.
    pub(crate) fn start_on(&mut self, instance: &str) -> Result<SessionId, StartRefusal> {
        self.start(&shell(instance))
    }

    /// The id that the next session gets.
    pub(crate) fn next_session(&self) -> SessionId {
        id(&format!("s-{:05}", self.fresh + 1))
    }

    /// Starts a session and leaves it between admission and commit.
    pub(crate) fn admit(&mut self, request: &StartRequest) -> Result<Started, StartRefusal> {
        let session = self.next_session();
        self.fresh += 1;
        let token = Secret::new(token_of(&session));
        let fresh = Fresh { session, token };
        let (answer, changes) = self.registry.start(self.now, request, fresh);
        self.take(changes);
        answer
    }

    pub(crate) fn commit(&mut self, started: Started) {
        if let Some(commit) = started.commit {
            self.write(commit);
            let changes = self.registry.committed(self.now, &started.session);
            self.take(changes);
        }
    }

    pub(crate) fn roll_back(&mut self, started: &Started) {
        let changes = self.registry.rolled_back(self.now, &started.session);
        self.take(changes);
    }

    pub(crate) fn connect(&mut self, session: &SessionId) -> Result<Connecting, ConnectRefusal> {
        self.connect_with(session, &token_of(session))
    }

    pub(crate) fn connect_with(
        &mut self,
        session: &SessionId,
        token: &str,
    ) -> Result<Connecting, ConnectRefusal> {
        self.fresh += 1;
        let channel: ChannelId = id(&format!("ch-{}", self.fresh));
        let request = ConnectRequest {
            session,
            token,
            client_ip: "127.0.0.1",
            channel: &channel,
        };
        let (answer, changes) = self.registry.connect(self.now, request);
        self.take(changes);
        answer
    }

    /// Connects and pairs.
    pub(crate) fn connect_live(&mut self, session: &SessionId) -> ConnectionId {
        let connection = self.connect(session).expect("let in").connection;
        self.live(connection);
        connection
    }

    pub(crate) fn kicked(&mut self, connection: ConnectionId) {
        let changes = self.registry.kicked(self.now, connection);
        self.take(changes);
    }

    pub(crate) fn live(&mut self, connection: ConnectionId) {
        let changes = self.registry.live(self.now, connection);
        self.take(changes);
    }

    pub(crate) fn close(&mut self, connection: ConnectionId, reason: Reason) {
        let changes = self
            .registry
            .closed(self.now, connection, reason, carried(3, 4));
        self.take(changes);
    }

    pub(crate) fn fail(&mut self, connection: ConnectionId, reason: Reason) {
        let changes = self
            .registry
            .failed(self.now, connection, reason, "in words");
        self.take(changes);
    }

    pub(crate) fn end(&mut self, session: &SessionId) -> Result<(), EndRefusal> {
        self.end_as(ACCOUNT, session)
    }

    pub(crate) fn end_as(&mut self, account: &str, session: &SessionId) -> Result<(), EndRefusal> {
        let account: AccountId = id(account);
        let region: RegionId = id(REGION);
        let (answer, changes) = self.registry.end(self.now, &account, &region, session);
        self.take(changes);
        answer
    }

    pub(crate) fn reset(&mut self) {
        let changes = self.registry.reset(self.now);
        self.take(changes);
    }

    /// The relay is killed and started again.
    pub(crate) fn restart(&mut self) {
        let rows = self.journal.values().cloned();
        let limits = self.registry.limits().clone();
        let (registry, changes) = Registry::restore(limits, rows, self.now);
        self.registry = registry;
        self.take(changes);
    }

    /// Active sessions of the account in the region.
    pub(crate) fn active(&self) -> u32 {
        self.registry.sessions_usage(&id(ACCOUNT), &id(REGION)).used
    }

    /// Slots taken on an instance.
    pub(crate) fn connected(&self, instance: &str) -> u32 {
        let instance: InstanceId = id(instance);
        self.registry.connections_usage(&instance).used
    }

    pub(crate) fn status(&self, connection: ConnectionId) -> ConnectionStatus {
        self.registry
            .connection(connection)
            .expect("a record")
            .status
    }

    pub(crate) fn reason(&self, connection: ConnectionId) -> Option<Reason> {
        let connection = self.registry.connection(connection).expect("a record");
        connection.end.as_ref().expect("an end").reason
    }

    pub(crate) fn count_events(&self, kind: &EventKind) -> usize {
        self.events
            .iter()
            .filter(|event| event.kind == *kind)
            .count()
    }
}

/// What is not journalled is no difference: an agent's presence, an end that was asked for.
fn same(kept: &Row, row: &Row) -> bool {
    match (kept, row) {
        (Row::Instance(kept), Row::Instance(row)) => {
            let mut row = row.clone();
            row.presence = kept.presence;
            *kept == row
        }
        (Row::Connection(kept), Row::Connection(row)) => {
            let mut row = row.clone();
            row.closing = kept.closing;
            *kept == row
        }
        (Row::Session(kept), Row::Session(row)) => {
            let mut kept = kept.clone();
            kept.is_committed = row.is_committed;
            kept == *row
        }
        _ => kept == row,
    }
}

pub(crate) fn shell(instance: &str) -> StartRequest {
    StartRequest {
        account: id(ACCOUNT),
        region: id(REGION),
        instance: id(instance),
        target: SessionTarget::Shell { command_line: None },
        username: None,
        password_name: None,
        connection_type: ConnectionType::Internet,
        encryption: false,
        client_token: None,
        starter: Starter::default(),
        base_url: "wss://localhost:7443".to_owned(),
    }
}

pub(crate) fn forward(instance: &str, port: u16) -> StartRequest {
    let target = SessionTarget::Port {
        port,
        target_server: None,
    };
    StartRequest {
        target,
        ..shell(instance)
    }
}

pub(crate) fn with_token(request: StartRequest, token: &str, fingerprint: u8) -> StartRequest {
    let client_token = Some(ClientToken {
        token: token.to_owned(),
        fingerprint: Fingerprint(vec![fingerprint]),
    });
    StartRequest {
        client_token,
        ..request
    }
}
