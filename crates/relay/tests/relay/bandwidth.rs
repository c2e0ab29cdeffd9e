//! The bandwidth of a session, shared by its connections (limits-and-semantics R8).

use std::{cell::Cell, pin::pin, time::Duration};

use axt_net::frames::Next;
use axt_proto::{EventKind, Limits, Message, Reason, Status};
use bytes::Bytes;

use crate::{harness::World, peers::Client};

/// How many bytes of output come before the clock has to move on.
async fn read_output(client: &mut Client, at_least: usize) -> usize {
    let mut read = 0;
    while read < at_least {
        match client.next().await {
            Next::Message(Message::Output(data)) => {
                assert!(data.len() <= Limits::TURN_BYTES);
                read += data.len();
            }
            other => panic!("{other:?}"),
        }
    }
    read
}

fn output(bytes: usize) -> Message {
    Message::Output(Bytes::from(vec![b'x'; bytes]))
}

#[tokio::test(start_paused = true)]
async fn both_ends_are_told_the_speed_first() {
    let world = World::with(Limits::default()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;

    let mut client = world.connect(&session.url).await.expect("let in");
    let channel = agent.kicked().await;
    let object = agent.list(&channel).await.session[0].clone();
    let mut channel = agent.dial(object.clone()).await.expect("let in");

    let speed = Message::Status(Status::Speed(1_638_400));
    client.expect(speed.clone()).await;
    channel.expect(speed).await;
    assert_eq!(object.flow_limit, 1_638_400);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_burst_output_comes_at_the_rate() {
    let limits = Limits::default();
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.burst_bytes).expect("fits");

    channel.send(output(burst + 20_480)).await;
    let at_once = read_output(&mut client, burst).await;
    let (moved, later) = tokio::join!(
        world.clock.advance(Duration::from_millis(100)),
        read_output(&mut client, 20_480)
    );

    assert_eq!(at_once, burst);
    assert_eq!(later, 20_480, "0.1 s at 204,800 bytes a second");
    assert!(moved.is_ok());
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_session_take_turns() {
    let limits = Limits::default();
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut first, first_channel) = world.pair(&mut agent, &session).await;
    let (mut second, second_channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.burst_bytes).expect("fits");
    first_channel.send(output(burst)).await;
    read_output(&mut first, burst).await;

    first_channel.send(output(40_960)).await;
    second_channel.send(output(40_960)).await;
    let lead = Cell::new(0_isize);
    let greatest = Cell::new(0_isize);
    let read = async |client: &mut Client, sign: isize| {
        let mut read = 0;
        while read < 40_960 {
            let bytes = read_output(client, 1).await;
            read += bytes;
            lead.set(lead.get() + sign * isize::try_from(bytes).expect("fits"));
            greatest.set(greatest.get().max(lead.get().abs()));
        }
    };
    let both = async { tokio::join!(read(&mut first, 1), read(&mut second, -1)) };
    let mut both = pin!(both);
    loop {
        tokio::select! {
            biased;
            _ = &mut both => break,
            moved = world.clock.advance(Duration::from_millis(20)) => {
                assert!(moved.is_ok());
                // What is sent must have a chance to arrive.
                axt_net::link::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    // One turn each, and those that are under way.
    let turn = isize::try_from(Limits::TURN_BYTES).expect("fits");
    assert!(greatest.get() <= 3 * turn, "{} bytes", greatest.get());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_does_not_wait_for_its_bandwidth() {
    let limits = Limits::default();
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.burst_bytes).expect("fits");
    channel.send(output(burst + 4_096)).await;
    read_output(&mut client, burst).await;

    world
        .call("EndTerminalSession", &format!("&SessionId={}", session.id))
        .await;

    client.expect_ended("Exit").await;
    client.expect_closed(1000, "EndTerminalSession").await;
    assert!(world.clock.advance(Duration::from_secs(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn where_the_limits_say_so_too_much_output_closes_and_a_peer_that_keeps_the_limit_does_not() {
    let limits = Limits {
        close_above_bandwidth: 1,
        ..Limits::default()
    };
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.closing_burst()).expect("fits");

    channel.send(output(burst)).await;
    assert_eq!(read_output(&mut client, burst).await, burst);
    let a_moment = Duration::from_millis(100);
    world.clock.advance(a_moment).await.expect("moved");
    channel.send(output(20_480)).await;
    assert_eq!(read_output(&mut client, 20_480).await, 20_480);
    channel.send(output(1)).await;

    client.expect_ended("FlowExceedLimit").await;
    client.expect_closed(1008, "FlowExceedLimit").await;
    let over = world.until_over().await;
    assert!(
        matches!(
            over,
            EventKind::ConnectionClosed {
                reason: Reason::FlowExceedLimit,
                ..
            }
        ),
        "{over:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn where_the_limits_say_so_too_much_input_closes() {
    let limits = Limits {
        close_above_bandwidth: 1,
        ..Limits::default()
    };
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, _channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.closing_burst()).expect("fits");

    client
        .send(Message::Input(vec![b'x'; burst + 1].into()))
        .await;

    client.expect_ended("FlowExceedLimit").await;
    client.expect_closed(1008, "FlowExceedLimit").await;
}

#[tokio::test(start_paused = true)]
async fn how_long_output_had_to_wait_is_told_of_the_connection() {
    let limits = Limits::default();
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.burst_bytes).expect("fits");

    channel.send(output(burst)).await;
    read_output(&mut client, burst).await;
    channel.send(output(4_096)).await;
    // Until it has come as far as the bandwidth.
    axt_net::link::sleep(Duration::from_millis(1)).await;
    let (moved, _) = tokio::join!(
        world.clock.advance(Duration::from_millis(100)),
        read_output(&mut client, 4_096)
    );
    moved.expect("moved");
    let path = format!("/v1/sessions/{}", session.id);
    let (_, live) = world.admin("GET", &path, "").await;
    let (_, limits) = world.admin("GET", "/v1/limits", "").await;
    world
        .call("EndTerminalSession", &format!("&SessionId={}", session.id))
        .await;
    let over = world.until_over().await;

    // 4,096 bytes at 204,800 a second.
    assert_eq!(live["connections"][0]["held_down_ms"], 20);
    assert_eq!(live["connections"][0]["bytes_down"], 24_576);
    assert_eq!(limits["bandwidth_bytes_per_s"]["used"], 24_576);
    // After another 80 ms.
    assert_eq!(limits["burst_bytes"]["used"], 4_096);
    let EventKind::ConnectionClosed { carried, .. } = over else {
        panic!("{over:?}");
    };
    assert_eq!((carried.held_up_ms, carried.held_down_ms), (0, 20));
}
