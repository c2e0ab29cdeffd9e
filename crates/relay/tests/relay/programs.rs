//! The official programs' peers before and behind the relay: each fails its test on anything that
//! the real one would choke on.

use std::time::Duration;

use axt_net::{frames::Next, link, transport::Listener};
use axt_official::{
    AgentSetup, OfficialAgent, OfficialClient,
    agent::Who,
    client::{Forwarded, Terminal},
};
use axt_proto::{EventKind, Limits, Message, Reason, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{INSTANCE, World};

/// An agent that names its instance, and reaches targets in the relay's own net.
pub(crate) async fn agent(world: &World) -> OfficialAgent {
    let mut agent = started(world, Duration::ZERO);
    agent.online().await;
    world
        .until(|event| event.kind == EventKind::AgentOnline)
        .await;
    agent
}

/// The same, whose first heart-beat comes that long after its notify channel is open.
pub(crate) fn started(world: &World, slow_start: Duration) -> OfficialAgent {
    let setup = AgentSetup {
        slow_start,
        ..setup(world)
    };
    OfficialAgent::start(setup, world.network())
}

fn setup(world: &World) -> AgentSetup {
    AgentSetup {
        targets: world.network().dialer,
        ..AgentSetup::new("http://localhost:7443", Who::Named(INSTANCE.to_owned()))
    }
}

pub(crate) async fn client(world: &World, parameters: &str) -> OfficialClient {
    let session = world.start_session_with(parameters).await;
    OfficialClient::new(world.network(), &session.url)
}

/// A terminal at its first prompt.
async fn terminal(client: &OfficialClient) -> Terminal {
    let mut terminal = client.session((30, 100)).await.expect("let in");
    terminal.expect("$ ").await;
    terminal
}

pub(crate) fn closed(reason: Reason) -> impl Fn(&EventKind) -> bool {
    move |kind| matches!(kind, EventKind::ConnectionClosed { reason: it, .. } if *it == reason)
}

fn failed(reason: Reason) -> impl Fn(&EventKind) -> bool {
    move |kind| matches!(kind, EventKind::ConnectionFailed { reason: it, .. } if *it == reason)
}

#[tokio::test(start_paused = true)]
async fn a_shell_goes_from_its_prompt_to_its_end() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;

    let mut terminal = terminal(&client).await;
    terminal.type_line("echo hello").await;
    terminal.expect("\nhello\r\n").await;
    terminal.type_line("exit").await;
    let (ended, _) = terminal.ended().await;

    assert!(ended.line.starts_with("Exit:"), "{ended:?}");
    assert!(closed(Reason::Exit)(&world.until_over().await));
    assert_eq!(agent.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_before_the_shell_is_there_reaches_it() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let client = client(&world, "").await;

    let mut terminal = client.session((30, 100)).await.expect("let in");
    terminal.type_line("echo early").await;

    terminal.expect("\nearly\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn the_clients_late_first_size_and_its_changes_reach_the_terminal() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    link::sleep(Duration::from_millis(600)).await;
    terminal.type_line("size").await;
    terminal.expect("30 100").await;
    terminal.resize(50, 132);
    link::sleep(Duration::from_millis(600)).await;
    terminal.type_line("size").await;

    terminal.expect("50 132").await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_come_through_as_the_agent_lets_them() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    // The agent holds back what is no whole character until more output comes.
    terminal.type_line("bytes 61e4bda0").await;

    terminal.expect("a\u{4f60}").await;
}

#[tokio::test(start_paused = true)]
async fn hours_in_which_only_output_flows_do_not_end_a_session() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    // 181 s without a frame end it at the agent.
    link::sleep(Duration::from_secs(2 * 60 * 60)).await;
    terminal.type_line("echo still here").await;

    terminal.expect("\nstill here\r\n").await;
    assert_eq!(agent.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_by_the_relays_judgement_and_is_stopped() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let terminal = terminal(&client).await;

    let limit = Limits::default().idle_timeout();
    world.clock.advance(limit).await.expect("moves");
    let (ended, _) = terminal.ended().await;

    assert!(ended.line.starts_with("AgentTimeout:"), "{ended:?}");
    assert!(closed(Reason::IdleTimeout)(&world.until_over().await));
    until_none_runs(&agent).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_killed_has_its_shell_stopped() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let terminal = terminal(&client).await;

    drop(terminal);

    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
    until_none_runs(&agent).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_killed_ends_its_sessions_for_their_clients() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let terminal = terminal(&client).await;

    drop(agent);
    let (ended, _) = terminal.ended().await;

    assert!(ended.line.starts_with("AgentTimeout:"), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_user_whom_the_agent_refuses_is_told_a_second_after_the_channel_opened() {
    let world = World::new().await;
    let _agent = agent(&world).await;

    for user in ["root", "nobody-such"] {
        let client = client(&world, &format!("&Username={user}")).await;
        let terminal = client.session((30, 100)).await.expect("let in");
        let (ended, printed) = terminal.ended().await;

        assert!(ended.line.starts_with("OpenPtyFailed:"), "{ended:?}");
        assert_eq!(printed, b"");
    }
    assert!(failed(Reason::OpenPtyFailed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_command_line_runs_and_ends() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let client = client(&world, "&CommandLine=echo%20done").await;

    let terminal = client.session((30, 100)).await.expect("let in");
    let (ended, printed) = terminal.ended().await;

    assert_eq!(String::from_utf8_lossy(&printed), "done\r\n");
    assert!(ended.line.starts_with("Exit:"), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn one_url_carries_several_forwarded_connections_at_once() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;

    let (mut first, first_target) = forwarded(&client, &target).await;
    let (mut second, second_target) = forwarded(&client, &target).await;
    for (application, mut target) in [(&mut first, first_target), (&mut second, second_target)] {
        application.write(b"ping").await;
        let mut got = [0; 4];
        soon(target.read_exact(&mut got)).await.expect("read");
        target.write_all(b"pong").await.expect("written");
        application.expect(b"pong").await;
        // Kept open until the test is over.
        std::mem::forget(target);
    }

    assert_eq!(agent.sessions(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_application_that_closes_ends_its_connection_alone() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (first, mut first_target) = forwarded(&client, &target).await;
    let (mut second, mut second_target) = forwarded(&client, &target).await;

    drop(first);
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
    client.left_alone().await;
    // The agent obeys the stop only when its target has closed.
    first_target.shutdown().await.expect("closes");
    drop(first_target);
    second_target.write_all(b"unharmed").await.expect("written");

    second.expect(b"unharmed").await;
    until(|| agent.sessions() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_waits_for_its_target_to_be_stopped_is_let_wait() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (application, connection) = forwarded(&client, &target).await;

    drop(application);
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
    link::sleep(Duration::from_secs(60)).await;
    assert_eq!(agent.sessions(), 1);
    drop(connection);
    until_none_runs(&agent).await;

    let dials = |call: &String| call.starts_with("GET /luban/session/backend");
    let calls = agent.calls();
    let dials: Vec<_> = calls.iter().filter(|call| dials(call)).collect();
    assert_eq!(dials.len(), 1, "{dials:?}");
    let posted = calls
        .iter()
        .any(|call| call.ends_with("errorcode=Notified"));
    assert!(posted, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_stops_does_not_wait_for_an_agent_that_waits_for_its_target() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (application, _connection) = forwarded(&client, &target).await;
    drop(application);
    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
    // By then it is known that the agent keeps its channel.
    link::sleep(link::DRAIN * 2).await;
    assert_eq!(agent.sessions(), 1);

    let left = world.relay.shutdown().await.expect("kept");

    assert_eq!(left, Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_speaks_first_and_one_that_waits_are_both_served() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let target = world.target("localhost", 22);
    let client = client(&world, "&PortNumber=22").await;

    let mut pipe = client.ssh().await.expect("let in");
    let mut sshd = soon(target.accept()).await.expect("dialled");
    pipe.write(b"SSH-2.0-client\r\n").await;
    sshd.write_all(b"SSH-2.0-server\r\n")
        .await
        .expect("written");
    pipe.expect(b"SSH-2.0-server\r\n").await;
    pipe.write(b"kex").await;
    let mut got = [0; 19];
    soon(sshd.read_exact(&mut got)).await.expect("read");
    assert_eq!(&got, b"SSH-2.0-client\r\nkex");
    pipe.close().await;

    assert!(closed(Reason::ClientClosed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_nobody_listens_on_ends_the_application_by_the_close_alone() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let client = client(&world, "&PortNumber=81").await;

    let application = client.forward().await.expect("let in");

    assert_eq!(application.rest().await, b"");
    assert!(failed(Reason::OpenPortFailed)(&world.until_over().await));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_closes_is_not_dialled_anew_by_the_relay() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (mut application, mut first) = forwarded(&client, &target).await;

    first.write_all(b"bye").await.expect("written");
    drop(first);
    application.expect(b"bye").await;
    // Nobody can tell that it has closed; a keep-alive would have it dialled once more.
    let again = link::timeout(Duration::from_secs(150), target.accept()).await;

    assert!(again.is_err(), "dialled anew");
    let limit = Limits::default().idle_timeout();
    world.clock.advance(limit).await.expect("moves");
    assert_eq!(application.rest().await, b"");
    until_none_runs(&agent).await;
}

#[tokio::test(start_paused = true)]
async fn a_port_from_which_only_output_flows_is_kept_alive() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (mut application, mut target) = forwarded(&client, &target).await;

    for _ in 0..30 {
        link::sleep(Duration::from_secs(40)).await;
        target.write_all(b"tick").await.expect("written");
        application.expect(b"tick").await;
    }
    application.write(b"still there?").await;

    let mut got = [0; 12];
    soon(target.read_exact(&mut got)).await.expect("read");
    assert_eq!(&got, b"still there?");
}

#[tokio::test(start_paused = true)]
async fn a_kick_before_the_agents_first_heart_beat_is_repeated_when_its_start_is_over() {
    let world = World::new().await;
    let former = agent(&world).await;
    let client = client(&world, "").await;
    drop(former);

    let mut terminal = client.session((30, 100)).await.expect("let in");
    // It accepts the kick that is sent at once, and forgets it.
    let agent = started(&world, Duration::from_secs(5));
    terminal.expect("$ ").await;

    let starts = |call: &&String| call.starts_with("POST /luban/api/v1/session/list");
    assert_eq!(agent.calls().iter().filter(starts).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_data_channel_changes_nothing_for_a_shell() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    for _ in 0..3 {
        agent.lose_data_channels();
        link::sleep(Duration::from_secs(1)).await;
        terminal.type_line("echo still here").await;
        terminal.expect("\nstill here\r\n$ ").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_before_the_shell_is_there_reaches_it_though_the_channel_was_lost_meanwhile()
{
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;

    let mut terminal = client.session((30, 100)).await.expect("let in");
    terminal.type_line("echo early").await;
    link::sleep(Duration::from_millis(500)).await;
    agent.lose_data_channels();

    terminal.expect("\nearly\r\n").await;
}

/// The agent counts from the last frame that it was sent, over all its websockets.
#[tokio::test(start_paused = true)]
async fn a_data_channel_that_is_lost_again_and_again_is_kept_alive() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    for _ in 0..8 {
        link::sleep(Duration::from_secs(40)).await;
        agent.lose_data_channels();
    }
    link::sleep(Duration::from_secs(1)).await;
    terminal.type_line("echo still here").await;

    terminal.expect("\nstill here\r\n$ ").await;
}

/// A client of ours does so, where the official one waits for the first output.
#[tokio::test(start_paused = true)]
async fn a_size_that_is_told_at_once_reaches_the_terminal_when_there_is_one() {
    let world = World::new().await;
    let _agent = agent(&world).await;
    let session = world.start_session().await;
    let mut client = world.connect(&session.url).await.expect("let in");
    let size = Size {
        rows: 30,
        cols: 100,
    };

    client.send(Message::Resize(size)).await;
    client.type_text("size\r").await;

    let mut printed = Vec::new();
    while !String::from_utf8_lossy(&printed).contains("30 100") {
        match client.next().await {
            Next::Message(Message::Output(data)) => printed.extend_from_slice(&data),
            Next::Message(_) => {}
            closed @ Next::Closed { .. } => panic!("{closed:?}"),
        }
    }
}

/// The agent's notify channel is away for 6 s then, and its data channels for no longer than it takes to
/// dial (wire-protocol 8).
#[tokio::test(start_paused = true)]
async fn a_network_that_fails_for_a_moment_changes_nothing_for_a_shell() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    for _ in 0..3 {
        agent.lose_network();
        link::sleep(Duration::from_secs(1)).await;
        terminal.type_line("echo still here").await;
        terminal.expect("\nstill here\r\n$ ").await;
        link::sleep(Duration::from_secs(6)).await;
    }
}

/// It answers no ping then, but goes on sending its own, one a minute (wire-protocol 7, 8).
#[tokio::test(start_paused = true)]
async fn a_target_that_reads_nothing_for_minutes_misses_nothing() {
    // So much waits on the way to the agent, and so much that the relay cannot send more.
    for bytes in [80_000, 300_000] {
        let world = World::new().await;
        let _agent = agent(&world).await;
        let target = world.target("localhost", 80);
        let client = client(&world, "&PortNumber=80").await;
        let (mut application, mut target) = forwarded(&client, &target).await;

        application.write(&vec![b'x'; bytes]).await;
        link::sleep(Duration::from_secs(170)).await;

        let mut got = vec![0; bytes];
        soon(target.read_exact(&mut got)).await.expect("all of it");
        application.write(b"and on").await;
        let mut got = [0; 6];
        soon(target.read_exact(&mut got))
            .await
            .expect("still there");
        assert_eq!(&got, b"and on");
    }
}

#[tokio::test(start_paused = true)]
async fn after_three_hours_the_agent_ends_a_session_whatever_flows() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let client = client(&world, "").await;
    let mut terminal = terminal(&client).await;

    for _ in 0..179 {
        link::sleep(Duration::from_secs(60)).await;
        terminal.type_line("echo on").await;
        terminal.expect("\non\r\n").await;
    }
    let (ended, _) = terminal.ended().await;

    assert!(ended.line.starts_with("AgentTimeout:"), "{ended:?}");
    assert!(closed(Reason::AgentTimeout)(&world.until_over().await));
    assert_eq!(agent.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_data_channel_has_no_target_dialled_anew_that_has_closed() {
    let world = World::new().await;
    let agent = agent(&world).await;
    let target = world.target("localhost", 80);
    let client = client(&world, "&PortNumber=80").await;
    let (mut application, mut first) = forwarded(&client, &target).await;
    first.write_all(b"bye").await.expect("written");
    drop(first);
    application.expect(b"bye").await;

    agent.lose_data_channels();

    let again = link::timeout(Duration::from_secs(100), target.accept()).await;
    assert!(again.is_err(), "dialled anew");
    assert_eq!(agent.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn everything_it_says_at_start_is_answered_so_that_it_stays_calm() {
    let world = World::new().await;
    let agent = agent(&world).await;

    link::sleep(Duration::from_secs(4 * 60 * 60)).await;

    let calls = agent.calls();
    for path in [
        "POST /luban/api/v1/update/update_check",
        "GET /luban/notify_server",
        "GET /luban/api/heart-beat",
        "POST /luban/api/v1/task/list?reason=startup",
        "POST /luban/api/metrics",
        "POST /luban/api/instance/list_instance_state_configurations",
    ] {
        assert!(calls.iter().any(|call| call.starts_with(path)), "{path}");
    }
    let reports = "POST /luban/api/v1/exception/client_report";
    assert!(!calls.iter().any(|call| call.starts_with(reports)));
}

/// A forwarded connection, and the target's end of it.
pub(crate) async fn forwarded(
    client: &OfficialClient,
    target: &Listener,
) -> (Forwarded, axt_net::transport::Stream) {
    let application = client.forward().await.expect("let in");
    let connection = soon(target.accept()).await.expect("dialled");
    (application, connection)
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    let awaited = link::timeout(crate::peers::GUARD, awaited).await;
    awaited.expect("in time")
}

async fn until_none_runs(agent: &OfficialAgent) {
    until(|| agent.sessions() == 0).await;
}

/// Waits until it is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            link::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(waiting).await;
}
