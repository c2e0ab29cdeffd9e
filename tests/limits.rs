//! The documented limits, end to end, on the clock that the test moves.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::{fs, time::Duration};

use axt_client::{api::CallError, session::Why};
use axt_proto::{Limits, Reason, Tick};
use axt_sandbox::{
    ClockStart, InstanceSpec, Sandbox, SandboxConfig,
    lone::{Change, LoneAgent, LoneAgentConfig, NewIdentity},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use harness::{command, settings, start, until};

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

/// A thousand sockets at both ends are more than most shells allow by default.
fn allow_many_files() {
    let limits = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limits.maximum,
        ..limits
    };
    setrlimit(Resource::Nofile, most).expect("up to the hard limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_calls_at_once_exactly_a_hundred_are_admitted() {
    allow_many_files();
    let sandbox = start(settings()).await;

    let calls = (0..1_000).map(|_| sandbox.start_session());
    let answers = futures_util::future::join_all(calls).await;

    let (admitted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let codes: Vec<_> = refused
        .into_iter()
        .map(|refused| match refused {
            Err(axt_client::session::OpenError::Call(CallError::Api(error))) => error.code,
            other => panic!("refused in another way: {other:?}"),
        })
        .collect();
    assert_eq!((admitted.len(), codes.len()), (100, 900));
    assert!(codes.iter().all(|code| code == "SessionCount.ExceedLimit"));
    let usage = sandbox.admin().limits().await.expect("an answer");
    assert_eq!(usage["sessions_per_region"].used, Some(100));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_reaches_a_flood_though_not_a_byte_of_it_moves() {
    let sandbox = frozen(Limits::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let caught = folder.path().join("caught");
    let line = format!(
        "trap 'echo INT > {}; exit' INT; echo ready; while :; do echo yyyyyyyyyyyyyyyyyyyy; done",
        caught.display()
    );
    let session = command(&sandbox, &line).await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("ready").await.expect("live");
    // Time stands still: once the burst is spent, output waits for ever.
    until("a flood that waits", || async {
        let limits = sandbox.admin().limits().await.expect("an answer");
        // The agent keeps below it by itself, and stops before a piece that does not fit.
        (limits["burst_bytes"].used >= Some(12_000)).then_some(())
    })
    .await;

    terminal.type_bytes(b"\x03").await.expect("typed");

    until("the signal", || async { fs::read(&caught).ok() }).await;
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_alone_and_output_alone_keep_a_real_session_alive() {
    let sandbox = frozen(settings().limits).await;
    let folder = tempfile::tempdir().expect("a folder");
    let by = |seconds| sandbox.clock().advance(Duration::from_secs(seconds));

    let eaten = folder.path().join("eaten");
    let line = format!("stty -echo; echo ready; exec cat > {}", eaten.display());
    let session = command(&sandbox, &line).await;
    let mut input = sandbox.terminal(&session).await.expect("a terminal");
    input.expect("ready").await.expect("live");
    for number in 1..=4_u64 {
        by(170).await.expect("moved");
        input.type_line("x").await.expect("typed");
        until("its arrival", || async {
            let length = fs::metadata(&eaten).ok()?.len();
            (length == number * 2).then_some(())
        })
        .await;
    }
    drop(input);

    let fed = folder.path().join("fed");
    let line = format!("mkfifo {0}; echo ready; exec cat {0}", fed.display());
    let session = command(&sandbox, &line).await;
    let mut output = sandbox.terminal(&session).await.expect("a terminal");
    output.expect("ready").await.expect("live");
    // Its writer stays, so that the reader does not see an end.
    let mut writer = tokio::fs::OpenOptions::new();
    let mut writer = writer
        .read(true)
        .write(true)
        .open(&fed)
        .await
        .expect("there");
    for number in 1..=4 {
        by(170).await.expect("moved");
        let text = format!("<{number}>\n");
        tokio::io::AsyncWriteExt::write_all(&mut writer, text.as_bytes())
            .await
            .expect("written");
        tokio::io::AsyncWriteExt::flush(&mut writer)
            .await
            .expect("written");
        output.expect(text.trim_end()).await.expect("output");
    }
    by(180).await.expect("moved");
    let (ended, _) = output.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::IdleTimeout));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_its_own_follows_the_relays_clock_when_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("agent.pem");
    let identity = NewIdentity::create(&key, None).expect("a key");
    let base = settings();
    let instance = identity.instance.clone();
    let spec = InstanceSpec::new(instance.clone(), base.account.clone(), base.region.clone());
    let sandbox = start(SandboxConfig {
        clock: ClockStart::Frozen(START),
        instances: 0,
        declared: vec![InstanceSpec {
            public_key: Some(identity.public_key.clone()),
            ..spec
        }],
        ..base
    })
    .await;
    let server = sandbox.ready().axt.replacen("ws", "http", 1);
    let mut agent = LoneAgent::start(LoneAgentConfig {
        ca: Some(sandbox.ready().ca_cert.clone().into()),
        shells: settings().shells,
        follow_clock: true,
        ..LoneAgentConfig::new(server, instance, &key)
    })
    .expect("an agent");
    assert_eq!(agent.changed().await.1, Change::Online);

    let at_first = agent.clock().status();
    let session = command(&sandbox, "echo ready; exec cat").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("ready").await.expect("live");
    let moved = sandbox.clock().advance(Duration::from_secs(179)).await;
    let moved = moved.expect("moved").now;
    until("the agent's clock", || async {
        (agent.clock().now() == moved).then_some(())
    })
    .await;
    terminal.type_line("alive").await.expect("typed");
    terminal.expect("alive\r\nalive").await.expect("echoed");
    sandbox.clock().release();
    until("a clock that runs", || async {
        (!agent.clock().status().frozen).then_some(())
    })
    .await;

    assert_eq!((at_first.now, at_first.frozen), (START, true));
    agent.shutdown().await;
    sandbox.shutdown().await;
}
