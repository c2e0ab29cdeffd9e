//! The simulation: relay, agent and clients in memory, on a paused runtime, with a scripted shell.
//! Hours pass in milliseconds, and nothing here needs a socket, a process or a PTY.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod behaviours;
mod faults;
#[path = "../harness/mod.rs"]
mod harness;
mod histories;
mod pauses;

use std::time::Duration;

use axt_agent::Shells;
use axt_client::session::{OpenError, Why};
use axt_proto::{Extensions, Limits, Reason, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, Transport, terminal::Terminal};

use harness::{session, start};

const START: Tick = Tick::from_millis(1_795_587_061_027);

fn simulated(seed: u64) -> SandboxConfig {
    SandboxConfig {
        transport: Transport::Memory,
        clock: ClockStart::Frozen(START),
        shells: Shells::Scripted,
        seed: Some(seed),
        ..SandboxConfig::default()
    }
}

async fn terminal(sandbox: &Sandbox) -> Terminal {
    let session = session(sandbox).await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.type_line("echo hello").await.expect("typed");
    terminal.expect("hello").await.expect("an answer");
    terminal
}

#[tokio::test(start_paused = true)]
async fn a_scripted_shell_answers_through_relay_and_agent() {
    let sandbox = start(simulated(1)).await;
    let mut terminal = terminal(&sandbox).await;

    terminal.type_line("exit 3").await.expect("typed");
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::Exit));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_looks_like_an_official_one_serves_the_same() {
    let sandbox = start(SandboxConfig {
        extensions: Extensions::NONE,
        ..simulated(2)
    })
    .await;
    let mut terminal = terminal(&sandbox).await;

    terminal.type_line("exit").await.expect("typed");
    let (ended, _) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::Exit));
    assert_eq!(ended.exit_code, None);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn silence_behind_output_that_had_to_wait_is_the_relays_to_judge() {
    let sandbox = start(SandboxConfig {
        limits: Limits {
            bandwidth_bytes_per_s: 2_048,
            ..Limits::default()
        },
        // Before it is told how slow it has to be, and after.
        behaviours: vec!["floods=60000".parse().expect("words")],
        ..simulated(6)
    })
    .await;
    let session = session(&sandbox).await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");

    terminal.expect("~").await.expect("a flood");
    for _ in 0..40 {
        let moved = sandbox.clock().advance(Duration::from_secs(1)).await;
        moved.expect("moved");
    }
    terminal.expect("~$ ").await.expect("all of it");
    let moved = sandbox.clock().advance(Duration::from_secs(300)).await;
    moved.expect("moved");

    let (ended, _) = terminal.end().await.expect("an end");
    assert_eq!(ended.why, Why::Told(Reason::IdleTimeout));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_day_of_sessions_gives_everything_back() {
    let sandbox = start(SandboxConfig {
        limits: Limits {
            sessions_per_region: 2,
            connections_per_instance: 1,
            ..Limits::default()
        },
        ..simulated(3)
    })
    .await;

    for _ in 0..144 {
        let terminal = terminal(&sandbox).await;
        sandbox
            .clock()
            .advance(Duration::from_secs(600))
            .await
            .expect("moved");
        let (ended, _) = terminal.end().await.expect("an end");
        assert_eq!(ended.why, Why::Told(Reason::IdleTimeout));
    }

    // Had any of them kept its place, this would be refused.
    let second = session(&sandbox).await;
    let one = terminal(&sandbox).await;
    let refused = sandbox.terminal(&second).await;
    assert!(matches!(refused, Err(OpenError::Refused { .. })));
    drop(one);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_lost_and_started_again_knows_its_sessions_and_gets_its_agents_back() {
    let mut sandbox = start(simulated(4)).await;
    let known = session(&sandbox).await;
    let open = terminal(&sandbox).await;

    sandbox.lose_relay();
    sandbox.restart_relay().await.expect("it starts again");

    let (ended, _) = open.end().await.expect("an end");
    assert!(matches!(ended.why, Why::Lost(_)), "{ended:?}");
    let mut terminal = harness::until("a terminal by the old URL", || async {
        let mut terminal = sandbox.terminal(&known).await.ok()?;
        terminal.type_line("echo again").await.ok()?;
        terminal.expect("again").await.ok()?;
        Some(terminal)
    })
    .await;
    terminal.type_line("exit").await.expect("typed");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_lost_can_be_started_again() {
    let mut sandbox = start(simulated(5)).await;
    let instance = sandbox.instance().clone();
    let open = terminal(&sandbox).await;

    assert!(sandbox.lose_agent(&instance));
    let (ended, _) = open.end().await.expect("an end");
    assert!(sandbox.start_agent(&instance));

    assert_eq!(ended.why, Why::Told(Reason::AgentTimeout));
    harness::until("a session", || async {
        sandbox.start_session().await.ok().map(drop)
    })
    .await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_sessions() {
    let ids = async |seed| {
        let sandbox = start(simulated(seed)).await;
        let id = session(&sandbox).await.id;
        sandbox.shutdown().await;
        id
    };

    assert_eq!(ids(7).await, ids(7).await);
    assert_ne!(ids(7).await, ids(8).await);
}
