//! Connections: let in, paired, ended once (limits-and-semantics 2, R3, R4, R7, R10).

use axt_proto::{ConnectionId, EventKind, Reason};
use axt_registry::{
    ConnectRefusal, ConnectionStatus, Effect, InstanceStatus, Phase, RegionPatch, Verdict,
};

use crate::world::{World, carried, forward, id, shell, token_of};

#[test]
fn a_url_opens_until_599_999_s_and_not_at_600_000() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");

    world.advance_ms(599_999);
    let last = world.connect(&session);
    world.advance_ms(1);
    let late = world.connect(&session);

    assert!(last.is_ok());
    assert_eq!(late, Err(ConnectRefusal::Expired));
}

#[test]
fn a_live_connection_outlives_the_url_and_the_count_waits_for_it() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.advance_ms(600_000);
    world.tick();
    assert_eq!(world.status(connection), ConnectionStatus::Connected);
    assert_eq!(world.active(), 1);
    world.close(connection, Reason::IdleTimeout);

    assert_eq!(world.active(), 0);
    assert_eq!(world.count_events(&EventKind::SessionExpired), 1);
    assert_eq!(world.count_events(&EventKind::SessionReleased), 1);
}

#[test]
fn a_session_whose_shell_has_exited_stays_active_while_its_url_opens() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.close(connection, Reason::Exit);
    assert_eq!(world.active(), 1);
    world.advance_ms(600_000);
    world.tick();

    assert_eq!(world.active(), 0);
}

#[test]
fn strangers_learn_nothing() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let pending = world.admit(&shell("i-1")).expect("admitted").session;
    world.end(&session).expect("ended");

    let wrong = world.connect_with(&session, "token-of-somebody");
    let unknown = world.connect_with(&id("s-none"), "token");
    let uncommitted = world.connect_with(&pending, &token_of(&pending));

    let refused = Err(ConnectRefusal::UnknownOrWrongToken);
    assert_eq!(
        [wrong, unknown, uncommitted],
        [refused.clone(), refused.clone(), refused]
    );
}

#[test]
fn the_twentieth_connection_is_let_in_and_the_next_is_refused_and_recorded() {
    let mut world = World::new();
    let first = world.start_on("i-1").expect("admitted");
    let second = world.start_on("i-1").expect("admitted");
    for _ in 1..=20 {
        world.connect(&first).expect("up to 20");
    }

    let refused = world.connect(&second);

    assert_eq!(refused, Err(ConnectRefusal::Full));
    assert_eq!(world.connected("i-1"), 20);
    let record = world
        .registry
        .connections_of(&second)
        .next()
        .expect("recorded");
    assert_eq!(record.status, ConnectionStatus::Failed);
}

#[test]
fn every_way_out_gives_the_slot_back_exactly_once() {
    let ways_out: [fn(&mut World, ConnectionId); 6] = [
        |world, connection| world.close(connection, Reason::Exit),
        |world, connection| world.close(connection, Reason::OpenPtyFailed),
        |world, connection| world.fail(connection, Reason::AgentTimeout),
        |world, connection| {
            world.set_status("i-1", InstanceStatus::Stopping);
            world.close(connection, Reason::AgentTimeout);
        },
        |world, connection| {
            world.remove("i-1");
            world.close(connection, Reason::ClientClosed);
        },
        |world, _| world.restart(),
    ];
    for way_out in ways_out {
        let mut world = World::new();
        let session = world.start_on("i-1").expect("admitted");
        let connection = world.connect_live(&session);
        let other = world.connect_live(&session);
        assert_eq!(world.connected("i-1"), 2);

        way_out(&mut world, connection);
        let ended = world
            .registry
            .connection(connection)
            .expect("a record")
            .clone();
        for late in [Reason::Exit, Reason::AgentTimeout] {
            world.close(connection, late);
            world.fail(connection, late);
            world.live(connection);
            world.kicked(connection);
        }
        world.close(other, Reason::Exit);

        assert_eq!(world.connected("i-1"), 0);
        assert_eq!(
            world.registry.connection(connection),
            Some(&ended),
            "a late echo"
        );
    }
}

#[test]
fn ending_a_session_closes_its_connections_and_the_relay_gives_their_slots_back() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.end(&session).expect("ended");
    let reason = Reason::EndTerminalSession;
    assert!(
        world
            .effects
            .contains(&Effect::Close { connection, reason })
    );
    assert_eq!((world.active(), world.connected("i-1")), (0, 1));
    world.close(connection, Reason::ClientClosed);

    assert_eq!(world.reason(connection), Some(Reason::EndTerminalSession));
    assert_eq!(world.status(connection), ConnectionStatus::Terminated);
    assert_eq!(world.connected("i-1"), 0);
    assert_eq!(world.connect(&session), Err(ConnectRefusal::Ended));
    assert_eq!(world.end(&session), Ok(()), "again is a success");
    assert_eq!(world.count_events(&EventKind::SessionEnded), 1);
    assert_eq!(world.count_events(&EventKind::SessionReleased), 1);
}

#[test]
fn a_removed_instance_takes_its_sessions_along() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let pending = world.admit(&shell("i-1")).expect("admitted");
    let connection = world.connect_live(&session);

    world.remove("i-1");
    let committed = pending.session.clone();
    world.commit(pending);

    let reason = Reason::InstanceUnavailable;
    assert!(
        world
            .effects
            .contains(&Effect::Close { connection, reason })
    );
    assert_eq!(world.active(), 0);
    let phase = world.registry.session(&committed).expect("committed").phase;
    assert_eq!(phase, Phase::Ended);
}

#[test]
fn an_agent_that_is_too_old_is_never_kicked() {
    for (version, is_kicked) in [
        ("2.2.3.256", false),
        ("2.2.3.257", true),
        ("2.2.10.0", true),
    ] {
        let mut world = World::new();
        world.online("i-1", version);
        let session = world.start_on("i-1").expect("the call succeeds");

        let connecting = world.connect(&session).expect("the upgrade is accepted");

        let was_kicked = world
            .effects
            .iter()
            .any(|one| matches!(one, Effect::Kick { .. }));
        assert_eq!(was_kicked, is_kicked, "{version}");
        if !is_kicked {
            let Verdict::Fail { reason, .. } = connecting.verdict else {
                panic!("{version} passed");
            };
            assert_eq!(reason, Reason::AgentNeedUpgrade);
            assert_eq!(
                world.status(connecting.connection),
                ConnectionStatus::Failed
            );
            assert_eq!(world.connected("i-1"), 0);
        }
    }
}

#[test]
fn an_instance_that_is_down_fails_the_connection_and_keeps_the_session() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    world.set_status("i-1", InstanceStatus::Stopped);

    let down = world.connect(&session).expect("accepted");
    world.set_status("i-1", InstanceStatus::Running);
    let up = world.connect(&session).expect("accepted");

    assert_eq!(
        world.reason(down.connection),
        Some(Reason::InstanceUnavailable)
    );
    assert_eq!(up.verdict, Verdict::Kick);
}

#[test]
fn an_agent_that_is_away_for_a_moment_leaves_the_kick_pending() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    world.offline("i-1");

    let connecting = world.connect(&session).expect("accepted");

    assert_eq!(connecting.verdict, Verdict::Kick);
    assert_eq!(
        world.status(connecting.connection),
        ConnectionStatus::Connecting
    );
}

#[test]
fn a_failure_before_any_output_is_failed_and_after_it_terminated() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let early = world.connect_live(&session);
    let late = world.connect_live(&session);

    let reason = Reason::OpenPtyFailed;
    let changes = world
        .registry
        .closed(world.now, early, reason, carried(9, 0));
    world.take(changes);
    world.close(late, reason);

    assert_eq!(world.status(early), ConnectionStatus::Failed);
    assert_eq!(world.status(late), ConnectionStatus::Terminated);
}

#[test]
fn an_agent_is_told_to_stop_what_it_was_told_to_start_and_did_not_end_itself() {
    let stops = |world: &World| {
        let is_stop = |one: &&Effect| matches!(one, Effect::Stop { .. });
        world.effects.iter().filter(is_stop).count()
    };
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let never_told = world.connect(&session).expect("accepted").connection;
    let told = world.connect(&session).expect("accepted").connection;
    world.kicked(told);
    let exited = world.connect_live(&session);

    world.close(never_told, Reason::ClientClosed);
    world.close(exited, Reason::Exit);
    assert_eq!(stops(&world), 0);
    world.close(told, Reason::ClientClosed);

    assert_eq!(stops(&world), 1);
}

#[test]
fn a_setting_lets_a_shell_session_have_one_connection_only() {
    let mut world = World::new();
    world.switch(RegionPatch {
        one_shell_connection: Some(true),
        ..Default::default()
    });
    let shell = world.start_on("i-1").expect("admitted");
    let forward = world.start(&forward("i-1", 80)).expect("admitted");
    world.connect_live(&shell);
    world.connect_live(&forward);

    let second = world.connect(&shell).expect("accepted").connection;
    let parallel = world.connect(&forward).expect("accepted");

    assert_eq!(world.reason(second), Some(Reason::SessionIdDuplicated));
    assert_eq!(parallel.verdict, Verdict::Kick);
}

#[test]
fn a_reset_forgets_sessions_and_keeps_instances() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connection = world.connect_live(&session);

    world.reset();
    world.close(connection, Reason::ClientClosed);

    let reason = Reason::EndTerminalSession;
    assert!(
        world
            .effects
            .contains(&Effect::Close { connection, reason })
    );
    assert!(world.registry.sessions().is_empty());
    assert_eq!((world.active(), world.connected("i-1")), (0, 0));
    assert_eq!(
        world.connect(&session),
        Err(ConnectRefusal::UnknownOrWrongToken)
    );
    assert!(world.start_on("i-1").is_ok());
}
