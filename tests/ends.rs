//! How a forwarded connection ends: whoever ends it and however, the other end sees the same, and no
//! byte that was sent before an orderly end is lost.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;

use std::time::Duration;

use axt_client::forward::{EXTENSIONS, ForwardEvent};
use axt_net::link;
use axt_proto::{Extensions, Limits, Tick};
use axt_sandbox::{ClockStart, SandboxConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
};

use harness::{
    memory::MemoryTunnel,
    settings,
    tunnel::{Pairing, Tunnel, fill, is_reset, noise, read, reset, rest, soon},
    until,
};

const START: Tick = Tick::from_millis(1_795_587_061_027);

/// More than all buffers on the way hold.
const MUCH: usize = 5_000_000;

/// Writes all of it, and reads as much at the other end.
async fn carried(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    let writing = async { from.write_all(bytes).await.expect("written") };
    let ((), arrived) = tokio::join!(writing, read(to, bytes.len()));
    arrived
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses_resets_the_application() {
    let mut tunnel = Tunnel::open().await;
    tunnel.stop_listening();

    assert!(tunnel.is_refused().await);

    let end = tunnel.end_of_connection().await;
    assert!(
        matches!(&end, ForwardEvent::Failed { trouble, .. } if trouble.problem.contains("Open_port_failed")),
        "{end}"
    );
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_arrives_as_one_at_the_other_end() {
    let mut tunnel = Tunnel::open().await;

    let (mut client, target) = tunnel.connect().await;
    reset(target);
    assert!(is_reset(&mut client).await, "the target's");
    tunnel.end_of_connection().await;
    let (client, mut target) = tunnel.connect().await;
    reset(client);
    assert!(is_reset(&mut target).await, "the application's");

    tunnel.end_of_connection().await;
    tunnel.shutdown().await;
}

/// Waits for a reset at an end that neither reads nor writes.
async fn told_by_reset(socket: &TcpStream) {
    let ready = soon("a reset", socket.ready(Interest::ERROR)).await;
    assert!(ready.expect("a socket").is_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_told_though_the_bytes_before_it_stand_still() {
    let mut tunnel = Tunnel::open().await;

    let (client, target) = tunnel.connect().await;
    fill(&target).await;
    reset(target);
    told_by_reset(&client).await;
    let end = tunnel.end_of_connection().await;
    assert!(matches!(end, ForwardEvent::Failed { .. }), "{end}");
    let (client, target) = tunnel.connect().await;
    fill(&client).await;
    reset(client);
    told_by_reset(&target).await;
    tunnel.end_of_connection().await;

    until_nobody_is_connected(&tunnel).await;
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_after_a_half_close_of_the_same_end_is_told() {
    let mut tunnel = Tunnel::open().await;

    let (mut client, mut target) = tunnel.connect().await;
    target.shutdown().await.expect("half-closed");
    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    reset(target);
    told_by_reset(&client).await;
    tunnel.end_of_connection().await;
    let (mut client, mut target) = tunnel.connect().await;
    client.shutdown().await.expect("half-closed");
    assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
    reset(client);
    told_by_reset(&target).await;
    tunnel.end_of_connection().await;

    until_nobody_is_connected(&tunnel).await;
    tunnel.shutdown().await;
}

/// What was held up is gone at every hop.
async fn until_nobody_is_connected(tunnel: &Tunnel) {
    until("the end of all connections", async || {
        let state = tunnel.sandbox.admin().limits().await.expect("an answer");
        let used = state["connections_per_instance"].used;
        (used == Some(0)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_gone_resets_whoever_goes_on_sending_to_it() {
    let tunnel = Tunnel::open().await;
    let (mut client, mut target) = tunnel.connect().await;

    target.write_all(b"bye").await.expect("written");
    drop(target);
    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"bye");
    let sending = async { while client.write_all(&[0; 1_000]).await.is_ok() {} };

    soon("a reset", sending).await;
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_closes_first_or_right_after_writing_is_heard_to_its_last_byte() {
    let mut tunnel = Tunnel::open().await;
    let bytes = noise(1, MUCH);

    for length in [0, 1, MUCH] {
        let (mut client, mut target) = tunnel.connect().await;
        let writing = async {
            target.write_all(&bytes[..length]).await.expect("written");
            drop(target);
        };
        let ((), heard) = tokio::join!(writing, rest(&mut client));
        assert!(heard.expect("an orderly end") == bytes[..length]);
        drop(client);
        let end = tunnel.end_of_connection().await;
        assert!(matches!(end, ForwardEvent::Closed { .. }), "{end}");
    }

    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_closes_first_or_right_after_writing_is_heard_to_its_last_byte() {
    let mut tunnel = Tunnel::open().await;
    let bytes = noise(2, MUCH);

    for length in [0, 1, MUCH] {
        let (mut client, mut target) = tunnel.connect().await;
        let writing = async {
            client.write_all(&bytes[..length]).await.expect("written");
            drop(client);
        };
        let ((), heard) = tokio::join!(writing, rest(&mut target));
        assert!(heard.expect("an orderly end") == bytes[..length]);
        drop(target);
        let end = tunnel.end_of_connection().await;
        assert!(matches!(end, ForwardEvent::Closed { .. }), "{end}");
    }

    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_half_close_of_either_end_the_other_direction_goes_on() {
    let mut tunnel = Tunnel::open().await;
    let bytes = noise(3, MUCH);

    let (mut client, mut target) = tunnel.connect().await;
    client.shutdown().await.expect("half-closed");
    assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
    assert!(carried(&mut target, &mut client, &bytes).await == bytes);
    drop(target);
    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    tunnel.end_of_connection().await;

    let (mut client, mut target) = tunnel.connect().await;
    target.shutdown().await.expect("half-closed");
    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    assert!(carried(&mut client, &mut target, &bytes).await == bytes);
    drop(client);
    assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
    tunnel.end_of_connection().await;

    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_bytes_wait_for_the_bandwidth_and_arrive() {
    let tunnel = Tunnel::open_as(
        Pairing::BOTH,
        SandboxConfig {
            clock: ClockStart::Frozen(START),
            limits: Limits {
                bandwidth_bytes_per_s: 8_192,
                burst_bytes: 4_096,
                ..Limits::default()
            },
            ..settings()
        },
    )
    .await;
    let bytes = noise(4, 60_000);

    // Each end writes all that it has and is gone, long before the bandwidth lets it through.
    let (mut client, mut target) = tunnel.connect().await;
    target.write_all(&bytes).await.expect("written");
    target.shutdown().await.expect("half-closed");
    client.write_all(&bytes).await.expect("written");
    client.shutdown().await.expect("half-closed");
    let moving = async {
        loop {
            let by = Duration::from_millis(500);
            tunnel.sandbox.clock().advance(by).await.expect("moved");
            link::sleep(Duration::from_millis(5)).await;
        }
    };
    let arriving = async { tokio::join!(rest(&mut client), rest(&mut target)) };
    let (down, up) = tokio::select! {
        arrived = arriving => arrived,
        () = moving => unreachable!("the clock goes on and on"),
    };

    assert!(down.expect("an orderly end") == bytes);
    assert!(up.expect("an orderly end") == bytes);
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_vanishes_is_told_to_the_application_and_to_the_target() {
    let mut tunnel = Tunnel::open().await;
    let (mut client, mut target) = tunnel.connect().await;
    carried(&mut client, &mut target, b"up and running").await;

    tunnel.sandbox.lose_agents();

    assert!(is_reset(&mut client).await, "the application");
    assert!(is_reset(&mut target).await, "the target");
    let end = tunnel.end_of_connection().await;
    assert!(
        matches!(&end, ForwardEvent::Failed { trouble, .. } if trouble.problem.contains("AgentTimeout")),
        "{end}"
    );
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_vanishes_is_told_to_the_application_and_to_the_target() {
    let mut tunnel = Tunnel::open().await;
    let (mut client, mut target) = tunnel.connect().await;
    carried(&mut client, &mut target, b"up and running").await;

    tunnel.sandbox.lose_relay();

    assert!(is_reset(&mut client).await, "the application");
    assert!(is_reset(&mut target).await, "the target");
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_stops_is_told_to_the_application_and_to_the_target() {
    let tunnel = Tunnel::open().await;
    let (mut client, mut target) = tunnel.connect().await;
    carried(&mut client, &mut target, b"up and running").await;

    let ending = tunnel.sandbox.shutdown();
    let told = async { (is_reset(&mut client).await, is_reset(&mut target).await) };
    let ((), told) = tokio::join!(ending, told);

    assert_eq!(told, (true, true));
}

/// In memory, where a minute passes at once: one end writes and is gone, the other one starts to
/// read when everybody who does not wait for it has long given up.
#[tokio::test(start_paused = true)]
async fn who_reads_late_loses_nothing_of_what_was_sent_before_an_orderly_end() {
    for extensions in [EXTENSIONS, Extensions::NONE] {
        let tunnel = MemoryTunnel::open(extensions).await;
        let bytes = noise(5, 500_000);

        let (mut client, mut target) = tunnel.connect().await;
        let sent = bytes.clone();
        tunnel.tasks.spawn("target", async move {
            target.write_all(&sent).await.expect("written");
        });
        link::sleep(Duration::from_secs(100)).await;
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.expect("read");
        assert!(heard == bytes, "{} bytes came", heard.len());
        drop(client);

        if extensions.eof {
            let (mut client, mut target) = tunnel.connect().await;
            let sent = bytes.clone();
            tunnel.tasks.spawn("application", async move {
                client.write_all(&sent).await.expect("written");
            });
            // The target's own end comes first, so that the application's is the last of the two.
            target.shutdown().await.expect("half-closed");
            link::sleep(Duration::from_secs(100)).await;
            let mut heard = Vec::new();
            target.read_to_end(&mut heard).await.expect("read");
            assert!(heard == bytes, "{} bytes came", heard.len());
        }

        tunnel.shutdown().await;
    }
}
