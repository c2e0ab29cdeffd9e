//! Events: one for each change of the registry, from one closed set.
//!
//! History, logs, metrics, the event stream and `axt explain` are all views of this stream.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, CommandId, ConnectionId, InstanceId, InvocationId, Reason, RegionId, SessionId, Tick,
};

/// What happened, when, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counted up by one for each event of a registry, from 1. A sample ([`EventKind::ConnectionTraffic`])
    /// is no change, and has the number of the last one before it.
    pub seq: u64,
    /// Rule time.
    pub at: Tick,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// The region it happened in.
    pub region: RegionId,
    /// The instance that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<InstanceId>,
    /// The session that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionId>,
    /// The connection that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection: Option<ConnectionId>,
}

/// The closed set of events. The name on the wire is `subject.verb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum EventKind {
    /// An instance was declared, by settings, the admin API or registration.
    #[serde(rename = "instance.declared")]
    InstanceDeclared,
    /// An instance was changed (status, version, …).
    #[serde(rename = "instance.changed")]
    InstanceChanged,
    /// An instance was deregistered or removed.
    #[serde(rename = "instance.removed")]
    InstanceRemoved,
    /// An instance's agent opened its notify channel.
    #[serde(rename = "agent.online")]
    AgentOnline,
    /// An instance's agent lost its notify channel.
    #[serde(rename = "agent.offline")]
    AgentOffline,
    /// StartTerminalSession was admitted.
    #[serde(rename = "session.started")]
    SessionStarted {
        /// For whom.
        account: AccountId,
    },
    /// The journal did not take a session, so it never existed for anyone.
    #[serde(rename = "session.rolled_back")]
    SessionRolledBack,
    /// The session's URL is too old to open connections.
    #[serde(rename = "session.expired")]
    SessionExpired,
    /// EndTerminalSession was called, or the instance was removed.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// The session no longer counts against its region.
    #[serde(rename = "session.released")]
    SessionReleased,
    /// A client's websocket was accepted and a slot of the instance taken.
    #[serde(rename = "connection.opened")]
    ConnectionOpened {
        /// The client's address, without port.
        client_ip: String,
    },
    /// A client's websocket was refused.
    #[serde(rename = "connection.refused")]
    ConnectionRefused {
        /// The error code of the refusal.
        code: String,
    },
    /// The agent was told to open the channel.
    #[serde(rename = "connection.kicked")]
    ConnectionKicked,
    /// The agent's data channel was paired with the client.
    #[serde(rename = "connection.live")]
    ConnectionLive,
    /// What has passed through the connection since this was last told, at most once a second. It is
    /// shown to those who follow the events, and not kept.
    #[serde(rename = "connection.traffic")]
    ConnectionTraffic {
        /// The bytes and the waits since then.
        #[serde(flatten)]
        carried: Carried,
    },
    /// The connection ended and gave its slot back.
    #[serde(rename = "connection.closed")]
    ConnectionClosed {
        /// Why.
        reason: Reason,
        /// What went through it.
        #[serde(flatten)]
        carried: Carried,
    },
    /// The connection never came to be of use and gave its slot back.
    #[serde(rename = "connection.failed")]
    ConnectionFailed {
        /// Why.
        reason: Reason,
        /// In words, for the person who reads history.
        detail: String,
    },
    /// RunCommand or InvokeCommand was called.
    #[serde(rename = "invocation.started")]
    InvocationStarted {
        /// Which call.
        invocation: InvocationId,
        /// What it runs.
        command: CommandId,
    },
    /// An instance's agent has started a command.
    #[serde(rename = "run.started")]
    RunStarted {
        /// Of which call.
        invocation: InvocationId,
    },
    /// A command is over on an instance.
    #[serde(rename = "run.ended")]
    RunEnded {
        /// Of which call.
        invocation: InvocationId,
        /// How: `InvocationStatus` of ecs-api 3.16.
        status: String,
        /// The exit code, where there is one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        exit_code: Option<i32>,
    },
    /// A fault that somebody asked for has struck; on the wire: has been put on a websocket.
    #[serde(rename = "fault.injected")]
    FaultInjected {
        /// Its name.
        fault: String,
        /// Its kind's word.
        #[serde(rename = "type")]
        kind: String,
    },
}

impl EventKind {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::InstanceDeclared => "instance.declared",
            Self::InstanceChanged => "instance.changed",
            Self::InstanceRemoved => "instance.removed",
            Self::AgentOnline => "agent.online",
            Self::AgentOffline => "agent.offline",
            Self::SessionStarted { .. } => "session.started",
            Self::SessionRolledBack => "session.rolled_back",
            Self::SessionExpired => "session.expired",
            Self::SessionEnded => "session.ended",
            Self::SessionReleased => "session.released",
            Self::ConnectionOpened { .. } => "connection.opened",
            Self::ConnectionRefused { .. } => "connection.refused",
            Self::ConnectionKicked => "connection.kicked",
            Self::ConnectionLive => "connection.live",
            Self::ConnectionTraffic { .. } => "connection.traffic",
            Self::ConnectionClosed { .. } => "connection.closed",
            Self::ConnectionFailed { .. } => "connection.failed",
            Self::InvocationStarted { .. } => "invocation.started",
            Self::RunStarted { .. } => "run.started",
            Self::RunEnded { .. } => "run.ended",
            Self::FaultInjected { .. } => "fault.injected",
        }
    }
}

/// What went through a connection, and for how long its bandwidth held it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Payload bytes from the client to the agent.
    pub bytes_up: u64,
    /// Payload bytes from the agent to the client.
    pub bytes_down: u64,
    /// How long payload for the agent had to wait for the bandwidth (limits-and-semantics R8), in
    /// milliseconds of rule time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_up_ms: u64,
    /// The same of payload for the client.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_down_ms: u64,
}

impl Carried {
    /// What has come since there was this much.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            bytes_up: self.bytes_up.saturating_sub(before.bytes_up),
            bytes_down: self.bytes_down.saturating_sub(before.bytes_down),
            held_up_ms: self.held_up_ms.saturating_sub(before.held_up_ms),
            held_down_ms: self.held_down_ms.saturating_sub(before.held_down_ms),
        }
    }
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let event = Event {
            seq: 7,
            at: Tick::from_millis(1_000),
            kind: EventKind::ConnectionClosed {
                reason: Reason::Exit,
                carried: Carried {
                    bytes_up: 3,
                    bytes_down: 4,
                    ..Carried::default()
                },
            },
            region: "cn-hangzhou".parse().expect("valid"),
            instance: None,
            session: Some("s-hz1".parse().expect("valid")),
            connection: Some(ConnectionId(12)),
        };

        let json = serde_json::to_value(&event).expect("serialises");

        assert_eq!(json["event"], event.kind.name());
        assert_eq!(json["session"], "s-hz1");
        assert_eq!(json["bytes_down"], 4);
        assert_eq!(
            serde_json::from_value::<Event>(json).expect("reads back"),
            event
        );
    }
}
