//! One connection on stdin and stdout.

use std::process::Stdio;

use axt_proto::Limits;
use axt_sandbox::{Sandbox, SandboxConfig};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::{Child, Command},
};

use crate::harness::{
    settings, settings_at, start,
    tunnel::{listen, noise, read, reset, rest, soon},
    until,
};

struct Place {
    home: TempDir,
    sandbox: Sandbox,
    target: TcpListener,
}

impl Place {
    async fn open() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = start(SandboxConfig {
            // One session is all that there may be.
            limits: Limits {
                sessions_per_region: 1,
                ..settings().limits
            },
            ..settings_at(home.path())
        })
        .await;
        let target = listen("127.0.0.1:0").await;
        Self {
            home,
            sandbox,
            target,
        }
    }

    fn port(&self) -> String {
        self.target.local_addr().expect("bound").port().to_string()
    }

    fn axt(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("AXT_STATE_DIR", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("axt starts")
    }

    /// What a ProxyCommand is started as.
    fn ssh(&self, more: &[&str]) -> Child {
        let id = self.sandbox.instance().to_string();
        let port = self.port();
        let arguments = ["ssh", "--stdio", "-i", &id, "--port", &port];
        self.axt(&[arguments.as_slice(), more].concat())
    }
}

async fn ended(mut child: Child) -> (Option<i32>, String) {
    let status = soon("the end of axt", child.wait())
        .await
        .expect("a status");
    let mut told = String::new();
    let mut stderr = child.stderr.take().expect("piped");
    stderr.read_to_string(&mut told).await.expect("UTF-8");
    (status.code(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_both_ways_unaltered_and_each_end_is_told_of_the_others() {
    let place = Place::open().await;
    let (up, down) = (noise(1, 3_000_000), noise(2, 3_000_000));

    for way in ["portforward", "ssh"] {
        let forward = format!(":{}", place.port());
        let mut axt = if way == "ssh" {
            place.ssh(&[])
        } else {
            place.axt(&["portforward", "--stdio", &forward])
        };
        let (mut target, _) = soon("a connection", place.target.accept())
            .await
            .expect("accepted");
        let mut stdin = axt.stdin.take().expect("piped");
        let mut stdout = axt.stdout.take().expect("piped");
        let writing = async {
            stdin.write_all(&up).await.expect("written");
            drop(stdin);
        };
        let answering = async {
            let heard = rest(&mut target).await.expect("an orderly end");
            target.write_all(&down).await.expect("written");
            target.shutdown().await.expect("half-closed");
            heard
        };
        let reading = async {
            let mut read = Vec::new();
            stdout.read_to_end(&mut read).await.expect("read");
            read
        };
        let all = async { tokio::join!(writing, answering, reading) };
        let ((), heard, answered) = soon("all of it", all).await;

        assert!(heard == up && answered == down, "{way}");
        let (code, told) = ended(axt).await;
        assert_eq!((code, told.as_str()), (Some(0), ""), "{way}");
        // Its session was ended: there is room for the next.
    }
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_half_close_closes_stdout_while_stdin_goes_on() {
    let place = Place::open().await;
    let mut axt = place.ssh(&[]);
    let (mut target, _) = soon("a connection", place.target.accept())
        .await
        .expect("accepted");

    target.write_all(b"no more").await.expect("written");
    target.shutdown().await.expect("half-closed");
    let mut heard = Vec::new();
    let mut stdout = axt.stdout.take().expect("piped");
    let reading = stdout.read_to_end(&mut heard);
    soon("the end of stdout", reading).await.expect("read");
    let mut stdin = axt.stdin.take().expect("piped");
    stdin.write_all(b"but you listen").await.expect("written");
    drop(stdin);

    assert_eq!(heard, b"no more");
    let asked = rest(&mut target).await.expect("an orderly end");
    assert_eq!(asked, b"but you listen");
    assert_eq!(ended(axt).await.0, Some(0));
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_extensions_the_end_of_stdin_is_the_end_once_the_answer_is_over() {
    let place = Place::open().await;
    let mut axt = place.ssh(&["--no-extensions"]);
    let (mut target, _) = soon("a connection", place.target.accept())
        .await
        .expect("accepted");

    let mut stdin = axt.stdin.take().expect("piped");
    stdin.write_all(b"question").await.expect("written");
    drop(stdin);
    assert_eq!(read(&mut target, 8).await, b"question");
    target.write_all(b"answer").await.expect("written");
    let mut heard = Vec::new();
    let mut stdout = axt.stdout.take().expect("piped");
    let reading = stdout.read_to_end(&mut heard);
    soon("the end of stdout", reading).await.expect("read");

    assert_eq!(heard, b"answer");
    assert_eq!(ended(axt).await.0, Some(0));
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_and_a_target_that_resets_end_it() {
    let place = Place::open().await;

    let mut axt = place.ssh(&[]);
    let (mut target, _) = soon("a connection", place.target.accept())
        .await
        .expect("accepted");
    drop(axt.stdout.take());
    let sending = async { while target.write_all(&[0; 1_000]).await.is_ok() {} };
    soon("the target is told", sending).await;
    assert_eq!(ended(axt).await.0, Some(0));

    let mut axt = place.ssh(&[]);
    let (mut target, _) = soon("a connection", place.target.accept())
        .await
        .expect("accepted");
    target.write_all(b"!").await.expect("written");
    let mut stdout = axt.stdout.take().expect("piped");
    soon("a byte", stdout.read_u8()).await.expect("read");
    reset(target);
    let (code, told) = ended(axt).await;

    assert_eq!(code, Some(255), "{told}");
    assert!(told.contains("reset the connection"), "{told}");
    place.sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_listens_is_told_in_one_line_and_a_hint() {
    let place = Place::open().await;
    let port = place.port();
    let id = place.sandbox.instance().to_string();
    let Place {
        home,
        sandbox,
        target,
    } = place;
    drop(target);
    let output = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(["ssh", "--stdio", "-i", &id, "--port", &port])
        .env_clear()
        .env("HOME", home.path())
        .env("AXT_STATE_DIR", home.path())
        .stdin(Stdio::null())
        .output();
    let output = soon("the refusal", output).await.expect("it runs");

    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(255), "{told}");
    assert_eq!(
        told,
        format!(
            "error: nothing listens on localhost:{port} (Open_port_failed)\n\
             hint: start the service there, or forward to another port\n"
        )
    );
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_sshs_key_and_sighup_its_word_to_end() {
    let place = Place::open().await;
    let mut axt = place.ssh(&[]);
    let (mut target, _) = soon("a connection", place.target.accept())
        .await
        .expect("accepted");
    let mut stdin = axt.stdin.take().expect("piped");
    let id = axt.id().and_then(|id| i32::try_from(id).ok());
    let id = id.and_then(Pid::from_raw).expect("a process");

    kill_process(id, Signal::INT).expect("signalled");
    stdin.write_all(b"still here").await.expect("written");
    assert_eq!(read(&mut target, 10).await, b"still here");
    kill_process(id, Signal::HUP).expect("signalled");
    let (code, told) = ended(axt).await;

    assert_eq!((code, told.as_str()), (Some(0), ""));
    until("the session's end", async || {
        place.sandbox.start_session().await.ok()
    })
    .await;
    place.sandbox.shutdown().await;
}
