//! An agent, a relay or a client that stands still with its sockets open: each other side's deadline is
//! met to the millisecond of link time, and both are told why. With real processes that are stopped,
//! `tests/real/stall.py` sees the same.

use std::time::Duration;

use axt_client::session::{Ended, Why};
use axt_net::link::{self, Instant};
use axt_proto::{EventKind, Limits, Reason};
use axt_sandbox::{Sandbox, SandboxConfig, terminal::Terminal};

use crate::{
    behaviours::{advance, behaving},
    faults::{add, talking, talks},
    harness::start,
    simulated, terminal,
};

const MS: Duration = Duration::from_millis(1);

/// No byte passes between the relay and whoever has this link, either way.
async fn stands_still(sandbox: &Sandbox, link: &str) {
    for stream in ["upstream", "downstream"] {
        add(
            sandbox,
            &format!("timeout timeout=0 link={link} stream={stream}"),
        )
        .await;
    }
}

/// Waits for the end of a terminal, however long that takes. Answers how it ended, and when.
async fn end_of(mut terminal: Terminal) -> (Ended, Instant) {
    while let Err(unmet) = terminal.expect("what never comes").await {
        if unmet.to_string().contains("the session has ended") {
            break;
        }
    }
    let at = link::now();
    let (ended, _) = terminal.end().await.expect("an end");
    (ended, at)
}

/// Why the relay's books say that the connection ended, once they do.
async fn booked(sandbox: &Sandbox) -> Option<Reason> {
    let events = sandbox.events(0).await;
    events.iter().find_map(|event| match event.kind {
        EventKind::ConnectionClosed { reason, .. } | EventKind::ConnectionFailed { reason, .. } => {
            Some(reason)
        }
        _ => None,
    })
}

/// The books have no end a moment before, and this one a moment after.
async fn is_booked_at(sandbox: &Sandbox, at: Instant, why: Reason) {
    link::sleep_until(at - MS).await;
    assert_eq!(booked(sandbox).await, None, "a moment before");
    link::sleep_until(at + MS).await;
    assert_eq!(booked(sandbox).await, Some(why), "a moment after");
}

#[tokio::test(start_paused = true)]
async fn a_paused_agent_is_dead_after_30_s_for_its_client_too() {
    let sandbox = behaving(61, &["goes_silent=10s"]).await;
    let mut live = terminal(&sandbox).await;
    live.expect("$ ").await.expect("a prompt");

    let paused = link::now();
    talks(&mut live, "last").await;
    advance(&sandbox, 10).await;
    let dead_at = paused + link::DEAD_AFTER;
    let books = is_booked_at(&sandbox, dead_at, Reason::AgentTimeout);
    let ((), (ended, at)) = tokio::join!(books, end_of(live));

    // Its notify channel is dead as well, so nobody is left who could dial again.
    assert_eq!(ended.why, Why::Told(Reason::AgentTimeout));
    assert_eq!(at - paused, link::DEAD_AFTER);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_data_channel_alone_that_stands_still_is_dialled_again_after_30_s() {
    let (sandbox, mut live) = talking(65).await;
    let paused = link::now();
    stands_still(&sandbox, "agent times=1").await;

    live.type_line("echo late").await.expect("typed");
    link::sleep_until(paused + link::DEAD_AFTER - MS).await;
    let early = link::timeout(MS / 2, live.expect("\r\nlate")).await;
    assert!(early.is_err(), "{early:?}");
    link::sleep_until(paused + link::DEAD_AFTER + MS).await;

    talks(&mut live, "on").await;
    assert_eq!(booked(&sandbox).await, None);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_relay_is_dead_after_30_s_for_its_client() {
    let (sandbox, live) = talking(62).await;

    let paused = link::now();
    stands_still(&sandbox, "client").await;
    let (ended, at) = end_of(live).await;

    let Why::Lost(how) = &ended.why else {
        panic!("{ended:?}")
    };
    assert!(how.contains("30 s"), "{how}");
    assert_eq!(at - paused, link::DEAD_AFTER);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_client_is_dead_after_30_s_and_its_slot_is_free_again() {
    let sandbox = start(SandboxConfig {
        limits: Limits {
            connections_per_instance: 1,
            ..Limits::default()
        },
        ..simulated(63)
    })
    .await;
    let mut live = terminal(&sandbox).await;
    live.expect("$ ").await.expect("a prompt");

    let paused = link::now();
    stands_still(&sandbox, "client").await;
    is_booked_at(&sandbox, paused + link::DEAD_AFTER, Reason::ClientClosed).await;
    let (ended, _) = end_of(live).await;

    assert!(matches!(ended.why, Why::Lost(_)), "{ended:?}");
    sandbox.admin().remove_fault(None).await.expect("removed");
    terminal(&sandbox).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_shorter_than_a_deadline_is_nobodys_loss() {
    for link in ["client", "agent"] {
        let (sandbox, mut live) = talking(64).await;
        stands_still(&sandbox, link).await;

        link::sleep(link::DEAD_AFTER - Duration::from_secs(11)).await;
        sandbox.admin().remove_fault(None).await.expect("removed");

        talks(&mut live, "on").await;
        assert_eq!(booked(&sandbox).await, None, "{link}");
        sandbox.shutdown().await;
    }
}
