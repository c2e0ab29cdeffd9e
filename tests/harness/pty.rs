//! A terminal of its own for a program, driven from its other side.

#![allow(dead_code)] // each test target uses some of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcsetwinsize},
};

use super::process::wait_for;

/// The terminal, and what it has shown.
pub(crate) struct Pty {
    master: File,
    slave: File,
    seen: Vec<u8>,
}

impl Pty {
    /// A terminal of 24 lines.
    pub(crate) fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("text");
        let slave = File::options().read(true).write(true).open(name);
        rustix::io::ioctl_fionbio(&master, true).expect("set");
        let pty = Self {
            master: File::from(master),
            slave: slave.expect("opened"),
            seen: Vec::new(),
        };
        pty.resize(24, 80);
        pty
    }

    pub(crate) fn resize(&self, rows: u16, cols: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.master, size).expect("a terminal");
    }

    /// Runs a command whose terminal this is, as its shell would.
    pub(crate) fn run(&self, command: &Command) -> OnPty {
        let stdio = || Stdio::from(OwnedFd::from(self.slave.try_clone().expect("cloned")));
        let mut session = Command::new("setsid");
        session
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio());
        if let Some(folder) = command.get_current_dir() {
            session.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        OnPty(session.spawn().expect("it starts"))
    }

    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(&self.slave).expect("a terminal")
    }

    /// Whether these are the settings now.
    pub(crate) fn has_settings(&self, wanted: &Termios) -> bool {
        let now = self.settings();
        now.local_modes == wanted.local_modes
            && now.input_modes == wanted.input_modes
            && now.output_modes == wanted.output_modes
            && now.control_modes == wanted.control_modes
    }

    pub(crate) fn type_text(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("typed");
    }

    /// Waits for `text` and forgets everything up to its end. Answers what came before it.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        let wanted = text.as_bytes();
        let mut before = Vec::new();
        wait_for_text(text, || {
            self.read();
            let at = self
                .seen
                .windows(wanted.len())
                .position(|part| part == wanted);
            let at = at.ok_or_else(|| String::from_utf8_lossy(&self.seen).into_owned())?;
            before = self.seen.drain(..at + wanted.len()).collect();
            before.truncate(at);
            Ok(())
        });
        String::from_utf8_lossy(&before).into_owned()
    }

    /// What came and was not expected.
    pub(crate) fn rest(&mut self) -> String {
        self.read();
        String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned()
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = self.master.read(&mut buffer) {
            self.seen
                .extend_from_slice(buffer.get(..length).expect("read"));
        }
    }
}

/// Fails with what was seen instead.
fn wait_for_text(text: &str, mut look: impl FnMut() -> Result<(), String>) {
    let mut seen = String::new();
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_for(text, || match look() {
            Ok(()) => Some(()),
            Err(instead) => {
                seen = instead;
                None
            }
        });
    }));
    assert!(found.is_ok(), "`{text}` did not come; seen: {seen:?}");
}

/// A program on a terminal, killed when dropped.
pub(crate) struct OnPty(Child);

impl OnPty {
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("not 0"), signal).expect("signalled");
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        wait_for("its end", || self.0.try_wait().expect("a child"))
    }
}

impl Drop for OnPty {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
