//! The line on a terminal that says what passes and what holds it up.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    process::Stdio,
};

use axt_net::tasks::Tasks;
use axt_proto::Limits;
use axt_sandbox::SandboxConfig;
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use crate::{
    harness::{
        settings_at, start,
        tunnel::{listen, soon},
    },
    process::Portforward,
};

/// A terminal: what a person sees, and what a program writes to.
fn terminal() -> (tokio::fs::File, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).expect("a terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("a name");
    let slave = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed())
        .open(name.to_str().expect("a path"))
        .expect("opened");
    (tokio::fs::File::from_std(master.into()), slave)
}

/// Waits until a person sees `text`.
async fn sees(screen: &mut tokio::fs::File, text: &str) {
    let mut seen = String::new();
    let looking = async {
        while !seen.contains(text) {
            let mut piece = [0; 1_024];
            let read = screen.read(&mut piece).await.expect("a terminal");
            seen.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };
    soon(text, looking).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_that_the_sessions_limit_is_what_makes_it_slow() {
    let home = tempfile::tempdir().expect("a folder");
    let sandbox = start(SandboxConfig {
        limits: Limits::default(),
        ..settings_at(home.path())
    })
    .await;
    let listener = listen("127.0.0.1:0").await;
    let port = listener.local_addr().expect("bound").port().to_string();
    let (mut screen, stderr) = terminal();

    let child = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(["portforward", &format!("127.0.0.1:0:{port}")])
        .env_clear()
        .env("HOME", home.path())
        .env("AXT_STATE_DIR", home.path())
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn()
        .expect("axt starts");
    let mut command = Portforward::of(child);
    command.forwarding_from("127.0.0.1", &port).await;
    let mut client = command.dial().await;
    let (mut target, _) = soon("a connection", listener.accept())
        .await
        .expect("accepted");
    let tasks = Tasks::new();
    tasks.spawn("target", async move {
        while target.write_all(&[7; 4_096]).await.is_ok() {}
    });
    tasks.spawn("application", async move {
        let mut heard = vec![0; 64 * 1024];
        while client.read(&mut heard).await.is_ok_and(|read| read > 0) {}
    });

    sees(&mut screen, "limited to 200 KB/s by session").await;

    drop(tasks);
    drop(command);
    sandbox.shutdown().await;
}
