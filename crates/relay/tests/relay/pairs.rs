//! A client and an agent's channel, paired.

use axt_control::luban::header;
use axt_proto::{EventKind, Extensions, Message, Size};
use http::{HeaderMap, HeaderValue};

use crate::harness::World;

#[tokio::test(start_paused = true)]
async fn a_client_and_its_agent_hear_each_other() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;

    let (mut client, mut channel) = world.pair(&mut agent, &session).await;
    client.type_text("ls\r").await;
    channel.expect_input("ls\r").await;
    channel.print("a b\r\n").await;

    client.expect_output("a b\r\n").await;
    assert!(!channel.object.is_port());
    world
        .until(|event| event.kind == EventKind::ConnectionLive)
        .await;
}

#[tokio::test(start_paused = true)]
async fn two_clients_on_one_url_have_a_channel_each() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;

    let (mut first, first_channel) = world.pair(&mut agent, &session).await;
    let (mut second, second_channel) = world.pair(&mut agent, &session).await;
    first_channel.print("one").await;
    second_channel.print("two").await;

    first.expect_output("one").await;
    second.expect_output("two").await;
    assert_ne!(
        first_channel.object.channel_id,
        second_channel.object.channel_id
    );
}

#[tokio::test(start_paused = true)]
async fn the_agent_is_told_what_to_open_as_often_as_it_asks_until_it_has_dialled() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world
        .start_session_with("&CommandLine=uptime&Username=dev")
        .await;
    let _client = world.connect(&session.url).await.expect("let in");
    let channel = agent.kicked().await;

    let first = agent.list(&channel).await;
    let second = agent.list(&channel).await;
    let object = first.session[0].clone();
    let mut dialled = agent.dial(object.clone()).await.expect("let in");
    dialled.expect_speed().await;
    let third = agent.list(&channel).await;

    assert_eq!(first, second);
    assert_eq!(object.cmd_content, "uptime");
    assert_eq!(object.username, "dev");
    assert!(third.session.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_both_ends_announced_is_granted() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let mut headers = HeaderMap::new();
    headers.insert(header::EXTENSIONS, HeaderValue::from_static("exit, pipe"));
    headers.insert(header::SIZE, HeaderValue::from_static("30x100"));

    let mut client = world
        .connect_with(&session.url, headers)
        .await
        .expect("let in");
    let channel = agent.serve().await;
    channel.send(Message::Eof).await;
    channel.send(Message::Exit(3)).await;

    assert_eq!(client.granted.as_deref(), Some("exit, pipe"));
    let granted = channel.object.axt.expect("a member for extensions");
    assert_eq!(granted.ext.to_string(), "exit, pipe");
    assert_eq!((granted.rows, granted.cols), (Some(30), Some(100)));
    client.expect_speed().await;
    client.expect(Message::Exit(3)).await;
}

#[tokio::test(start_paused = true)]
async fn an_official_agent_never_hears_of_extensions() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let session = world.start_session().await;
    let mut headers = HeaderMap::new();
    let all = Extensions::ALL.to_string();
    headers.insert(
        header::EXTENSIONS,
        HeaderValue::from_str(&all).expect("valid"),
    );

    let client = world
        .connect_with(&session.url, headers)
        .await
        .expect("let in");
    let channel = agent.serve().await;

    assert_eq!(client.granted, None);
    assert_eq!(channel.object.axt, None);
}

/// What the client was granted cannot be taken back, so it has to come again.
#[tokio::test(start_paused = true)]
async fn an_official_agent_in_the_place_of_one_of_ours_is_not_given_what_that_was_to_open() {
    let world = World::new().await;
    let mut ours = world.our_agent().await;
    let session = world.start_session().await;
    ours.post("/luban/api/heart-beat").await;
    ours.go_away();
    let mut headers = HeaderMap::new();
    headers.insert(header::EXTENSIONS, HeaderValue::from_static("exit, pipe"));
    let waiting = world.connect_with(&session.url, headers).await;
    let mut waiting = waiting.expect("let in");

    let mut theirs = world.agent().await;
    waiting.expect_speed().await;
    waiting.expect_ended("AgentTimeout").await;
    let _again = world.connect(&session.url).await.expect("let in");
    let channel = theirs.serve().await;

    assert_eq!(channel.object.axt, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_and_sized_before_the_agent_is_there_reaches_it() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let client = world.connect(&session.url).await.expect("let in");
    let size = |rows| Message::Resize(Size { rows, cols: 80 });

    client.type_text("early").await;
    client.send(size(30)).await;
    let mut channel = agent.serve().await;

    channel.expect_input("early").await;
    channel.expect(size(30)).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_lost_and_dialled_again_loses_no_input() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    let object = channel.object.clone();

    drop(channel);
    client.type_text("still here?").await;
    let mut again = agent.dial(object).await.expect("let in");
    again.expect_speed().await;
    again.expect_input("still here?").await;
    again.print("yes").await;

    client.expect_output("yes").await;
}

#[tokio::test(start_paused = true)]
async fn a_second_dial_takes_the_place_of_the_first() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, first) = world.pair(&mut agent, &session).await;

    first.print("last words").await;
    let mut second = agent.dial(first.object.clone()).await.expect("let in");
    second.expect_speed().await;
    second.print("new words").await;
    client.expect_output("last words").await;
    client.expect_output("new words").await;
    client.type_text("hello").await;

    second.expect_input("hello").await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_comes_back_is_kicked_for_who_waits() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    agent.post("/luban/api/heart-beat").await;
    agent.go_away();

    let mut client = world.connect(&session.url).await.expect("let in");
    agent.notify().await;
    let _channel = agent.serve().await;

    client.expect_speed().await;
    world
        .until(|event| event.kind == EventKind::ConnectionLive)
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_newest_notify_channel_is_the_one_that_counts() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let (mut older, _) = agent.open_notify().await;
    agent.notify().await;

    let ended = older.next().await;
    let session = world.start_session().await;
    let _client = world.connect(&session.url).await.expect("let in");

    assert!(
        matches!(ended, Ok(axt_net::ws::Incoming::Closed { code: 1000, .. })),
        "{ended:?}"
    );
    agent.kicked().await;
}
