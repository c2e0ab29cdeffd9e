//! `axt up` as a process: what it prints, what it writes, and how it ends.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "harness/process.rs"]
mod process;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::Signal;
use serde_json::Value;

use process::{Home, get, stderr, stdout, wait_for};

#[test]
fn it_says_what_a_person_needs_next_and_ends_on_ctrl_c_without_a_trace() {
    let home = Home::new();
    let mut up = home.up(&["--ephemeral"]);
    let greeting = up.says("Ctrl-C");
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

#[test]
fn limits_and_explain_tell_of_a_session_that_was() {
    let home = Home::new();
    fs::write(home.path("axt.toml"), "[limits]\nidle_timeout_s = 20\n").expect("written");
    let _up = home.up(&["--ephemeral", "--limit", "sessions_per_region=7"]);
    let session = home.run(&["session", "--command", "echo out"]);
    assert!(session.status.success(), "{}", stderr(&session));
    let known = home.run(&["api", "DescribeTerminalSessions"]);
    let known: Value = serde_json::from_slice(&known.stdout).expect("JSON");
    let id = known["Sessions"]["Session"][0]["SessionId"].as_str();
    let id = id.unwrap_or_else(|| panic!("{known}"));

    let limits = home.run(&["limits"]);
    let story = home.run(&["explain", id]);
    let nobody = home.run(&["explain", "s-hz0000000000000000"]);

    let limits = stdout(&limits);
    let line = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("{name} is missing:\n{limits}"));
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(line("idle_timeout_s")[1..4], ["20", "0", "axt.toml:2"]);
    assert_eq!(line("sessions_per_region")[1..4], ["7", "0", "flag"]);
    assert_eq!(line("url_validity_s")[1..4], ["600", "0", "default"]);
    let story = stdout(&story);
    for told in [
        "It was made by the account 1000000000000001 from 127.0.0.1",
        "conn-1 was opened from 127.0.0.1.",
        "conn-1: the agent was told (kicked).",
        "conn-1 was paired with the agent's channel",
        "conn-1 ended",
        "Exit, the shell ended",
        "nothing had to wait for the bandwidth",
        "it has ended; it does not count any more.",
    ] {
        assert!(story.contains(told), "{told} is missing:\n{story}");
    }
    assert_eq!(nobody.status.code(), Some(1), "{}", stderr(&nobody));
    assert!(
        stderr(&nobody).contains("there is no session"),
        "{}",
        stderr(&nobody)
    );
}
