//! Agents that misbehave, in front of a scripted relay: what each habit looks like on the wire.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[allow(dead_code, unreachable_pub, reason = "shared by test programs")]
#[path = "support/relay.rs"]
mod relay;

use std::time::Duration;

use axt_agent::Behaviour;
use axt_control::luban::StatusCode;
use axt_net::{clock::Clock, link};
use axt_proto::{Message, Status};
use relay::{DataChannel, NotifyChannel, Relay, START, session};

/// For how long nothing is said to have come, in link time, which jumps.
const MOMENT: Duration = Duration::from_secs(5);

async fn behaving(words: &[&str]) -> Relay {
    let behaviour = Behaviour::from_words(words.iter().copied()).expect("words");
    Relay::start(Clock::frozen(START), |config| config.behaviour = behaviour).await
}

/// A relay whose agent has opened a shell.
async fn opened(words: &[&str]) -> (Relay, NotifyChannel, DataChannel) {
    let mut relay = behaving(words).await;
    let mut notify = relay.notified().await;
    let data = relay.open(&mut notify, session("ch-1")).await;
    (relay, notify, data)
}

async fn nothing<T>(what: impl Future<Output = T>) {
    let came = link::timeout(MOMENT, what).await;
    assert!(came.is_err(), "it has come");
}

async fn advance(relay: &Relay, by: Duration) {
    relay.clock.advance(by).await.expect("moved");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slow_to_start_does_nothing_before() {
    let mut relay = behaving(&["slow_start=10s"]).await;

    nothing(relay.calls.recv()).await;
    advance(&relay, Duration::from_secs(10)).await;

    relay.notified().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_never_dials_takes_the_kick() {
    let mut relay = behaving(&["never_dials"]).await;
    let mut notify = relay.notified().await;
    relay.lists(session("ch-1"));

    let answer = notify.say("kick_vm session start ch-1").await;

    assert_eq!(answer, "accept:kick_vm session start ch-1");
    nothing(relay.dialled()).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_loses_its_heart_beats_calls_for_everything_else() {
    let mut relay = behaving(&["loses_heart_beats"]).await;
    relay.notified().await;

    link::sleep(Duration::from_secs(600)).await;

    let mut calls = Vec::new();
    while let Ok(call) = relay.calls.try_recv() {
        calls.push(call);
    }
    assert!(
        calls.contains(&"/luban/api/v1/task/list".to_owned()),
        "{calls:?}"
    );
    assert!(
        !calls.contains(&"/luban/api/heart-beat".to_owned()),
        "{calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_ignores_a_stop_goes_on() {
    let (mut relay, mut notify, mut data) = opened(&["ignores_stop"]).await;

    notify.say("kick_vm session stop ch-1").await;

    data.type_text("echo on\r").await;
    data.expect("on\r\n$ ").await;
    nothing(relay.status()).await;
}

/// A speed at which the burst is over at once.
fn slow() -> Message {
    Message::Status(Status::Speed(16_384))
}

#[tokio::test(start_paused = true)]
async fn one_that_ignores_its_speed_needs_no_clock_to_send() {
    let (_relay, _notify, mut meek) = opened(&[]).await;
    meek.send(slow()).await;
    meek.type_text("flood 100000\r").await;
    nothing(meek.expect("\n$ ")).await;

    let (_relay, _notify, mut bold) = opened(&["ignores_speed"]).await;
    bold.send(slow()).await;
    bold.type_text("flood 100000\r").await;
    bold.expect("\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_floods_prints_first_what_nobody_asked_for() {
    let (_relay, _notify, mut data) = opened(&["floods=3000"]).await;

    data.expect("~$ ").await;
    data.type_text("echo on\r").await;

    data.expect("on\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_dies_after_bytes_says_no_byte_more_and_no_goodbye() {
    let (relay, _notify, mut data) = opened(&["dies_after_bytes=1000", "ignores_speed"]).await;

    data.type_text("flood 5000\r").await;
    let mut printed = 0;
    let cut = loop {
        match data.try_next().await {
            Ok(Some(message)) => printed += message.data_len(),
            end => break end,
        }
    };

    assert!(cut.is_err(), "{cut:?}");
    assert_eq!(printed + "flood 5000\r".len(), 1_000);
    relay.agent.died().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_dies_dies_at_its_time() {
    let (relay, _notify, mut data) = opened(&["dies_after=30s"]).await;
    data.expect("$ ").await;

    advance(&relay, Duration::from_millis(29_999)).await;
    nothing(relay.agent.died()).await;
    advance(&relay, Duration::from_millis(1)).await;

    relay.agent.died().await;
    assert!(data.try_next().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_silent_keeps_its_sockets_and_pings_no_more() {
    let (mut relay, notify, mut data) = opened(&["goes_silent=10s"]).await;
    data.expect("$ ").await;

    advance(&relay, Duration::from_secs(10)).await;

    notify
        .writer
        .send_text("kick_vm noop".to_owned())
        .await
        .expect("it is open");
    data.type_text("echo on\r").await;
    let silence = data.try_next().await.expect_err("not a byte");
    assert!(silence.to_string().contains("silent"), "{silence}");
    nothing(relay.notified()).await;
}

#[tokio::test(start_paused = true)]
async fn a_status_comes_twice_late_or_never() {
    let (mut relay, _notify, mut data) = opened(&["posts_twice"]).await;
    data.type_text("exit\r").await;
    assert_eq!(relay.status().await.code, StatusCode::Ok);
    assert_eq!(relay.status().await.code, StatusCode::Ok);

    let (mut relay, _notify, mut data) = opened(&["posts_late=7s"]).await;
    data.type_text("exit\r").await;
    nothing(relay.status()).await;
    advance(&relay, Duration::from_secs(7)).await;
    assert_eq!(relay.status().await.code, StatusCode::Ok);

    let (mut relay, _notify, mut data) = opened(&["posts_never"]).await;
    data.type_text("exit\r").await;
    data.rest().await;
    nothing(relay.status()).await;
}

#[tokio::test(start_paused = true)]
async fn habits_are_had_together() {
    let words = ["floods=10", "posts_twice", "loses_heart_beats"];
    let (mut relay, _notify, mut data) = opened(&words).await;

    data.expect("~~~~~~~~~~$ ").await;
    data.type_text("exit\r").await;

    relay.status().await;
    relay.status().await;
    let mut calls = Vec::new();
    while let Ok(call) = relay.calls.try_recv() {
        calls.push(call);
    }
    assert!(
        !calls.contains(&"/luban/api/heart-beat".to_owned()),
        "{calls:?}"
    );
}
