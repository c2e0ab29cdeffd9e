//! `axt top` on a terminal, and as a table.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

mod harness;

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use axt_sandbox::Sandbox;
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Termios, Winsize, tcgetattr, tcsetwinsize},
};

use harness::{GUARD, sandbox, shell};

/// A terminal with `axt top` on it.
struct Top {
    master: OwnedFd,
    slave: File,
    before: Termios,
    child: Child,
    drawn: mpsc::Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Top {
    fn start(sandbox: &Sandbox) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("text");
        let slave = File::options().read(true).write(true).open(name);
        let slave = slave.expect("opened");
        let size = Winsize {
            ws_row: 30,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a size");
        let stdio = || Stdio::from(slave.try_clone().expect("cloned"));
        let before = tcgetattr(&slave).expect("a terminal");
        let child = axt(sandbox, &["top", "--every", "50ms"])
            .stdin(stdio())
            .stdout(stdio())
            .stderr(Stdio::null())
            .spawn()
            .expect("axt runs");
        let (sender, drawn) = mpsc::sync_channel(64);
        let mut reader = File::from(master.try_clone().expect("cloned"));
        thread::Builder::new()
            .spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = reader.read(&mut buffer) {
                    let part = buffer.get(..read).unwrap_or_default().to_vec();
                    if sender.send(part).is_err() {
                        return;
                    }
                }
            })
            .expect("a thread");
        Self {
            master,
            slave,
            before,
            child,
            drawn,
            screen: Vec::new(),
        }
    }

    /// Waits until this is drawn.
    fn expect(&mut self, text: &str) {
        loop {
            if String::from_utf8_lossy(&self.screen).contains(text) {
                return;
            }
            match self.drawn.recv_timeout(GUARD) {
                Ok(part) => self.screen.extend(part),
                Err(_) => panic!(
                    "`{text}` was not drawn: {}",
                    String::from_utf8_lossy(&self.screen)
                ),
            }
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.screen.clear();
        rustix::io::write(&self.master, keys).expect("typed");
    }

    /// Waits for its end, after which the terminal is as it was.
    fn expect_gone(mut self) {
        self.expect("\x1b[?25h\x1b[?1049l");
        let status = self.child.wait().expect("a child");
        assert!(status.success(), "{status}");
        let after = tcgetattr(&self.slave).expect("a terminal");
        assert_eq!(self.before.local_modes, after.local_modes);
        assert_eq!(self.before.input_modes, after.input_modes);
        assert_eq!(self.before.output_modes, after.output_modes);
    }
}

impl Drop for Top {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn axt(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut axt = Command::new(env!("CARGO_BIN_EXE_axt"));
    axt.args(arguments)
        .env_remove("AXT_CONFIG")
        .env("AXT_ADMIN", &sandbox.ready().admin)
        .env("HOME", sandbox.state().path());
    axt
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_watches_a_session_and_leaves_by_a_key() {
    let sandbox = sandbox().await;
    let mut terminal = shell(&sandbox).await;

    let top = tokio::task::block_in_place(|| {
        let mut top = Top::start(&sandbox);
        top.expect("IDLE LEFT");
        top.expect("s sort (id)");
        top.press(b"s");
        top.expect("s sort (up)");
        top.press(b"\x1b[B");
        top.expect("rule time");
        top
    });
    terminal.type_line("echo mo''re").await.expect("typed");
    terminal.expect("more").await.expect("printed");

    tokio::task::block_in_place(|| {
        let mut top = top;
        top.press(b"q");
        top.expect_gone();
    });
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_is_put_back_when_it_is_ended_from_outside() {
    let sandbox = sandbox().await;

    tokio::task::block_in_place(|| {
        let mut top = Top::start(&sandbox);
        top.expect("no connection");
        let child = Pid::from_child(&top.child);
        kill_process(child, Signal::TERM).expect("ended");
        top.expect_gone();
    });
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_one_table() {
    let sandbox = sandbox().await;
    let _terminal = shell(&sandbox).await;

    let ran = tokio::task::block_in_place(|| axt(&sandbox, &["top", "--once"]).output());

    let ran = ran.expect("axt runs");
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{text}");
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("conn-"))
        .collect();
    let [connection] = rows.as_slice() else {
        panic!("one connection: {text}")
    };
    let cells: Vec<_> = connection.split_whitespace().collect();
    assert_eq!(cells.get(2), Some(&"live"), "{text}");
    let left = cells.get(8).copied().unwrap_or_default();
    assert!(left.starts_with("2m5") || left == "3m00s", "{text}");
    sandbox.shutdown().await;
}
