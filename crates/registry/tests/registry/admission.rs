//! StartTerminalSession: who is let in, and in which order it is asked (limits-and-semantics 2, 3).

use axt_proto::{EventKind, Reason};
use axt_registry::{
    ConnectionType, InstancePatch, InstanceSpec, InstanceStatus, RegionPatch, SessionTarget,
    StartRefusal, StartRequest,
};

use crate::world::{ACCOUNT, REGION, World, forward, id, shell, with_token};

#[test]
fn the_hundredth_session_of_a_region_is_let_in_and_the_next_is_not() {
    let mut world = World::new();
    for _ in 1..=100 {
        world.start_on("i-1").expect("up to 100");
    }

    let refused = world.start_on("i-1");

    assert_eq!(refused, Err(StartRefusal::SessionsFull));
    assert_eq!(world.active(), 100);
}

#[test]
fn sessions_count_for_each_account_and_region_apart() {
    let mut world = World::new();
    world.declare_as(InstanceSpec::new(id("i-2"), id("2"), id(REGION)));
    world.declare_as(InstanceSpec::new(id("i-3"), id(ACCOUNT), id("cn-beijing")));
    world.online("i-2", "2.2.4.1065");
    world.online("i-3", "2.2.4.1065");
    for _ in 1..=100 {
        world.start_on("i-1").expect("up to 100");
    }

    let other_account = StartRequest {
        account: id("2"),
        ..shell("i-2")
    };
    let other_region = StartRequest {
        region: id("cn-beijing"),
        ..shell("i-3")
    };

    assert!(world.start(&other_account).is_ok());
    assert!(world.start(&other_region).is_ok());
}

#[test]
fn an_instance_with_twenty_connections_lets_no_session_start() {
    let mut world = World::new();
    let session = world.start_on("i-1").expect("admitted");
    let connections: Vec<_> = (0..20).map(|_| world.connect_live(&session)).collect();
    assert_eq!(world.start_on("i-1"), Err(StartRefusal::ConnectionsFull));

    world.close(connections[7], Reason::Exit);

    assert!(world.start_on("i-1").is_ok());
}

#[test]
fn a_session_counts_from_its_admission_on_and_not_after_a_failed_commit() {
    let mut world = World::new();

    let started = world.admit(&shell("i-1")).expect("admitted");
    assert_eq!(world.active(), 1);
    assert_eq!(world.registry.session(&started.session), None);
    world.roll_back(&started);

    assert_eq!(world.active(), 0);
    assert_eq!(world.count_events(&EventKind::SessionRolledBack), 1);
    assert!(world.registry.sessions().is_empty());
}

#[test]
fn a_commit_after_a_rollback_or_twice_changes_nothing() {
    let mut world = World::new();
    let started = world.admit(&shell("i-1")).expect("admitted");
    world.roll_back(&started);
    let session = started.session.clone();

    let late = world.registry.committed(world.now, &session);
    let kept = world.start_on("i-1").expect("admitted");
    let again = world.registry.committed(world.now, &kept);
    let rolled_back = world.registry.rolled_back(world.now, &kept);

    assert!(late.is_empty() && again.is_empty() && rolled_back.is_empty());
    assert!(world.registry.session(&kept).is_some());
}

#[test]
fn each_check_has_its_refusal() {
    let mut world = World::new();
    world.declare_as(InstanceSpec::new(id("i-2"), id("2"), id(REGION)));
    world.declare("i-stopped");
    world.set_status("i-stopped", InstanceStatus::Stopping);
    world.declare("i-silent");
    world.offline("i-silent");
    let denied_ports = Some([22].into());
    world.patch(
        "i-1",
        InstancePatch {
            denied_ports,
            ..Default::default()
        },
    );
    let encrypted = StartRequest {
        encryption: true,
        ..shell("i-1")
    };
    let connection_type = ConnectionType::Intranet;
    let intranet = StartRequest {
        connection_type,
        ..shell("i-1")
    };

    let cases = [
        (shell("i-none"), StartRefusal::InstanceNotFound),
        (shell("i-2"), StartRefusal::InstanceNotFound),
        (shell("i-stopped"), StartRefusal::NotRunning),
        (shell("i-silent"), StartRefusal::AgentOffline),
        (encrypted, StartRefusal::EncryptionUnsupported),
        (intranet, StartRefusal::ConnectionTypeUnsupported),
        (forward("i-1", 22), StartRefusal::PortDenied),
    ];

    for (request, refusal) in cases {
        assert_eq!(
            world.start(&request),
            Err(refusal),
            "{:?}",
            request.instance
        );
    }
    assert!(world.start(&forward("i-1", 23)).is_ok());
}

#[test]
fn of_several_faults_the_first_in_the_documented_order_is_told() {
    let mut world = World::new();
    let connection_type = ConnectionType::Intranet;
    let request = StartRequest {
        connection_type,
        encryption: true,
        ..forward("i-1", 22)
    };
    let request = with_token(request, "t", 1);
    let earlier = with_token(shell("i-1"), "t", 2);
    let denied_ports = Some([22].into());
    world.patch(
        "i-1",
        InstancePatch {
            denied_ports,
            ..Default::default()
        },
    );
    world.start(&earlier).expect("admitted");
    world.set_session_manager(false);
    world.switch(RegionPatch {
        api_supported: Some(false),
        port_forwarding: Some(false),
        dispatch_failure: Some(true),
        ..Default::default()
    });
    world.set_status("i-1", InstanceStatus::Stopped);
    world.offline("i-1");
    let refusal =
        |world: &mut World, request: &StartRequest| world.start(request).expect_err("refused");

    let mut told = vec![refusal(&mut world, &request)];
    world.switch(RegionPatch {
        api_supported: Some(true),
        ..Default::default()
    });
    told.push(refusal(&mut world, &request));
    world.set_session_manager(true);
    told.push(refusal(&mut world, &request));
    let mut request = StartRequest {
        client_token: None,
        ..request
    };
    told.push(refusal(&mut world, &request));
    world.set_status("i-1", InstanceStatus::Running);
    told.push(refusal(&mut world, &request));
    world.online("i-1", "2.2.4.1065");
    told.push(refusal(&mut world, &request));
    request.encryption = false;
    told.push(refusal(&mut world, &request));
    world.switch(RegionPatch {
        port_forwarding: Some(true),
        ..Default::default()
    });
    told.push(refusal(&mut world, &request));
    world.switch(RegionPatch {
        intranet: Some(true),
        ..Default::default()
    });
    told.push(refusal(&mut world, &request));
    request.target = SessionTarget::Shell { command_line: None };
    told.push(refusal(&mut world, &request));

    use StartRefusal as R;
    let expected = [
        R::RegionUnsupported,
        R::SessionManagerDisabled,
        R::Token(axt_registry::TokenRefusal::Mismatch),
        R::NotRunning,
        R::AgentOffline,
        R::EncryptionUnsupported,
        R::ForwardingUnsupported,
        R::ConnectionTypeUnsupported,
        R::PortDenied,
        R::DispatchFailure,
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_older_reading_starts_sessions_without_an_agent() {
    let mut world = World::new();
    world.offline("i-1");
    world.switch(RegionPatch {
        start_without_agent: Some(true),
        ..Default::default()
    });

    assert!(world.start_on("i-1").is_ok());
}

#[test]
fn a_managed_instance_has_no_power_state_and_no_intranet() {
    let mut world = World::new();
    world.declare("mi-1");
    world.set_status("mi-1", InstanceStatus::Stopped);
    world.switch(RegionPatch {
        intranet: Some(true),
        ..Default::default()
    });
    let connection_type = ConnectionType::Intranet;

    let plain = world.start_on("mi-1");
    let intranet = world.start(&StartRequest {
        connection_type,
        ..shell("mi-1")
    });

    assert!(plain.is_ok());
    assert_eq!(intranet, Err(StartRefusal::ConnectionTypeUnsupported));
}

#[test]
fn the_security_group_guards_the_instance_and_not_the_hosts_behind_it() {
    let mut world = World::new();
    let denied_ports = Some([5432].into());
    world.patch(
        "i-1",
        InstancePatch {
            denied_ports,
            ..Default::default()
        },
    );
    let target = SessionTarget::Port {
        port: 5432,
        target_server: Some("db".to_owned()),
    };

    let behind = world.start(&StartRequest {
        target,
        ..shell("i-1")
    });

    assert!(behind.is_ok());
}
