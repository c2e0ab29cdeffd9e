//! A program that floods a terminal, and a person who reads slowly.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;
#[path = "harness/peers.rs"]
mod peers;

use std::{fs, path::Path, time::Duration};

use axt_official::{AgentSetup, OfficialAgent};
use axt_proto::{Limits, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig};

use harness::{command, settings, start, until};
use peers::{network, online, setup, theirs};

const START: Tick = Tick::from_millis(1_795_587_061_027);
const MIB: u64 = 1024 * 1024;
/// What the flood writes at once, in bytes.
const LINE: u64 = 1_000;

/// How much has been written.
async fn written(counter: &Path) -> u64 {
    // It may be just being written itself.
    let lines = until("the counter", || async {
        fs::read_to_string(counter).ok()?.trim().parse::<u64>().ok()
    })
    .await;
    lines * LINE
}

/// Floods a terminal of this agent's for a minute, and then wants it to end.
async fn floods(sandbox: &Sandbox) {
    let folder = tempfile::tempdir().expect("a folder");
    let (counter, caught) = (folder.path().join("counter"), folder.path().join("caught"));
    let line = format!(
        "trap 'echo INT > {1}; exit' INT; stty -opost; i=0; \
         while :; do printf '%0998d. ' $i; i=$((i+1)); echo $i > {0}; done",
        counter.display(),
        caught.display()
    );
    // A file, for an official agent starts programs and knows no quotes (wire-protocol 10.4).
    let script = folder.path().join("flood");
    fs::write(&script, line).expect("written");
    let session = command(sandbox, &format!("sh {}", script.display())).await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.expect("00. ").await.expect("the first line");

    let mut read = LINE;
    for second in 1..=60_u64 {
        let moved = sandbox.clock().advance(Duration::from_secs(1)).await;
        moved.expect("moved");
        // 10 KB a second, of the 200 that the limit would let through.
        let last = format!("{:020}. ", second * 10);
        terminal.expect(&last).await.expect("the next lines");
        read = (second * 10 + 1) * LINE;
    }

    let waiting = written(&counter).await.saturating_sub(read);
    // At all hops together, so at each of them: agent, relay, client.
    assert!(waiting < MIB, "{waiting} bytes are on the way");
    terminal.type_bytes(b"\x03").await.expect("typed");
    until("the signal", || async { fs::read(&caught).ok() }).await;
}

fn frozen() -> SandboxConfig {
    SandboxConfig {
        clock: ClockStart::Frozen(START),
        limits: Limits::default(),
        ..settings()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minutes_flood_into_a_slow_reader_waits_where_it_begins_and_ctrl_c_is_heard_at_once() {
    let sandbox = start(frozen()).await;

    floods(&sandbox).await;

    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_behind_an_agent_that_behaves_as_the_official_one() {
    let sandbox = start(theirs(1, frozen())).await;
    let setup = AgentSetup {
        has_terminals: true,
        ..setup(&sandbox, 0)
    };
    let mut agent = OfficialAgent::start(setup, network(&sandbox));
    agent.online().await;
    online(&sandbox, 1).await;

    floods(&sandbox).await;

    sandbox.shutdown().await;
}
