//! A client's websocket upgrade: who is let in, and the reservation of a slot.

use axt_proto::{ChannelId, ConnectionId, EventKind, InstanceId, Reason, SessionId, Tick};

use crate::{
    Changes, Connection, ConnectionStatus, Effect, Phase, Registry, Session, SessionTarget,
    connection::Ending, registry::Step, version::last_version_without,
};

/// A client's websocket upgrade on a session's URL.
#[derive(Clone, Copy, Debug)]
pub struct ConnectRequest<'a> {
    /// The `sessionId` of the URL.
    pub session: &'a SessionId,
    /// The token of the URL or the header. Not a secret type: it is the stranger's.
    pub token: &'a str,
    /// The client's address, without port.
    pub client_ip: &'a str,
    /// A channel id that was never used.
    pub channel: &'a ChannelId,
}

/// An upgrade that is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connecting {
    /// Its number.
    pub connection: ConnectionId,
    /// To which instance.
    pub instance: InstanceId,
    /// What the agent is to open.
    pub target: SessionTarget,
    /// As which user.
    pub username: Option<String>,
    /// The name of a stored Windows password.
    pub password_name: Option<String>,
    /// How it goes on.
    pub verdict: Verdict,
}

/// How a connection goes on after the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds a slot and its agent is to be told ([`Effect::Kick`] says so
    /// too).
    Kick,
    /// It has failed already and holds no slot: accept the upgrade, tell the client why, close.
    Fail {
        /// What the client is told.
        reason: Reason,
        /// The same in words, for the log.
        detail: String,
    },
}

/// Why an upgrade is refused, with HTTP 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectRefusal {
    /// No such session, or not its token: a stranger learns no more.
    #[error("the session or its token is not known")]
    UnknownOrWrongToken,
    /// The URL is 10 minutes old (limits-and-semantics R4).
    #[error("the session's URL has expired")]
    Expired,
    /// EndTerminalSession was called, or the instance was removed.
    #[error("the session has ended")]
    Ended,
    /// The instance has 20 connections (limits-and-semantics R7).
    #[error("the instance has as many connections as it may have")]
    Full,
}

impl ConnectRefusal {
    const ALL: [Self; 4] = [
        Self::UnknownOrWrongToken,
        Self::Expired,
        Self::Ended,
        Self::Full,
    ];

    /// The code that stands in an event, if it is one of these; `other` if not.
    #[must_use]
    pub fn known(code: &str) -> &'static str {
        let codes = Self::ALL.map(Self::code);
        codes
            .into_iter()
            .find(|known| *known == code)
            .unwrap_or("other")
    }

    /// The code in the refusal's body and in events (design, "Refused upgrades").
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownOrWrongToken => "InvalidSessionToken",
            Self::Expired => "SessionUrl.Expired",
            Self::Ended => "SessionUrl.Ended",
            Self::Full => "SessionCount.ExceedLimit",
        }
    }
}

impl Registry {
    /// A client's websocket upgrade: check and reservation in one step.
    ///
    /// # Errors
    /// See [`ConnectRefusal`]; a full instance leaves a failed connection in the session's record
    /// (limits-and-semantics 2).
    pub fn connect(
        &mut self,
        now: Tick,
        request: ConnectRequest<'_>,
    ) -> (Result<Connecting, ConnectRefusal>, Changes) {
        self.step(now, |registry, step| {
            let session = registry
                .session(request.session)
                .filter(|session| session.token.matches(request.token))
                .ok_or(ConnectRefusal::UnknownOrWrongToken)?;
            let refusal = match session.phase {
                Phase::Ended => Some(ConnectRefusal::Ended),
                Phase::Expired => Some(ConnectRefusal::Expired),
                Phase::Open => registry
                    .connections_usage(&session.instance)
                    .is_full()
                    .then_some(ConnectRefusal::Full),
            };
            if let Some(refusal) = refusal {
                registry.refuse(step, &request, refusal);
                return Err(refusal);
            }
            let verdict = registry.verdict(session);
            let connecting = Connecting {
                connection: registry.next_connection(),
                instance: session.instance.clone(),
                target: session.target.clone(),
                username: session.username.clone(),
                password_name: session.password_name.clone(),
                verdict,
            };
            registry.open(step, &request, &connecting);
            Ok(connecting)
        })
    }

    /// Whether a connection of the session can be of use at all, before its agent is told.
    fn verdict(&self, session: &Session) -> Verdict {
        let instance = self.instances.get(&session.instance);
        let fail = |reason, detail: String| Verdict::Fail { reason, detail };
        let Some(instance) = instance.filter(|one| one.is_running()) else {
            let detail = format!("the instance {} is not Running", session.instance);
            return fail(Reason::InstanceUnavailable, detail);
        };
        let Some(version) = instance.agent_version() else {
            let detail = format!("no agent was ever online on {}", session.instance);
            return fail(Reason::InstanceUnavailable, detail);
        };
        if !instance.supports_session_manager() {
            let detail = format!(
                "the agent's version {version} has no session manager: it must be later than {}",
                last_version_without(instance.spec.os_type)
            );
            return fail(Reason::AgentNeedUpgrade, detail);
        }
        let is_second = self.index.live_of_session.contains_key(&session.id);
        let wants_one = self.switches(&session.region).one_shell_connection;
        if is_second && wants_one && session.target.port().is_none() {
            let detail = "the session has a live connection already".to_owned();
            return fail(Reason::SessionIdDuplicated, detail);
        }
        Verdict::Kick
    }

    fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.counters.next_connection)
    }

    fn insert_connection(&mut self, step: &Step, request: &ConnectRequest<'_>) -> ConnectionId {
        let id = self.next_connection();
        self.counters.next_connection = id.0.saturating_add(1);
        let Some(session) = self.sessions.get(request.session) else {
            return id;
        };
        let instance = session.instance.clone();
        let connection = Connection {
            id,
            session: session.id.clone(),
            instance: instance.clone(),
            channel: request.channel.clone(),
            client_ip: request.client_ip.to_owned(),
            status: ConnectionStatus::Connecting,
            opened: step.now,
            kicked: None,
            connected: None,
            end: None,
            closing: None,
        };
        self.connections.insert(id, connection);
        self.reindex_connection(id, request.session, &instance);
        id
    }

    fn open(&mut self, step: &mut Step, request: &ConnectRequest<'_>, connecting: &Connecting) {
        let id = self.insert_connection(step, request);
        let client_ip = request.client_ip.to_owned();
        let opened = EventKind::ConnectionOpened { client_ip };
        self.emit_session(step, request.session, Some(id), opened);
        match &connecting.verdict {
            Verdict::Kick => {
                step.effect(Effect::Kick {
                    instance: connecting.instance.clone(),
                    connection: id,
                    channel: request.channel.clone(),
                });
                self.put_connection(step, id);
                self.refresh(step, request.session);
            }
            Verdict::Fail { reason, detail } => {
                self.finish(step, id, Ending::failed(Some(*reason), detail));
            }
        }
    }

    /// Notes a refused upgrade of someone who had the right token.
    fn refuse(&mut self, step: &mut Step, request: &ConnectRequest<'_>, refusal: ConnectRefusal) {
        let code = refusal.code().to_owned();
        let refused = EventKind::ConnectionRefused { code };
        if refusal != ConnectRefusal::Full {
            self.emit_session(step, request.session, None, refused);
            return;
        }
        let id = self.insert_connection(step, request);
        self.emit_session(step, request.session, Some(id), refused);
        let detail = format!("{}: {refusal}", refusal.code());
        self.finish(step, id, Ending::failed(None, &detail));
    }
}
