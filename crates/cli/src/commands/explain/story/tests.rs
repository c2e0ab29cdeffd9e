use axt_control::admin::SessionState;

use super::*;

const START: u64 = 1_795_587_061_027;

fn event(seq: u64, after_ms: u64, connection: Option<u64>, kind: EventKind) -> EventLine {
    EventLine {
        seq,
        at_ms: START + after_ms,
        kind,
        region: "cn-hangzhou".parse().expect("valid"),
        instance: Some("i-1".parse().expect("valid")),
        session: Some("s-hz1".parse().expect("valid")),
        connection: connection.map(ConnectionId),
    }
}

fn record(id: u64, opened_after_ms: u64) -> ConnectionRecord {
    ConnectionRecord {
        id: ConnectionId(id),
        state: "closed".into(),
        client_ip: "127.0.0.1".into(),
        opened_ms: START + opened_after_ms,
        kicked_ms: None,
        connected_ms: None,
        ended_ms: Some(START),
        reason: None,
        detail: None,
        carried: Carried::default(),
    }
}

fn session(events: Vec<EventLine>, connections: Vec<ConnectionRecord>) -> SessionAnswer {
    SessionAnswer {
        now_ms: START + 700_000,
        session: SessionState {
            id: "s-hz1".parse().expect("valid"),
            instance: "i-1".parse().expect("valid"),
            region: "cn-hangzhou".parse().expect("valid"),
            account: "1000000000000001".parse().expect("valid"),
            state: "expired".into(),
            created_ms: START,
            url_expires_ms: START + 600_000,
            port: None,
            connections: 0,
        },
        starter: StarterState {
            identity_type: "RAMUser".into(),
            principal_id: "200000000000000001".into(),
            client_ip: "192.0.2.1".into(),
        },
        target_server: None,
        username: Some("nobody".into()),
        is_active: false,
        connections,
        events,
    }
}

#[test]
fn a_life_is_told_from_its_beginning_to_its_end() {
    let opened = || EventKind::ConnectionOpened {
        client_ip: "192.0.2.1".into(),
    };
    let account = "1000000000000001".parse().expect("valid");
    let events = vec![
        event(1, 0, None, EventKind::SessionStarted { account }),
        event(2, 5_000, Some(1), opened()),
        event(3, 5_001, Some(1), EventKind::ConnectionKicked),
        event(4, 5_040, Some(1), EventKind::ConnectionLive),
        event(
            5,
            190_040,
            Some(1),
            EventKind::ConnectionClosed {
                reason: Reason::IdleTimeout,
                carried: Carried {
                    bytes_up: 3,
                    bytes_down: 400_000,
                    held_up_ms: 0,
                    held_down_ms: 1_853,
                },
            },
        ),
        event(6, 200_000, Some(2), opened()),
        event(
            7,
            220_000,
            Some(2),
            EventKind::ConnectionFailed {
                reason: Reason::AgentTimeout,
                detail: "the agent did not dial its channel in time".into(),
            },
        ),
        event(8, 600_000, None, EventKind::SessionExpired),
        event(9, 600_000, None, EventKind::SessionReleased),
    ];

    let story = of(&session(events, vec![record(1, 5_000), record(2, 200_000)]));

    insta::assert_snapshot!(story);
}

#[test]
fn what_is_open_is_told_with_what_it_has_carried_until_now() {
    let mut live = record(7, 690_000);
    live.ended_ms = None;
    live.connected_ms = Some(START + 690_100);
    let mut waiting = record(8, 699_000);
    waiting.ended_ms = None;

    let story = of(&session(Vec::new(), vec![live, waiting]));

    assert!(
        story.contains("conn-7 is live, 10.000 s after it was opened."),
        "{story}"
    );
    assert!(
        story.contains("conn-8 waits for the agent since 1.000 s."),
        "{story}"
    );
}

#[test]
fn a_life_of_more_events_than_are_kept_shows_its_gap() {
    let refused = || EventKind::ConnectionRefused {
        code: "SessionUrl.Expired".into(),
    };
    let first = (1..=100).map(|seq| event(seq, seq, None, refused()));
    let latest = (901..=1_000).map(|seq| event(seq, seq, None, refused()));

    let story = of(&session(first.chain(latest).collect(), Vec::new()));

    assert_eq!(story.matches("keeps the first 100").count(), 1);
    assert_eq!(story.matches("was refused").count(), 200);
}
