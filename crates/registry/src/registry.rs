//! The registry's state, and the frame that every command runs in.

use std::collections::BTreeMap;

use axt_proto::{
    AccountId, CommandId, ConnectionId, Event, EventKind, InstanceId, InvocationId, Limits,
    RegionId, SessionId, Tick,
};

use crate::{
    Account, Activation, ActivationId, Changes, Command, Connection, Counters, Effect, Instance,
    Invocation, Region, Row, RowChange, RowKey, Run, Session, index::Index, ledger::Ledger,
    run::RunKey,
};

/// All that exists, and every rule that needs to know it. See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) limits: Limits,
    pub(crate) regions: BTreeMap<RegionId, Region>,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    pub(crate) activations: BTreeMap<ActivationId, Activation>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) commands: BTreeMap<CommandId, Command>,
    pub(crate) invocations: BTreeMap<InvocationId, Invocation>,
    pub(crate) runs: BTreeMap<RunKey, Run>,
    pub(crate) ledger: Ledger,
    pub(crate) counters: Counters,
    /// Derived from all of the above.
    pub(crate) index: Index,
}

/// No instance has that id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no instance `{0}`")]
pub struct UnknownInstance(pub InstanceId);

/// A command in progress: its instant, and what it has changed so far.
pub(crate) struct Step {
    pub(crate) now: Tick,
    pub(crate) changes: Changes,
}

impl Step {
    pub(crate) fn new(now: Tick) -> Self {
        Self {
            now,
            changes: Changes::default(),
        }
    }

    pub(crate) fn put(&mut self, row: Row) {
        self.changes.rows.push(RowChange::Put(row));
    }

    pub(crate) fn delete(&mut self, key: RowKey) {
        self.changes.rows.push(RowChange::Delete(key));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.changes.effects.push(effect);
    }
}

/// Whom an event is about.
#[derive(Default)]
pub(crate) struct Subject {
    pub(crate) instance: Option<InstanceId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) connection: Option<ConnectionId>,
}

impl Registry {
    /// An empty registry with these limits, which the caller has checked.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            regions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            instances: BTreeMap::new(),
            activations: BTreeMap::new(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            commands: BTreeMap::new(),
            invocations: BTreeMap::new(),
            runs: BTreeMap::new(),
            ledger: Ledger::default(),
            counters: Counters::default(),
            index: Index::default(),
        }
    }

    /// The limits that it keeps.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Runs a command on the state as it is at `now`: deadlines that are due come first, and
    /// those that the command itself makes due (a commit that came late) come right after.
    pub(crate) fn step<A>(
        &mut self,
        now: Tick,
        command: impl FnOnce(&mut Self, &mut Step) -> A,
    ) -> (A, Changes) {
        let before = self.counters;
        let mut step = Step::new(now);
        self.run_deadlines(&mut step);
        let answer = command(self, &mut step);
        self.run_deadlines(&mut step);
        if self.counters != before {
            step.put(Row::Counters(self.counters));
        }
        (answer, step.changes)
    }

    pub(crate) fn emit(
        &mut self,
        step: &mut Step,
        region: &RegionId,
        subject: Subject,
        kind: EventKind,
    ) {
        let seq = self.counters.next_seq;
        self.counters.next_seq = seq.saturating_add(1);
        step.changes.events.push(Event {
            seq,
            at: step.now,
            kind,
            region: region.clone(),
            instance: subject.instance,
            session: subject.session,
            connection: subject.connection,
        });
    }

    /// An event about a session, and perhaps about one of its connections.
    pub(crate) fn emit_session(
        &mut self,
        step: &mut Step,
        id: &SessionId,
        connection: Option<ConnectionId>,
        kind: EventKind,
    ) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let region = session.region.clone();
        let subject = Subject {
            instance: Some(session.instance.clone()),
            session: Some(id.clone()),
            connection,
        };
        self.emit(step, &region, subject, kind);
    }

    pub(crate) fn put_session(&self, step: &mut Step, id: &SessionId) {
        if let Some(session) = self.sessions.get(id).filter(|one| one.is_committed) {
            step.put(Row::Session(Box::new(session.clone())));
        }
    }

    pub(crate) fn put_connection(&self, step: &mut Step, id: ConnectionId) {
        if let Some(connection) = self.connections.get(&id) {
            step.put(Row::Connection(Box::new(connection.clone())));
        }
    }

    pub(crate) fn put_instance(&self, step: &mut Step, id: &InstanceId) {
        if let Some(instance) = self.instances.get(id) {
            step.put(Row::Instance(Box::new(instance.clone())));
        }
    }
}
