//! A relay that was killed and started again (design, "The registry").

use axt_proto::Reason;
use axt_registry::{ConnectionStatus, Effect, Registry};

use crate::world::{World, shell};

#[test]
fn sessions_and_urls_go_on_and_open_connections_say_why_they_ended() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let open = world.connect_live(&session);
    let last_seq = world.events.last().expect("events").seq;

    world.restart();
    let new = world
        .connect(&session)
        .expect("the URL still works")
        .connection;

    assert_eq!(world.reason(open), Some(Reason::RelayRestarted));
    assert_eq!(world.status(open), ConnectionStatus::Terminated);
    assert!(new > open, "numbers are never given twice");
    assert_eq!((world.active(), world.connected("i-1")), (1, 1));
    assert!(matches!(
        world.effects.as_slice(),
        [.., Effect::Stop { .. }, Effect::Kick { .. }]
    ));
    let seqs: Vec<_> = world.events.iter().map(|event| event.seq).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b) && seqs.last() > Some(&last_seq));
}

#[test]
fn agents_are_offline_until_they_are_back_and_their_versions_are_known() {
    let mut world = World::new();

    world.restart();

    let instance = world.registry.instances().next().expect("kept");
    assert!(!instance.presence.is_online);
    assert_eq!(instance.agent_version(), Some("2.2.4.1065"));
}

#[test]
fn a_session_that_had_not_reached_the_journal_never_was() {
    let mut world = World::new();
    world.admit(&shell("i-1")).expect("admitted");

    world.restart();

    assert!(world.registry.sessions().is_empty());
    assert_eq!(world.active(), 0);
}

#[test]
fn a_session_that_had_reached_the_journal_is_there_though_nobody_was_told() {
    let mut world = World::new();
    let started = world.admit(&shell("i-1")).expect("admitted");

    world.write(started.commit.expect("the first call"));
    world.restart();

    assert!(world.registry.session(&started.session).is_some());
}

#[test]
fn what_expired_meanwhile_expires_at_the_start() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    world.connect_live(&session);
    world.advance_ms(600_000);

    world.restart();

    assert_eq!(world.active(), 0);
}

#[test]
fn rows_read_back_whole() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);
    world.close(connection, Reason::Exit);
    world.offline("i-1");

    let (copy, changes) = Registry::restore(
        world.registry.limits().clone(),
        world.registry.rows(),
        world.now,
    );

    assert!(changes.is_empty());
    let mut rows = world.registry.rows();
    for row in &mut rows {
        if let axt_registry::Row::Instance(instance) = row {
            instance.presence = Default::default();
        }
    }
    let mut copied = copy.rows();
    for row in &mut copied {
        if let axt_registry::Row::Instance(instance) = row {
            instance.presence = Default::default();
        }
    }
    assert_eq!(copied, rows);
}
