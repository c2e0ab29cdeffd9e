//! The command: what it prints, carries and ends.

use std::process::Stdio;

use axt_client::{api::CallError, session::OpenError};
use axt_proto::Limits;
use axt_sandbox::SandboxConfig;
use tokio::{io::AsyncWriteExt, net::TcpStream, process::Command};

use crate::{
    harness::{
        settings, settings_at, start,
        tunnel::{is_reset, listen, read, rest, soon},
        until,
    },
    process::Portforward,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_where_it_listens_carries_what_comes_and_ends_all_of_it_on_ctrl_c() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = start(SandboxConfig {
        limits: Limits {
            sessions_per_region: 1,
            ..settings().limits
        },
        ..settings_at(home.path())
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
    let sandbox = start(settings_at(home.path())).await;
    let listener = listen("127.0.0.1:0").await;
    let address = listener.local_addr().expect("bound");
    let port = address.port().to_string();
    drop(listener);

    let mut command = Portforward::start(home.path(), &format!("127.0.0.1:0:{port}")).await;
    command.forwarding_from("127.0.0.1", &port).await;
    assert!(command.is_refused().await, "nobody listens there");
    let listener = listen(&address.to_string()).await;
    let mut client = command.dial().await;
    let (target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    drop(target);

    assert_eq!(rest(&mut client).await.expect("an orderly end"), b"");
    let (_, told) = command.interrupt().await;
    assert!(
        told.contains(&format!(
            "connection 1 failed: nothing listens on localhost:{port} (Open_port_failed); start the service there"
        )),
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
