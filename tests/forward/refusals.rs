//! Refusals explain themselves in one line each, name what to do, and end their connection alone.

use std::time::Duration;

use axt_client::forward::{Bound, EXTENSIONS, Forward, ForwardEvent, Route, Trouble};
use axt_control::admin::{InstanceChange, InstanceStatus};
use axt_net::tasks::Tasks;
use axt_proto::{Limits, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig};
use tokio::{net::TcpStream, sync::mpsc};

use crate::{
    harness::{
        sandbox, settings, settings_at, start,
        tunnel::{Pairing, Tunnel, is_reset, listen, rest, soon},
    },
    process::Portforward,
};

const START: Tick = Tick::from_millis(1_795_587_061_027);

fn trouble(event: ForwardEvent) -> Trouble {
    match event {
        ForwardEvent::Failed { trouble, .. } => trouble,
        other => panic!("no failure: {other}"),
    }
}

/// What becomes of a connection to `remote`.
async fn refused(sandbox: &Sandbox, remote: &str) -> Trouble {
    let spec = format!("127.0.0.1:0:{remote}").parse();
    let bound = Bound::bind(&spec.expect("a forward")).await.expect("bound");
    let local = bound.addresses().expect("bound")[0];
    let route = Route {
        api: sandbox.api().clone(),
        network: sandbox.network().clone(),
        extensions: EXTENSIONS,
    };
    let (sender, mut events) = mpsc::channel(64);
    let forward = Forward::start(bound, route, sandbox.instance(), sender);
    let tasks = Tasks::new();
    tasks.spawn(
        "forward",
        forward.await.expect("a session").run(tasks.token().clone()),
    );
    // It may be reset before it has connected.
    if let Ok(mut client) = TcpStream::connect(local).await {
        assert!(is_reset(&mut client).await, "{remote}");
    }
    loop {
        let event = soon("a failure", events.recv()).await.expect("it runs");
        if matches!(event, ForwardEvent::Failed { .. }) {
            return trouble(event);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_reached_says_why() {
    let sandbox = sandbox().await;
    let nobody = listen("127.0.0.1:0").await;
    let port = nobody.local_addr().expect("bound").port();
    drop(nobody);
    // A label of more than 63 characters is no name in any network.
    let nowhere = format!("{}.invalid", "x".repeat(64));

    let silent = refused(&sandbox, &port.to_string()).await;
    let unknown = refused(&sandbox, &format!("{nowhere}:80")).await;
    let unreachable = refused(&sandbox, "255.255.255.255:80").await;

    assert_eq!(silent.code, "port_refused");
    let problem = format!("nothing listens on localhost:{port} (Open_port_failed)");
    assert_eq!(silent.problem, problem);
    assert_eq!(unknown.code, "name_unresolved", "{unknown:?}");
    assert!(unknown.problem.contains("xxx"), "{unknown:?}");
    assert_eq!(unreachable.code, "target_unreachable", "{unreachable:?}");
    sandbox.shutdown().await;
}

/// A forward whose instance or account changes while it runs.
async fn frozen() -> Tunnel {
    let settings = SandboxConfig {
        clock: ClockStart::Frozen(START),
        ..settings()
    };
    Tunnel::open_as(Pairing::BOTH, settings).await
}

async fn next_trouble(tunnel: &mut Tunnel) -> Trouble {
    assert!(tunnel.is_refused().await);
    trouble(tunnel.end_of_connection().await)
}

async fn change(tunnel: &Tunnel, change: InstanceChange) {
    let sandbox = &tunnel.sandbox;
    let changed = sandbox.admin().change_instance(sandbox.instance(), &change);
    changed.await.expect("changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_stopped_and_an_agent_that_is_too_old_say_so_and_the_forward_goes_on() {
    let mut tunnel = frozen().await;

    let old = Some("2.2.3.256".to_owned());
    change(
        &tunnel,
        InstanceChange {
            agent_version: old,
            ..InstanceChange::default()
        },
    )
    .await;
    let too_old = next_trouble(&mut tunnel).await;
    let new = Some("2.2.4.1065".to_owned());
    change(
        &tunnel,
        InstanceChange {
            agent_version: new,
            ..InstanceChange::default()
        },
    )
    .await;
    let stopped = Some(InstanceStatus::Stopped);
    change(
        &tunnel,
        InstanceChange {
            status: stopped,
            ..InstanceChange::default()
        },
    )
    .await;
    let while_stopped = next_trouble(&mut tunnel).await;
    // And where a new session would be needed, too.
    let by = Duration::from_secs(601);
    tunnel.sandbox.clock().advance(by).await.expect("moved");
    let not_renewed = next_trouble(&mut tunnel).await;
    let running = Some(InstanceStatus::Running);
    change(
        &tunnel,
        InstanceChange {
            status: running,
            ..InstanceChange::default()
        },
    )
    .await;
    let works = tunnel.connect().await;

    assert_eq!(too_old.code, "agent_too_old");
    assert!(too_old.hint.contains("2.2.3.256"), "{too_old:?}");
    assert_eq!(while_stopped.code, "instance_unavailable");
    assert_eq!(not_renewed.code, "instance_unavailable");
    assert!(
        not_renewed.hint.contains("start the instance"),
        "{not_renewed:?}"
    );
    drop(works);
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_manager_that_is_off_says_how_to_switch_it_on() {
    let mut tunnel = frozen().await;
    let switch = async |value| {
        let parameters = [
            ("statusKey", "sessionManagerStatus"),
            ("statusValue", value),
        ];
        let api = tunnel.sandbox.api();
        let call = api.call("ModifyUserBusinessBehavior", &parameters);
        call.await.expect("switched");
    };
    switch("disabled").await;
    let by = Duration::from_secs(601);
    tunnel.sandbox.clock().advance(by).await.expect("moved");

    let off = next_trouble(&mut tunnel).await;

    assert_eq!(off.code, "session_manager_off", "{off:?}");
    assert!(off.hint.contains("ModifyUserBusinessBehavior"), "{off:?}");
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_after_the_last_that_an_instance_takes_is_refused_and_the_next_one_is_not() {
    let mut tunnel = Tunnel::open_within(Limits {
        connections_per_instance: 2,
        ..settings().limits
    })
    .await;
    let first = tunnel.connect().await;
    let second = tunnel.connect().await;

    let full = next_trouble(&mut tunnel).await;
    drop(first);
    tunnel.end_of_connection().await;
    let third = tunnel.connect().await;

    assert_eq!(full.code, "too_many_connections");
    assert!(full.hint.contains("close some"), "{full:?}");
    drop((second, third));
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_exit_on_failure_the_first_failure_ends_the_command() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = start(settings_at(home.path())).await;
    let listener = listen("127.0.0.1:0").await;
    let works = listener.local_addr().expect("bound").port().to_string();

    let nobody = listen("127.0.0.1:0").await;
    let port = nobody.local_addr().expect("bound").port().to_string();
    drop(nobody);

    let forwards = [
        &format!("127.0.0.1:0:{works}"),
        &format!("127.0.0.1:0:{port}"),
    ];
    let arguments = ["--exit-on-failure", forwards[0], forwards[1]];
    let mut command = Portforward::start_with(home.path(), &arguments).await;
    let mut lines = [command.line().await, command.line().await];
    lines.sort_by_key(|line| line.ends_with(&format!("-> {port}")));
    command.local = Portforward::local_of(&lines[0]);
    let mut client = command.dial().await;
    let (target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    drop(target);
    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    command.local = Portforward::local_of(&lines[1]);
    assert!(command.is_refused().await);
    let (code, told) = command.ended().await;

    assert_eq!(code, Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(
        told.starts_with("connection 2 failed: nothing listens on"),
        "{told}"
    );
    sandbox.shutdown().await;
}
