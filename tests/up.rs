//! `axt up` as a process: what it prints, what it writes, and how it ends.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
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
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn axt(&self, arguments: &[&str]) -> Command {
        let mut axt = Command::new(AXT);
        axt.args(arguments)
            .env_remove("AXT_LOG")
            .env_remove("XDG_STATE_HOME")
            .env("HOME", self.0.path())
            .env("AXT_STATE_DIR", self.path("state"))
            .stdin(Stdio::null());
        axt
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.axt(arguments).output().expect("axt runs")
    }

    /// Starts `axt up` on free ports and waits for its ready file.
    fn up(&self, more: &[&str]) -> Up {
        let ready_file = self.path("copy-of-ready.json");
        let _ = fs::remove_file(&ready_file);
        let mut arguments = vec![
            "up",
            "--api-listen",
            "127.0.0.1:0",
            "--axt-listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
            "--ready-file",
            ready_file.to_str().expect("UTF-8"),
        ];
        arguments.extend(more);
        let mut child = self
            .axt(&arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("axt starts");
        let stderr = child.stderr.take().expect("piped");
        let mut up = Up {
            child,
            stderr: BufReader::new(stderr),
            ready: Value::Null,
        };
        up.ready = wait_for("the ready file", || {
            if let Some(status) = up.child.try_wait().expect("a child") {
                panic!("axt up ended with {status}: {}", up.rest());
            }
            let text = fs::read_to_string(&ready_file).ok()?;
            Some(serde_json::from_str(&text).expect("whole JSON"))
        });
        up
    }
}

/// A running `axt up`.
struct Up {
    child: Child,
    stderr: BufReader<ChildStderr>,
    ready: Value,
}

impl Up {
    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("not 0"), signal).expect("signalled");
    }

    fn ended(&mut self) -> ExitStatus {
        wait_for("the end of axt up", || {
            self.child.try_wait().expect("a child")
        })
    }

    fn greeting(&mut self) -> String {
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            let length = self.stderr.read_line(&mut greeting).expect("UTF-8");
            assert_ne!(length, 0, "it ended: {greeting}");
        }
        greeting
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        let _ = self.stderr.read_to_string(&mut rest);
        rest
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..GUARD.as_millis() / LOOK.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(LOOK);
    }
    panic!("{what}: not within {GUARD:?}");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_says_what_a_person_needs_next_and_ends_on_ctrl_c_without_a_trace() {
    let home = Home::new();
    let mut up = home.up(&["--ephemeral"]);
    let greeting = up.greeting();
    let ca = PathBuf::from(up.ready["ca_cert"].as_str().expect("a path"));
    assert!(ca.exists());

    let instance = up.ready["instances"][0]["id"].as_str().expect("an id");
    for wanted in [
        "cn-hangzhou",
        instance,
        up.ready["api_http"].as_str().expect("an address"),
        "axt session",
        "eval \"$(axt env",
    ] {
        assert!(
            greeting.contains(wanted),
            "{wanted} is missing:\n{greeting}"
        );
    }
    up.signal(Signal::INT);

    assert_eq!(up.ended().code(), Some(130));
    assert!(!ca.exists(), "an ephemeral folder goes with its sandbox");
    assert!(!home.path("state/ready.json").exists());
}

#[test]
fn it_ends_its_shells_too() {
    let home = Home::new();
    let mut up = home.up(&["--ephemeral"]);
    let marker = home.path("shell-id");
    let line = format!("echo $$ > {}; exec sleep 1000", marker.display());
    let mut session = home
        .axt(&["session", "--command", &line])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("axt starts");
    let id = wait_for("the shell", || {
        let text = fs::read_to_string(&marker).ok()?;
        text.ends_with('\n').then(|| text.trim().to_owned())
    });

    up.signal(Signal::TERM);
    let status = up.ended();
    wait_for("the client's end", || session.try_wait().expect("a child"));

    assert_eq!(status.code(), Some(0));
    assert!(!Path::new("/proc").join(id).exists());
}

#[test]
fn health_and_session_find_it_by_its_state_folder() {
    let home = Home::new();
    let up = home.up(&[]);

    let health = home.run(&["health"]);
    let session = home.run(&["session", "--command", "echo out; exit 3"]);
    let answer = home.run(&["api", "DescribeRegions"]);
    let environment = home.run(&["env"]);

    assert!(health.status.success(), "{}", stderr(&health));
    assert_eq!(String::from_utf8_lossy(&session.stdout).trim(), "out");
    assert!(
        String::from_utf8_lossy(&answer.stdout).contains("cn-hangzhou"),
        "{}",
        stderr(&answer)
    );
    let key = up.ready["access_key_id"].as_str().expect("a key");
    assert!(String::from_utf8_lossy(&environment.stdout).contains(key));
}

#[test]
fn a_second_one_on_the_same_folder_names_the_first_and_the_way_round() {
    let home = Home::new();
    let up = home.up(&[]);

    let second = home.run(&["up", "--api-listen", "127.0.0.1:0"]);

    assert_eq!(second.status.code(), Some(1));
    let told = stderr(&second);
    assert!(told.contains(&up.child.id().to_string()), "{told}");
    assert!(told.contains("--state-dir"), "{told}");
}

#[test]
fn a_port_that_is_taken_names_its_flag() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();

    for flag in ["--api-listen", "--axt-listen", "--admin-listen"] {
        let mut arguments = vec!["up", "--ephemeral"];
        for other in ["--api-listen", "--axt-listen", "--admin-listen"] {
            arguments.push(other);
            arguments.push(if other == flag {
                &address
            } else {
                "127.0.0.1:0"
            });
        }
        let refused = home.run(&arguments);

        assert_eq!(refused.status.code(), Some(1));
        let told = stderr(&refused);
        assert!(told.contains(&address) && told.contains(flag), "{told}");
    }
}

#[test]
fn what_was_kept_is_there_again_after_it_was_killed() {
    let home = Home::new();
    let mut first = home.up(&[]);
    let started = home.run(&[
        "api",
        "StartTerminalSession",
        "--InstanceId.1",
        first.ready["instances"][0]["id"].as_str().expect("an id"),
    ]);
    assert!(started.status.success(), "{}", stderr(&started));
    first.signal(Signal::KILL);
    first.ended();

    let second = home.up(&[]);

    for kept in ["access_key_id", "access_key_secret", "instances"] {
        assert_eq!(second.ready[kept], first.ready[kept], "{kept}");
    }
    let admin = second.ready["admin"].as_str().expect("an address");
    let state = get(admin, "/v1/state");
    let session: Value = serde_json::from_slice(&started.stdout).expect("JSON");
    assert!(
        state.contains(session["SessionId"].as_str().expect("an id")),
        "{state}"
    );
}

/// A GET by hand: the admin API is plain HTTP/1.1.
fn get(base: &str, path: &str) -> String {
    use std::io::Write;
    let authority = base.strip_prefix("http://").expect("plain HTTP");
    let mut socket = std::net::TcpStream::connect(authority).expect("it listens");
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )
    .expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("answered");
    answer
}
