//! The life of a connection after the upgrade: told, paired, ended once.

use axt_proto::{Carried, ConnectionId, EventKind, InstanceId, Reason, Tick};

use crate::{
    Changes, ConnectionStatus, Effect, End, Registry, RowKey,
    index::{count, members},
    registry::Step,
};

/// How a connection is to end.
pub(crate) struct Ending {
    reason: Option<Reason>,
    /// Whether it was of no use to its client, with the words why.
    failure: Option<String>,
    carried: Carried,
}

impl Ending {
    pub(crate) fn failed(reason: Option<Reason>, detail: &str) -> Self {
        Self {
            reason,
            failure: Some(detail.to_owned()),
            carried: Carried::default(),
        }
    }

    pub(crate) fn closed(reason: Reason, carried: Carried) -> Self {
        let is_failure = reason.is_failure() && carried.bytes_down == 0;
        Self {
            reason: Some(reason),
            failure: is_failure.then(|| reason.word().to_owned()),
            carried,
        }
    }
}

impl Registry {
    /// The agent was told to open the connection's channel. Nothing changes for one that was told
    /// before, is paired already, or has ended.
    pub fn kicked(&mut self, now: Tick, id: ConnectionId) -> Changes {
        let kicked = |registry: &mut Self, step: &mut Step| {
            if let Some(connection) = registry.connections.get_mut(&id)
                && connection.status == ConnectionStatus::Connecting
                && connection.kicked.is_none()
            {
                connection.kicked = Some(step.now);
                registry.changed(step, id, EventKind::ConnectionKicked);
            }
        };
        self.step(now, kicked).1
    }

    /// The agent's data channel is paired with the client. Nothing changes for a connection that
    /// is not waiting for it.
    pub fn live(&mut self, now: Tick, id: ConnectionId) -> Changes {
        let live = |registry: &mut Self, step: &mut Step| {
            if let Some(connection) = registry.connections.get_mut(&id)
                && connection.status == ConnectionStatus::Connecting
            {
                connection.status = ConnectionStatus::Connected;
                connection.kicked = connection.kicked.or(Some(step.now));
                connection.connected = Some(step.now);
                registry.changed(step, id, EventKind::ConnectionLive);
            }
        };
        self.step(now, live).1
    }

    /// The connection's teardown is done: its slot is given back. Only the first report of an end
    /// counts.
    ///
    /// A reason that makes a connection useless ([`Reason::is_failure`]) fails it when nothing had
    /// come down yet. Where the registry has asked for the end by
    /// [`Effect::Close`], its reason stands.
    pub fn closed(
        &mut self,
        now: Tick,
        id: ConnectionId,
        reason: Reason,
        carried: Carried,
    ) -> Changes {
        self.step(now, |registry, step| {
            let asked = registry.connections.get(&id).and_then(|one| one.closing);
            let ending = match asked {
                // What was in use and is taken away was of use.
                Some(reason) => Ending {
                    reason: Some(reason),
                    failure: None,
                    carried,
                },
                None => Ending::closed(reason, carried),
            };
            registry.finish(step, id, ending);
        })
        .1
    }

    /// The connection never came to be of use: its slot is given back. Only the first report of an
    /// end counts, and where the registry has asked for the end its reason stands, as in
    /// [`closed`](Self::closed).
    pub fn failed(&mut self, now: Tick, id: ConnectionId, reason: Reason, detail: &str) -> Changes {
        self.step(now, |registry, step| {
            let asked = registry.connections.get(&id).and_then(|one| one.closing);
            let ending = match asked {
                Some(reason) => Ending {
                    failure: None,
                    ..Ending::failed(Some(reason), "")
                },
                None => Ending::failed(Some(reason), detail),
            };
            registry.finish(step, id, ending);
        })
        .1
    }

    /// Asks the relay to end a live connection. Its slot is given back when that is done.
    pub(crate) fn ask_to_close(&mut self, step: &mut Step, id: ConnectionId, reason: Reason) {
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.status.is_live()
            && connection.closing.is_none()
        {
            connection.closing = Some(reason);
            step.effect(Effect::Close {
                connection: id,
                reason,
            });
        }
    }

    /// The one way out: whatever ends a connection ends it here, and only once.
    pub(crate) fn finish(&mut self, step: &mut Step, id: ConnectionId, ending: Ending) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if !connection.status.is_live() {
            return;
        }
        let failed = ending.failure.is_some();
        connection.status = match failed {
            true => ConnectionStatus::Failed,
            false => ConnectionStatus::Terminated,
        };
        connection.closing = None;
        connection.end = Some(End {
            at: step.now,
            reason: ending.reason,
            detail: ending.failure.clone(),
            carried: ending.carried,
        });
        if connection.kicked.is_some() && !ending.reason.is_some_and(is_told_by_agent) {
            step.effect(Effect::Stop {
                instance: connection.instance.clone(),
                channel: connection.channel.clone(),
            });
        }
        let (session, instance) = (connection.session.clone(), connection.instance.clone());
        self.reindex_connection(id, &session, &instance);
        self.put_connection(step, id);
        if let Some(reason) = ending.reason {
            let kind = match ending.failure {
                Some(detail) => EventKind::ConnectionFailed { reason, detail },
                None => EventKind::ConnectionClosed {
                    reason,
                    carried: ending.carried,
                },
            };
            self.emit_session(step, &session, Some(id), kind);
        }
        self.trim_connections(step, id);
        self.refresh(step, &session);
    }

    /// Keeps the newest connections of a session's record, of which live ones never go.
    fn trim_connections(&mut self, step: &mut Step, ended: ConnectionId) {
        let Some(session) = self.connections.get(&ended).map(|one| one.session.clone()) else {
            return;
        };
        let limit = usize::try_from(self.limits.history_connections).unwrap_or(usize::MAX);
        if count(&self.index.of_session, &session) <= limit {
            return;
        }
        let oldest = self
            .connections_of(&session)
            .find(|one| !one.status.is_live())
            .map(|one| one.id);
        if let Some(oldest) = oldest {
            self.forget_connection(step, oldest);
        }
    }

    pub(crate) fn forget_connection(&mut self, step: &mut Step, id: ConnectionId) {
        if let Some(gone) = self.connections.remove(&id) {
            self.reindex_connection(id, &gone.session, &gone.instance);
            step.delete(RowKey::Connection(id));
        }
    }

    /// Asks for the end of every live connection of an instance.
    pub(crate) fn ask_to_close_all(
        &mut self,
        step: &mut Step,
        instance: &InstanceId,
        reason: Reason,
    ) {
        for id in members(&self.index.live_on, instance) {
            self.ask_to_close(step, id, reason);
        }
    }

    fn changed(&mut self, step: &mut Step, id: ConnectionId, kind: EventKind) {
        self.put_connection(step, id);
        if let Some(session) = self.connections.get(&id).map(|one| one.session.clone()) {
            self.emit_session(step, &session, Some(id), kind);
        }
    }
}

/// Whether the reason came from the agent, so that it need not be told that the channel is over.
const fn is_told_by_agent(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Exit
            | Reason::InitChannelFailed
            | Reason::OpenChannelFailed
            | Reason::OpenPtyFailed
            | Reason::OpenPortFailed
            | Reason::ReadPortFailed
            | Reason::IoPortFailed
            | Reason::UnknownError
    )
}
