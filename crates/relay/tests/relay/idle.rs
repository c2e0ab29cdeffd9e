//! What keeps a connection from the idle timeout, with the official programs' peers at both ends.

use std::time::Duration;

use axt_net::link;
use axt_proto::{Limits, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    harness::World,
    programs::{agent, client, closed, forwarded, soon},
};

/// Both kinds of time: rule time, by which the relay judges, and link time, by which an official agent
/// does (181 s).
async fn pass(world: &World, span: Duration) {
    world.clock.advance(span).await.expect("moves");
    link::sleep(span).await;
}

#[tokio::test(start_paused = true)]
async fn output_alone_or_input_alone_keeps_official_peers_connected_and_silence_does_not() {
    // An official agent ends a port by itself when it was sent nothing for 181 s; what would keep it from
    // that would have a target that has closed dialled anew, so it is sent while output flows alone.
    for (is_output, gap) in [(true, 100), (false, 170)] {
        let world = World::new().await;
        let agent = agent(&world).await;
        let target = world.target("localhost", 80);
        let client = client(&world, "&PortNumber=80").await;
        let (mut application, mut target) = forwarded(&client, &target).await;

        for _ in 0..20 {
            pass(&world, Duration::from_secs(gap)).await;
            if is_output {
                target.write_all(b"tick").await.expect("written");
                application.expect(b"tick").await;
            } else {
                application.write(b"tick").await;
                let mut got = [0; 4];
                soon(target.read_exact(&mut got)).await.expect("read");
                assert_eq!(&got, b"tick");
            }
        }
        assert_eq!(agent.sessions(), 1);
        let limit = Limits::default().idle_timeout();
        world.clock.advance(limit).await.expect("moves");

        assert!(closed(Reason::IdleTimeout)(&world.until_over().await));
        assert_eq!(application.rest().await, b"");
    }
}
