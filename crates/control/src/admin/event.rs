//! The event stream, a JSON object a line.

use axt_proto::{ConnectionId, Event, EventKind, InstanceId, RegionId, SessionId};
use serde::{Deserialize, Serialize};

/// An [`Event`] as the stream shows it: the same members, the instant in whole milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLine {
    /// Counted up by one for each event of a registry, from 1; a `connection.traffic` has the one of
    /// the last event before it.
    pub seq: u64,
    /// Rule time, Unix milliseconds.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// The region it happened in.
    pub region: RegionId,
    /// The instance that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The session that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The connection that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            at_ms: event.at.as_millis(),
            kind: event.kind,
            region: event.region,
            instance: event.instance,
            session: event.session,
            connection: event.connection,
        }
    }
}

/// Told to a follower that was too slow for the ring: `{"event":"lagged","missed":N}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename = "lagged")]
pub struct Lagged {
    /// How many events it never saw.
    pub missed: u64,
}

/// One line of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StreamLine {
    /// Something happened.
    Event(EventLine),
    /// Something was missed.
    Lagged(Lagged),
}

#[cfg(test)]
mod tests {
    use axt_proto::{Carried, Reason, Tick};

    use super::*;

    #[test]
    fn an_event_line_has_milliseconds_and_flat_members() {
        let line = StreamLine::Event(EventLine::from(Event {
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
        }));

        let text = serde_json::to_string(&line).expect("serialises");

        assert!(text.starts_with(r#"{"seq":7,"at_ms":1000,"event":"connection.closed""#));
        assert_eq!(
            serde_json::from_str::<StreamLine>(&text).expect("reads"),
            line
        );
    }

    #[test]
    fn a_lagged_line_reads_back() {
        let line = StreamLine::Lagged(Lagged { missed: 3 });

        let text = serde_json::to_string(&line).expect("serialises");

        assert_eq!(text, r#"{"event":"lagged","missed":3}"#);
        assert_eq!(
            serde_json::from_str::<StreamLine>(&text).expect("reads"),
            line
        );
    }
}
