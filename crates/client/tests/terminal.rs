//! Raw mode on a real terminal: each way out puts it back. The process that goes raw is this test
//! program again, in the part of [`goes_raw`].

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

use std::{
    env,
    fs::File,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use axt_client::terminal::{self, RawMode, stdio};
use axt_net::tasks::Tasks;
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Termios, tcgetattr},
};
use tokio::io::AsyncWriteExt;

/// The variable that tells the other process how to end.
const WAY_OUT: &str = "AXT_TEST_WAY_OUT";

/// What the other side does to the terminal, and how it is undone.
const DONE: &str = "\x1b[?1049h\x1b[?1003;1006h\x1b[?2004h\x1b[?25l";
const UNDONE: &str = "\x1b[?1049l\x1b[?25h\x1b[?1003l\x1b[?1006l\x1b[?2004l";

/// A terminal that nobody looks at. Its master stays open, or the terminal would hang up.
struct Terminal {
    slave: File,
    master: OwnedFd,
}

impl Terminal {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("text");
        let slave = File::options().read(true).write(true).open(name);
        Self {
            slave: slave.expect("opened"),
            master,
        }
    }

    fn stdio(&self) -> Stdio {
        self.slave.try_clone().expect("cloned").into()
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.slave).expect("a terminal")
    }

    /// Runs a process on this terminal that goes raw and leaves by `way_out`.
    fn run(&self, way_out: &str) {
        let status = Command::new(env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "goes_raw", "--nocapture"])
            .env(WAY_OUT, way_out)
            .stdin(self.stdio())
            .stdout(self.stdio())
            .stderr(Stdio::null())
            .status()
            .expect("ran");
        assert_eq!(status.success(), way_out != "panic", "{status}");
        let mut shown = String::new();
        let mut part = vec![0; 64 * 1024];
        // A terminal may give what was written to it in several parts.
        while !shown
            .split_once(DONE)
            .is_some_and(|(_, after)| after.contains(UNDONE))
        {
            let length = rustix::io::read(&self.master, &mut part).expect("what was shown");
            assert!(length > 0, "{shown:?}");
            shown.push_str(&String::from_utf8_lossy(&part[..length]));
        }
    }
}

fn assert_same(before: &Termios, after: &Termios) {
    assert_eq!(before.local_modes, after.local_modes);
    assert_eq!(before.input_modes, after.input_modes);
    assert_eq!(before.output_modes, after.output_modes);
    assert_eq!(before.control_modes, after.control_modes);
}

#[test]
#[ignore = "the part of the other process"]
fn goes_raw() {
    let Ok(way_out) = env::var(WAY_OUT) else {
        return;
    };
    let guard = RawMode::enter().expect("a terminal");
    let raw = tcgetattr(std::io::stdin()).expect("a terminal");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let tasks = Tasks::new();
        let (mut output, flushed) = stdio::output(&tasks).expect("a pipe");
        // What an editor on the other side does.
        output.write_all(DONE.as_bytes()).await.expect("written");
        drop(output);
        flushed.wait().await.expect("shown");
    });
    assert!(
        !raw.local_modes
            .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    );
    match way_out.as_str() {
        "drop" => drop(guard),
        "panic" => panic!("on purpose"),
        "exit" => {
            terminal::restore();
            std::process::exit(0);
        }
        other => unreachable!("{other}"),
    }
}

#[test]
fn the_terminal_is_put_back_when_the_guard_is_dropped() {
    let terminal = Terminal::open();
    let before = terminal.settings();

    terminal.run("drop");

    assert_same(&before, &terminal.settings());
}

#[test]
fn the_terminal_is_put_back_after_a_panic() {
    let terminal = Terminal::open();
    let before = terminal.settings();

    terminal.run("panic");

    assert_same(&before, &terminal.settings());
}

#[test]
fn the_terminal_is_put_back_before_an_exit_that_unwinds_nothing() {
    let terminal = Terminal::open();
    let before = terminal.settings();

    terminal.run("exit");

    assert_same(&before, &terminal.settings());
}
