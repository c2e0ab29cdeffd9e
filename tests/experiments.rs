//! `axt experiment`, as a person runs it: the same timeline in every process, and what is told of a
//! scenario that is wrong, or does not go as it says.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use axt_net::tasks::Tasks;
use serde_json::Value;
use tempfile::TempDir;

/// Against hanging.
const GUARD: Duration = Duration::from_secs(30);

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn axt(&self, arguments: &[&str]) -> Output {
        self.command(&[&["experiment"], arguments].concat())
    }

    /// The relay's trace of the only connection.
    fn connection(&self, folder: &str) -> String {
        let files = fs::read_dir(self.folder.path().join(folder)).expect("a folder");
        let mut paths = files.map(|file| file.expect("a file").path().display().to_string());
        let is_it = |path: &String| path.contains("relay.s-") && path.contains(".conn-");
        paths.find(is_it).expect("a connection")
    }

    fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_axt"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("AXT_LOG")
            .env("AXT_STATE_DIR", self.folder.path().join("state"))
            .output()
            .expect("it runs")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("there")
    }

    /// Runs scenarios, all of which have to go as they say, and reads what is known of them.
    fn reports(&self, scenarios: &[String]) -> Vec<Value> {
        let mut arguments = vec!["run", "--brief", "--json", "reports.json"];
        arguments.extend(scenarios.iter().map(String::as_str));
        let output = self.axt(&arguments);
        assert!(output.status.success(), "{}", both(&output));
        serde_json::from_str(&self.read("reports.json")).expect("JSON")
    }

    /// The names of those that ship and are of that class.
    fn shipped(&self, class: &str) -> Vec<String> {
        let output = self.axt(&["list", "--json"]);
        let all: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
        let of_class = all.iter().filter(|one| one["class"] == class);
        of_class
            .map(|one| one["name"].as_str().expect("text").to_owned())
            .collect()
    }
}

/// Two processes side by side.
fn at_once(first: &Desk, second: &Desk, scenarios: &[String]) -> [Vec<Value>; 2] {
    thread::scope(|scope| {
        let other = scope.spawn(|| second.reports(scenarios));
        let one = first.reports(scenarios);
        [one, other.join().expect("it runs")]
    })
}

fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_simulated_scenario_gives_the_same_timeline_in_every_process_byte_for_byte() {
    let (first, second) = (Desk::new(), Desk::new());
    let scenarios = first.shipped("simulated");

    let runs = at_once(&first, &second, &scenarios);

    assert!(runs[0].len() >= 20);
    for (one, other) in runs[0].iter().zip(&runs[1]) {
        assert_eq!(one["timeline"], other["timeline"], "{}", one["name"]);
        assert_eq!(one, other, "{}", one["name"]);
    }
}

#[test]
fn another_seed_makes_other_ids_and_the_same_story() {
    let desk = Desk::new();
    let run = |seed: &str| {
        let output = desk.axt(&["run", "--seed", seed, "client-token"]);
        assert!(output.status.success(), "{}", both(&output));
        both(&output).replace(&format!("seed {seed}"), "seed")
    };

    assert_eq!(run("5"), run("6"));
}

#[test]
fn a_real_scenario_gives_the_same_rule_events_of_each_session() {
    let (first, second) = (Desk::new(), Desk::new());
    let scenarios = first.shipped("real");

    let runs = at_once(&first, &second, &scenarios);

    assert!(!runs[0].is_empty());
    for (one, other) in runs[0].iter().zip(&runs[1]) {
        assert_eq!(one["rules"], other["rules"], "{}", one["name"]);
        let timeline = one["timeline"].to_string();
        assert!(!timeline.contains("down="), "{timeline}");
        assert!(one["samples"].is_null());
    }
}

const STEP: &str = "[[steps]]\nname = \"one\"\n";

#[test]
fn a_scenario_that_is_wrong_is_told_with_its_line_and_the_nearest_word_before_anything_starts() {
    let head = "title = \"x\"\n";
    let wrong = [
        (
            "titel = \"x\"\n".to_owned(),
            1,
            "unknown key `titel`; did you mean `title`?",
        ),
        (
            format!("{head}{STEP}expct_text = \"$ \"\n"),
            4,
            "unknown key `expct_text` in [[steps]]; did you mean `expect_text`?",
        ),
        (
            format!("{head}{STEP}start_session = {{ instanc = \"web\" }}\n"),
            4,
            "unknown key `instanc` in `start_session` in [[steps]]; did you mean `instance`?",
        ),
        (
            format!("{head}class = \"simulatd\"\n{STEP}"),
            2,
            "`class`: unknown word `simulatd`; did you mean `simulated`?",
        ),
        (
            format!("{head}[limits]\nidle_timeout = 3\n{STEP}freeze = true\n"),
            3,
            "unknown key `idle_timeout` in [limits]; did you mean `idle_timeout_s`?",
        ),
        (
            format!("{head}{STEP}start_session = \"alpha\"\n{STEP}connect = \"alpah\"\n"),
            7,
            "`connect` in [[steps]]: no session is called `alpah`; did you mean `alpha`?",
        ),
        (
            format!("{head}{STEP}expect_event = \"conection.closed\"\n"),
            4,
            "there is no event `conection.closed`; did you mean `connection.closed`?",
        ),
        (
            format!(
                "{head}{STEP}start_session = \"a\"\n{STEP}connect = \"a\"\nexpect_reason = \"IdleTimout\"\n"
            ),
            8,
            "there is no reason `IdleTimout`; did you mean `IdleTimeout`?",
        ),
        (
            format!(
                "{head}{STEP}start_session = \"a\"\nexpect_error = \"SesionCount.ExceedLimit\"\n"
            ),
            5,
            "there is no error code `SesionCount.ExceedLimit`; did you mean `SessionCount.ExceedLimit`?",
        ),
        (
            format!("{head}{STEP}advance = \"10\"\n"),
            4,
            "`advance` in [[steps]]: `10` is no span of time: expected one such as `10m`",
        ),
        (
            format!("{head}{STEP}freeze = true\nadvance = \"10m\"\n"),
            4,
            "a step does one thing: `advance` and `freeze` are two steps",
        ),
        (
            format!("{head}{STEP}kill = \"agnet\"\n"),
            4,
            "`kill` in [[steps]]: unknown word `agnet`; did you mean `agent`?",
        ),
        (
            format!("{head}{STEP}add_fault = {{ type = \"latncy\", latency = 5 }}\n"),
            4,
            "did you mean `latency`?",
        ),
        (
            format!("{head}[client]\ncommand = \"x\"\n{STEP}freeze = true\n"),
            2,
            "a program of your own in [client] needs `class = \"real\"`",
        ),
        (
            format!(
                "{head}[[instances]]\nname = \"a\"\nbehave = [\"20%:never_dails\"]\n{STEP}freeze = true\n"
            ),
            4,
            "`behave` in [[instances]]: no agent behaves as `never_dails`; did you mean `never_dials`?",
        ),
        (
            format!("{head}[[ports]]\nname = \"p\"\ndoes = \"ecoh\"\n{STEP}freeze = true\n"),
            4,
            "`does` in [[ports]]: unknown word `ecoh`; did you mean `echo`?",
        ),
        (
            format!(
                "{head}[[faults]]\ntype = \"latency\"\nlatency = 5\ninstance = \"wbe\"\n{STEP}freeze = true\n"
            ),
            5,
            "`instance` in [[faults]]: no instance is called `wbe`",
        ),
        (
            format!("{head}class = \"real\"\n[agent]\ncomand = \"x\"\n{STEP}freeze = true\n"),
            4,
            "unknown key `comand` in [agent]; did you mean `command`?",
        ),
        (
            format!(
                "{head}class = \"real\"\n[client]\ncommand = \"x {{instnce}}\"\n{STEP}freeze = true\n"
            ),
            4,
            "`command` in [client]: there is no placeholder `{instnce}`; did you mean `{instance}`?",
        ),
        (
            format!("{head}{STEP}expect_count = {{ of = \"sesions\", is = 1 }}\n"),
            4,
            "there is no count of `sesions`; did you mean `sessions`?",
        ),
        (
            format!("{head}{STEP}call = \"DescribeTerminalSesions\"\n"),
            4,
            "there is no action `DescribeTerminalSesions`; did you mean `DescribeTerminalSessions`?",
        ),
        (
            format!(
                "{head}{STEP}add_fault = {{ type = \"drop_kick\", name = \"lost\" }}\n{STEP}remove_fault = \"lots\"\n"
            ),
            7,
            "no fault is called `lots`; did you mean `lost`?",
        ),
        (
            format!("{head}{STEP}freeze = true\nwithin = \"5 lightyears\"\n"),
            5,
            "`within` in [[steps]]: `5 lightyears` is no span of time",
        ),
        (head.to_owned(), 1, "there are no [[steps]]"),
    ];
    let desk = Desk::new();
    desk.write("right.toml", &format!("{head}{STEP}freeze = true\n"));

    for (text, line, told) in wrong {
        desk.write("wrong.toml", &text);
        // The right one first: not even that one is started.
        let output = desk.axt(&["run", "right.toml", "wrong.toml"]);

        let said = both(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(&format!("error: wrong.toml:{line}: ")),
            "{line}: {said}"
        );
        assert!(said.contains(told), "{told}: {said}");
        assert!(!said.contains("right"), "{said}");
    }
}

#[test]
fn a_scenario_that_is_not_there_names_the_nearest_that_ships() {
    let output = Desk::new().axt(&["run", "idle-timout"]);

    let said = both(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("`idle-timout` is no file, and no scenario that ships"),
        "{said}"
    );
    assert!(
        said.contains("hint: did you mean `idle-timeout`?"),
        "{said}"
    );
}

/// A simulation's limits are over at once, for nothing else happens in it.
#[test]
fn what_can_never_be_met_ends_with_its_steps_limit_and_is_told_three_ways() {
    let desk = Desk::new();
    desk.write(
        "never.toml",
        "title = \"never\"\n\
         [[steps]]\nname = \"a session is started\"\nstart_session = \"s\"\n\
         [[steps]]\nname = \"a shell is opened\"\nconnect = \"s\"\n\
         [[steps]]\nname = \"it says what it never says\"\nwithin = \"1h\"\nexpect_text = \"good morning\"\n\
         [[steps]]\nname = \"not reached\"\nfreeze = true\n",
    );

    let output = desk.axt(&[
        "run",
        "never.toml",
        "--junit",
        "out.xml",
        "--json",
        "out.json",
    ]);

    let said = both(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let told =
        "step 3, \"it says what it never says\": expected the text \"good morning\"; seen: \"$ \"";
    assert!(said.contains(&format!("error: never: {told}")), "{said}");
    let junit = desk.read("out.xml");
    assert!(
        junit.contains("<testsuite name=\"never\" tests=\"3\" failures=\"1\""),
        "{junit}"
    );
    assert!(junit.contains("<failure message=\"step 3, "), "{junit}");
    let reports: Value = serde_json::from_str(&desk.read("out.json")).expect("JSON");
    let failed = &reports[0]["failed"];
    assert_eq!(failed["step"], 3);
    assert_eq!(failed["expected"], "the text \"good morning\"");
    assert_eq!(failed["seen"], "\"$ \"");
}

/// Whoever waits for a scenario no longer: what it has started is gone with it, and what was seen is told.
#[test]
fn a_run_that_is_interrupted_ends_its_programs_and_tells_what_there_was() {
    let desk = Desk::new();
    // The client holds it open for as long as it lives.
    let there = desk.folder.path().join("there");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &there, rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    desk.write(
        "long.toml",
        &format!(
            "title = \"long\"\nclass = \"real\"\n\
             [client]\ncommand = \"exec 3> {}; echo there >&3; exec sleep 1000\"\n\
             [[steps]]\nname = \"it waits\"\nwithin = \"10m\"\nstart_client = \"\"\nexpect_text = \"never\"\n",
            there.display()
        ),
    );
    let running = Command::new(env!("CARGO_BIN_EXE_axt"))
        .args(["experiment", "run", "long.toml", "--json", "long.json"])
        .current_dir(desk.folder.path())
        .env("AXT_STATE_DIR", desk.folder.path().join("state"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let (told, tells) = mpsc::sync_channel(2);
    let tasks = Tasks::new();
    let reads = move |_| {
        let mut pipe = BufReader::new(File::open(&there).expect("a pipe"));
        let mut line = String::new();
        pipe.read_line(&mut line).expect("a line");
        told.send(()).expect("waited for");
        pipe.read_to_string(&mut line).expect("its end");
        told.send(()).expect("waited for");
    };
    tasks.thread("the client's pipe", reads).expect("a thread");
    tells.recv_timeout(GUARD).expect("the client is started");

    let pid = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let output = running.wait_with_output().expect("it ends");

    let said = both(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("1. it waits"), "{said}");
    assert!(desk.read("long.json").contains("it was stopped"));
    tells.recv_timeout(GUARD).expect("the client is ended");
}

#[test]
fn the_starter_goes_as_it_says_and_is_not_written_over() {
    let desk = Desk::new();

    let written = desk.axt(&["new", "mine.toml"]);
    let run = desk.axt(&["run", "mine.toml", "--plot", "mine.svg"]);
    let again = desk.axt(&["new", "mine.toml"]);

    assert!(written.status.success(), "{}", both(&written));
    assert!(run.status.success(), "{}", both(&run));
    assert!(desk.read("mine.svg").starts_with("<svg "));
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
}

#[test]
fn the_schema_that_ships_is_the_formats_own() {
    let output = Desk::new().axt(&["schema"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/schema.json");
    if std::env::var_os("AXT_UPDATE").is_some() {
        fs::write(&path, &output.stdout).expect("written");
    }

    let shipped = fs::read_to_string(path).expect("there");

    let current = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        shipped.trim_end(),
        current.trim_end(),
        "AXT_UPDATE=1 writes it"
    );
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments.md");
    let text = fs::read_to_string(path).expect("there");
    let blocks: Vec<&str> = text.split("```text\n").skip(1).collect();
    let shown = blocks
        .iter()
        .filter_map(|block| block.strip_prefix("$ axt experiment run "))
        .map(|block| block.split("\n```").next().expect("its end"));
    let mut count = 0;

    for block in shown {
        let (name, printed) = block.split_once('\n').expect("some lines");
        let output = Desk::new().axt(&["run", name]);

        let stdout = String::from_utf8(output.stdout).expect("text");
        assert_eq!(stdout.trim_end(), printed.trim_end(), "{name}");
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn a_picture_is_the_same_on_every_run() {
    let desk = Desk::new();

    let output = desk.axt(&["run", "bandwidth-shared", "--brief", "--plot", "run.svg"]);

    assert!(output.status.success(), "{}", both(&output));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiment.svg");
    if std::env::var_os("AXT_UPDATE").is_some() {
        fs::write(&path, desk.read("run.svg")).expect("written");
    }
    let shown = fs::read_to_string(path).expect("there");
    assert!(shown == desk.read("run.svg"), "AXT_UPDATE=1 writes it");
}

/// The path of a peer that behaves as the official agent, and knows nothing of axt's own: it names its instance
/// and does not sign.
fn official_agent() -> PathBuf {
    let this = std::env::current_exe().expect("this test");
    let target = this.parent().and_then(Path::parent).expect("a folder");
    let agent = target.join("examples/official_agent");
    assert!(
        agent.is_file(),
        "`cargo build --workspace --examples` builds it"
    );
    agent
}

/// A shell that computes, and ends, served by the official agent's peer or by one of axt's own.
fn story(is_official: bool) -> String {
    let agent = match is_official {
        true => format!(
            "[[instances]]\nname = \"official\"\nagent = \"program\"\n\
             [agent]\nunsigned = true\ncommand = \"exec {} {{server}} {{ca}} {{instance}}\"\n",
            official_agent().display()
        ),
        false => String::new(),
    };
    format!(
        "title = \"official\"\nclass = \"real\"\n{agent}\
             [[steps]]\nname = \"a session is started\"\nstart_session = {{ command = \"sh\" }}\n\
             [[steps]]\nname = \"a shell is opened\"\nconnect = \"\"\nexpect_event = \"connection.live\"\n\
             [[steps]]\nname = \"it computes\"\ntype = \"echo a$((6 * 7))b\"\nexpect_text = \"a42b\"\n\
             [[steps]]\nname = \"it ends\"\ntype = \"exit\"\nexpect_reason = \"Exit\"\n"
    )
}

/// One scenario, two agents: each is the same as itself on another run, and they are told apart.
#[test]
fn an_official_agent_takes_part_by_its_command_line_and_traces_tell_where_it_differs_from_ours() {
    let desk = Desk::new();
    desk.write("official.toml", &story(true));
    desk.write("own.toml", &story(false));

    for (scenario, trace) in [("own", "own"), ("own", "again"), ("official", "official")] {
        let output = desk.axt(&["run", &format!("{scenario}.toml"), "--trace", trace]);
        assert!(output.status.success(), "{}", both(&output));
    }
    let diff = |first: &str, second: &str| {
        let ours = |folder: &str| desk.connection(folder);
        desk.command(&["trace", "diff", &ours(first), &ours(second)])
    };
    let same = diff("own", "again");
    let other = diff("own", "official");

    assert_eq!(same.status.code(), Some(0), "{}", both(&same));
    assert_eq!(other.status.code(), Some(1), "{}", both(&other));
    // Ours closes its channel behind its last output, and tells the official one's nothing of that.
    let told = both(&other);
    assert!(told.contains("@@ "), "{told}");
    assert!(told.lines().any(|line| line.starts_with("- ")), "{told}");
}

#[test]
fn a_simulated_run_gives_the_same_trace_in_every_process() {
    let (first, second) = (Desk::new(), Desk::new());
    let traced = |desk: &Desk| {
        let output = desk.axt(&["run", "agent-crash", "--trace", "t", "--trace-payload"]);
        assert!(output.status.success(), "{}", both(&output));
        let files = fs::read_dir(desk.folder.path().join("t")).expect("a folder");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        files.sort();
        // Of itself an agent tells what differs: its process, and how long the machine is up.
        files.retain(|file| !file.to_string_lossy().contains("control"));
        let read = |file: &PathBuf| {
            let text = fs::read_to_string(file).expect("text");
            (file.file_name().expect("a name").to_owned(), text)
        };
        files.iter().map(read).collect::<Vec<_>>()
    };

    let (one, other) = (traced(&first), traced(&second));

    // Two connections, each seen by the relay and by the agent.
    assert_eq!(one.len(), 4);
    assert_eq!(one, other);
}

#[test]
fn a_trace_is_shown_as_a_table_and_exported_as_json() {
    let desk = Desk::new();
    let run = desk.axt(&["run", "exit-code", "--trace", "t", "--trace-payload"]);
    assert!(run.status.success(), "{}", both(&run));
    let file = desk.connection("t");

    let shown = desk.command(&["trace", "show", &file]);
    let exported = desk.command(&["trace", "export", "--json", &file]);
    let of_input = desk.command(&[
        "trace", "show", &file, "--type", "input", "--hop", "client", "--json",
    ]);

    let session = file
        .split('.')
        .find(|part| part.starts_with("s-"))
        .expect("a session");
    let table = String::from_utf8(shown.stdout).expect("text");
    insta::assert_snapshot!(table.replace(session, &"s".repeat(session.len())));
    let records: Vec<Value> = serde_json::from_slice(&exported.stdout).expect("JSON");
    assert_eq!(records.len(), table.lines().count() - 1);
    for (record, next) in records.iter().zip(records.iter().skip(1)) {
        assert_eq!(record["session"], session);
        assert_eq!(record["seen_by"], "relay");
        assert!(record["wall_us"].as_u64() <= next["wall_us"].as_u64());
    }
    let typed = String::from_utf8(of_input.stdout).expect("text");
    assert!(!typed.is_empty());
    for line in typed.lines() {
        let record: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(
            (&record["type"], &record["hop"], &record["dir"]),
            (&"input".into(), &"client".into(), &"up".into())
        );
    }
}
