//! What an official agent needs, and one of ours does not (wire-protocol 12, 13).

use std::time::Duration;

use axt_net::link;
use axt_proto::{Message, Status};

use crate::harness::World;

#[tokio::test(start_paused = true)]
async fn input_is_held_until_an_official_agent_can_hear_it() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (client, mut channel) = world.pair(&mut agent, &session).await;
    let before = link::now();

    client.type_text("ls\r").await;
    channel.expect_input("ls\r").await;

    let held = link::now().duration_since(before);
    assert!(held >= Duration::from_millis(1_000), "{held:?}");
    assert!(held <= Duration::from_millis(1_300), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn its_first_output_says_that_it_can_hear() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (mut client, mut channel) = world.pair(&mut agent, &session).await;
    let before = link::now();

    client.type_text("ls\r").await;
    channel.print("$ ").await;
    client.expect_output("$ ").await;
    channel.expect_input("ls\r").await;

    let held = link::now().duration_since(before);
    assert!(held < Duration::from_millis(1_000), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_ours_hears_at_once() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (client, mut channel) = world.pair(&mut agent, &session).await;
    let before = link::now();

    client.type_text("ls\r").await;
    channel.expect_input("ls\r").await;

    assert!(link::now().duration_since(before) < Duration::from_millis(1_000));
}

#[tokio::test(start_paused = true)]
async fn an_idle_official_agent_is_kept_from_ending_the_session_itself() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (_client, mut channel) = world.pair(&mut agent, &session).await;
    let before = link::now();

    channel.expect(Message::Status(Status::KeepAlive)).await;
    channel.expect(Message::Status(Status::KeepAlive)).await;

    let took = link::now().duration_since(before);
    assert!(
        took >= link::KEEP_ALIVE * 2 - Duration::from_secs(1),
        "{took:?}"
    );
}

/// Its notify channel comes back 6 s after the loss at the earliest, its data channels are tried for
/// 13.2 s (wire-protocol 8): that the one is away says nothing of the others.
#[tokio::test(start_paused = true)]
async fn one_that_has_lost_all_its_websockets_may_dial_its_data_channel_until_it_gives_up() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let object = channel.object.clone();

    agent.go_away();
    drop(channel);
    link::sleep(Duration::from_millis(13_200)).await;
    let again = agent.dial(object).await.expect("let in");
    again.print("still here").await;

    client.expect_output("still here").await;
}

/// To be kicked twice makes it deaf for the stop (wire-protocol 9.5). Only what it was told before it
/// could hear is told again.
#[tokio::test(start_paused = true)]
async fn a_kick_that_it_was_sent_after_its_start_is_not_sent_again() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let start = "/luban/api/v1/task/list?reason=startup&cold_start=true&currentTime=1&offset=0";
    agent.post(start).await;
    let _client = world.connect(&session.url).await.expect("let in");
    let channel = agent.kicked().await;

    // Its question for the session is on a slow way.
    link::sleep(Duration::from_secs(5)).await;
    let list = agent.list(&channel).await;
    let command = world.run("true", "").await;

    assert_eq!(list.session.len(), 1);
    assert_eq!(agent.command().await, format!("kick_vm task run {command}"));
}

#[tokio::test(start_paused = true)]
async fn everything_else_that_it_asks_is_answered_calmly() {
    let world = World::new().await;
    let agent = world.agent().await;

    for (path, expected) in [
        ("/luban/api/heart-beat", r#"{"nextInterval":60000}"#),
        ("/luban/api/v1/exception/client_report", r#"{"code":200}"#),
        ("/luban/api/v1/task/finish?taskId=t-1", r#"{"code":200}"#),
        ("/luban/api/metrics", r#"{"code":200}"#),
        ("/luban/api/connection_detect", "ok"),
    ] {
        assert_eq!(agent.post(path).await, expected, "{path}");
    }
}
