//! `axt session` on a terminal of its own, as a person has it before them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "harness/process.rs"]
mod process;
#[path = "harness/pty.rs"]
mod pty;

use std::{fs, path::Path, process::Command};

use rustix::{process::Signal, termios::LocalModes};
use serde_json::Value;

use process::{Home, Running, get, stderr, stdout, wait_for};
use pty::{OnPty, Pty};

/// What an editor does to a terminal, and what undoes it.
const DOES: &str =
    r"printf '\033[?1049h\033[?1006;1002h\033[?2004h\033[?1004h\033[?25l\033=\033[31m'";
const UNDONE: [&str; 7] = [
    "\x1b[?1049l",
    "\x1b[?1002l",
    "\x1b[?1006l",
    "\x1b[?2004l",
    "\x1b[?25h",
    "\x1b>",
    "\x1b[0m",
];

/// A sandbox, and a person at a terminal.
struct Place {
    home: Home,
    up: Running,
    pty: Pty,
}

impl Place {
    fn new() -> Self {
        let home = Home::new();
        let up = home.up(&["--ephemeral", "--limit", "bandwidth_bytes_per_s=0"]);
        Self {
            up,
            pty: Pty::open(),
            home,
        }
    }

    fn session(&self, more: &[&str]) -> Command {
        let arguments = [&["session", "--command", "PS1='$ ' exec sh"], more].concat();
        self.home.axt(&arguments)
    }

    /// A session of somebody else's.
    fn start(&self) -> Value {
        let instance = self.up.ready["instances"][0]["id"].as_str().expect("an id");
        let started = self.home.run(&[
            "api",
            "StartTerminalSession",
            "--InstanceId.1",
            instance,
            "--CommandLine",
            "PS1='$ ' exec sh",
        ]);
        serde_json::from_str(&stdout(&started)).expect("JSON")
    }

    /// A session at its prompt.
    fn open(&mut self, more: &[&str]) -> OnPty {
        let session = self.pty.run(&self.session(more));
        self.pty.expect("$ ");
        session
    }

    /// A session whose program has changed the terminal, and writes no more.
    fn with_an_editor(&mut self) -> OnPty {
        let session = self.open(&[]);
        self.pty
            .type_text(&format!("{DOES}; printf ed\"\"ited; cat\r"));
        self.pty.expect("edited");
        // What is typed reaches the editor only once it has the terminal.
        self.pty.type_text("hears\r");
        self.pty.expect("hears\r\nhears\r\n");
        session
    }

    /// Whether every session that was started has been ended.
    fn all_ended(&self) -> bool {
        let state = get(self.up.ready("admin"), "/v1/state");
        let (_, body) = state.split_once("\r\n\r\n").expect("a body");
        let state: Value = serde_json::from_str(body).expect("JSON");
        let sessions = state["sessions"].as_array().expect("sessions");
        sessions.iter().all(|session| session["state"] == "ended")
    }

    fn is_ended(&self) {
        wait_for("the session's end", || self.all_ended().then_some(()));
    }
}

fn undone(rest: &str) {
    for sequence in UNDONE {
        assert!(rest.contains(sequence), "{sequence:?} is not in {rest:?}");
    }
}

#[test]
fn an_escape_ends_it_although_the_relay_hangs_and_the_terminal_is_as_before() {
    let mut place = Place::new();
    let before = place.pty.settings();
    let mut session = place.with_an_editor();
    assert!(!place.pty.settings().local_modes.contains(LocalModes::ECHO));
    place.up.signal(Signal::STOP);

    place.pty.type_text("\r~.");
    let status = session.ended();

    assert_eq!(status.code(), Some(255));
    assert!(place.pty.has_settings(&before));
    let rest = place.pty.rest();
    undone(&rest);
    let said = "\r\nthe session was ended by the escape character and a dot\r\n";
    assert!(rest.ends_with(said), "{rest:?}");
    // The session is ended when the relay answers after all.
    place.up.signal(Signal::CONT);
    place.is_ended();
}

#[test]
fn what_a_person_who_has_left_leaves_to_be_ended_is_ended_by_the_same_command() {
    let place = Place::new();
    let started = place.start();
    let session = started["SessionId"].as_str().expect("an id");
    assert!(!place.all_ended());

    let left = place.session(&[]).env("AXT_SESSION_LEFT", session).output();

    let left = left.expect("it runs");
    assert!(left.status.success(), "{}", stderr(&left));
    assert_eq!((stdout(&left), stderr(&left)), Default::default());
    assert!(place.all_ended());
}

#[test]
fn an_escape_ends_all_that_the_session_had_started() {
    let mut place = Place::new();
    let mut session = place.open(&[]);
    place
        .pty
        .type_text("setsid sh -c 'echo p\"\"=$$.; exec sleep 1000' &\r");
    place.pty.expect("p=");
    let started = place.pty.expect(".");

    place.pty.type_text("\r~.");

    assert_eq!(session.ended().code(), Some(255));
    place.is_ended();
    wait_for("the end of what it started", || {
        (!Path::new("/proc").join(&started).exists()).then_some(())
    });
}

#[test]
fn escapes_say_how_the_session_does_and_the_key_can_be_typed() {
    let mut place = Place::new();
    let mut session = place.open(&["--escape-char", "%"]);

    place.pty.type_text("%?");
    place
        .pty
        .expect("Escapes, at the beginning of a line:\r\n  %.   end the session");
    place.pty.type_text("%s");
    let instance = place.up.ready["instances"][0]["id"]
        .as_str()
        .expect("an id");
    place
        .pty
        .expect(&format!("Instance  {instance}\r\nSession   s-"));
    place.pty.expect("Limit     none\r\nIdle      ends in ");
    place.pty.type_text("%%echo is\"\"-typed ~.\r");
    place.pty.expect("%echo: ");
    place.pty.type_text("echo ~.\"\"is\"\"-text\r");
    place.pty.expect("~.is-text");
    place.pty.type_text("exit 7\r");

    assert_eq!(session.ended().code(), Some(7));
}

#[test]
fn sigint_ends_no_session_on_a_raw_terminal() {
    let mut place = Place::new();
    let mut session = place.open(&[]);

    // As whoever signals its whole group does, such as a wrapper.
    session.signal(Signal::INT);
    place.pty.type_text("echo $((6*7)); exit 3\r");

    place.pty.expect("\n42\r\n");
    assert_eq!(session.ended().code(), Some(3));
}

#[test]
fn without_an_escape_character_everything_is_typed() {
    let mut place = Place::new();
    let mut session = place.open(&["--escape-char=none"]);

    place
        .pty
        .type_text("stty raw -echo; echo re\"\"ady; head -c 4 | od -An -c\r");
    place.pty.expect("ready");
    place.pty.type_text("\r~.\n");

    place.pty.expect("\\r   ~   .  \\n");
    place.pty.type_text("exit\n");
    assert!(session.ended().success());
}

#[test]
fn a_session_that_ends_by_itself_or_by_a_signal_leaves_the_terminal_as_before() {
    let mut place = Place::new();
    let before = place.pty.settings();

    for end in [None, Some(Signal::TERM), Some(Signal::HUP)] {
        let mut session = place.with_an_editor();
        match end {
            Some(signal) => session.signal(signal),
            None => {
                place.pty.type_text("\x03");
                place.pty.expect("$ ");
                place.pty.type_text("exit\r");
            }
        }
        session.ended();

        assert!(place.pty.has_settings(&before), "{end:?}");
        undone(&place.pty.rest());
        place.is_ended();
    }
}

#[test]
fn a_relay_that_is_gone_leaves_the_terminal_as_before_and_says_so() {
    let mut place = Place::new();
    let before = place.pty.settings();
    let mut session = place.with_an_editor();

    place.up.signal(Signal::KILL);

    assert_eq!(session.ended().code(), Some(255));
    assert!(place.pty.has_settings(&before));
    let rest = place.pty.rest();
    undone(&rest);
    assert!(rest.contains("\r\nerror: "), "{rest:?}");
}

#[test]
fn a_second_session_on_the_terminal_has_no_modes_of_one_that_was_cut_off() {
    let mut place = Place::new();
    let mut lost = place.with_an_editor();
    let cut = ["fault", "add", "reset_peer", "link=client", "times=1"];
    let cut = place.home.run(&cut);
    assert!(cut.status.success(), "{}", stderr(&cut));
    // What the editor's terminal says of itself is the byte that the fault strikes at.
    place.pty.type_text("\x1b[I");
    assert_eq!(lost.ended().code(), Some(255));
    let shown = place.pty.rest();

    let mut again = place.open(&[]);
    place.pty.type_text("stty -echo; cat -v\r");
    // As the terminal pastes by what it was told last: the editor had asked for brackets.
    let is_in_brackets = !shown.contains("\x1b[?2004l");
    place.pty.type_text(if is_in_brackets {
        "\x1b[200~pasted\x1b[201~\r"
    } else {
        "<pasted>\r"
    });

    place.pty.expect("<pasted>\r\n");
    undone(&shown);
    place.pty.type_text("\x04exit 4\r");
    assert_eq!(again.ended().code(), Some(4));
}

#[test]
fn a_terminal_that_is_closed_ends_the_session_and_all_that_it_started() {
    let mut place = Place::new();
    let mut session = place.open(&[]);
    place.pty.type_text("echo p\"\"=$$.\r");
    place.pty.expect("p=");
    let shell = place.pty.expect(".");

    place.pty = Pty::open();

    session.ended();
    place.is_ended();
    wait_for("the shell's end", || {
        (!Path::new("/proc").join(&shell).exists()).then_some(())
    });
}

#[test]
fn after_a_kill_the_terminal_is_reset_by_a_command() {
    let mut place = Place::new();
    let before = place.pty.settings();
    let mut session = place.with_an_editor();
    session.signal(Signal::KILL);
    session.ended();
    assert!(!place.pty.settings().local_modes.contains(LocalModes::ECHO));

    let mut reset = place.pty.run(&place.home.axt(&["reset-terminal"]));

    assert!(reset.ended().success());
    let after = place.pty.settings();
    assert_eq!(
        after.local_modes & LocalModes::ECHO,
        before.local_modes & LocalModes::ECHO
    );
    assert!(
        after
            .local_modes
            .contains(LocalModes::ICANON | LocalModes::ISIG)
    );
    undone(&place.pty.rest());
}

#[test]
fn without_a_terminal_there_is_none_to_reset() {
    let home = Home::new();
    let mut alone = Command::new("setsid");
    alone
        .arg("--wait")
        .arg(home.axt(&[]).get_program())
        .arg("reset-terminal");

    let output = alone.output().expect("it runs");

    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("there is no terminal to reset"));
}

#[test]
fn a_suspended_session_goes_on_when_it_is_continued() {
    let mut place = Place::new();
    let before = place.pty.settings();
    // A job needs a shell that waits for it.
    let program = place.session(&[]);
    let quoted: Vec<String> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")))
        .collect();
    let mut shell = place.home.axt(&[]);
    shell.env("PS1", "local> ");
    let mut outer = Command::new("sh");
    for (name, value) in shell.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer.arg("-im");
    let mut outer = place.pty.run(&outer);
    place.pty.expect("local> ");
    place.pty.type_text(&format!("{}\r", quoted.join(" ")));
    place.pty.expect("\r\n$ ");

    place.pty.type_text("\r~\x1a");
    place.pty.expect("local> ");
    place.pty.type_text("stty -a | grep -o ' echo '; fg\r");
    place.pty.expect(" echo ");
    place.pty.type_text("echo $((6*7))\r");
    place.pty.expect("42");
    place.pty.type_text("exit\r");
    place.pty.expect("local> ");
    place.pty.type_text("exit\r");

    outer.ended();
    assert!(place.pty.has_settings(&before));
}

#[test]
fn a_session_of_somebody_elses_is_used_and_not_ended() {
    let mut place = Place::new();
    let started = place.start();
    let url = started["WebSocketUrl"].as_str().expect("a URL");
    let mut by_environment = place.home.axt(&["session", "--wss-url", "env"]);
    by_environment.env("AXT_WSS_URL", url);

    let mut session = place.pty.run(&by_environment);
    place.pty.expect("$ ");
    place.pty.type_text("exit 5\r");
    let by_environment = session.ended();
    // Whose first line is the URL: the rest is input.
    let piped = place.home.path("piped");
    fs::write(&piped, format!("{url}\necho $((6*7))\nexit 6\n")).expect("written");
    let by_stdin = place
        .home
        .axt(&["session", "--wss-url", "-"])
        .stdin(fs::File::open(&piped).expect("opened"))
        .output()
        .expect("it runs");

    assert_eq!(by_environment.code(), Some(5));
    assert_eq!(by_stdin.status.code(), Some(6), "{}", stderr(&by_stdin));
    assert!(stdout(&by_stdin).contains("42"));
    let state = get(place.up.ready("admin"), "/v1/state");
    assert!(!state.contains(started["SecurityToken"].as_str().expect("a token")));
    assert!(!place.all_ended());
    let shown = place.home.run(&["session", "--wss-url", url]);
    assert_eq!(shown.status.code(), Some(255));
    assert!(stderr(&shown).contains("a token does not belong on a command line"));
}

#[test]
fn a_recording_has_the_output_and_the_windows_changes_and_not_what_was_typed() {
    let mut place = Place::new();
    let file = place.home.path("a.cast");
    let file = file.to_str().expect("UTF-8");
    let mut session = place.open(&["--record", file]);

    place
        .pty
        .type_text("stty -echo; echo qui\"\"et; read secret; stty echo; echo d\"\"one\r");
    place.pty.expect("quiet");
    place.pty.type_text("hunter2\r");
    place.pty.expect("done");
    place.pty.resize(30, 100);
    place
        .pty
        .type_text("until stty size | grep '30 100'; do :; done; exit\r");
    session.ended();

    let text = fs::read_to_string(file).expect("a recording");
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let header = lines.next().expect("a header");
    assert_eq!(
        (&header["version"], &header["width"], &header["height"]),
        (&2.into(), &80.into(), &24.into())
    );
    let events: Vec<Value> = lines.collect();
    let of = |kind: &str| -> String {
        let of_kind = events.iter().filter(|event| event[1] == kind);
        of_kind
            .map(|event| event[2].as_str().expect("text"))
            .collect()
    };
    assert!(of("o").contains("done"), "{text}");
    assert_eq!((of("r"), of("i")), ("100x30".to_owned(), String::new()));
    assert!(!text.contains("hunter2"), "{text}");

    let again = place
        .home
        .run(&["session", "--record", file, "--command", "true"]);
    assert_eq!(again.status.code(), Some(255));
    assert!(
        stderr(&again).contains("`--overwrite` replaces it"),
        "{}",
        stderr(&again)
    );
    let replaced = place.home.run(&[
        "session",
        "--record",
        file,
        "--overwrite",
        "--record-input",
        "--command",
        "true",
    ]);
    assert!(replaced.status.success(), "{}", stderr(&replaced));
    assert!(
        !fs::read_to_string(file)
            .expect("a recording")
            .contains("done")
    );
}
