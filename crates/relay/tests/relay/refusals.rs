//! Refused upgrades: an HTTP error with a JSON body, before the upgrade (design, "Refused
//! upgrades").

use std::time::Duration;

use axt_control::luban::header;
use axt_net::ws::ConnectError;
use axt_proto::Limits;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::{harness::World, peers::Client};

/// The status and the code of a refusal.
fn refusal(answer: Result<Client, ConnectError>) -> (u16, String) {
    match answer.err().expect("refused") {
        ConnectError::Refused { status, body, .. } => {
            let body: Value = serde_json::from_slice(&body).expect("a JSON body");
            assert!(body["Message"].is_string() && body["RequestId"].is_string());
            let code = body["Code"].as_str().expect("a code").to_owned();
            (status.as_u16(), code)
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_learns_nothing_about_sessions() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let session = world.start_session().await;
    let base = "ws://localhost:7443/session";

    for url in [
        format!("{base}?sessionId=s-nobody&token={}", session.token),
        format!("{base}?sessionId={}&token=wrong", session.id),
        format!("{base}?sessionId={}", session.id),
        base.to_owned(),
    ] {
        assert_eq!(
            refusal(world.connect(&url).await),
            (403, "InvalidSessionToken".to_owned()),
            "{url}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_tokens_that_differ_are_refused_and_an_empty_header_is_none() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let session = world.start_session().await;
    let with = |token: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::SESSION_TOKEN, HeaderValue::from_static(token));
        headers
    };

    let differing = world.connect_with(&session.url, with("other")).await;
    let empty = world.connect_with(&session.url, with("")).await;

    assert_eq!(refusal(differing).0, 403);
    assert!(empty.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_url_is_good_for_ten_minutes_and_what_lives_goes_on() {
    let world = World::with(Limits {
        bandwidth_bytes_per_s: 0,
        idle_timeout_s: 3_600,
        ..Limits::default()
    })
    .await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let validity = Limits::default().url_validity();

    world
        .clock
        .advance(validity - Duration::from_millis(1))
        .await
        .expect("moves");
    let (mut client, channel) = world.pair(&mut agent, &session).await;
    world
        .clock
        .advance(Duration::from_millis(1))
        .await
        .expect("moves");
    let late = world.connect(&session.url).await;
    channel.print("on and on").await;

    assert_eq!(refusal(late), (403, "SessionUrl.Expired".to_owned()));
    client.expect_output("on and on").await;
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_says_so_to_who_has_its_token() {
    let world = World::new().await;
    let _agent = world.our_agent().await;
    let session = world.start_session().await;
    world
        .call("EndTerminalSession", &format!("&SessionId={}", session.id))
        .await;

    assert_eq!(
        refusal(world.connect(&session.url).await),
        (403, "SessionUrl.Ended".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_instance_refuses_and_a_slot_that_is_free_again_lets_in() {
    let world = World::with(Limits {
        bandwidth_bytes_per_s: 0,
        connections_per_instance: 1,
        ..Limits::default()
    })
    .await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, channel) = world.pair(&mut agent, &session).await;

    let full = world.connect(&session.url).await;
    agent.post_status(&channel.object, "Success", "Ok").await;
    drop(channel);
    client.expect_ended("Exit").await;
    let again = world.connect(&session.url).await;

    assert_eq!(refusal(full), (403, "SessionCount.ExceedLimit".to_owned()));
    assert!(again.is_ok());
}

#[tokio::test(start_paused = true)]
async fn another_instances_agent_gets_no_channel() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let thief = world.agent_of("i-box2", None).await;
    let session = world.start_session().await;
    let _client = world.connect(&session.url).await.expect("let in");
    let channel = agent.kicked().await;

    let stolen = thief.list(&channel).await;
    let object = agent.list(&channel).await.session[0].clone();
    let dialled = thief.dial(object).await;

    assert!(stolen.session.is_empty());
    let refusal = dialled.err().expect("refused");
    assert!(
        matches!(&refusal, ConnectError::Refused { status, .. } if status.as_u16() == 403),
        "{refusal}"
    );
}
