//! The documented limits, end to end, on the clock that the test moves.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::time::Duration;

use axt_client::{api::CallError, session::Why};
use axt_proto::{Limits, Reason, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig};

use harness::{command, settings, start};

const START: Tick = Tick::from_millis(1_795_587_061_027);

async fn frozen(limits: Limits) -> Sandbox {
    start(SandboxConfig {
        clock: ClockStart::Frozen(START),
        limits,
        ..settings()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_at_the_third_minute_without_a_byte_and_not_before() {
    let sandbox = frozen(settings().limits).await;
    let session = command(&sandbox, "echo ready; exec cat").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("ready").await.expect("live");

    sandbox
        .clock()
        .advance(Duration::from_millis(179_999))
        .await
        .expect("moved");
    // Were it over by now, this would not come back.
    terminal.type_line("a byte").await.expect("typed");
    terminal.expect("a byte\r\na byte").await.expect("echoed");
    // Resizes are no data.
    sandbox
        .clock()
        .advance(Duration::from_millis(100_000))
        .await
        .expect("moved");
    terminal.resize(10, 20);
    sandbox
        .clock()
        .advance(Duration::from_millis(80_000))
        .await
        .expect("moved");
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::IdleTimeout));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_alone_keeps_a_connection_alive() {
    let sandbox = frozen(settings().limits).await;
    let session = command(&sandbox, "echo ready; read -r _; echo more; read -r _").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("ready").await.expect("live");
    let by = |seconds| sandbox.clock().advance(Duration::from_secs(seconds));

    by(179).await.expect("moved");
    terminal.type_line("").await.expect("typed");
    terminal.expect("more").await.expect("output");
    by(179).await.expect("moved");
    terminal.type_line("").await.expect("typed");
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::Exit));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_above_the_regions_quota_is_refused_until_a_url_is_dead() {
    let sandbox = frozen(Limits {
        sessions_per_region: 3,
        ..settings().limits
    })
    .await;
    for _ in 0..3 {
        sandbox.start_session().await.expect("within the quota");
    }

    let refused = sandbox.start_session().await.expect_err("above the quota");
    let axt_client::session::OpenError::Call(CallError::Api(error)) = refused else {
        panic!("refused in another way: {refused}");
    };
    assert_eq!(error.code, "SessionCount.ExceedLimit");
    assert_eq!(error.status, 403);

    sandbox
        .clock()
        .advance(Duration::from_secs(600))
        .await
        .expect("moved");
    sandbox
        .start_session()
        .await
        .expect("the quota is free again");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bandwidth_waits_on_rule_time_once_the_burst_is_spent() {
    let sandbox = frozen(Limits {
        bandwidth_bytes_per_s: 2_048,
        burst_bytes: 4_096,
        ..Limits::default()
    })
    .await;
    let session = command(
        &sandbox,
        "stty raw -echo; printf '%5000s<end>' x; read -r _",
    )
    .await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");

    // Frozen time lets the burst through and holds the rest; a second of it brings the rest.
    let first = terminal.expect(" ").await;
    assert!(first.is_ok());
    sandbox
        .clock()
        .advance(Duration::from_secs(1))
        .await
        .expect("moved");

    terminal.expect("x<end>").await.expect("the rest");
    sandbox.shutdown().await;
}
