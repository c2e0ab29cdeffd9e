//! Events: one for each change of the registry, from one closed set.
//!
//! History, logs, metrics, the event stream and `axt explain` are all views of this stream.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ConnectionId, InstanceId, Reason, RegionId, SessionId, Tick};

/// What happened, when, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counted up by one for each event of a registry, from 1.
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
    /// The connection ended and gave its slot back.
    #[serde(rename = "connection.closed")]
    ConnectionClosed {
        /// Why.
        reason: Reason,
        /// Payload bytes from the client to the agent.
        bytes_up: u64,
        /// Payload bytes from the agent to the client.
        bytes_down: u64,
    },
    /// The connection never came to be of use and gave its slot back.
    #[serde(rename = "connection.failed")]
    ConnectionFailed {
        /// Why.
        reason: Reason,
        /// In words, for the person who reads history.
        detail: String,
    },
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
                bytes_up: 3,
                bytes_down: 4,
            },
            region: "cn-hangzhou".parse().expect("valid"),
            instance: None,
            session: Some("s-hz1".parse().expect("valid")),
            connection: Some(ConnectionId(12)),
        };

        let json = serde_json::to_value(&event).expect("serialises");

        assert_eq!(json["event"], "connection.closed");
        assert_eq!(json["session"], "s-hz1");
        assert_eq!(
            serde_json::from_value::<Event>(json).expect("reads back"),
            event
        );
    }
}
