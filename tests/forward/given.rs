//! Sessions that somebody else has started: used, and neither renewed nor ended.

use std::{path::Path, process::Stdio};

use axt_client::session::Started;
use axt_sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{
    harness::{
        settings_at, start,
        tunnel::{listen, read, soon},
    },
    process::Portforward,
};

async fn sandbox(home: &TempDir) -> Sandbox {
    start(settings_at(home.path())).await
}

/// Somebody starts a session for that port.
async fn session(sandbox: &Sandbox, port: &str) -> (Started, String) {
    let parameters = [
        ("InstanceId.1", sandbox.instance().as_str()),
        ("PortNumber", port),
    ];
    let call = sandbox.api().call("StartTerminalSession", &parameters);
    let answer = call.await.expect("a session");
    let started: Started = serde_json::from_value(answer).expect("a session");
    let url = started.url.expose();
    let (bare, _) = url.split_once("&token=").expect("a token at the end");
    let bare = bare.to_owned();
    (started, bare)
}

fn axt(home: &Path, arguments: &[&str]) -> Command {
    let mut axt = Command::new(env!("CARGO_BIN_EXE_axt"));
    axt.args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("AXT_STATE_DIR", home)
        .env("AXT_LOG", "trace")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    axt
}

async fn carries(command: &mut Portforward, listener: &tokio::net::TcpListener) {
    let line = command.line().await;
    assert!(line.contains("-> session s-"), "{line}");
    command.local = Portforward::local_of(&line);
    let mut client = command.dial().await;
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    client.write_all(b"hello").await.expect("written");
    assert_eq!(read(&mut target, 5).await, b"hello");
}

async fn is_active(sandbox: &Sandbox, started: &Started) -> bool {
    let parameters = [("SessionId", started.id.as_str())];
    let call = sandbox.api().call("DescribeTerminalSessions", &parameters);
    let answer: Value = call.await.expect("an answer");
    let session = &answer["Sessions"]["Session"][0];
    assert_eq!(session["SessionId"], started.id.as_str(), "{answer}");
    // One that was ended lets nobody in.
    let network = sandbox.network();
    let announce = axt_client::session::Announce::default();
    axt_client::session::connect(network, started, announce)
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn its_url_comes_by_the_environment_or_stdin_is_never_told_and_never_ended() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(&home).await;
    let listener = listen("127.0.0.1:0").await;
    let port = listener.local_addr().expect("bound").port().to_string();
    let (started, bare) = session(&sandbox, &port).await;
    let (url, token) = (started.url.expose(), started.token.expose());
    let with_token_beside = {
        let mut axt = axt(home.path(), &["portforward", "--wss-url", &bare]);
        axt.env("AXT_SESSION_TOKEN", token);
        axt
    };
    let by_environment = {
        let mut axt = axt(home.path(), &["portforward", "--wss-url", "env"]);
        axt.env("AXT_WSS_URL", url);
        axt
    };
    let mut by_stdin = axt(home.path(), &["portforward", "--wss-url", "-"]);
    by_stdin.stdin(Stdio::piped());

    for (mut command, is_piped) in [
        (with_token_beside, false),
        (by_environment, false),
        (by_stdin, true),
    ] {
        let mut child = command.spawn().expect("axt starts");
        if is_piped {
            let mut stdin = child.stdin.take().expect("piped");
            let line = format!("{url}\n");
            stdin.write_all(line.as_bytes()).await.expect("written");
        }
        let mut command = Portforward::of(child);
        carries(&mut command, &listener).await;
        let (code, told) = command.interrupt().await;
        assert_eq!(code, Some(130), "{told}");
        assert!(!told.contains(token), "the token was logged");
    }

    assert!(is_active(&sandbox, &started).await);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_on_the_command_line_is_refused_and_not_repeated() {
    let home = tempfile::tempdir().expect("a folder");
    let url = "wss://localhost:1/session?sessionId=s-hz0000000000000000&token=hunter2";

    let output = axt(home.path(), &["portforward", "--wss-url", url]).output();
    let output = soon("the refusal", output).await.expect("it runs");

    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("AXT_WSS_URL"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_over_says_whom_to_ask() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox(&home).await;
    let (started, bare) = session(&sandbox, "80").await;
    let parameters = [("SessionId", started.id.as_str())];
    let ending = sandbox.api().call("EndTerminalSession", &parameters);
    ending.await.expect("ended");

    let mut axt = axt(home.path(), &["portforward", "--wss-url", &bare, "--json"]);
    axt.env("AXT_SESSION_TOKEN", started.token.expose());
    let mut command = Portforward::of(axt.spawn().expect("axt starts"));
    let listening: Value = serde_json::from_str(&command.line().await).expect("JSON");
    assert_eq!(listening["remote"], Value::Null);
    command.local = listening["address"]
        .as_str()
        .and_then(|address| address.rsplit_once(':')?.1.parse().ok())
        .expect("a port");
    assert!(command.is_refused().await);

    let mut failed = Value::Null;
    while failed["event"] != "failed" {
        failed = serde_json::from_str(&command.line().await).expect("JSON");
    }
    assert_eq!(failed["code"], "session_ended");
    let hint = failed["hint"].as_str().expect("a hint");
    assert!(hint.contains("ask whoever made"), "{hint}");
    command.interrupt().await;
    sandbox.shutdown().await;
}
