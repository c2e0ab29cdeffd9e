//! How connections end, and what each end is told.

use std::time::Duration;

use axt_control::admin::path;
use axt_net::{link, ws::ConnectError};
use axt_proto::{EventKind, Limits, Message, Reason};
use http::{HeaderMap, HeaderValue, header::ORIGIN};
use serde_json::json;

use crate::harness::{INSTANCE, World};

const MILLISECOND: Duration = Duration::from_millis(1);

fn closed(reason: Reason) -> impl Fn(&EventKind) -> bool {
    move |kind| matches!(kind, EventKind::ConnectionClosed { reason: it, .. } if *it == reason)
}

fn failed(reason: Reason) -> impl Fn(&EventKind) -> bool {
    move |kind| matches!(kind, EventKind::ConnectionFailed { reason: it, .. } if *it == reason)
}

#[tokio::test(start_paused = true)]
async fn a_shell_that_ends_loses_none_of_its_output() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;

    channel.print("logout").await;
    agent.post_status(&channel.object, "Success", "Ok").await;
    channel.print("after the post").await;
    drop(channel);

    client.expect_output("logout").await;
    client.expect_output("after the post").await;
    client.expect_ended("Exit").await;
    client.expect_closed(1000, "Exit").await;
    assert!(closed(Reason::Exit)(&world.until_over().await));
}

/// An agent's report goes another way than its channel, and can be there first (wire-protocol 9.1).
#[tokio::test(start_paused = true)]
async fn an_end_that_is_posted_while_the_channel_is_on_its_way_loses_none_of_its_output() {
    let held = Duration::from_millis(100);
    for port in ["", "&PortNumber=5900"] {
        let world = World::new().await;
        let mut agent = world.agent().await;
        let fault = json!({ "type": "hold_pairing", "delay": held.as_millis() });
        let (status, answer) = world.admin("POST", path::FAULTS, &fault.to_string()).await;
        assert_eq!(status, 201, "{answer}");
        let session = world.start_session_with(port).await;
        let mut client = world.connect(&session.url).await.expect("let in");
        let channel = agent.kicked().await;
        let object = agent.list(&channel).await.session.remove(0);

        let channel = agent.dial(object).await.expect("let in");
        channel.print("all it says").await;
        agent.post_status(&channel.object, "Success", "Ok").await;
        drop(channel);
        world.clock.advance(held).await.expect("moves");

        client.expect_speed().await;
        client.expect_output("all it says").await;
        if port.is_empty() {
            client.expect_ended("Exit").await;
        }
        client.expect_closed(1000, "Exit").await;
        assert!(closed(Reason::Exit)(&world.until_over().await));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_posted_by_an_agent_that_dials_anew_loses_none_of_its_output() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (mut client, first) = world.pair(&mut agent, &session).await;

    // What is left of the first channel is waited for, and so is the second.
    agent.post_status(&first.object, "Success", "Ok").await;
    let second = agent.dial(first.object.clone()).await.expect("let in");
    first.print("by the first").await;
    second.print("by the second").await;

    client.expect_output("by the first").await;
    client.expect_output("by the second").await;
    client.expect_ended("Exit").await;
    client.expect_closed(1000, "Exit").await;
}

#[tokio::test(start_paused = true)]
async fn without_data_it_ends_at_the_limit_and_not_before() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, mut channel) = world.pair(&mut agent, &session).await;
    client.type_text("x").await;
    channel.expect_input("x").await;

    let limit = Limits::default().idle_timeout();
    world
        .clock
        .advance(limit - MILLISECOND)
        .await
        .expect("moves");
    channel.print("still there").await;
    client.expect_output("still there").await;
    world
        .clock
        .advance(limit - MILLISECOND)
        .await
        .expect("moves");
    client.type_text("I too").await;
    channel.expect_input("I too").await;
    world.clock.advance(limit).await.expect("moves");

    client.expect_ended("AgentTimeout").await;
    client.expect_closed(1000, "IdleTimeout").await;
    agent.expect_stop(&channel).await;
    assert!(closed(Reason::IdleTimeout)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn sizes_are_no_data() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, mut channel) = world.pair(&mut agent, &session).await;
    let limit = Limits::default().idle_timeout();
    let size = Message::Resize(axt_proto::Size { rows: 5, cols: 5 });

    world
        .clock
        .advance(limit - MILLISECOND)
        .await
        .expect("moves");
    client.send(size.clone()).await;
    channel.expect(size).await;
    world.clock.advance(MILLISECOND).await.expect("moves");

    client.expect_ended("AgentTimeout").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_does_not_dial_has_twenty_seconds() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;

    let mut client = world.connect(&session.url).await.expect("let in");
    let before = link::now();
    agent.kicked().await;

    client.expect_speed().await;
    client.expect_ended("AgentTimeout").await;
    assert_eq!(link::now() - before, Duration::from_secs(20));
    client.expect_closed(1011, "AgentTimeout").await;
    assert!(failed(Reason::AgentTimeout)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_lost_channel_that_is_not_dialled_again_ends_it() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let object = channel.object.clone();
    let before = link::now();

    drop(channel);

    client.expect_ended("AgentTimeout").await;
    // An official agent dials for 13.2 s (wire-protocol 8).
    assert_eq!(link::now() - before, Duration::from_secs(15));
    client.expect_closed(1011, "AgentTimeout").await;
    let refusal = agent.dial(object).await.err().expect("refused");
    assert!(
        matches!(&refusal, ConnectError::Refused { status, .. } if status.as_u16() == 403),
        "{refusal}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_gone_for_good_ends_it_at_once() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let before = link::now();

    agent.go_away();
    drop(channel);
    client.expect_ended("AgentTimeout").await;

    let took = link::now().duration_since(before);
    assert!(took < link::REDIAL_WINDOW, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn end_terminal_session_closes_every_connection_and_the_url() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut first, channel) = world.pair(&mut agent, &session).await;
    let (mut second, _other) = world.pair(&mut agent, &session).await;

    let (status, _) = world
        .call("EndTerminalSession", &format!("&SessionId={}", session.id))
        .await;

    assert_eq!(status, 200);
    for client in [&mut first, &mut second] {
        client.expect_ended("Exit").await;
        client.expect_closed(1000, "EndTerminalSession").await;
    }
    agent.expect_stop(&channel).await;
    assert!(world.connect(&session.url).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_after_its_last_words_has_them_delivered() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session_with("&PortNumber=80").await;
    let client = world.connect(&session.url).await.expect("let in");

    client.type_text("GET / HTTP/1.0\r\n\r\n").await;
    client.send(Message::Close).await;
    let mut channel = agent.serve().await;

    assert!(channel.object.is_port());
    assert_eq!(channel.object.port_number, "80");
    channel.expect_input("GET / HTTP/1.0\r\n\r\n").await;
    agent.expect_stop(&channel).await;
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
}

/// A browser tells where the page is from, and closes a tab's websockets with 1001.
#[tokio::test(start_paused = true)]
async fn a_page_of_any_origin_that_is_left_has_its_last_words_delivered_and_its_session_stopped() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let mut headers = HeaderMap::new();
    headers.insert(ORIGIN, HeaderValue::from_static("https://console.example"));
    let client = world
        .connect_with(&session.url, headers)
        .await
        .expect("let in");
    let mut channel = agent.serve().await;

    client.type_text("exit\r").await;
    client.writer.close(1001, "").await.expect("sent");

    channel.expect_input("exit\r").await;
    agent.expect_stop(&channel).await;
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_vanishes_has_its_session_stopped() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (client, channel) = world.pair(&mut agent, &session).await;

    drop(client);

    agent.expect_stop(&channel).await;
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_hole_in_a_ports_bytes_ends_it_for_nobody_must_take_the_part_for_the_whole() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session_with("&PortNumber=80").await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    channel.print("one").await;
    client.expect_output("one").await;

    let object = channel.object.clone();
    drop(channel);
    // What came between was lost with the channel.
    let mut again = agent.dial_counting_from(object, 2).await.expect("let in");
    again.expect_speed().await;
    again.print("three").await;

    client.expect_closed(1011, "ProcessDataError").await;
    agent.expect_stop(&again).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_over_the_next_channel_is_passed_on_once() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session_with("&PortNumber=80").await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    channel.print("one").await;
    client.expect_output("one").await;

    let object = channel.object.clone();
    drop(channel);
    let mut again = agent.dial_counting_from(object, 0).await.expect("let in");
    again.expect_speed().await;
    again.print("one").await;
    again.print("two").await;

    client.expect_output("two").await;
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_port_ends_by_the_close_frame_alone() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session_with("&PortNumber=22").await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;

    agent
        .post_status(&channel.object, "Failed", "Open_port_failed")
        .await;
    drop(channel);

    client.expect_closed(1011, "Open_port_failed").await;
    assert!(failed(Reason::OpenPortFailed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_posts_is_told_in_the_clients_words() {
    for (status, code, word, close) in [
        ("Success", "Ok", "Exit", 1000),
        ("Success", "Notified", "Exit", 1000),
        ("Success", "Timeout", "AgentTimeout", 1011),
        ("Failed", "Init_channel_failed", "InitChannelFailed", 1011),
        ("Failed", "Open_channel_failed", "OpenChannelFailed", 1011),
        ("Failed", "Open_pty_failed", "OpenPtyFailed", 1011),
        ("Failed", "Process_data_error", "ProcessDataError", 1011),
        ("Failed", "Open_port_failed", "Open_port_failed", 1011),
        ("Failed", "Read_port_failed", "Read_port_failed", 1011),
        ("Failed", "IO_port_failed", "IO_port_failed", 1011),
        ("Failed", "Unknown_error", "Unknown_error", 1011),
        ("Failed", "Something_new", "Unknown_error", 1011),
    ] {
        let world = World::new().await;
        let mut agent = world.agent().await;
        let session = world.start_session().await;
        let (mut client, channel) = world.pair(&mut agent, &session).await;

        agent.post_status(&channel.object, status, code).await;
        drop(channel);

        client.expect_ended(word).await;
        client.expect_closed(close, word).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_for_a_channel_that_is_forgotten_is_an_echo() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (client, channel) = world.pair(&mut agent, &session).await;
    drop(client);
    agent.expect_stop(&channel).await;
    world.until_over().await;

    agent
        .post_status(&channel.object, "Success", "Notified")
        .await;

    let (_, state) = world.admin("GET", "/v1/state", "").await;
    assert_eq!(state["connections"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_frame_ends_that_one_connection_with_a_reason() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut first, _channel) = world.pair(&mut agent, &session).await;
    let (mut second, other) = world.pair(&mut agent, &session).await;

    first.send_garbled().await;

    first.expect_ended("ProcessDataError").await;
    first.expect_closed(1002, "ProtocolError").await;
    other.print("unharmed").await;
    second.expect_output("unharmed").await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_instance_takes_its_connections_along() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, _channel) = world.pair(&mut agent, &session).await;

    let path = format!("/v1/instances/{INSTANCE}");
    let (status, _) = world.admin("PATCH", &path, r#"{"status":"Stopped"}"#).await;

    assert_eq!(status, 200);
    client.expect_ended("InstanceUnavailable").await;
    client.expect_closed(1001, "InstanceUnavailable").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_too_old_is_never_kicked_and_the_client_hears_why() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let path = format!("/v1/instances/{INSTANCE}");
    world
        .admin("PATCH", &path, r#"{"agent_version":"2.2.3.256"}"#)
        .await;
    let session = world.start_session().await;

    let mut client = world.connect(&session.url).await.expect("let in");

    client.expect_ended("AgentNeedUpgrade").await;
    client.expect_closed(1011, "AgentNeedUpgrade").await;
    assert!(failed(Reason::AgentNeedUpgrade)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stops_says_so() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, _channel) = world.pair(&mut agent, &session).await;

    let World { relay, .. } = world;
    let (left, ()) = tokio::join!(relay.shutdown(), async {
        client.expect_ended("RelayStopping").await;
        client.expect_closed(1001, "RelayStopping").await;
        // Its websocket is closed by both, so that nothing has to be waited for.
        drop(client);
        agent.go_away();
    });

    assert!(left.expect("kept").is_empty());
}
