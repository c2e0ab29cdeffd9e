//! The agent in front of a scripted relay: its control plane and the life of its channels.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[allow(dead_code, unreachable_pub, reason = "shared by test programs")]
#[path = "support/relay.rs"]
mod relay;

use std::{cell::Cell, time::Duration};

use axt_control::luban::{SessionObject, StatusCode, session::Granted};
use axt_net::{clock::Clock, link};
use axt_proto::{Extensions, Message, Size, Status};
use bytes::Bytes;
use relay::{Relay, START, header_of, session, soon};
use tracing_subscriber::layer::SubscriberExt;

fn granted(id: &str) -> SessionObject {
    SessionObject {
        axt: Some(Granted {
            ext: Extensions::ALL,
            rows: Some(43),
            cols: Some(132),
            idle_s: None,
        }),
        ..session(id)
    }
}

fn terminal(id: &str) -> SessionObject {
    let mut session = granted(id);
    if let Some(granted) = &mut session.axt {
        granted.ext.pipe = false;
    }
    session
}

#[tokio::test(start_paused = true)]
async fn an_agent_signs_in_announces_and_beats() {
    let mut relay = Relay::simulated().await;

    let notify = relay.notified().await;

    assert_eq!(
        header_of(&notify.headers),
        Some(Extensions::ALL.to_string().as_str())
    );
    let mut calls = Vec::new();
    while calls.len() < 5 {
        calls.push(soon("calls", relay.calls.recv()).await.expect("runs"));
    }
    assert_eq!(
        calls,
        [
            "/luban/api/v1/update/update_check",
            "/luban/api/heart-beat",
            "/luban/api/v1/task/list",
            "/luban/api/metrics",
            "/luban/api/heart-beat"
        ]
    );
    relay.agent.online().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_without_extensions_looks_like_an_official_one() {
    let mut relay = Relay::start(Clock::frozen(START), |config| {
        config.extensions = Extensions::NONE;
    })
    .await;

    let notify = relay.notified().await;

    assert_eq!(header_of(&notify.headers), None);
}

#[tokio::test(start_paused = true)]
async fn each_command_is_answered_with_itself() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;

    for (command, answer) in [
        ("kick_vm", "accept:kick_vm"),
        ("kick_vm noop", "accept:kick_vm noop"),
        (
            "kick_vm session stop ch-none",
            "accept:kick_vm session stop ch-none",
        ),
        ("kick_vm session", "unknow:kick_vm session"),
        ("make tea", "unknow:make tea"),
    ] {
        assert_eq!(notify.say(command).await, answer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_notify_channel_is_dialled_again() {
    let mut relay = Relay::simulated().await;
    let first = relay.notified().await;

    drop(first);

    let mut second = relay.notified().await;
    assert_eq!(second.say("kick_vm noop").await, "accept:kick_vm noop");
}

thread_local! {
    static LINES: Cell<usize> = const { Cell::new(0) };
}

/// Counts, for each thread and so for each test, what is logged at `info` and above.
struct Lines;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let is_ours = event.metadata().target().starts_with("axt");
        if is_ours && *event.metadata().level() <= tracing::Level::INFO {
            LINES.set(LINES.get() + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_away_for_ten_minutes_is_told_in_one_line() {
    // For the whole process: what one thread alone listens to, another one can switch off.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Lines))
        .expect("nobody else has one");
    let mut relay = Relay::simulated().await;
    let notify = relay.notified().await;
    soon("online", relay.agent.online()).await;
    let before = LINES.get();

    relay.vanish();
    drop(notify);
    link::sleep(Duration::from_secs(600)).await;

    // It was lost, and there is none any more.
    assert_eq!(LINES.get() - before, 2);
    assert!(!relay.agent.is_online());
}

#[tokio::test(start_paused = true)]
async fn a_session_of_the_base_protocol_ends_as_the_shell_does() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;

    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.expect("$ ").await;
    data.type_text("echo hi\r").await;
    data.expect("echo hi\r\nhi\r\n$ ").await;
    data.type_text("exit 3\r").await;

    let (output, others) = data.rest().await;
    assert_eq!(output, b"exit 3\r\n");
    assert_eq!(others, [], "nothing that was not granted");
    let post = relay.status().await;
    assert_eq!(post.code, StatusCode::Ok);
    let in_order: Vec<i64> = (0..).take(data.sequences.len()).collect();
    assert_eq!(data.sequences, in_order);
}

#[tokio::test(start_paused = true)]
async fn the_exit_status_is_told_where_granted() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let object = SessionObject {
        cmd_content: "exit 3".to_owned(),
        ..terminal("ch-1")
    };

    let mut data = relay.open(&mut notify, object).await;

    assert_eq!(data.rest().await, (Vec::new(), vec![Message::Exit(3)]));
}

#[tokio::test(start_paused = true)]
async fn the_size_from_the_session_object_or_from_before_the_start_is_the_first_one() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let run_size = |object| SessionObject {
        cmd_content: "size".to_owned(),
        ..object
    };

    let mut told = relay.open(&mut notify, run_size(terminal("ch-1"))).await;
    told.expect("43 132\r\n").await;

    let mut sent = relay.open(&mut notify, run_size(session("ch-2"))).await;
    sent.send(Message::Resize(Size { rows: 5, cols: 6 })).await;
    sent.expect("5 6\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_session_at_once() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.type_text("flood 1000000000000\r").await;
    data.expect("0123456789").await;

    notify.say("kick_vm session stop ch-1").await;

    assert_eq!(relay.status().await.code, StatusCode::Notified);
    data.rest().await;
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_is_heard_while_output_floods() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.type_text("flood 1000000000000\r").await;
    data.expect("0123456789").await;

    data.type_text("\x03").await;

    data.expect("^C\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_data_channel_is_dialled_again_for_the_same_shell() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut first = relay.open(&mut notify, session("ch-1")).await;
    first.type_text("echo one\r").await;
    first.expect("one\r\n$ ").await;
    let next = i64::try_from(first.sequences.len()).expect("few");

    drop(first);
    let mut second = relay.dialled().await;
    second.type_text("echo two\r").await;

    second.expect("two\r\n$ ").await;
    assert_eq!(second.sequences[0], next);
}

#[tokio::test(start_paused = true)]
async fn a_data_channel_that_is_refused_for_good_ends_the_session() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let data = relay.open(&mut notify, session("ch-1")).await;

    relay.refuse(Some(http::StatusCode::FORBIDDEN));
    drop(data);

    assert_eq!(relay.status().await.code, StatusCode::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_data_channel_that_cannot_be_had_back_ends_the_session_in_time() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let data = relay.open(&mut notify, session("ch-1")).await;
    let started = link::now();

    relay.refuse(Some(http::StatusCode::SERVICE_UNAVAILABLE));
    drop(data);

    assert_eq!(relay.status().await.code, StatusCode::Timeout);
    assert!(link::now() - started <= link::REDIAL_WINDOW);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stands_still_is_dead_after_30_s_and_is_dialled_for_the_same_shell() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut first = relay.open(&mut notify, session("ch-1")).await;
    first.expect("$ ").await;
    let heard = link::now();
    first.type_text("echo one\r").await;
    first.expect("one\r\n$ ").await;
    // It neither reads nor writes any more, and keeps its sockets open.
    let still = first.stands_still();

    let mut second = relay.dialled().await;

    assert_eq!(link::now() - heard, link::DEAD_AFTER);
    second.type_text("echo two\r").await;
    second.expect("two\r\n$ ").await;
    drop(still);
}

#[tokio::test(start_paused = true)]
async fn a_first_dial_that_is_refused_is_told() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;

    relay.refuse(Some(http::StatusCode::FORBIDDEN));
    relay.lists(terminal("ch-1"));
    notify.say("kick_vm session start ch-1").await;

    let post = relay.status().await;
    assert_eq!(post.code, StatusCode::OpenChannelFailed);
    assert!(post.detail.expect("in words").contains("403"));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_served_already_is_refused_and_goes_on() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;

    notify.say("kick_vm session start ch-1").await;

    assert_eq!(relay.status().await.code, StatusCode::SessionIdDuplicate);
    data.type_text("echo on\r").await;
    data.expect("on\r\n$ ").await;
    notify.say("kick_vm session stop ch-1").await;
    assert_eq!(relay.status().await.code, StatusCode::Notified);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_frame_ends_that_session_alone() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut bad = relay.open(&mut notify, session("ch-1")).await;
    let mut good = relay.open(&mut notify, session("ch-2")).await;

    bad.send_raw(Bytes::from_static(&[0; 57])).await;

    let post = relay.status().await;
    assert_eq!(post.channel.as_str(), "ch-1");
    assert_eq!(post.code, StatusCode::ProcessDataError);
    good.type_text("echo on\r").await;
    good.expect("on\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_a_second_after_the_relay_should_have_ended_it() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.expect("$ ").await;

    let advance = |span| relay.clock.advance(span);
    advance(Duration::from_millis(180_999))
        .await
        .expect("advances");
    data.send(Message::Status(Status::KeepAlive)).await;
    data.type_text("echo still\r").await;
    data.expect("still\r\n$ ").await;
    advance(Duration::from_secs(181)).await.expect("advances");

    assert_eq!(relay.status().await.code, StatusCode::Timeout);
}

#[tokio::test(start_paused = true)]
async fn output_keeps_to_the_speed_that_the_relay_told() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.expect("$ ").await;
    data.send(Message::Status(Status::Speed(1_638_400))).await;
    data.type_text("flood 100000\r").await;

    let mut within_burst = 0;
    while let Ok(Some(Message::Output(data))) =
        link::timeout(Duration::from_secs(5), data.next()).await
    {
        within_burst += data.len();
    }
    assert!((12_288..=20_480).contains(&within_burst), "{within_burst}");
    relay
        .clock
        .advance(Duration::from_millis(500))
        .await
        .expect("advances");

    data.expect("\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_stops_ends_its_sessions_in_good_order() {
    let mut relay = Relay::simulated().await;
    let mut notify = relay.notified().await;
    let mut data = relay.open(&mut notify, session("ch-1")).await;
    data.expect("$ ").await;

    // The relay's own tasks live in the same group, so only the wire can tell.
    relay.tasks.token().cancel();

    let left = soon("the end", async { while data.next().await.is_some() {} });
    left.await;
}
