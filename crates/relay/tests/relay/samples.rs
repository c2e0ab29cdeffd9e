//! What passes, as followers of the events are told it.

use std::time::Duration;

use axt_net::link;
use axt_proto::{Carried, Event, EventKind, Tick};
use axt_relay::{Followed, Follower};

use crate::harness::World;

/// The next sample: when it was taken, and of what.
async fn sample(follower: &mut Follower) -> (Tick, Carried) {
    let found = async {
        loop {
            if let Some(Followed::Event(event)) = follower.next().await
                && let EventKind::ConnectionTraffic { carried } = event.kind
            {
                return (event.at, carried);
            }
        }
    };
    link::timeout(crate::peers::GUARD, found)
        .await
        .expect("a sample")
}

fn is_sample(event: &Event) -> bool {
    matches!(event.kind, EventKind::ConnectionTraffic { .. })
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_told_to_followers_at_most_once_a_second_and_is_not_kept() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (mut client, mut channel) = world.pair(&mut agent, &session).await;
    let (_, mut follower) = world.relay.events(u64::MAX).await.expect("it runs");
    world.clock.release();

    let talking = async {
        for _ in 0..30 {
            client.type_text("ls\r").await;
            channel.expect_input("ls\r").await;
            channel.print("a file").await;
            client.expect_output("a file").await;
            link::sleep(Duration::from_millis(150)).await;
        }
    };
    let listening = async {
        let (mut up, mut down, mut last) = (0, 0, None);
        while (up, down) != (90, 180) {
            let (at, carried) = sample(&mut follower).await;
            let gap = last.map(|last| at.since(last));
            assert!(
                gap.is_none_or(|gap| gap >= Duration::from_secs(1)),
                "{gap:?}"
            );
            last = Some(at);
            up += carried.bytes_up;
            down += carried.bytes_down;
        }
    };
    tokio::join!(talking, listening);

    let (kept, _) = world.relay.events(0).await.expect("it runs");
    assert!(!kept.iter().any(|event| is_sample(event)));
}

#[tokio::test(start_paused = true)]
async fn while_rule_time_stands_still_nothing_is_told_of_what_passes() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let session = world.start_session().await;
    let (client, mut channel) = world.pair(&mut agent, &session).await;
    let (_, mut follower) = world.relay.events(u64::MAX).await.expect("it runs");

    client.type_text("ls\r").await;
    channel.expect_input("ls\r").await;
    link::sleep(Duration::from_secs(10)).await;
    let parameters = format!("&SessionId={}", session.id);
    world.call("EndTerminalSession", &parameters).await;

    let Some(Followed::Event(next)) = follower.next().await else {
        panic!("the relay has ended");
    };
    assert_eq!(next.kind, EventKind::SessionEnded);
}
