//! What is kept, and for how long (limits-and-semantics 5).

use std::time::Duration;

use axt_proto::{Limits, Reason};

use crate::world::World;

const MONTH: Duration = Duration::from_secs(30 * 86_400);

#[test]
fn a_record_is_kept_for_30_days() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);
    world.close(connection, Reason::Exit);

    world.advance(MONTH - Duration::from_nanos(1));
    world.tick();
    assert!(world.registry.session(&session).is_some());
    world.advance(Duration::from_nanos(1));
    world.tick();

    assert!(world.registry.session(&session).is_none());
    assert!(world.registry.connection(connection).is_none());
    assert_eq!(world.registry.next_deadline(), None);
}

#[test]
fn a_live_session_is_never_dropped() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.advance(MONTH * 2);
    world.tick();
    assert!(world.registry.session(&session).is_some());
    world.close(connection, Reason::Exit);

    assert!(world.registry.session(&session).is_none(), "it was overdue");
}

#[test]
fn a_region_keeps_so_many_records_and_as_many_failed_ones_apart() {
    let limits = Limits {
        history_records: 3,
        ..Limits::default()
    };
    let mut world = World::empty(limits);
    world.declare("i-1");
    let run = |world: &mut World, reason: Option<Reason>| {
        world.advance_ms(1);
        let session = world.start_on("i-1").expect("admitted");
        let connection = world.connect(&session).expect("let in").connection;
        match reason {
            Some(reason) => world.fail(connection, reason),
            None => world.close(connection, Reason::Exit),
        }
        world.end(&session).expect("ended");
        session
    };

    let failed: Vec<_> = (0..4)
        .map(|_| run(&mut world, Some(Reason::AgentTimeout)))
        .collect();
    let good: Vec<_> = (0..4).map(|_| run(&mut world, None)).collect();

    let kept: Vec<_> = world
        .registry
        .sessions()
        .iter()
        .map(|one| one.id.clone())
        .collect();
    let newest_first = good[1..].iter().rev().chain(failed[1..].iter().rev());
    assert_eq!(kept, newest_first.cloned().collect::<Vec<_>>());
}

#[test]
fn a_session_keeps_so_many_connections() {
    let limits = Limits {
        history_connections: 3,
        ..Limits::default()
    };
    let mut world = World::empty(limits);
    world.declare("i-1");
    let session = world.start_on("i-1").expect("admitted");
    let first = world.connect_live(&session);

    for _ in 0..10 {
        let connection = world.connect_live(&session);
        world.close(connection, Reason::Exit);
    }

    assert_eq!(world.registry.connections_of(&session).count(), 3);
    assert!(
        world.registry.connection(first).is_some(),
        "live ones never go"
    );
}

#[test]
fn ten_thousand_connections_over_a_month_on_renewed_sessions_give_everything_back() {
    const CONNECTIONS: u32 = 10_000;
    let limits = Limits {
        history_records: 5,
        history_connections: 5,
        ..Limits::default()
    };
    let mut world = World::empty(limits);
    world.declare("i-1");
    world.is_checked = false;

    // Three connections on each URL, one every four minutes and a bit.
    for number in 0..CONNECTIONS / 3 {
        let session = world.start_on("i-1").expect("admitted");
        for _ in 0..3 {
            let connection = world.connect_live(&session);
            world.advance(MONTH / CONNECTIONS);
            world.close(connection, Reason::Exit);
        }
        if number % 2 == 0 {
            world.end(&session).expect("ended");
        }
    }
    world.advance_ms(600_000);
    world.is_checked = true;
    world.tick();

    assert_eq!((world.active(), world.connected("i-1")), (0, 0));
    assert!(world.registry.sessions().len() <= 5);
}
