//! Forwarded ports, through the real parts: where they lead, how many, and the command itself.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;

use std::{process::Stdio, time::Duration};

use axt_client::{
    api::CallError,
    forward::{Bound, EXTENSIONS, Forward, Route},
    session::OpenError,
};
use axt_net::tasks::Tasks;
use axt_proto::{Limits, Tick};
use axt_sandbox::{ClockStart, Sandbox, SandboxConfig, State};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command},
    sync::mpsc,
};

use harness::{
    sandbox, settings, start,
    tunnel::{Tunnel, is_reset, listen, read, rest, soon},
    until,
};

/// Forwards a local port to `host` and `listener`'s port, and says what the listener hears.
async fn says_hello_through(sandbox: &Sandbox, host: Option<&str>, listener: &TcpListener) {
    let port = listener.local_addr().expect("bound").port();
    let target = host.map_or_else(String::new, |host| format!("{host}:"));
    let spec = format!("127.0.0.1:0:{target}{port}");
    let local = Bound::bind(&spec.parse().expect("a forward"))
        .await
        .expect("bound");
    let address = local.addresses().expect("bound")[0];
    let (events, _unread) = mpsc::channel(64);
    let forward = Forward::start(local, route(sandbox), sandbox.instance(), events)
        .await
        .expect("a session");
    let tasks = Tasks::new();
    tasks.spawn("forward", forward.run(tasks.token().clone()));

    let mut client = TcpStream::connect(address).await.expect("connected");
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    client.write_all(b"hello").await.expect("written");
    assert_eq!(read(&mut target, 5).await, b"hello");
    target.write_all(b"and back").await.expect("written");
    assert_eq!(read(&mut client, 8).await, b"and back");
}

fn route(sandbox: &Sandbox) -> Route {
    Route {
        api: sandbox.api().clone(),
        network: sandbox.network().clone(),
        extensions: EXTENSIONS,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_itself_is_reached_on_whichever_family_listens() {
    let sandbox = sandbox().await;

    says_hello_through(&sandbox, None, &listen("127.0.0.1:0").await).await;
    says_hello_through(&sandbox, None, &listen("[::1]:0").await).await;

    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_server_is_a_name_or_an_address_of_either_family() {
    let sandbox = sandbox().await;

    says_hello_through(&sandbox, Some("localhost"), &listen("[::1]:0").await).await;
    says_hello_through(&sandbox, Some("localhost"), &listen("127.0.0.1:0").await).await;
    says_hello_through(&sandbox, Some("127.0.0.2"), &listen("127.0.0.2:0").await).await;
    says_hello_through(&sandbox, Some("[::1]"), &listen("[::1]:0").await).await;

    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_url_serves_many_at_once_and_keeps_them_apart() {
    // One session is all that there may be.
    let tunnel = Tunnel::open_within(Limits {
        sessions_per_region: 1,
        connections_per_instance: 40,
        ..settings().limits
    })
    .await;
    let mut pairs = Vec::new();
    for _ in 0..40 {
        pairs.push(tunnel.connect().await);
    }

    for (number, (client, target)) in pairs.iter_mut().enumerate() {
        let (ask, answer) = (format!("<{number:02}>"), format!("[{number:02}]"));
        client.write_all(ask.as_bytes()).await.expect("written");
        target.write_all(answer.as_bytes()).await.expect("written");
    }
    for (number, (client, target)) in pairs.iter_mut().enumerate() {
        let heard = read(target, 4).await;
        assert_eq!(heard, format!("<{number:02}>").as_bytes());
        let answered = read(client, 4).await;
        assert_eq!(answered, format!("[{number:02}]").as_bytes());
    }

    drop(pairs);
    tunnel.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_on_when_the_url_has_expired_and_no_new_ones_are_let_in() {
    let tunnel = Tunnel::open_as(
        harness::tunnel::Pairing::BOTH,
        SandboxConfig {
            clock: ClockStart::Frozen(Tick::from_millis(1_795_587_061_027)),
            ..settings()
        },
    )
    .await;
    let (mut client, mut target) = tunnel.connect().await;
    for _ in 0..4 {
        // A byte now and then: it is not idleness that is tested here.
        client.write_all(b".").await.expect("written");
        read(&mut target, 1).await;
        target.write_all(b".").await.expect("written");
        read(&mut client, 1).await;
        tunnel
            .sandbox
            .clock()
            .advance(Duration::from_secs(170))
            .await
            .expect("moved");
    }

    assert!(tunnel.is_refused().await, "the URL has expired");
    client.write_all(b"still here").await.expect("written");
    assert_eq!(read(&mut target, 10).await, b"still here");

    tunnel.shutdown().await;
}

/// `axt portforward` as a process, with all that it prints.
struct Portforward {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    local: u16,
}

impl Portforward {
    async fn start(home: &std::path::Path, forward: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(["portforward", forward])
            .env_clear()
            .env("HOME", home)
            .env("AXT_STATE_DIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("axt starts");
        let stdout = child.stdout.take().expect("piped");
        Self {
            child,
            stdout: BufReader::new(stdout).lines(),
            local: 0,
        }
    }

    async fn line(&mut self) -> String {
        soon("a line", self.stdout.next_line())
            .await
            .expect("UTF-8")
            .expect("a line")
    }

    /// Reads kubectl's line, which names the local port.
    async fn forwarding_from(&mut self, address: &str, remote: &str) {
        let line = self.line().await;
        let port = line
            .strip_prefix(&format!("Forwarding from {address}:"))
            .and_then(|rest| rest.strip_suffix(&format!(" -> {remote}")))
            .unwrap_or_else(|| panic!("{line}"));
        self.local = port.parse().expect("a port");
    }

    async fn dial(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.local))
            .await
            .expect("connected")
    }

    async fn interrupt(mut self) -> (Option<i32>, String) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::INT).expect("signalled");
        let ended = soon("the end of axt portforward", self.child.wait()).await;
        let mut told = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut told).await.expect("UTF-8");
        (ended.expect("a status").code(), told)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_where_it_listens_carries_what_comes_and_ends_all_of_it_on_ctrl_c() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = start(SandboxConfig {
        state: State::Ephemeral {
            home: Some(home.path().to_owned()),
        },
        limits: Limits {
            sessions_per_region: 1,
            ..settings().limits
        },
        ..settings()
    })
    .await;
    let listener = listen("127.0.0.1:0").await;
    let port = listener.local_addr().expect("bound").port().to_string();

    let mut command = Portforward::start(home.path(), &format!(":{port}")).await;
    command.forwarding_from("127.0.0.1", &port).await;
    command.forwarding_from("[::1]", &port).await;
    let mut client = command.dial().await;
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    let handling = format!("Handling connection for {}", command.local);
    assert_eq!(command.line().await, handling);
    client.write_all(b"ping").await.expect("written");
    assert_eq!(read(&mut target, 4).await, b"ping");
    target.write_all(b"pong").await.expect("written");
    assert_eq!(read(&mut client, 4).await, b"pong");
    assert!(
        matches!(
            sandbox.start_session().await,
            Err(OpenError::Call(CallError::Api(_)))
        ),
        "its session is the only one that there may be"
    );

    let local = command.local;
    let (code, told) = command.interrupt().await;

    assert_eq!(code, Some(130), "{told}");
    assert!(is_reset(&mut client).await, "the application is told");
    assert!(is_reset(&mut target).await, "the target is told");
    TcpStream::connect(("127.0.0.1", local))
        .await
        .expect_err("nobody listens any more");
    sandbox
        .start_session()
        .await
        .expect("the session was ended");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_of_a_target_that_refuses_and_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = start(SandboxConfig {
        state: State::Ephemeral {
            home: Some(home.path().to_owned()),
        },
        ..settings()
    })
    .await;
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().expect("bound");
    let port = address.port().to_string();
    drop(listener);

    let mut command = Portforward::start(home.path(), &format!("127.0.0.1:0:{port}")).await;
    command.forwarding_from("127.0.0.1", &port).await;
    let mut refused = command.dial().await;
    assert!(is_reset(&mut refused).await, "nobody listens there");
    let listener = listen(&address.to_string()).await;
    let mut client = command.dial().await;
    let (target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    drop(target);

    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    let (_, told) = command.interrupt().await;
    assert!(
        told.contains("connection 1 failed: the instance could not reach the port"),
        "{told}"
    );
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_and_an_agent_that_are_killed_are_told_by_resets_at_both_ends() {
    let home = tempfile::tempdir().expect("a folder");
    let listener = listen("127.0.0.1:0").await;
    let port = listener.local_addr().expect("bound").port().to_string();
    let mut up = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(["up", "--api-listen", "127.0.0.1:0"])
        .args([
            "--axt-listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ])
        .env_clear()
        .env("HOME", home.path())
        .env("AXT_STATE_DIR", home.path().join("state"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("axt starts");
    let ready = home.path().join("state/ready.json");
    until("the ready file", async || ready.exists().then_some(())).await;
    let forward = format!("127.0.0.1:0:{port}");
    let mut command = Portforward::start(&home.path().join("state"), &forward).await;
    command.forwarding_from("127.0.0.1", &port).await;
    let mut client = command.dial().await;
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    client.write_all(b"up and running").await.expect("written");
    read(&mut target, 14).await;

    up.kill().await.expect("killed");

    assert!(is_reset(&mut client).await, "the application is told");
    assert!(is_reset(&mut target).await, "the target is told");
    let (_, told) = command.interrupt().await;
    assert!(
        told.contains("connection 1 failed: the relay was lost"),
        "{told}"
    );
}
