//! Connections that are quiet for longer than the idle timeout.

use std::time::Duration;

use axt_client::forward::ForwardEvent;
use axt_proto::Tick;
use axt_sandbox::{ClockStart, SandboxConfig};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::tunnel::{Pairing, Tunnel, is_reset, read};

const START: Tick = Tick::from_millis(1_795_587_061_027);

async fn open(pairing: Pairing) -> Tunnel {
    let settings = SandboxConfig {
        clock: ClockStart::Frozen(START),
        ..pairing.settings()
    };
    let kept_alive = Duration::from_secs(60);
    Tunnel::open_so(pairing, settings, |forward| forward.kept_alive(kept_alive)).await
}

async fn echo(client: &mut TcpStream, target: &mut TcpStream) {
    client.write_all(b"ping").await.expect("written");
    assert_eq!(read(target, 4).await, b"ping");
    target.write_all(b"pong").await.expect("written");
    assert_eq!(read(client, 4).await, b"pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_keep_alive_a_quiet_connection_lives_for_an_hour() {
    let tunnel = open(Pairing::BOTH).await;
    let (mut client, mut target) = tunnel.connect().await;
    echo(&mut client, &mut target).await;

    for _ in 0..36 {
        let by = Duration::from_secs(100);
        tunnel.sandbox.clock().advance(by).await.expect("moved");
        // A whole exchange of somebody else's: what was sent before it is through.
        let (mut other, mut others_target) = tunnel.connect().await;
        echo(&mut other, &mut others_target).await;
    }

    echo(&mut client, &mut target).await;
    drop((client, target));
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_know_it_leaves_the_idle_timeout_as_it_is() {
    let pairing = Pairing {
        client: true,
        agent: false,
    };
    let mut tunnel = open(pairing).await;
    let (mut client, mut target) = tunnel.connect().await;
    echo(&mut client, &mut target).await;

    let by = Duration::from_secs(180);
    tunnel.sandbox.clock().advance(by).await.expect("moved");

    assert!(is_reset(&mut client).await);
    let end = tunnel.end_of_connection().await;
    assert!(
        matches!(&end, ForwardEvent::Failed { trouble, .. } if trouble.code == "idle_timeout"),
        "{end}"
    );
    tunnel.shutdown().await;
}
