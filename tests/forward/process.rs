//! `axt portforward` as a process, with all that it prints.

use std::{path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

use crate::harness::tunnel::{is_reset, soon};

/// `axt portforward` as a process, with all that it prints.
pub(crate) struct Portforward {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    pub(crate) local: u16,
}

impl Portforward {
    pub(crate) async fn start(home: &Path, forward: &str) -> Self {
        Self::start_with(home, &[forward]).await
    }

    pub(crate) async fn start_with(home: &Path, arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_axt"))
            .arg("portforward")
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .env("AXT_STATE_DIR", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("axt starts");
        Self::of(child)
    }

    /// One that has been started, with stdout and stderr piped.
    pub(crate) fn of(mut child: Child) -> Self {
        let stdout = child.stdout.take().expect("piped");
        Self {
            child,
            stdout: BufReader::new(stdout).lines(),
            local: 0,
        }
    }

    /// The local port of kubectl's line.
    pub(crate) fn local_of(line: &str) -> u16 {
        line.strip_prefix("Forwarding from ")
            .and_then(|rest| rest.split_once(" -> ")?.0.rsplit_once(':')?.1.parse().ok())
            .unwrap_or_else(|| panic!("{line}"))
    }

    pub(crate) async fn line(&mut self) -> String {
        soon("a line", self.stdout.next_line())
            .await
            .expect("UTF-8")
            .expect("a line")
    }

    /// Reads kubectl's line, which names the local port.
    pub(crate) async fn forwarding_from(&mut self, address: &str, remote: &str) {
        let line = self.line().await;
        let port = line
            .strip_prefix(&format!("Forwarding from {address}:"))
            .and_then(|rest| rest.strip_suffix(&format!(" -> {remote}")))
            .unwrap_or_else(|| panic!("{line}"));
        self.local = port.parse().expect("a port");
    }

    pub(crate) async fn dial(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.local))
            .await
            .expect("connected")
    }

    /// A connection that comes to nothing: whether it is told by a reset.
    pub(crate) async fn is_refused(&self) -> bool {
        match TcpStream::connect(("127.0.0.1", self.local)).await {
            Ok(mut client) => is_reset(&mut client).await,
            // It was reset before it had connected.
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    pub(crate) async fn interrupt(self) -> (Option<i32>, String) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::INT).expect("signalled");
        self.ended().await
    }

    /// Its end: the exit code, and what it told on stderr.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let ended = soon("the end of axt portforward", self.child.wait()).await;
        let mut told = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut told).await.expect("UTF-8");
        (ended.expect("a status").code(), told)
    }
}
