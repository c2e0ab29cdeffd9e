//! A client's websocket: reservation of a slot, and the ways a connection ends.

use axt_proto::{ChannelId, ConnectionId, InstanceId, Reason, SessionId, Tick};

use crate::{Changes, Registry, SessionTarget};

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
    /// It holds a slot and its agent is to be told ([`Effect::Kick`](crate::Effect::Kick) says so
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
    /// See [`ConnectRefusal`]; a full instance leaves a failed connection in the session's record.
    pub fn connect(
        &mut self,
        _now: Tick,
        _request: ConnectRequest<'_>,
    ) -> (Result<Connecting, ConnectRefusal>, Changes) {
        (Err(ConnectRefusal::UnknownOrWrongToken), Changes::default())
    }

    /// The agent was told to open the connection's channel.
    pub fn kicked(&mut self, _now: Tick, _connection: ConnectionId) -> Changes {
        Changes::default()
    }

    /// The agent's data channel is paired with the client. Nothing changes for a connection that
    /// is not waiting for it.
    pub fn live(&mut self, _now: Tick, _connection: ConnectionId) -> Changes {
        Changes::default()
    }

    /// The connection's teardown is done: its slot is given back. Only the first report of an end
    /// counts. `bytes_up` is payload from the client to the agent, `bytes_down` the other way.
    ///
    /// A reason that makes a connection useless ([`Reason::is_failure`]) fails it when nothing had
    /// come down yet. Where the registry has asked for the end by
    /// [`Effect::Close`](crate::Effect::Close), its reason stands.
    pub fn closed(
        &mut self,
        _now: Tick,
        _connection: ConnectionId,
        _reason: Reason,
        _bytes_up: u64,
        _bytes_down: u64,
    ) -> Changes {
        Changes::default()
    }

    /// The connection never came to be of use: its slot is given back. Only the first report of an
    /// end counts.
    pub fn failed(
        &mut self,
        _now: Tick,
        _connection: ConnectionId,
        _reason: Reason,
        _detail: &str,
    ) -> Changes {
        Changes::default()
    }
}
