//! The official program at one end and ours at the other: what becomes of half-closes, resets and ends
//! (ARCHITECTURE, "How a forwarded connection ends").

use std::time::Duration;

use axt_client::{
    forward::{ForwardEvent, Parting},
    session::Started,
};
use axt_official::{
    AgentSetup, Network, OfficialAgent, OfficialClient, agent::Who, client::Forwarded,
};
use axt_proto::{InstanceId, Limits, Tick};
use axt_sandbox::{ClockStart, InstanceSpec, Sandbox, SandboxConfig};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::harness::{
    settings, start,
    tunnel::{Pairing, Tunnel, is_reset, listen, noise, read, reset, rest, soon},
    until,
};

const START: Tick = Tick::from_millis(1_795_587_061_027);

fn network(sandbox: &Sandbox) -> Network {
    let ours = sandbox.network();
    Network::new(ours.dialer.clone(), ours.tls.clone())
}

/// A forward of ours that leads through an agent like the official one.
async fn through_an_official_agent() -> (Tunnel, OfficialAgent) {
    let config = SandboxConfig::default();
    let id: InstanceId = "i-official000000000001".parse().expect("an id");
    let spec = InstanceSpec::new(id.clone(), config.account.clone(), config.region.clone());
    let sandbox = start(SandboxConfig {
        instances: 0,
        declared: vec![spec],
        allow_unsigned: true,
        clock: ClockStart::Frozen(START),
        ..settings()
    })
    .await;
    let server = sandbox.ready().axt.replacen("wss", "https", 1);
    let setup = AgentSetup::new(server, Who::Named(id.to_string()));
    let mut agent = OfficialAgent::start(setup, network(&sandbox));
    soon("the agent", agent.online()).await;
    // It has its answer before the relay's desk knows of it.
    until("a session", async || sandbox.start_session().await.ok()).await;
    let tunnel = Tunnel::over(sandbox, Pairing::BOTH, |forward| forward).await;
    (tunnel, agent)
}

async fn until_none_runs(agent: &OfficialAgent) {
    until("the end of its sessions", async || {
        (agent.sessions() == 0).then_some(())
    })
    .await;
}

/// The third minute without a byte is the end that is left.
async fn idle(tunnel: &Tunnel) {
    let limit = Limits::default().idle_timeout() + Duration::from_secs(1);
    tunnel.sandbox.clock().advance(limit).await.expect("moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_official_agent_a_targets_end_and_its_reset_are_told_by_the_idle_timeout_alone() {
    for resets in [false, true] {
        let (mut tunnel, agent) = through_an_official_agent().await;
        let (mut client, mut target) = tunnel.connect().await;
        target.write_all(b"bye").await.expect("written");
        assert_eq!(read(&mut client, 3).await, b"bye");

        if resets {
            reset(target);
        } else {
            drop(target);
        }
        idle(&tunnel).await;

        assert!(is_reset(&mut client).await, "no orderly end came before");
        let end = tunnel.end_of_connection().await;
        assert!(
            matches!(&end, ForwardEvent::Failed { trouble, .. } if trouble.problem.contains("IdleTimeout")),
            "{end}"
        );
        until_none_runs(&agent).await;
        tunnel.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_official_agent_a_half_close_is_kept_from_the_target_and_a_reset_ends_it() {
    let (mut tunnel, agent) = through_an_official_agent().await;

    let (mut client, mut target) = tunnel.connect().await;
    client.write_all(b"question").await.expect("written");
    client.shutdown().await.expect("half-closed");
    assert_eq!(read(&mut target, 8).await, b"question");
    target.write_all(b"answer").await.expect("written");
    assert_eq!(read(&mut client, 6).await, b"answer");
    reset(client);
    let end = tunnel.end_of_connection().await;
    assert!(matches!(end, ForwardEvent::Closed { .. }), "{end}");

    // It obeys the stop once its target has closed (wire-protocol 9.2).
    assert_eq!(agent.sessions(), 1);
    drop(target);
    until_none_runs(&agent).await;
    tunnel.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn before_an_official_agent_an_application_that_closes_gives_its_place_back() {
    let (mut tunnel, agent) = through_an_official_agent().await;
    let (mut client, mut target) = tunnel.connect().await;

    client.write_all(b"question").await.expect("written");
    drop(client);

    assert_eq!(read(&mut target, 8).await, b"question");
    let end = tunnel.end_of_connection().await;
    let is_done = |how: &Parting| *how == Parting::Done;
    assert!(
        matches!(&end, ForwardEvent::Closed { how, .. } if is_done(how)),
        "{end}"
    );
    drop(target);
    until_none_runs(&agent).await;
    tunnel.shutdown().await;
}

/// A forwarded connection of the official client's, before an agent of ours.
struct BeforeOurs {
    sandbox: Sandbox,
    client: OfficialClient,
    listener: TcpListener,
}

impl BeforeOurs {
    async fn open() -> Self {
        let sandbox = start(settings()).await;
        let listener = listen("127.0.0.1:0").await;
        let port = listener.local_addr().expect("bound").port().to_string();
        let parameters = [
            ("InstanceId.1", sandbox.instance().as_str()),
            ("PortNumber", port.as_str()),
        ];
        let answer = sandbox
            .api()
            .call("StartTerminalSession", &parameters)
            .await;
        let started: Started =
            serde_json::from_value(answer.expect("a session")).expect("a session");
        Self {
            client: OfficialClient::new(network(&sandbox), started.url.expose()),
            sandbox,
            listener,
        }
    }

    async fn connect(&self) -> (Forwarded, TcpStream) {
        let application = self.client.forward().await.expect("let in");
        let accepting = soon("a connection at the target", self.listener.accept());
        let (target, _) = accepting.await.expect("accepted");
        (application, target)
    }

    async fn end(self) {
        drop(self.client);
        self.sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_official_client_hears_a_target_of_our_agents_to_its_last_byte() {
    let place = BeforeOurs::open().await;
    let bytes = noise(1, 1_000_000);

    let (application, mut target) = place.connect().await;
    let writing = async {
        target.write_all(&bytes).await.expect("written");
        drop(target);
    };
    let heard = soon("the end", application.rest());
    let ((), heard) = tokio::join!(writing, heard);

    assert!(heard == bytes, "{} bytes came", heard.len());
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_official_clients_application_ends_with_a_target_that_resets_or_half_closes() {
    let place = BeforeOurs::open().await;

    for half_closes in [false, true] {
        let (mut application, mut target) = place.connect().await;
        target.write_all(b"x").await.expect("written");
        application.expect(b"x").await;
        if half_closes {
            // There is no half-close to be told in the base protocol: it is the end.
            target.shutdown().await.expect("half-closed");
            assert_eq!(rest(&mut target).await.expect("an orderly end"), b"");
        } else {
            reset(target);
        }
        assert_eq!(soon("the end", application.rest()).await, b"");
    }

    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_official_clients_application_sent_before_its_end_reaches_the_target() {
    let place = BeforeOurs::open().await;

    let (mut application, mut target) = place.connect().await;
    application.write(b"last words").await;
    drop(application);

    assert_eq!(
        rest(&mut target).await.expect("an orderly end"),
        b"last words"
    );
    place.end().await;
}
