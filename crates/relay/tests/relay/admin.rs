//! The admin API.

use serde_json::{Value, json};

use crate::harness::{INSTANCE, World};

#[tokio::test(start_paused = true)]
async fn the_state_counts_what_is_there() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (_client, _channel) = world.pair(&mut agent, &session).await;
    world
        .until(|event| event.kind == axt_proto::EventKind::ConnectionLive)
        .await;

    let (status, state) = world.admin("GET", "/v1/state", "").await;

    assert_eq!(status, 200);
    assert_eq!(state["frozen"], true);
    assert_eq!(state["instances"][0]["id"], INSTANCE);
    assert_eq!(state["instances"][0]["agent_online"], true);
    assert_eq!(state["instances"][0]["connections"], 1);
    assert_eq!(state["sessions"][0]["id"], Value::from(session.id));
    assert_eq!(state["sessions"][0]["state"], "in_use");
    assert_eq!(state["connections"][0]["state"], "live");
    assert_eq!(state["usage"][0]["sessions"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_read_and_moved() {
    let world = World::new().await;
    let (_, before) = world.admin("GET", "/v1/clock", "").await;

    let (status, after) = world
        .admin("POST", "/v1/clock", r#"{"advance_ms":600000}"#)
        .await;
    let (refused, _) = world.admin("POST", "/v1/clock", r#"{"advance":1}"#).await;

    assert_eq!(status, 200);
    let now = |answer: &Value| answer["now_ms"].as_u64().expect("milliseconds");
    assert_eq!(now(&after) - now(&before), 600_000);
    assert_eq!(refused, 400);
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_declared_and_removed() {
    let world = World::new().await;

    let (created, answer) = world
        .admin("POST", "/v1/instances", r#"{"name":"third"}"#)
        .await;
    let path = format!("/v1/instances/{}", answer["id"].as_str().expect("an id"));
    let (removed, _) = world.admin("DELETE", &path, "").await;
    let (again, _) = world.admin("DELETE", &path, "").await;

    assert_eq!((created, removed, again), (201, 200, 404));
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_connections_and_forgets_sessions() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, _channel) = world.pair(&mut agent, &session).await;

    let (status, _) = world.admin("POST", "/v1/reset", "").await;

    assert_eq!(status, 200);
    client.expect_ended("Exit").await;
    client.expect_closed(1000, "EndTerminalSession").await;
    let (_, state) = world.admin("GET", "/v1/state", "").await;
    assert_eq!(state["sessions"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_regions_switches_reach_the_api() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let switch = |body: &'static str| world.admin("PATCH", "/v1/regions/cn-hangzhou", body);
    let instance = format!("&InstanceId.1={INSTANCE}");
    let start = || world.call("StartTerminalSession", &instance);

    switch(r#"{"api_supported":false}"#).await;
    let (_, unsupported) = start().await;
    switch(r#"{"api_supported":true,"dispatch_failure":true}"#).await;
    let (_, undispatched) = start().await;
    switch(r#"{"dispatch_failure":false}"#).await;
    let (status, _) = start().await;

    assert_eq!(unsupported["Code"], "RegionId.ApiNotSupported");
    assert_eq!(undispatched["Code"], "InternalError.Dispatch");
    assert_eq!(status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_held_commit_answers_when_it_is_released() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let region = "/v1/regions/cn-hangzhou";
    world
        .admin("PATCH", region, r#"{"hold_commit":true}"#)
        .await;
    let call = format!("&InstanceId.1={INSTANCE}&ClientToken=once");

    let first = world.call("StartTerminalSession", &call);
    let rest = async {
        world
            .until(|event| matches!(event.kind, axt_proto::EventKind::SessionStarted { .. }))
            .await;
        let (_, second) = world.call("StartTerminalSession", &call).await;
        world
            .admin("PATCH", region, r#"{"hold_commit":false}"#)
            .await;
        second
    };
    let ((status, first), second) = tokio::join!(first, rest);
    let (_, third) = world.call("StartTerminalSession", &call).await;

    assert_eq!(status, 200);
    assert_eq!(second["Code"], "IdempotentProcessing");
    assert_eq!(third["SessionId"], first["SessionId"]);
}

#[tokio::test(start_paused = true)]
async fn limits_say_where_they_were_set() {
    let world = World::new().await;

    let (_, limits) = world.admin("GET", "/v1/limits", "").await;

    assert_eq!(limits["url_validity_s"]["value"], 600);
    assert_eq!(limits["url_validity_s"]["source"], "default");
    assert_eq!(limits["sessions_per_region"]["used"], 0);
}

#[tokio::test(start_paused = true)]
async fn every_limit_that_can_be_used_up_says_by_how_much_it_is() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (_client, _channel) = world.pair(&mut agent, &session).await;
    let moved = world
        .clock
        .advance(std::time::Duration::from_secs(90))
        .await;
    moved.expect("moved");

    let (_, limits) = world.admin("GET", "/v1/limits", "").await;

    assert_eq!(limits["idle_timeout_s"]["used"], 90);
    assert_eq!(limits["url_validity_s"]["used"], 90);
    assert_eq!(limits["connections_per_instance"]["used_by"], INSTANCE);
    assert_eq!(
        limits["history_connections"]["used_by"],
        Value::from(session.id)
    );
    let limits = limits.as_object().expect("limits");
    let untold: Vec<_> = limits
        .iter()
        .filter(|(_, limit)| limit.get("used").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(untold, ["close_above_bandwidth"], "a switch is not used up");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_shown_with_its_history() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let session = world.start_session().await;

    let path = format!("/v1/sessions/{}", session.id);
    let (status, answer) = world.admin("GET", &path, "").await;

    assert_eq!(status, 200);
    assert_eq!(answer["session"]["state"], "issued");
    assert_eq!(answer["starter"]["identity_type"], "Account");
    assert_eq!(answer["is_active"], true);
    assert_eq!(answer["events"][0]["event"], "session.started");
}

#[tokio::test(start_paused = true)]
async fn metrics_count_what_happened_and_hold_no_id() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    channel.print("hello").await;
    client.expect_output("hello").await;
    world.call("EndTerminalSession", "&SessionId=s-none").await;
    let end = format!("&SessionId={}", session.id);
    world.call("EndTerminalSession", &end).await;
    world.until_over().await;

    let text = world.metrics().await;

    for line in [
        "axt_agents_online 1",
        "axt_clock_frozen 1",
        "axt_sessions{state=\"ended\"} 1",
        "axt_connections{state=\"live\"} 0",
        "axt_limit{limit=\"sessions_per_region\"} 100",
        "axt_limit_used{limit=\"sessions_per_region\"} 0",
        "axt_events_total{event=\"session.started\"} 1",
        "axt_connection_ends_total{reason=\"EndTerminalSession\"} 1",
        "axt_api_calls_total{action=\"StartTerminalSession\",code=\"Ok\"} 1",
        "axt_api_calls_total{action=\"EndTerminalSession\",code=\"InvalidSessionId.NotFound\"} 1",
        "axt_payload_bytes_total{direction=\"down\"} 5",
        "axt_held_seconds_total{direction=\"down\"} 0.0",
        "axt_connection_opening_seconds_count 1",
        "axt_journal_failures_total 0",
    ] {
        let is_there = text.lines().any(|there| there == line);
        assert!(is_there, "{line} is missing:\n{text}");
    }
    for id in [session.id.as_str(), INSTANCE, "conn-", "ch-", "127.0.0.1"] {
        assert!(!text.contains(id), "{id} is in\n{text}");
    }
}
