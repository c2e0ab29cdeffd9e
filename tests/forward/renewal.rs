//! Sessions that let no more connections in are replaced, and nobody notices.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axt_client::{
    Api,
    forward::{Bound, EXTENSIONS, Forward, ForwardEvent, Route},
    session::Network,
};
use axt_net::tasks::Tasks;
use axt_proto::Tick;
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, State};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::harness::{
    settings, start,
    tunnel::{Pairing, Tunnel, listen, read, soon},
};

const START: Tick = Tick::from_millis(1_795_587_061_027);

fn frozen() -> SandboxConfig {
    SandboxConfig {
        clock: ClockStart::Frozen(START),
        ..settings()
    }
}

async fn echo(client: &mut TcpStream, target: &mut TcpStream, text: &[u8]) {
    client.write_all(text).await.expect("written");
    assert_eq!(read(target, text.len()).await, text);
    target.write_all(text).await.expect("written");
    assert_eq!(read(client, text.len()).await, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_url_has_expired_new_connections_get_another_and_the_old_ones_go_on() {
    let mut tunnel = Tunnel::open_as(Pairing::BOTH, frozen()).await;
    let (mut old, mut old_target) = tunnel.connect().await;
    for _ in 0..4 {
        // A byte now and then: it is not idleness that is tested here.
        echo(&mut old, &mut old_target, b".").await;
        let by = Duration::from_secs(170);
        tunnel.sandbox.clock().advance(by).await.expect("moved");
    }

    let (mut new, mut new_target) = tunnel.connect().await;
    echo(&mut new, &mut new_target, b"renewed").await;
    echo(&mut old, &mut old_target, b"still here").await;

    let renewed = tunnel.renewed().await;
    assert!(renewed.contains("SessionUrl.Expired"), "{renewed}");
    drop((old, new, old_target, new_target));
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_that_find_the_url_expired_at_once_share_one_new_session() {
    let tunnel = Tunnel::open_as(Pairing::BOTH, frozen()).await;
    let by = Duration::from_secs(601);
    tunnel.sandbox.clock().advance(by).await.expect("moved");

    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(tunnel.dial().await);
    }
    for client in &mut clients {
        client.write_all(b"!").await.expect("written");
    }
    for _ in &clients {
        let mut target = tunnel.accept().await;
        assert_eq!(read(&mut target, 1).await, b"!");
    }

    let answer = tunnel.sandbox.api().call("DescribeTerminalSessions", &[]);
    let answer = answer.await.expect("sessions");
    assert_eq!(
        answer["Sessions"]["Session"].as_array().map(Vec::len),
        Some(2),
        "{answer}"
    );
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_somebody_ended_is_replaced() {
    let mut tunnel = Tunnel::open().await;
    let answer = tunnel.sandbox.api().call("DescribeTerminalSessions", &[]);
    let answer = answer.await.expect("sessions");
    let id = answer["Sessions"]["Session"][0]["SessionId"]
        .as_str()
        .expect("an id");
    let parameters = [("SessionId", id)];
    let ending = tunnel.sandbox.api().call("EndTerminalSession", &parameters);
    ending.await.expect("ended");

    let (mut client, mut target) = tunnel.connect().await;
    echo(&mut client, &mut target, b"renewed").await;

    let renewed = tunnel.renewed().await;
    assert!(renewed.contains("SessionUrl.Ended"), "{renewed}");
    drop((client, target));
    tunnel.shutdown().await;
}

/// A region that is started again and again, and the forward that goes on.
struct Region {
    folder: TempDir,
    sandbox: Option<Sandbox>,
    now: Tick,
    /// Where it is, for whoever looks for it.
    here: Arc<Mutex<(Api, Network)>>,
    target: TcpListener,
    local: std::net::SocketAddr,
    events: mpsc::Receiver<ForwardEvent>,
    forwards: Tasks,
}

impl Region {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = start(config(&folder, START)).await;
        let (api, network) = (sandbox.api().clone(), sandbox.network().clone());
        let here = Arc::new(Mutex::new((api.clone(), network.clone())));
        let target = listen("127.0.0.1:0").await;
        let port = target.local_addr().expect("bound").port();
        let spec = format!("127.0.0.1:0:{port}").parse().expect("a forward");
        let bound = Bound::bind(&spec).await.expect("bound");
        let local = bound.addresses().expect("bound")[0];
        let (sender, events) = mpsc::channel(1_024);
        let route = Route {
            api,
            network,
            extensions: EXTENSIONS,
        };
        let found = Arc::clone(&here);
        let forward = Forward::start(bound, route, sandbox.instance(), sender)
            .await
            .expect("a session")
            .finding_by(Arc::new(move || {
                Some(found.lock().expect("nobody panics in here").clone())
            }));
        let forwards = Tasks::new();
        forwards.spawn("forward", forward.run(forwards.token().clone()));
        Self {
            folder,
            sandbox: Some(sandbox),
            now: START,
            here,
            target,
            local,
            events,
            forwards,
        }
    }

    async fn advance(&mut self, minutes: u64) {
        let by = Duration::from_secs(minutes * 60);
        let sandbox = self.sandbox.as_ref().expect("one that runs");
        sandbox.clock().advance(by).await.expect("moved");
        self.now = sandbox.clock().now();
    }

    async fn stop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.shutdown().await;
        }
    }

    async fn start(&mut self) {
        let sandbox = start(config(&self.folder, self.now)).await;
        let found = (sandbox.api().clone(), sandbox.network().clone());
        *self.here.lock().expect("nobody panics in here") = found;
        self.sandbox = Some(sandbox);
    }

    /// A connection from its beginning to its orderly end.
    async fn connection_works(&mut self) {
        let mut client = TcpStream::connect(self.local).await.expect("connected");
        let accepting = soon("a connection at the target", self.target.accept());
        let (mut target, _) = accepting.await.expect("accepted");
        echo(&mut client, &mut target, b"works").await;
        drop((client, target));
        self.connection_closed().await;
    }

    async fn connection_closed(&mut self) {
        loop {
            match soon("its end", self.events.recv()).await.expect("it runs") {
                ForwardEvent::Closed { .. } => return,
                event @ ForwardEvent::Failed { .. } => panic!("{event}"),
                _ => {}
            }
        }
    }

    async fn end(mut self) {
        self.stop().await;
        self.forwards.shutdown(crate::harness::GUARD).await;
    }
}

fn config(folder: &TempDir, now: Tick) -> SandboxConfig {
    SandboxConfig {
        state: State::Kept(folder.path().to_owned()),
        clock: ClockStart::Frozen(now),
        ..settings()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_day_and_through_restarts_of_the_relay_each_50_minutes_every_new_connection_works() {
    let mut region = Region::open().await;

    // 29 times 50 minutes are a day (report F32).
    for _ in 0..29 {
        for _ in 0..5 {
            region.connection_works().await;
            region.advance(10).await;
        }
        region.stop().await;
        region.start().await;
    }

    region.connection_works().await;
    region.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_waits_for_a_relay_that_is_just_being_restarted() {
    let mut region = Region::open().await;
    region.stop().await;

    let mut client = TcpStream::connect(region.local).await.expect("connected");
    client.write_all(b"early").await.expect("written");
    region.start().await;
    let accepting = soon("a connection at the target", region.target.accept());
    let (mut target, _) = accepting.await.expect("accepted");

    assert_eq!(read(&mut target, 5).await, b"early");
    drop((client, target));
    region.connection_closed().await;
    region.end().await;
}
