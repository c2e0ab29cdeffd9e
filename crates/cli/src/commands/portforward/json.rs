//! Events for scripts: JSON, one a line. The help of `axt portforward` is the schema.

use axt_client::forward::{Carried, Destination, ForwardEvent, Trouble};
use serde_json::{Value, json};

/// One event.
pub(super) fn of(event: &ForwardEvent) -> Value {
    match event {
        ForwardEvent::Listening {
            local,
            remote,
            session,
        } => json!({
            "event": "listening",
            "address": local.to_string(),
            "remote": match remote {
                Destination::Remote(remote) => Value::from(remote.to_string()),
                Destination::Session(_) => Value::Null,
            },
            "session": session,
        }),
        ForwardEvent::Accepted {
            connection,
            local,
            peer,
        } => json!({
            "event": "opened",
            "connection": connection,
            "address": local.to_string(),
            "peer": peer.to_string(),
        }),
        ForwardEvent::Closed {
            connection,
            carried: Carried { sent, received },
            how,
        } => json!({
            "event": "closed",
            "connection": connection,
            "sent": sent,
            "received": received,
            "reason": how.word(),
        }),
        ForwardEvent::Failed {
            connection,
            carried: Carried { sent, received },
            trouble:
                Trouble {
                    code,
                    problem,
                    hint,
                },
        } => json!({
            "event": "failed",
            "connection": connection,
            "sent": sent,
            "received": received,
            "code": code,
            "message": problem,
            "hint": hint,
        }),
        ForwardEvent::Renewed { session, because } => json!({
            "event": "renewed",
            "session": session,
            "because": because,
        }),
        ForwardEvent::Limited { bytes_per_s } => json!({
            "event": "limited",
            "bytes_per_s": bytes_per_s,
        }),
    }
}

#[cfg(test)]
mod tests {
    use axt_client::forward::{Parting, Remote};

    use super::*;

    #[test]
    fn every_event_is_an_object_of_the_schema_in_the_help() {
        let local = "127.0.0.1:8080".parse().expect("an address");
        let carried = Carried {
            sent: 5,
            received: 7,
        };
        let remote = Remote {
            host: None,
            port: 80,
        };
        let events = [
            ForwardEvent::Listening {
                local,
                remote: Destination::Remote(remote),
                session: "s-1".into(),
            },
            ForwardEvent::Listening {
                local,
                remote: Destination::Session("s-1".into()),
                session: "s-1".into(),
            },
            ForwardEvent::Accepted {
                connection: 1,
                local,
                peer: "127.0.0.1:50000".parse().expect("an address"),
            },
            ForwardEvent::Closed {
                connection: 1,
                carried,
                how: Parting::Done,
            },
            ForwardEvent::Failed {
                connection: 2,
                carried,
                trouble: Trouble {
                    code: "port_refused",
                    problem: "nothing listens on localhost:80 (Open_port_failed)".into(),
                    hint: "start the service there, or forward to another port",
                },
            },
            ForwardEvent::Renewed {
                session: "s-2".into(),
                because: "the relay refused the session: SessionUrl.Expired: It has.".into(),
            },
            ForwardEvent::Limited {
                bytes_per_s: 204_800,
            },
        ];

        let lines: Vec<_> = events.iter().map(|event| of(event).to_string()).collect();

        insta::assert_snapshot!(lines.join("\n"));
    }
}
