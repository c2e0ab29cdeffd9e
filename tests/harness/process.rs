//! What tests of whole processes share: a person's account on a machine, and programs that run there.

#![allow(dead_code)] // each test target uses some of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const AXT: &str = env!("CARGO_BIN_EXE_axt");
const GUARD: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// A person's account on a machine: a home of their own, and nothing of axt in it.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command, with the home as its working folder.
    pub(crate) fn axt(&self, arguments: &[&str]) -> Command {
        let mut axt = Command::new(AXT);
        axt.args(arguments)
            .current_dir(self.0.path())
            .env_remove("AXT_LOG")
            .env_remove("AXT_CONFIG")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("HOME", self.0.path())
            .env("AXT_STATE_DIR", self.path("state"))
            .stdin(Stdio::null());
        axt
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.axt(arguments).output().expect("axt runs")
    }

    /// Starts `axt up` on free ports and waits for its ready file.
    pub(crate) fn up(&self, more: &[&str]) -> Running {
        self.start(&["up"], more, &[])
    }

    /// Starts `axt relay` on free ports and waits for its ready file.
    pub(crate) fn relay(&self, more: &[&str], environment: &[(&str, &str)]) -> Running {
        self.start(&["relay"], more, environment)
    }

    fn start(&self, command: &[&str], more: &[&str], environment: &[(&str, &str)]) -> Running {
        let ready_file = self.path("copy-of-ready.json");
        let _ = fs::remove_file(&ready_file);
        let mut arguments = command.to_vec();
        for flag in ["--api-listen", "--axt-listen", "--admin-listen"] {
            if !more.contains(&flag) {
                arguments.extend([flag, "127.0.0.1:0"]);
            }
        }
        arguments.extend(["--ready-file", ready_file.to_str().expect("UTF-8")]);
        arguments.extend(more);
        let mut axt = self.axt(&arguments);
        axt.envs(environment.iter().copied());
        let mut running = Running::start(axt);
        running.ready = wait_for("the ready file", || {
            if let Some(status) = running.child.try_wait().expect("a child") {
                panic!("axt ended with {status}: {}", running.rest());
            }
            let text = fs::read_to_string(&ready_file).ok()?;
            Some(serde_json::from_str(&text).expect("whole JSON"))
        });
        running
    }
}

/// A program that runs, killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    pub(crate) ready: Value,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("axt starts");
        let stderr = child.stderr.take().expect("piped");
        Self {
            child,
            stderr: BufReader::new(stderr),
            ready: Value::Null,
        }
    }

    /// What the ready file says of `name`.
    pub(crate) fn ready(&self, name: &str) -> &str {
        self.ready
            .get(name)
            .and_then(Value::as_str)
            .expect("a text")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("not 0"), signal).expect("signalled");
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("its end", || self.child.try_wait().expect("a child"))
    }

    /// Reads what it says up to the line with `text`.
    pub(crate) fn says(&mut self, text: &str) -> String {
        let mut told = String::new();
        while !told.contains(text) {
            let length = self.stderr.read_line(&mut told).expect("UTF-8");
            assert_ne!(length, 0, "it ended without `{text}`: {told}");
        }
        told
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        let _ = self.stderr.read_to_string(&mut rest);
        rest
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..GUARD.as_millis() / LOOK.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(LOOK);
    }
    panic!("{what}: not within {GUARD:?}");
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A GET by hand, over plain HTTP/1.1: the answer, head and all.
pub(crate) fn get(base: &str, path: &str) -> String {
    let authority = base.strip_prefix("http://").expect("plain HTTP");
    let mut socket = TcpStream::connect(authority).expect("it listens");
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    answer
}
