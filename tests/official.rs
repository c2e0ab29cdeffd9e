//! The official programs' peers in a whole region: each pairing of theirs and ours over TLS, and what
//! becomes of hundreds of agents when their relay is started again.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;
#[path = "harness/peers.rs"]
mod peers;

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use axt_agent::Shells;
use axt_client::{
    forward::{Bound, EXTENSIONS, Forward, Route},
    session::Why,
};
use axt_net::{link, tasks::Tasks};
use axt_official::{OfficialAgent, OfficialClient};
use axt_proto::{EventKind, Reason, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, Transport};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc};
use tokio_util::sync::CancellationToken;

use harness::{
    settings, start,
    tunnel::{listen, read, soon},
    until,
};
use peers::{network, official, online, theirs};

const START: Tick = Tick::from_millis(1_795_587_061_027);

/// Who stands at an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

const PAIRINGS: [(Whose, Whose); 4] = [
    (Whose::Ours, Whose::Ours),
    (Whose::Ours, Whose::Theirs),
    (Whose::Theirs, Whose::Ours),
    (Whose::Theirs, Whose::Theirs),
];

/// A region whose agent is online; the peer, if it is theirs.
async fn region(agent: Whose) -> (Sandbox, Option<OfficialAgent>) {
    let settings = SandboxConfig {
        // The scripted shell of ours and of the peer know the same words.
        shells: Shells::Scripted,
        ..settings()
    };
    match agent {
        Whose::Ours => (start(settings).await, None),
        Whose::Theirs => {
            let sandbox = start(theirs(1, settings)).await;
            let mut agent = official(&sandbox, 0);
            soon("the agent", agent.online()).await;
            online(&sandbox, 1).await;
            (sandbox, Some(agent))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_goes_from_prompt_to_end_for_each_pairing_over_tls() {
    for (agent, client) in PAIRINGS {
        let (sandbox, _agent) = region(agent).await;
        let session = sandbox.start_session().await.expect("a session");

        match client {
            Whose::Ours => {
                let mut terminal = sandbox.terminal(&session).await.expect("let in");
                terminal.expect("$ ").await.expect("a prompt");
                terminal.type_line("echo hello").await.expect("typed");
                terminal.expect("hello\r\n$ ").await.expect("an answer");
                terminal.type_line("exit").await.expect("typed");
                let (ended, _) = terminal.end().await.expect("an end");
                assert_eq!(ended.why, Why::Told(Reason::Exit), "{agent:?}");
            }
            Whose::Theirs => {
                let client = OfficialClient::new(network(&sandbox), session.url.expose());
                let mut terminal = client.session((30, 100)).await.expect("let in");
                terminal.expect("$ ").await;
                terminal.type_line("echo hello").await;
                terminal.expect("hello\r\n$ ").await;
                terminal.type_line("exit").await;
                let (ended, _) = terminal.ended().await;
                assert!(ended.line.starts_with("Exit:"), "{agent:?}: {ended:?}");
            }
        }
        sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_carries_both_ways_for_each_pairing_over_tls() {
    for (agent, client) in PAIRINGS {
        let (sandbox, _agent) = region(agent).await;
        let target = listen("127.0.0.1:0").await;
        let port = target.local_addr().expect("bound").port();

        match client {
            Whose::Ours => {
                let forwards = Tasks::new();
                let local = forward(&sandbox, port, &forwards).await;
                let mut application = TcpStream::connect(local).await.expect("connected");
                let (mut connection, _) = soon("the target", target.accept()).await.expect("there");
                application.write_all(b"ping").await.expect("written");
                assert_eq!(read(&mut connection, 4).await, b"ping", "{agent:?}");
                connection.write_all(b"pong").await.expect("written");
                assert_eq!(read(&mut application, 4).await, b"pong", "{agent:?}");
            }
            Whose::Theirs => {
                let (instance, port) = (sandbox.instance().to_string(), port.to_string());
                let parameters = [("InstanceId.1", &*instance), ("PortNumber", &*port)];
                let answer = sandbox
                    .api()
                    .call("StartTerminalSession", &parameters)
                    .await;
                let url = answer.expect("a session")["WebSocketUrl"].clone();
                let url = url.as_str().expect("a URL");
                let client = OfficialClient::new(network(&sandbox), url);
                let mut application = client.forward().await.expect("let in");
                let (mut connection, _) = soon("the target", target.accept()).await.expect("there");
                application.write(b"ping").await;
                assert_eq!(read(&mut connection, 4).await, b"ping", "{agent:?}");
                connection.write_all(b"pong").await.expect("written");
                application.expect(b"pong").await;
                // An official agent obeys a stop only when its target has closed.
                drop(connection);
            }
        }
        sandbox.shutdown().await;
    }
}

/// A forward of our client to a port of the instance; its local address.
async fn forward(sandbox: &Sandbox, port: u16, tasks: &Tasks) -> SocketAddr {
    let route = Route {
        api: sandbox.api().clone(),
        network: sandbox.network().clone(),
        extensions: EXTENSIONS,
    };
    let spec = format!("127.0.0.1:0:{port}").parse().expect("a forward");
    let bound = Bound::bind(&spec).await.expect("bound");
    let local = bound.addresses().expect("bound")[0];
    let (events, _) = mpsc::channel(64);
    let forward = Forward::start(bound, route, sandbox.instance(), events)
        .await
        .expect("a session");
    tasks.spawn("forward", forward.run(CancellationToken::new()));
    local
}

#[tokio::test(flavor = "multi_thread")]
async fn their_agent_is_back_after_a_restart_of_the_relay_over_tls() {
    let (mut sandbox, agent) = region(Whose::Theirs).await;
    let agent = agent.expect("theirs");

    sandbox.lose_relay();
    sandbox.restart_relay().await.expect("started again");

    // It reports the loss after 5 s and dials once, after 6; a relay that was not there by then would
    // be a complaint of its.
    let count = |call: &str| {
        agent
            .calls()
            .iter()
            .filter(|it| it.starts_with(call))
            .count()
    };
    let report = "POST /luban/api/v1/exception/client_report";
    until("its report", async || (count(report) >= 1).then_some(())).await;
    let dial = "GET /luban/notify_server";
    until("its second dial", async || (count(dial) == 2).then_some(())).await;
    until("a session", async || sandbox.start_session().await.ok()).await;
    let session = sandbox.start_session().await.expect("a session");
    let client = OfficialClient::new(network(&sandbox), session.url.expose());
    let mut terminal = client.session((30, 100)).await.expect("let in");
    terminal.expect("$ ").await;
}

fn simulated() -> SandboxConfig {
    SandboxConfig {
        transport: Transport::Memory,
        clock: ClockStart::Frozen(START),
        shells: Shells::Scripted,
        seed: Some(7),
        ..SandboxConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_of_their_agents_that_dial_in_the_same_instant_are_all_back_at_their_one_try() {
    const COUNT: usize = 200;
    let mut sandbox = start(theirs(COUNT, simulated())).await;
    let mut agents: Vec<_> = (0..COUNT).map(|it| official(&sandbox, it)).collect();
    for agent in &mut agents {
        agent.online().await;
    }
    online(&sandbox, COUNT).await;

    sandbox.lose_relay();
    sandbox.restart_relay().await.expect("started again");
    online(&sandbox, COUNT).await;

    for agent in &agents {
        let calls = agent.calls();
        let dials = calls
            .iter()
            .filter(|it| it.starts_with("GET /luban/notify_server"));
        assert_eq!(dials.count(), 2);
        assert_eq!(agent.complaints().take(), [""; 0]);
    }
}

/// A sandbox with so many agents of ours, all of them online.
async fn ours(count: usize) -> Sandbox {
    let sandbox = start(SandboxConfig {
        instances: count,
        ..simulated()
    })
    .await;
    online(&sandbox, count).await;
    sandbox
}

#[tokio::test(start_paused = true)]
async fn three_hundred_of_our_agents_are_back_after_a_restart_one_by_one() {
    const COUNT: usize = 300;
    let mut sandbox = ours(COUNT).await;

    sandbox.lose_relay();
    sandbox.restart_relay().await.expect("started again");
    online(&sandbox, COUNT).await;

    let events = sandbox.events(0).await;
    let came = events.iter().filter(|it| it.kind == EventKind::AgentOnline);
    assert_eq!(came.count(), COUNT, "each once");
}

#[tokio::test(start_paused = true)]
async fn our_agents_are_back_within_seconds_of_a_relay_that_was_away_for_minutes() {
    const COUNT: usize = 20;
    let mut sandbox = ours(COUNT).await;

    sandbox.lose_relay();
    link::sleep(Duration::from_secs(300)).await;
    sandbox.restart_relay().await.expect("started again");
    let back_at = link::now();
    online(&sandbox, COUNT).await;

    let took = link::now().duration_since(back_at);
    assert!(took <= Duration::from_secs(6), "{took:?}");
}

#[test]
fn every_test_that_the_page_on_the_official_programs_names_is_there() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(tree.join(path)).unwrap_or_default();
    let page = read("docs/official-programs.md");

    let named = page.split('`').skip(1).step_by(2);
    let named: Vec<_> = named.filter_map(|word| word.split_once(".rs::")).collect();
    let is_missing = |(path, name): &&(&str, &str)| {
        let source = read(&format!("{path}.rs"));
        !source.contains(&format!("fn {name}("))
    };
    let missing: Vec<_> = named.iter().filter(is_missing).collect();

    assert!(named.len() > 50, "the page names {} tests", named.len());
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
