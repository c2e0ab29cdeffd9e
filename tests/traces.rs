//! Traces of a whole sandbox: what is in them, and what never is.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

mod harness;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use axt_client::session::{Announce, Started, connect};
use axt_control::admin::{
    TraceRequest,
    fault::{Fault, FaultKind},
};
use axt_proto::{Secret, SessionId};
use axt_sandbox::{
    InstanceSpec, Sandbox, SandboxConfig, TraceSettings, lone::NewIdentity, terminal::Terminal,
};
use axt_trace::{
    diff::{self, Closeness, Line},
    export::asciicast,
    fields,
    read::{self, Trace},
    record::{Dir, Hop, What},
    show::{self, Filter},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use harness::{command, settings, start};

const TYPED: &str = "typed-pass''word-9";
const PRINTED: &str = "typed-password-9";

async fn traced(folder: &Path, payload: bool) -> Sandbox {
    start(SandboxConfig {
        trace: Some(TraceSettings {
            folder: folder.to_owned(),
            payload,
        }),
        ..settings()
    })
    .await
}

/// Types a line, sees it answered, and ends the shell.
async fn say(mut terminal: Terminal) {
    terminal.resize(30, 100);
    let line = format!("echo {TYPED}");
    terminal.type_line(&line).await.expect("typed");
    terminal.expect(PRINTED).await.expect("printed");
    terminal.type_line("exit").await.expect("typed");
    terminal.end().await.expect("an end");
}

/// What a person does, and what goes wrong: with every kind of secret that there is.
async fn busy(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let session = command(sandbox, "PS1='$ ' exec sh").await;
    say(sandbox.terminal(&session).await.expect("a terminal")).await;
    let wrong = Started {
        token: Secret::new("d86c2df2-d19c-4bd8-b817-a19ef1230000"),
        ..session.clone()
    };
    let refused = connect(sandbox.network(), &wrong, Announce::default()).await;
    assert!(refused.is_err());
    let mut fault = Fault::new(FaultKind::SlowClose { delay: 1 });
    fault.name = Some("traced".to_owned());
    let admin = sandbox.admin();
    admin.add_fault(&fault).await.expect("added");
    admin.remove_fault(Some("traced")).await.expect("removed");
    let unknown = [("Misspelt", "unknown-value")];
    let activation = sandbox.api().call("CreateActivation", &unknown).await;
    let activation = activation.expect("an activation");
    let script = STANDARD.encode("echo script-secret");
    let asked = [
        ("Type", "RunShellScript"),
        ("CommandContent", script.as_str()),
        ("ContentEncoding", "Base64"),
        ("InstanceId.1", sandbox.instance().as_str()),
    ];
    let run = sandbox.api().call("RunCommand", &asked).await;
    let run = run.expect("a command");
    let invocation = run["InvokeId"].as_str().expect("an id").to_owned();
    harness::until("the command's end", || async {
        let asked = [("InvokeId", invocation.as_str())];
        let answer = sandbox
            .api()
            .call("DescribeInvocationResults", &asked)
            .await;
        answer
            .expect("an answer")
            .to_string()
            .contains("Success")
            .then_some(())
    })
    .await;
    let code = activation["ActivationCode"].as_str().expect("a code");
    vec![
        ("the session's token", session.token.expose().to_owned()),
        ("a wrong token", wrong.token.expose().to_owned()),
        (
            "the access key's secret",
            sandbox.ready().access_key_secret.expose().to_owned(),
        ),
        ("an activation's code", code.to_owned()),
        ("an ignored parameter's value", "unknown-value".to_owned()),
        ("a command's script", script),
        ("a command's output", STANDARD.encode("script-secret\n")),
        ("a private key", "PRIVATE KEY".to_owned()),
    ]
}

fn text(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("a folder");
    let texts = files.map(|file| {
        let path = file.expect("a file").path();
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        fs::read_to_string(path).expect("text")
    });
    texts.collect()
}

fn names(traces: &[Trace]) -> Vec<String> {
    let names = traces.iter().map(|trace| {
        let name = trace.path.file_name().expect("a name");
        name.to_string_lossy().into_owned()
    });
    names.collect()
}

fn words(trace: &Trace, hop: Hop, dir: Dir) -> Vec<&str> {
    trace
        .records
        .iter()
        .filter(|record| record.hop == hop && record.dir == dir)
        .map(|record| record.what.word())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_and_call_of_a_sandbox_is_traced_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("traces");
    let sandbox = traced(&place, false).await;

    let mut secrets = busy(&sandbox).await;
    sandbox.shutdown().await;

    let traces = read::read(&place).expect("traces");
    let of = |start: &str| {
        let found = traces.iter().zip(names(&traces));
        let mut found = found.filter(|(_, name)| name.starts_with(start));
        let (trace, _) = found.next().unwrap_or_else(|| panic!("no {start}…"));
        trace
    };
    let relay = of("relay.s-");
    for (hop, dir, expected) in [
        (Hop::Client, Dir::Up, ["input", "resize"].as_slice()),
        (Hop::Client, Dir::Down, &["status", "output", "close"]),
        (Hop::Agent, Dir::Up, &["status", "input", "resize"]),
        (Hop::Agent, Dir::Down, &["output"]),
    ] {
        let seen = words(relay, hop, dir);
        for word in expected {
            assert!(seen.contains(word), "{hop} {dir:?} {word}: {seen:?}");
        }
    }
    let ids = &relay.header.ids;
    assert!(ids.session.is_some() && ids.channel.is_some() && ids.instance.is_some());
    // The agent has seen the same frames from its end.
    let agent = traces
        .iter()
        .find(|trace| trace.header.seen_by == "agent" && trace.header.ids.channel == ids.channel)
        .expect("the agent's");
    let frames = |trace, dir| {
        let mut seen = words(trace, Hop::Agent, dir);
        seen.retain(|word| ["input", "output", "resize", "status"].contains(word));
        seen.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(frames(agent, Dir::Up), frames(relay, Dir::Up));
    assert_eq!(frames(agent, Dir::Down), frames(relay, Dir::Down));
    let control = text(&place);
    for told in [
        "StartTerminalSession",
        "/luban/api/v1/session/list",
        "/luban/session/backend",
        "/luban/api/v1/session/status",
        "/luban/api/v1/task/finish",
        "\"text\":\"kick_vm session start ch-",
        "\"text\":\"accept:kick_vm session start ch-",
        "\"path\":\"/session\"",
        "\"status\":101",
        "\"status\":403",
        "Misspelt",
        "\"method\":\"POST\",\"path\":\"/v1/faults\"",
        "\"type\":\"slow_close\"",
        "\"method\":\"DELETE\",\"path\":\"/v1/faults/traced\"",
    ] {
        assert!(control.contains(told), "{told} is missing");
    }
    secrets.push(("what was typed", STANDARD.encode("echo typed")));
    secrets.push(("what was typed, in clear", "typed-pass".to_owned()));
    for (what, secret) in secrets {
        // A base64 text depends on where it starts: its first bytes are enough.
        let secret: String = secret.chars().take(16).collect();
        assert!(!control.contains(&secret), "{what} is in the trace");
    }
    assert!(
        !control.contains("\"payload\":\""),
        "payload is in the trace"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn payload_is_traced_where_it_is_wanted_and_secrets_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = traced(folder.path(), true).await;

    let mut secrets = busy(&sandbox).await;
    sandbox.shutdown().await;

    let traces = read::read(folder.path()).expect("traces");
    let typed: Vec<u8> = traces
        .iter()
        .filter(|trace| trace.header.seen_by == "relay")
        .flat_map(|trace| &trace.records)
        .filter(|record| record.hop == Hop::Client && record.dir == Dir::Up)
        .filter_map(|record| match &record.what {
            What::Frame(frame) if frame.is_data() => fields::payload(frame),
            _ => None,
        })
        .flatten()
        .collect();
    let typed = String::from_utf8_lossy(&typed);
    assert!(typed.contains(TYPED), "{typed}");
    let text = text(folder.path());
    assert!(text.contains(&STANDARD.encode("script-secret\n")));
    secrets.retain(|(what, _)| *what != "a command's output");
    for (what, secret) in secrets {
        assert!(!text.contains(&secret), "{what} is in the trace");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_traced_from_the_middle_on_until_it_is_told_to_stop() {
    let sandbox = start(settings()).await;
    let session = command(&sandbox, "PS1='$ ' exec sh").await;
    let other = command(&sandbox, "PS1='$ ' exec sh").await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    let mut unseen = sandbox.terminal(&other).await.expect("a terminal");
    terminal.type_line("echo be''fore").await.expect("typed");
    terminal.expect("before").await.expect("printed");
    let id: SessionId = session.id.parse().expect("an id");
    let on = TraceRequest {
        on: true,
        payload: true,
    };
    let off = TraceRequest {
        on: false,
        payload: false,
    };

    let answer = sandbox.admin().trace(&id, on).await.expect("traced");
    terminal.type_line("echo dur''ing").await.expect("typed");
    terminal.expect("during").await.expect("printed");
    unseen.type_line("echo un''seen").await.expect("typed");
    unseen.expect("unseen").await.expect("printed");
    let stopped = sandbox.admin().trace(&id, off).await.expect("stopped");
    terminal.type_line("echo af''ter").await.expect("typed");
    terminal.expect("after").await.expect("printed");

    assert!(answer.on && answer.payload && !stopped.on);
    let folder = Path::new(&answer.folder).to_owned();
    let traces = harness::until("the trace", || async {
        read::read(&folder).ok().filter(|traces| !traces.is_empty())
    })
    .await;
    sandbox.shutdown().await;
    let [trace] = traces.as_slice() else {
        panic!("{:?}", names(&traces))
    };
    assert_eq!(
        trace.header.ids.session.as_deref(),
        Some(session.id.as_str())
    );
    let typed: String = trace
        .records
        .iter()
        .filter(|record| record.hop == Hop::Client && record.dir == Dir::Up)
        .filter_map(|record| match &record.what {
            What::Frame(frame) => fields::payload(frame),
            _ => None,
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    assert_eq!(typed, "echo dur''ing\r");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_never_was_cannot_be_traced() {
    let sandbox = start(settings()).await;
    let nobody: SessionId = "s-hz0000".parse().expect("an id");
    let on = TraceRequest {
        on: true,
        payload: false,
    };

    let refused = sandbox.admin().trace(&nobody, on).await.expect_err("none");

    assert!(refused.to_string().contains("s-hz0000"), "{refused}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_the_same_are_the_same_and_one_that_ends_otherwise_is_not() {
    let mut runs = Vec::new();
    for last in ["exit 0", "exit 0", "kill -9 $$"] {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = traced(folder.path(), true).await;
        let session = command(&sandbox, "PS1='$ ' exec sh").await;
        let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
        terminal.expect("$ ").await.expect("a prompt");
        if last.starts_with("kill") {
            terminal.resize(40, 90);
        }
        terminal.type_line(last).await.expect("typed");
        terminal.end().await.expect("an end");
        sandbox.shutdown().await;
        runs.push(read::read(folder.path()).expect("traces"));
    }
    let [first, second, other] = runs.as_slice() else {
        panic!("three runs")
    };

    let same = diff::diff(first, second, Closeness::default());
    let different = diff::diff(first, other, Closeness::default());

    let changes: Vec<_> = same
        .iter()
        .filter(|line| matches!(line, Line::First(_) | Line::Second(_)))
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
    let resize = Line::Second("resize 40 rows, 90 columns".to_owned());
    assert!(different.contains(&resize), "{different:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_saw_can_be_played_as_a_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = traced(folder.path(), true).await;
    let session = command(&sandbox, "PS1='$ ' exec sh").await;
    say(sandbox.terminal(&session).await.expect("a terminal")).await;
    sandbox.shutdown().await;
    let traces = read::read(folder.path()).expect("traces");

    let cast = asciicast::write(&show::merged(&traces, &Filter::default()), false);

    let cast = cast.expect("a recording");
    let lines: Vec<serde_json::Value> = cast
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines[0]["version"], 2);
    let printed: String = lines[1..]
        .iter()
        .filter(|event| event[1] == "o")
        .filter_map(|event| event[2].as_str())
        .collect();
    assert!(printed.contains(PRINTED), "{printed}");
    let mut sizes = lines[1..].iter().filter(|event| event[1] == "r");
    assert!(lines[0]["height"] == 30 || sizes.any(|event| event[2] == "100x30"));
}

/// A run of one connection with payload; its folder.
async fn recorded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = traced(folder.path(), true).await;
    let session = command(&sandbox, SHELL).await;
    answered(sandbox.terminal(&session).await.expect("a terminal")).await;
    sandbox.shutdown().await;
    folder
}

const SHELL: &str = "PS1='$ ' exec sh";

/// Types a line and the end, once there is a prompt.
async fn answered(mut terminal: Terminal) {
    terminal.expect("$ ").await.expect("a prompt");
    terminal.type_line("echo $((6*7))").await.expect("typed");
    terminal.expect("42").await.expect("printed");
    terminal.expect("$ ").await.expect("a prompt");
    terminal.type_line("exit").await.expect("typed");
    terminal.end().await.expect("an end");
}

fn replay(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut axt = Command::new(env!("CARGO_BIN_EXE_axt"));
    axt.args(["trace", "replay"])
        .args(arguments)
        .arg("--state-dir")
        .arg(sandbox.state().path())
        .env_remove("AXT_CONFIG")
        .env("HOME", sandbox.state().path());
    axt
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_replayed_finds_what_an_agent_does_otherwise() {
    let folder = recorded().await;
    let place = folder.path().to_str().expect("UTF-8");
    let sandbox = start(settings()).await;

    let run = |line: &str| {
        let arguments = ["client", place, "--command", line];
        tokio::task::block_in_place(|| replay(&sandbox, &arguments).output())
    };
    let same = run(SHELL).expect("axt runs");

    let told = |ran: &std::process::Output| {
        let text = [ran.stdout.as_slice(), &ran.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    };
    assert_eq!(same.status.code(), Some(0), "{}", told(&same));
    assert!(told(&same).contains("did the same"), "{}", told(&same));
    let data = ["client", place, "--data", "--command", "cat; exit 1"];
    let data = tokio::task::block_in_place(|| replay(&sandbox, &data).output());
    let data = data.expect("axt runs");
    assert_eq!(data.status.code(), Some(1), "{}", told(&data));
    assert!(told(&data).contains("@@ the other side"), "{}", told(&data));
    sandbox.shutdown().await;
}

/// A sandbox with an instance whose agent comes from elsewhere, with that key.
async fn with_lone_agent(key: &Path) -> (Sandbox, NewIdentity) {
    let identity = NewIdentity::create(key, None).expect("a key");
    let mut settings = SandboxConfig {
        instances: 0,
        ..settings()
    };
    settings.declared.push(InstanceSpec {
        public_key: Some(identity.public_key.clone()),
        ..InstanceSpec::new(
            identity.instance.clone(),
            settings.account.clone(),
            settings.region.clone(),
        )
    });
    (start(settings).await, identity)
}

async fn agent_online(sandbox: &Sandbox) {
    harness::until("the agent", || async {
        let state = sandbox.admin().state().await.expect("a state");
        state.instances.first()?.agent_online.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_alone_traces_its_channels_and_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("agent.pem");
    let place = folder.path().join("traces");
    let (sandbox, identity) = with_lone_agent(&key).await;
    let server = sandbox.ready().axt.replacen("ws", "http", 1);
    let mut agent = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args([
            "agent",
            "--server",
            &server,
            "--ca",
            &sandbox.ready().ca_cert,
        ])
        .args(["--instance", identity.instance.as_str()])
        .arg("--key")
        .arg(&key)
        .arg("--trace")
        .arg(&place)
        .env("AXT_STATE_DIR", folder.path())
        .env_remove("AXT_CONFIG")
        .stderr(Stdio::null())
        .spawn()
        .expect("axt runs");
    agent_online(&sandbox).await;

    let session = command(&sandbox, SHELL).await;
    answered(sandbox.terminal(&session).await.expect("a terminal")).await;
    let pid = rustix::process::Pid::from_child(&agent);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    tokio::task::block_in_place(|| agent.wait()).expect("ended");
    sandbox.shutdown().await;

    let traces = read::read(&place).expect("traces");
    assert!(traces.iter().all(|trace| trace.header.seen_by == "agent"));
    let [control, channel] = traces.as_slice() else {
        panic!("{:?}", names(&traces))
    };
    let (control, channel) = match control.header.ids.channel {
        None => (control, channel),
        Some(_) => (channel, control),
    };
    assert!(words(channel, Hop::Agent, Dir::Up).contains(&"input"));
    assert!(words(channel, Hop::Agent, Dir::Down).contains(&"output"));
    assert!(words(control, Hop::Agent, Dir::Up).contains(&"notify"));
    assert!(words(control, Hop::Agent, Dir::Down).contains(&"call"));
    assert!(!text(&place).contains("\"payload\":\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_replayed_serves_a_session_as_in_the_trace() {
    let folder = recorded().await;
    let key = folder.path().join("agent.pem");
    let (sandbox, identity) = with_lone_agent(&key).await;
    let arguments = [
        "agent",
        folder.path().to_str().expect("UTF-8"),
        "-i",
        identity.instance.as_str(),
        "--key",
        key.to_str().expect("UTF-8"),
    ];

    let agent = replay(&sandbox, &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("axt runs");
    agent_online(&sandbox).await;
    let session = command(&sandbox, "anything").await;
    answered(sandbox.terminal(&session).await.expect("a terminal")).await;
    let ran = tokio::task::block_in_place(|| agent.wait_with_output());

    let ran = ran.expect("ended");
    let told = String::from_utf8_lossy(&ran.stderr);
    let differences = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{told}\n{differences}");
    sandbox.shutdown().await;
}
