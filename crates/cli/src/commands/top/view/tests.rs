use super::*;

/// A relay with an instance, two sessions and two connections.
fn state() -> State {
    let text = r#"{"now_ms": 1795587061027, "frozen": true,
        "instances": [{"id": "i-1", "name": "local-1", "region": "cn-hangzhou", "account": "1",
            "status": "Running", "os_type": "Linux", "agent_online": true,
            "agent_version": "2.2.4.1065", "connections": 2, "connections_limit": 20}],
        "sessions": [
            {"id": "s-hz1", "instance": "i-1", "region": "cn-hangzhou", "account": "1",
             "state": "in_use", "created_ms": 0, "url_expires_ms": 1795587152027, "connections": 2},
            {"id": "s-hz2", "instance": "i-1", "region": "cn-hangzhou", "account": "1",
             "state": "ended", "created_ms": 0, "url_expires_ms": 0, "connections": 0}],
        "connections": [
            {"id": 1, "session": "s-hz1", "instance": "i-1", "state": "live", "opened_ms": 0,
             "client_ip": "127.0.0.1", "live_ms": 0, "idle_deadline_ms": 1795587236027,
             "bytes_up": 10, "bytes_down": 1000, "held_down_ms": 1500},
            {"id": 2, "session": "s-hz1", "instance": "i-1", "state": "kicked", "opened_ms": 0,
             "client_ip": "127.0.0.1", "bytes_up": 0, "bytes_down": 0}],
        "usage": [{"region": "cn-hangzhou", "account": "1", "sessions": 1, "sessions_limit": 100}]}"#;
    serde_json::from_str(text).expect("reads")
}

fn later() -> Look {
    let mut after = state();
    for one in &mut after.connections {
        one.carried.bytes_down += 25_000;
    }
    Look::first(state()).next(after, Duration::from_millis(500))
}

#[test]
fn everything_stands_in_one_table() {
    let text = View::default().table(&later()).join("\n");

    insta::assert_snapshot!(text);
}

#[test]
fn a_first_look_knows_no_rates() {
    let text = View::default().table(&Look::first(state())).join("\n");

    assert!(
        text.contains("Running  online  2.2.4.1065  2/20         -     -"),
        "{text}"
    );
}

#[test]
fn connections_are_sorted_by_what_is_asked_for() {
    let order = |sort, is_reversed| {
        let view = View {
            sort,
            is_reversed,
            ..View::default()
        };
        let lines = view.table(&Look::first(state()));
        let at = |start: &str| lines.iter().position(|line| line.starts_with(start));
        at("conn-1") < at("conn-2")
    };

    assert!(order(Sort::Id, false) && !order(Sort::Id, true));
    assert!(order(Sort::Down, false) && order(Sort::Held, false));
    assert!(order(Sort::Idle, false), "what has no deadline comes last");
}

#[test]
fn a_screen_is_never_larger_than_the_terminal_and_ends_with_the_keys() {
    let mut view = View::default();
    let size = Some(Size { rows: 8, cols: 30 });
    view.scroll(1_000);

    let lines = view.screen(&later(), size, None);

    assert_eq!(lines.len(), 8);
    assert!(lines.iter().all(|line| line.chars().count() <= 30));
    assert!(lines[7].starts_with("q quit"), "{lines:?}");
    assert!(
        lines[5].starts_with("conn-2"),
        "scrolled to the end: {lines:?}"
    );
}

#[test]
fn numbers_are_short() {
    assert_eq!(bytes(9_999), "9999");
    assert_eq!(bytes(204_800), "204K");
    assert_eq!(span(9_950), "9.9s");
    assert_eq!(span(175_000), "2m55s");
    assert_eq!(span(7_260_000), "2h01m");
}
