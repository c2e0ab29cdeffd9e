//! The command line as a person meets it: help, errors, exit codes. No sandbox is needed.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    thread,
};

use insta::assert_snapshot;
use tempfile::TempDir;

/// A machine on which nothing of axt or of the cloud is set up.
struct Machine {
    home: TempDir,
}

impl Machine {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
        }
    }

    fn axt(&self, arguments: &[&str]) -> Ran {
        self.axt_with(arguments, &[])
    }

    fn axt_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .envs(environment.iter().copied())
            .env("HOME", self.home.path())
            .output()
            .expect("axt runs");
        Ran {
            output,
            home: self.home.path().display().to_string(),
        }
    }
}

impl Machine {
    /// As [`axt_answered`], on this machine: the answer is an empty one.
    fn axt_answered_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (Ran, String) {
        answered(arguments, "200 OK", "{}", |arguments| {
            self.axt_with(arguments, environment)
        })
    }

    /// A sandbox runs here, as far as its ready file tells.
    fn is_ready(&self) {
        let folder = self.home.path().join(".local/state/axt");
        std::fs::create_dir_all(&folder).expect("made");
        let ready = r#"{"api_http": "http://127.0.0.1:7080", "api_https": "https://localhost:7080",
            "axt": "wss://localhost:7443", "admin": "http://127.0.0.1:7090", "pid": 4711,
            "region": "cn-hangzhou", "access_key_id": "LTAIx", "access_key_secret": "hunter2",
            "ca_cert": "/x/ca.pem", "instances": [{"id": "i-1", "name": "local-1"},
            {"id": "i-2", "name": "local-2"}]}"#;
        std::fs::write(folder.join("ready.json"), ready).expect("written");
    }

    /// The aliyun CLI is set up here.
    fn has_aliyun_profiles(&self) {
        let folder = self.home.path().join(".aliyun");
        std::fs::create_dir_all(&folder).expect("made");
        let file = r#"{"current": "default", "profiles": [
            {"name": "default", "mode": "AK", "access_key_id": "LTAIcli",
             "access_key_secret": "hunter2", "sts_token": "", "region_id": "cn-beijing"},
            {"name": "sts", "mode": "StsToken", "access_key_id": "STS.x",
             "access_key_secret": "hunter2", "sts_token": "token-of-sts", "region_id": "cn-beijing"},
            {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "r", "region_id": "cn-beijing"}],
            "meta_path": ""}"#;
        std::fs::write(folder.join("config.json"), file).expect("written");
    }
}

/// Runs a command against a server that gives one answer; `ADDRESS` in the arguments is the server's.
/// Also gives what the server was sent.
fn axt_answered(arguments: &[&str], status: &str, body: &str) -> (Ran, String) {
    let machine = Machine::new();
    answered(arguments, status, body, |arguments| machine.axt(arguments))
}

fn answered(
    arguments: &[&str],
    status: &str,
    body: &str,
    run: impl FnOnce(&[&str]) -> Ran,
) -> (Ran, String) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| argument.replace("ADDRESS", &address))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    thread::scope(|scope| {
        let serving = scope.spawn(|| answer(&server, status, body));
        let ran = run(&arguments);
        // Should the command never have come, the server must not wait for it for ever.
        drop(TcpStream::connect(&address));
        (ran, serving.join().expect("served"))
    })
}

/// Answers the next request, and gives it.
fn answer(server: &TcpListener, status: &str, body: &str) -> String {
    let (mut client, _) = server.accept().expect("a client");
    let request = read_request(&mut client);
    let length = body.len();
    // A command that never came is told by its test, not by a failure here.
    let _ = write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    request
}

/// Reads a request and its body.
fn read_request(client: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut chunk = [0; 4096];
    loop {
        let length = client.read(&mut chunk).expect("a request");
        request.push_str(std::str::from_utf8(&chunk[..length]).expect("text"));
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            assert!(length > 0 || request.is_empty(), "cut off: {request}");
            if length == 0 {
                return request;
            }
            continue;
        };
        let announced = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().expect("a length"));
        if body.len() >= announced || length == 0 {
            return request;
        }
    }
}

/// The flags of a sandbox at `ADDRESS`, with a key.
const THERE: [&str; 8] = [
    "--endpoint",
    "http://ADDRESS",
    "--region",
    "cn-hangzhou",
    "--access-key-id",
    "LTAIx",
    "--access-key-secret",
    "hunter2",
];

/// What a command did.
struct Ran {
    output: Output,
    home: String,
}

impl Ran {
    fn stdout(&self) -> String {
        self.readable(&self.output.stdout)
    }

    /// All that a person sees, and the exit code.
    fn told(&self) -> String {
        format!(
            "{}{}exit code {}",
            self.stdout(),
            self.readable(&self.output.stderr),
            self.output.status.code().expect("an exit code")
        )
    }

    fn readable(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&self.home, "~")
    }
}

macro_rules! told {
    ($($argument:expr),* $(,)?) => {
        assert_snapshot!(Machine::new().axt(&[$($argument),*]).told())
    };
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    told!("--help");
}

#[test]
fn no_command_at_all_shows_the_help_and_is_wrong_usage() {
    let ran = Machine::new().axt(&[]);

    assert_eq!(ran.output.status.code(), Some(2));
    assert!(ran.told().contains("Start here:"), "{}", ran.told());
}

#[test]
fn every_command_has_a_help_with_examples() {
    for command in [
        "up",
        "session",
        "portforward",
        "ssh",
        "api",
        "env",
        "health",
        "clock",
        "limits",
        "explain",
        "top",
        "trace",
        "decode",
        "instances",
        "fault",
        "relay",
        "agent",
        "config",
        "doctor",
        "completions",
        "man",
    ] {
        let ran = Machine::new().axt(&[command, "--help"]);

        assert_snapshot!(format!("help of {command}"), ran.told());
        assert!(ran.stdout().contains("Example"), "{command}");
    }
}

#[test]
fn every_command_on_traces_has_a_help() {
    for command in ["show", "export", "diff", "replay", "start", "stop"] {
        let ran = Machine::new().axt(&["trace", command, "--help"]);

        assert_snapshot!(format!("help of trace {command}"), ran.told());
    }
}

#[test]
fn a_message_in_hex_or_base64_is_decoded() {
    let resize = "02000000312e3031000023355411a20100000000000000000000040000001e006400";
    let machine = Machine::new();

    let told = machine.axt(&["decode", resize]);
    let json = machine.axt(&["decode", "--json", "--framing", "client", resize]);
    let wrong = machine.axt(&["decode", "neither!"]);
    let cut = machine.axt(&["decode", "0200"]);

    assert_snapshot!([told.told(), json.told(), wrong.told(), cut.told()].join("\n\n"));
}

#[test]
fn a_file_that_is_no_trace_says_so() {
    let machine = Machine::new();
    std::fs::write(machine.home.path().join("x.jsonl"), "{}\n").expect("written");

    let ran = machine.axt(&["trace", "show", "x.jsonl"]);

    assert_snapshot!(ran.told());
}

#[test]
fn the_example_of_the_settings_is_whole() {
    told!("config", "--example");
}

#[test]
fn a_settings_file_that_is_wrong_is_wrong_usage_of_every_command_that_reads_it() {
    let machine = Machine::new();
    let file = machine.home.path().join(".config/axt/axt.toml");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    std::fs::write(&file, "[limits]\nidle_timout_s = 20\n").expect("written");

    for command in ["up", "relay", "agent", "env", "config"] {
        let ran = machine.axt(&[command]);
        assert_eq!(ran.output.status.code(), Some(2), "{command}");
    }
    assert_eq!(machine.axt(&["session"]).output.status.code(), Some(255));
    assert_snapshot!(machine.axt(&["config", "--check"]).told());
}

#[test]
fn a_settings_file_is_checked_where_its_values_meet_too() {
    let machine = Machine::new();
    let file = machine.home.path().join("axt.toml");
    let path = file.to_str().expect("UTF-8");
    let wrong = [
        "[limits]\nbandwidth_bytes_per_s = 100\n",
        "[limits]\nburst_bytes = 99999999999\n",
        "[[instances]]\nid = \"i-1\"\n[[instances]]\nid = \"i-1\"\n",
        "[[instances]]\nid = \"i-1\"\npublic_key = \"ssh-rsa AAAA\"\n",
        "[[regions]]\nid = \"cn-x\"\nletters = \"X\"\n",
        "[[access_keys]]\nid = \"a\"\nsecret = \"s\"\nsecurity_token = \"t\"\n",
        "[[access_keys]]\nid = \"a\"\nsecret = \"s\"\nrole = \"r\"\nram_user = \"u\"\n",
        "[relay]\nregion = \"cn-beijing\"\n",
        "[[faults]]\ntype = \"latancy\"\n",
        "[[faults]]\ntype = \"drop_kick\"\nlink = \"agent\"\n",
        "[[behaviours]]\nshare = \"130%\"\nbehave = [\"floods\"]\n",
    ];

    let told: Vec<_> = wrong
        .iter()
        .map(|text| {
            std::fs::write(&file, text).expect("written");
            machine.axt(&["config", "--check", path]).told()
        })
        .collect();

    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_settings_file_that_is_not_there_says_how_to_get_one() {
    told!("up", "--config", "/nowhere/axt.toml");
}

#[test]
fn a_misspelt_fault_or_habit_names_the_nearest_before_anything_is_looked_for() {
    let told = [
        &["fault", "add", "latancy"][..],
        &["fault", "add", "latency", "latancy=5"],
        &["fault", "add", "latency", "latency=5s"],
        &["fault", "add", "send_status", "code=256"],
        &["fault", "add", "latency", "latency"],
        &["fault", "remove"],
        &["up", "--behave", "30%:never_dial"],
        &["up", "--behave", "some:floods"],
        &[
            "agent",
            "-i",
            "i-1",
            "--key",
            "k",
            "--server",
            "https://x",
            "--behave",
            "floodz",
        ],
    ]
    .map(|arguments| Machine::new().axt(arguments).told());

    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn an_agent_without_a_key_says_how_to_make_one() {
    told!("agent", "-i", "i-1");
}

#[test]
fn a_variable_that_no_command_would_take_is_not_shown_as_in_force() {
    let machine = Machine::new();

    let ran = machine.axt_with(&["config"], &[("AXT_API_LISTEN", "7080")]);

    assert_eq!(ran.output.status.code(), Some(2));
    assert!(ran.told().contains("7080"), "{}", ran.told());
}

#[test]
fn the_version_is_one_line() {
    let ran = Machine::new().axt(&["--version"]);

    assert_eq!(
        ran.told(),
        format!("axt {}\nexit code 0", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_misspelt_command_names_the_nearest() {
    told!("sesion");
}

#[test]
fn a_misspelt_flag_names_the_nearest() {
    told!("up", "--instance", "3");
}

#[test]
fn a_misspelt_limit_names_the_nearest() {
    told!("up", "--limit", "idle_timout_s=20");
}

#[test]
fn a_limit_out_of_range_says_why() {
    told!("up", "--limit", "bandwidth_bytes_per_s=100");
}

#[test]
fn an_address_that_is_none_names_its_flag() {
    told!("up", "--api-listen", "7080");
}

#[test]
fn a_malformed_instance_says_what_was_expected() {
    told!("session", "-i", "web 1");
}

#[test]
fn wrong_usage_of_a_session_is_not_taken_for_a_remote_exit_code() {
    let ran = Machine::new().axt(&["session", "--no-such-flag"]);

    assert_eq!(ran.output.status.code(), Some(255));
}

#[test]
fn without_a_sandbox_a_command_says_how_to_start_one() {
    told!("api", "DescribeRegions");
}

#[test]
fn without_a_sandbox_a_session_fails_with_its_own_code() {
    told!("session");
}

#[test]
fn without_a_sandbox_health_is_3() {
    let ran = Machine::new().axt(&["health"]);

    assert_eq!(ran.output.status.code(), Some(3));
}

#[test]
fn an_endpoint_without_a_key_says_which_variable_gives_one() {
    told!(
        "api",
        "DescribeRegions",
        "--endpoint",
        "http://127.0.0.1:1",
        "--region",
        "cn-hangzhou"
    );
}

#[test]
fn a_parameter_of_the_api_without_a_value_is_wrong_usage() {
    told!("api", "StartTerminalSession", "--InstanceId.1");
}

#[test]
fn a_log_filter_that_is_none_is_wrong_usage() {
    told!("--log", "axt=loud", "env");
}

#[test]
fn an_answer_of_the_api_is_json_on_stdout() {
    let arguments = [&["api", "DescribeRegions"], THERE.as_slice()].concat();

    let (ran, request) = axt_answered(&arguments, "200 OK", r#"{"RequestId":"R-1","Regions":{}}"#);

    assert_snapshot!(ran.told());
    assert!(
        request.contains("x-acs-action: DescribeRegions"),
        "{request}"
    );
    assert!(request.ends_with("RegionId=cn-hangzhou"), "{request}");
    assert!(!request.contains("hunter2"), "{request}");
}

#[test]
fn an_error_of_the_api_is_told_on_stderr_with_code_4() {
    let arguments = ["api", "StartTerminalSession", "--InstanceId.1", "i-1"];
    let arguments = [arguments.as_slice(), THERE.as_slice()].concat();
    let body = r#"{"RequestId":"R-1","HostId":"x","Code":"InvalidInstance.NotFound",
        "Message":"The specified instances not found."}"#;

    let (ran, _) = axt_answered(&arguments, "404 Not Found", body);

    assert!(ran.stdout().is_empty());
    assert_snapshot!(ran.told());
}

#[test]
fn an_error_of_the_api_in_a_session_is_the_sessions_own_failure() {
    let arguments = [&["session", "-i", "i-1"], THERE.as_slice()].concat();
    let body = r#"{"RequestId":"R-1","Code":"Operation.Forbidden",
        "Message":"The operation is not permitted."}"#;

    let (ran, _) = axt_answered(&arguments, "403 Forbidden", body);

    assert_snapshot!(ran.told());
}

#[test]
fn a_forward_that_is_none_says_what_would_be_one() {
    told!("portforward", "8080");
}

#[test]
fn a_forward_that_the_api_refuses_ends_with_its_code() {
    let arguments = [&["portforward", "-i", "i-1", ":80"], THERE.as_slice()].concat();
    let body = r#"{"RequestId":"R-1","Code":"PortForwarding.NotSupported",
        "Message":"Port forwarding is not supported."}"#;

    let (ran, request) = axt_answered(&arguments, "403 Forbidden", body);

    assert_snapshot!(ran.told());
    assert!(request.contains("PortNumber=80"), "{request}");
}

#[test]
fn a_local_port_that_is_taken_is_told_before_a_session_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let forward = format!("127.0.0.1:{port}:80");
    let arguments = ["portforward", "-i", "i-1", forward.as_str()];
    let arguments = [arguments.as_slice(), THERE.as_slice()].concat();

    let (ran, request) = axt_answered(&arguments, "200 OK", "{}");

    assert_eq!(ran.output.status.code(), Some(1));
    assert!(
        ran.told().contains(&format!("127.0.0.1:{port}")),
        "{}",
        ran.told()
    );
    assert!(request.is_empty(), "{request}");
}

#[test]
fn ctrl_c_ends_a_forward_and_its_session() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    let there = THERE.map(|argument| argument.replace("ADDRESS", &address));
    let started = r#"{"RequestId":"R-1","SessionId":"s-1","SecurityToken":"t",
        "WebSocketUrl":"ws://127.0.0.1:1/session?sessionId=s-1&token=t"}"#;
    let home = tempfile::tempdir().expect("a folder");

    let (line, status, ended) = thread::scope(|scope| {
        let mut axt = Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(["portforward", "-i", "i-1", "127.0.0.1::80"])
            .args(there)
            .env_clear()
            .env("HOME", home.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("axt runs");
        let serving = scope.spawn(|| {
            answer(&server, "200 OK", started);
            answer(&server, "200 OK", r#"{"RequestId":"R-2"}"#)
        });
        let stdout = axt.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        interrupt(axt.id());
        let status = axt.wait().expect("ended");
        // Should the command never have come, the server must not wait for it for ever.
        drop((TcpStream::connect(&address), TcpStream::connect(&address)));
        (line, status, serving.join().expect("served"))
    });

    let port = line
        .strip_prefix("Forwarding from 127.0.0.1:")
        .and_then(|rest| rest.strip_suffix(" -> 80\n"));
    assert!(
        port.is_some_and(|port| port.parse::<u16>().is_ok()),
        "{line}"
    );
    assert_eq!(status.code(), Some(130));
    assert!(ended.contains("EndTerminalSession"), "{ended}");
    assert!(ended.contains("SessionId=s-1"), "{ended}");
}

/// Ctrl-C for a process.
fn interrupt(process: u32) {
    let kill = format!("kill -INT {process}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("a shell").success());
}

#[test]
fn a_server_that_is_not_the_api_is_told_apart_from_one_that_is_not_there() {
    let arguments = [&["api", "DescribeRegions"], THERE.as_slice()].concat();

    let (ran, _) = axt_answered(&arguments, "200 OK", "<html>");

    assert_eq!(ran.output.status.code(), Some(3));
    assert!(
        ran.told().contains("does not answer as the API does"),
        "{}",
        ran.told()
    );
}

#[test]
fn a_port_where_nobody_listens_is_unreachable() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    drop(server);

    let admin = format!("http://{address}");
    let ran = Machine::new().axt(&["health", "--admin", &admin]);

    assert_eq!(ran.output.status.code(), Some(3));
    assert!(ran.told().contains("cannot reach"), "{}", ran.told());
}

#[test]
fn a_sandbox_that_works_is_healthy() {
    let (ran, request) = axt_answered(&["health", "--admin", "http://ADDRESS"], "200 OK", "");

    assert_eq!(ran.told(), "ok\nexit code 0");
    assert!(request.starts_with("GET /healthz HTTP/1.1"), "{request}");
}

#[test]
fn a_sandbox_that_does_not_work_says_why() {
    let (ran, _) = axt_answered(
        &["health", "--admin", "http://ADDRESS"],
        "503 Service Unavailable",
        r#"{"error":"the journal cannot be written: disk full"}"#,
    );

    assert_eq!(
        ran.told(),
        "error: the journal cannot be written: disk full\nexit code 1"
    );
}

#[test]
fn the_clock_is_moved_by_milliseconds() {
    let (ran, request) = axt_answered(
        &["clock", "advance", "9m59.999s", "--admin", "http://ADDRESS"],
        "200 OK",
        r#"{"now_ms":1795587061027,"frozen":true}"#,
    );

    assert_eq!(ran.told(), "2026-11-25T06:11:01.027Z frozen\nexit code 0");
    assert!(request.ends_with(r#"{"advance_ms":599999}"#), "{request}");
}

#[test]
fn the_environment_is_read_from_the_ready_file() {
    let machine = Machine::new();
    let folder = machine.home.path().join(".local/state/axt");
    std::fs::create_dir_all(&folder).expect("made");
    let ready = r#"{"api_http": "http://127.0.0.1:7080", "api_https": "https://localhost:7080",
        "axt": "wss://localhost:7443", "admin": "http://127.0.0.1:7090", "pid": 4711,
        "region": "cn-hangzhou", "access_key_id": "LTAIx", "access_key_secret": "it's secret",
        "ca_cert": "/x/ca.pem", "instances": []}"#;
    std::fs::write(folder.join("ready.json"), ready).expect("written");

    assert_snapshot!(machine.axt(&["env"]).told());
}

#[test]
fn each_exit_code_of_the_help_comes_about() {
    let machine = Machine::new();
    let code = |ran: Ran| ran.output.status.code().expect("an exit code");
    let refused = r#"{"Code":"InvalidInstance.NotFound","Message":"x","RequestId":"R"}"#;
    let api = [&["api", "DescribeRegions"], THERE.as_slice()].concat();
    let health = ["health", "--admin", "http://ADDRESS"];

    let mut seen = vec![
        code(machine.axt(&["config", "--example"])),
        code(axt_answered(&health, "503 Service Unavailable", r#"{"error":"x"}"#).0),
        code(machine.axt(&["no-such-command"])),
        code(machine.axt(&["api", "DescribeRegions"])),
        code(axt_answered(&api, "404 Not Found", refused).0),
        interrupted(&api),
        code(machine.axt(&["session"])),
    ];
    seen.sort_unstable();

    let help = machine.axt(&["--help"]).stdout();
    let (_, table) = help.split_once("Exit codes:\n").expect("a table");
    let told: Vec<i32> = table
        .lines()
        .map_while(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    assert_eq!(told, seen);
    assert_eq!(told, [0, 1, 2, 3, 4, 130, 255]);
}

#[test]
fn ctrl_c_ends_an_examination() {
    let arguments = [&["doctor"], THERE.as_slice()].concat();

    assert_eq!(interrupted(&arguments), 130);
}

/// The exit code of a command that gets Ctrl-C while it waits for the API at `ADDRESS`.
fn interrupted(arguments: &[&str]) -> i32 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    let arguments = arguments.iter().map(|it| it.replace("ADDRESS", &address));
    let home = tempfile::tempdir().expect("a folder");
    let mut axt = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .spawn()
        .expect("axt runs");
    // Once it calls, it waits for the answer.
    let (mut client, _) = server.accept().expect("a client");
    read_request(&mut client);
    interrupt(axt.id());
    axt.wait().expect("ended").code().expect("an exit code")
}

/// What a shell would offer for the last of these words.
fn completed(machine: &Machine, words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let arguments = [&["--"], words].concat();
    let environment = [
        ("AXT_COMPLETE", "bash"),
        ("_CLAP_COMPLETE_INDEX", index.as_str()),
        ("_CLAP_IFS", "\n"),
    ];
    let ran = machine.axt_with(&arguments, &environment);
    assert_eq!(ran.output.status.code(), Some(0), "{}", ran.told());
    ran.stdout().lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_actions_parameters_and_their_values() {
    let machine = Machine::new();
    machine.is_ready();

    let actions = completed(&machine, &["axt", "api", "StartT"]);
    let names = completed(
        &machine,
        &[
            "axt",
            "api",
            "StartTerminalSession",
            "--InstanceId.1",
            "i-1",
            "--Pa",
        ],
    );
    let lists = completed(
        &machine,
        &[
            "axt",
            "api",
            "DescribeInstanceStatus",
            "--InstanceId.1",
            "i-1",
            "--Inst",
        ],
    );
    let words = completed(
        &machine,
        &[
            "axt",
            "api",
            "StartTerminalSession",
            "--ConnectionType",
            "In",
        ],
    );
    let instances = completed(&machine, &["axt", "session", "-i", ""]);
    let of_action = completed(
        &machine,
        &["axt", "api", "StartTerminalSession", "--InstanceId.1", ""],
    );

    assert_eq!(actions, ["StartTerminalSession"]);
    assert_eq!(names, ["--PasswordName"]);
    assert_eq!(lists, ["--InstanceId.2"]);
    assert_eq!(words, ["Internet", "Intranet"]);
    assert_eq!(instances, ["i-1", "i-2"]);
    assert_eq!(of_action, ["i-1", "i-2"]);
}

#[test]
fn the_script_of_each_shell_asks_the_program() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = Machine::new().axt(&["completions", shell]);

        assert_eq!(ran.output.status.code(), Some(0), "{shell}");
        assert!(ran.stdout().contains("AXT_COMPLETE"), "{}", ran.stdout());
    }
    told!("completions", "tcsh");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let machine = Machine::new();

    let ran = machine.axt(&["man", "pages"]);

    let pages = machine.home.path().join("pages");
    let main = std::fs::read_to_string(pages.join("axt.1")).expect("a page");
    assert!(main.contains("Exit codes:"), "{main}");
    assert!(pages.join("axt-portforward.1").is_file());
    assert!(ran.told().contains("pages in pages"), "{}", ran.told());
    assert!(machine.axt(&["man"]).stdout().contains(".TH axt 1"));
}

#[test]
fn every_page_of_a_list_is_printed_as_it_comes() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("bound").to_string();
    let there = THERE.map(|it| it.replace("ADDRESS", &address));
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    let page = |token: &str, id: &str| {
        let sessions = format!(r#"{{"Session":[{{"SessionId":"{id}","Username":"u"}}]}}"#);
        format!(r#"{{"RequestId":"R","NextToken":"{token}","Sessions":{sessions}}}"#)
    };
    let arguments = [
        &[
            "api",
            "DescribeTerminalSessions",
            "--all",
            "--columns",
            "SessionId,Username",
        ],
        there.as_slice(),
    ]
    .concat();

    let (ran, asked) = thread::scope(|scope| {
        let serving = scope
            .spawn(|| ["t1", "t2", ""].map(|token| answer(&server, "200 OK", &page(token, "s-1"))));
        let ran = Machine::new().axt(&arguments);
        // Should it have asked less often, the server must not wait for ever.
        for _ in 0..3 {
            drop(TcpStream::connect(&address));
        }
        (ran, serving.join().expect("served"))
    });

    let lines = "SessionId  Username\ns-1        u\ns-1        u\ns-1        u\n";
    assert_eq!(ran.told(), format!("{lines}exit code 0"));
    assert!(asked[0].contains("MaxResults=100"), "{}", asked[0]);
    assert!(!asked[0].contains("NextToken"), "{}", asked[0]);
    assert!(asked[1].contains("NextToken=t1"), "{}", asked[1]);
    assert!(asked[2].contains("NextToken=t2"), "{}", asked[2]);
}

#[test]
fn a_key_is_taken_from_the_aliyun_clis_own_file() {
    let machine = Machine::new();
    machine.has_aliyun_profiles();
    let call = |more: &[&str], environment: &[(&str, &str)]| {
        let arguments = ["api", "DescribeRegions", "--endpoint", "http://ADDRESS"];
        let arguments = [arguments.as_slice(), more].concat();
        let (ran, request) = machine.axt_answered_with(&arguments, environment);
        assert_eq!(ran.output.status.code(), Some(0), "{}", ran.told());
        assert!(!request.contains("hunter2"), "{request}");
        request
    };
    let in_environment = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIenv"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hunter2"),
        ("ALIBABA_CLOUD_REGION_ID", "cn-shanghai"),
    ];

    let current = call(&[], &[]);
    let temporary = call(&[], &[("ALIBABA_CLOUD_PROFILE", "sts")]);
    let environment = call(&[], &in_environment);
    let named = call(&["--profile", "sts"], &in_environment);

    assert!(current.contains("Credential=LTAIcli,"), "{current}");
    assert!(current.ends_with("RegionId=cn-beijing"), "{current}");
    assert!(temporary.contains("Credential=STS.x,"), "{temporary}");
    assert!(
        temporary.contains("x-acs-security-token: token-of-sts"),
        "{temporary}"
    );
    assert!(environment.contains("Credential=LTAIenv,"), "{environment}");
    assert!(named.contains("Credential=STS.x,"), "{named}");
}

#[test]
fn a_profile_that_holds_no_key_is_wrong_usage() {
    let machine = Machine::new();
    machine.has_aliyun_profiles();
    let call = |profile: &str| {
        let endpoint = ["--endpoint", "http://127.0.0.1:1", "--region", "cn-x"];
        let arguments = ["api", "DescribeRegions", "--profile", profile];
        machine.axt(&[arguments, endpoint].concat()).told()
    };

    assert_snapshot!([call("ecs"), call("nobody")].join("\n"));
}

#[test]
fn where_the_key_was_found_is_told_without_the_secret() {
    let machine = Machine::new();
    machine.has_aliyun_profiles();
    let endpoint = [("AXT_ENDPOINT", "http://10.0.0.1:7080")];

    let nowhere = machine.axt(&["config"]).stdout();
    let profile = machine.axt_with(&["config"], &endpoint).stdout();
    machine.is_ready();
    let ready = machine.axt(&["config"]).stdout();

    let last = |told: &str| {
        let lines = told.lines().filter(|line| line.starts_with("# "));
        let lines: Vec<_> = lines
            .skip_while(|line| !line.starts_with("# Client"))
            .collect();
        lines.join("\n")
    };
    assert!(!format!("{profile}{ready}").contains("hunter2"));
    assert_snapshot!([last(&nowhere), last(&profile), last(&ready)].join("\n\n"));
}
