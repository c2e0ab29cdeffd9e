//! Session URLs that must not open anything, and what they are told.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::time::Duration;

use axt_client::session::{Announce, OpenError, Started, connect};
use axt_net::ws::{self, ConnectError};
use axt_proto::{Limits, Secret, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig};
use http::{HeaderMap, HeaderValue};

use harness::{command, sandbox, session, settings, start};

async fn refusal(sandbox: &Sandbox, session: &Started) -> String {
    match sandbox.terminal(session).await {
        Err(OpenError::Refused { code, .. }) => code,
        Err(other) => panic!("refused in another way: {other}"),
        Ok(_) => panic!("it was let in"),
    }
}

fn with_url(session: &Started, url: String) -> Started {
    Started {
        url: Secret::new(url),
        ..session.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_an_unknown_session_are_told_apart_by_nobody() {
    let sandbox = sandbox().await;
    let good = session(&sandbox).await;
    let other_token = Secret::new("d86c2df2-d19c-4bd8-b817-a19ef1230000");
    let url = |id: &str| format!("{}/session?sessionId={id}", sandbox.ready().axt);

    let wrong_token = Started {
        token: other_token.clone(),
        ..with_url(&good, url(&good.id))
    };
    let unknown = Started {
        token: other_token.clone(),
        ..with_url(&good, url("s-hz0000000000000000"))
    };

    assert_eq!(refusal(&sandbox, &wrong_token).await, "InvalidSessionToken");
    assert_eq!(refusal(&sandbox, &unknown).await, "InvalidSessionToken");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_url_and_another_in_the_header_are_refused() {
    let sandbox = sandbox().await;
    let good = session(&sandbox).await;
    let contradictory = Started {
        token: Secret::new("d86c2df2-d19c-4bd8-b817-a19ef1230000"),
        ..good
    };

    assert_eq!(
        refusal(&sandbox, &contradictory).await,
        "InvalidSessionToken"
    );
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_token_header_is_no_header() {
    let sandbox = sandbox().await;
    let session = command(&sandbox, "echo let in").await;
    let mut headers = HeaderMap::new();
    headers.insert("x-acs-session-token", HeaderValue::from_static(""));
    let network = sandbox.network();

    let opened = ws::connect(&network.dialer, &network.tls, session.url.expose(), headers).await;

    assert!(opened.is_ok(), "{opened:?}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_upgrade_is_answered_with_426_and_a_body() {
    let sandbox = sandbox().await;
    let session = session(&sandbox).await;
    let url = session.url.expose().replace("wss://", "https://");
    let network = sandbox.network();
    let http = axt_net::http::HttpClient::new(network.dialer.clone(), network.tls.clone());
    let request = http::Request::get(url)
        .body(bytes::Bytes::new())
        .expect("a request");

    let answer = http.send(request).await.expect("an answer");

    assert_eq!(answer.status(), 426);
    assert!(String::from_utf8_lossy(answer.body()).contains("\"Code\""));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_lets_nobody_in_for_ever() {
    let sandbox = sandbox().await;
    let session = session(&sandbox).await;

    axt_client::session::end(sandbox.api(), &session.id).await;
    axt_client::session::end(sandbox.api(), &session.id).await;

    assert_eq!(refusal(&sandbox, &session).await, "SessionUrl.Ended");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_opens_at_599_999_s_and_not_at_600_s_while_what_is_live_goes_on() {
    let sandbox = start(SandboxConfig {
        clock: ClockStart::Frozen(Tick::from_millis(1_795_587_061_027)),
        ..settings()
    })
    .await;
    let session = command(&sandbox, "echo ready; exec cat").await;
    let by = |millis| sandbox.clock().advance(Duration::from_millis(millis));

    // An idle terminal would end at the third minute, so the old one is kept busy.
    let mut old = sandbox.terminal(&session).await.expect("a terminal");
    old.expect("ready").await.expect("a command");
    for _ in 0..5 {
        by(119_999).await.expect("moved");
        old.type_line("still here").await.expect("typed");
        old.expect("still here\r\nstill here")
            .await
            .expect("echoed");
    }
    by(4).await.expect("moved");
    let last = sandbox.terminal(&session).await;
    by(1).await.expect("moved");

    assert!(last.is_ok(), "at 599.999 s");
    assert_eq!(refusal(&sandbox, &session).await, "SessionUrl.Expired");
    old.type_line("and after").await.expect("typed");
    old.expect("and after").await.expect("it goes on");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_above_the_instances_quota_is_refused_until_one_ends() {
    let sandbox = start(SandboxConfig {
        limits: Limits {
            connections_per_instance: 2,
            ..settings().limits
        },
        ..settings()
    })
    .await;
    let session = command(&sandbox, "echo ready; read -r _").await;
    let mut one = sandbox.terminal(&session).await.expect("a terminal");
    let mut two = sandbox.terminal(&session).await.expect("a terminal");
    one.expect("ready").await.expect("live");
    two.expect("ready").await.expect("live");

    assert_eq!(
        refusal(&sandbox, &session).await,
        "SessionCount.ExceedLimit"
    );
    one.type_line("").await.expect("typed");
    one.end().await.expect("an end");

    let mut third = sandbox.terminal(&session).await.expect("a slot was freed");
    third.expect("ready").await.expect("live");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusals_body_is_json_with_a_code_and_a_request_id() {
    let sandbox = sandbox().await;
    let url = format!("{}/session?sessionId=s-hz1&token=x", sandbox.ready().axt);
    let network = sandbox.network();

    let refused = ws::connect(&network.dialer, &network.tls, &url, HeaderMap::new()).await;

    let Err(ConnectError::Refused { status, body, .. }) = refused else {
        panic!("not refused: {refused:?}");
    };
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(status, 403);
    assert_eq!(body["Code"], "InvalidSessionToken");
    assert!(body["Message"].is_string() && body["RequestId"].is_string());
    // The announcing of extensions changes nothing about it.
    let announced = connect(
        network,
        &Started {
            id: "s-hz1".into(),
            url: Secret::new(url),
            token: Secret::new("x"),
        },
        Announce::default(),
    )
    .await;
    assert!(matches!(announced, Err(OpenError::Refused { .. })));
    sandbox.shutdown().await;
}
