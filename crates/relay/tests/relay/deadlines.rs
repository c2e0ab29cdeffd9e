//! Rule time that is moved: what comes due on the way, in which order, and what keeps a connection
//! alive meanwhile (limits-and-semantics R4, R5, 5).

use std::time::Duration;

use axt_net::link;
use axt_proto::{Event, EventKind, Limits, Message, Reason};

use crate::{
    harness::{START, World},
    peers::{Channel, Client},
};

const DAY: Duration = Duration::from_secs(86_400);
const NANOSECOND: Duration = Duration::from_nanos(1);

async fn past(world: &World) -> Vec<Event> {
    let (past, _) = world.relay.events(0).await.expect("the relay runs");
    past.iter().map(|event| Event::clone(event)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_month_in_one_step_runs_every_deadline_on_the_way_in_order_and_to_the_nanosecond() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session_with("&ClientToken=once").await;
    let (_client, _channel) = world.pair(&mut agent, &session).await;
    let is_live = |event: &Event| event.kind == EventKind::ConnectionLive;
    world.until(is_live).await;

    world.clock.advance(30 * DAY).await.expect("moved");

    let after_start = |event: &Event| event.at.since(START);
    let due: Vec<_> = past(&world)
        .await
        .iter()
        .filter(|event| after_start(event) > Duration::ZERO)
        .map(|event| (event.kind.name(), after_start(event)))
        .collect();
    let seconds = Duration::from_secs;
    assert_eq!(
        due,
        [
            ("connection.closed", seconds(180)),
            ("session.expired", seconds(600)),
            ("session.released", seconds(600)),
        ]
    );
    // After a day the ClientToken is free, and after thirty the record is gone.
    let again = world.start_session_with("&ClientToken=once").await;
    assert_ne!(again.id, session.id);
    let path = format!("/v1/sessions/{}", session.id);
    assert_eq!(world.admin("GET", &path, "").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn each_record_is_there_for_thirty_days_and_not_a_nanosecond_longer() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let session = world.start_session().await;
    let path = format!("/v1/sessions/{}", session.id);

    world
        .clock
        .advance(30 * DAY - NANOSECOND)
        .await
        .expect("moved");
    let before = world.admin("GET", &path, "").await.0;
    world.clock.advance(NANOSECOND).await.expect("moved");
    let after = world.admin("GET", &path, "").await.0;

    assert_eq!((before, after), (200, 404));
}

/// What passes in one direction alone.
#[derive(Clone, Copy, Debug)]
enum Only {
    Input,
    Output,
}

async fn one_byte(only: Only, client: &mut Client, channel: &mut Channel) {
    match only {
        Only::Input => {
            client.type_text("x").await;
            channel.expect_input("x").await;
        }
        Only::Output => {
            channel.print("x").await;
            client.expect_output("x").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_byte_every_170_s_in_one_direction_keeps_any_connection_alive_for_half_an_hour() {
    for only in [Only::Input, Only::Output] {
        for is_official in [true, false] {
            for port in ["", "&PortNumber=22"] {
                let world = World::new().await;
                let mut agent = match is_official {
                    true => world.agent().await,
                    false => world.our_agent().await,
                };
                let session = world.start_session_with(port).await;
                let (mut client, mut channel) = world.pair(&mut agent, &session).await;

                // Ten times and a bit: 1,800 s.
                for _ in 0..11 {
                    one_byte(only, &mut client, &mut channel).await;
                    let moved = world.clock.advance(Duration::from_secs(170)).await;
                    moved.expect("moved");
                }
                one_byte(only, &mut client, &mut channel).await;
                let last = world.clock.now();
                world.clock.advance(DAY).await.expect("moved");

                let over = |event: &Event| event.kind.name() == "connection.closed";
                let over = world.until(over).await;
                assert!(
                    matches!(
                        over.kind,
                        EventKind::ConnectionClosed {
                            reason: Reason::IdleTimeout,
                            ..
                        }
                    ),
                    "{only:?}, official: {is_official}: {over:?}"
                );
                assert_eq!(over.at.since(last), Limits::default().idle_timeout());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ended_ends_within_a_second_on_both_sides_for_ever_and_again_is_no_error()
{
    for is_official in [true, false] {
        let world = World::new().await;
        let mut agent = match is_official {
            true => world.agent().await,
            false => world.our_agent().await,
        };
        let session = world.start_session().await;
        let (mut client, mut channel) = world.pair(&mut agent, &session).await;
        let (mut other, mut other_channel) = world.pair(&mut agent, &session).await;
        let end = format!("&SessionId={}", session.id);
        let asked = link::now();

        let (status, _) = world.call("EndTerminalSession", &end).await;
        for client in [&mut client, &mut other] {
            client.expect_ended("Exit").await;
            client.expect_closed(1000, "EndTerminalSession").await;
        }
        let mut stopped = [agent.command().await, agent.command().await];
        // An agent that is told so drops its channel, and the relay lets go of it.
        drop((channel.end.reader.next(), other_channel.end.reader.next()));
        let within = link::now().duration_since(asked);
        let again = world.call("EndTerminalSession", &end).await.0;
        let refused = world.connect(&session.url).await.err().expect("refused");

        assert_eq!((status, again), (200, 200));
        assert!(
            within <= Duration::from_secs(1),
            "{within:?} of the paused clock"
        );
        stopped.sort();
        let mut expected = [&channel, &other_channel]
            .map(|channel| format!("kick_vm session stop {}", channel.object.channel_id));
        expected.sort();
        assert_eq!(stopped, expected);
        assert!(refused.to_string().contains("403"), "{refused}");
        world
            .clock
            .advance(30 * DAY - NANOSECOND)
            .await
            .expect("moved");
        let (_, kept) = world
            .admin("GET", &format!("/v1/sessions/{}", session.id), "")
            .await;
        assert_eq!(kept["session"]["state"], "ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_direction_that_waits_for_its_bandwidth_holds_up_neither_the_other_nor_what_is_no_data() {
    let limits = Limits::default();
    let world = World::with(limits.clone()).await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (client, mut channel) = world.pair(&mut agent, &session).await;
    let burst = usize::try_from(limits.burst_bytes).expect("fits");

    // Far more than time, which stands still, lets through.
    let flood = vec![b'x'; burst * 4];
    channel.send(Message::Output(flood.into())).await;
    client.type_text("\u{3}").await;
    channel.expect_input("\u{3}").await;
    let size = Message::Resize(axt_proto::Size { rows: 5, cols: 5 });
    client.send(size.clone()).await;
    channel.expect(size).await;
    client.type_text("still").await;

    channel.expect_input("still").await;
}
