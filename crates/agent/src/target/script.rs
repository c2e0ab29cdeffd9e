//! The scripted shell: what stands for a shell in the simulation.
//!
//! Everything happens in memory and in one order only, so that a seed gives the same bytes each
//! time. It echoes what is typed, ends lines at CR or LF, and knows these lines:
//!
//! | line | what it does |
//! |---|---|
//! | `echo TEXT` | prints TEXT |
//! | `exit [N]` | ends with status N (0) |
//! | `size` | prints rows and columns, as `stty size` does |
//! | `flood N` | prints N bytes: `0123456789` again and again, with a line's end after each 80 |
//! | Ctrl-C | stops a flood, or forgets the line |
//! | Ctrl-D on an empty line | ends with status 0 |
//!
//! On pipes it neither echoes nor prompts, line ends are LF, and control bytes are text; the end of
//! its input is `exit`.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axt_proto::Size;
use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use super::Target;
use crate::{helper::ShellSpec, shell::ShellEnd};

/// Input waits while this many bytes of output wait to be read.
const OUTPUT_MAX: usize = 16 * 1024;
const PROMPT: &str = "$ ";
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
/// What a shell says of a program that the terminal's hang-up ended.
const HUNG_UP: i32 = 129;

pub(super) fn open(spec: &ShellSpec, size: Size) -> Target {
    let mut script = Script {
        is_terminal: spec.terminal,
        size,
        ..Script::default()
    };
    match &spec.command {
        Some(line) => {
            script.run(line);
            script.exit_after_output.get_or_insert(0);
        }
        None => script.prompt(),
    }
    let shared = Shared(Arc::new(Inner {
        script: Mutex::new(script),
        changed: Notify::new(),
    }));
    Target {
        input: super::Input::Script(Input(shared.clone())),
        output: super::Output::Script(Output(shared.clone())),
        control: super::Control::Script(Control(shared)),
    }
}

#[derive(Debug, Default)]
struct Script {
    is_terminal: bool,
    size: Size,
    line: Vec<u8>,
    output: BytesMut,
    flood_left: u64,
    flood_column: u64,
    exit_after_output: Option<i32>,
}

impl Script {
    fn take(&mut self, byte: u8) {
        match byte {
            CTRL_C if self.is_terminal => {
                self.flood_left = 0;
                self.line.clear();
                self.print("^C");
                self.end_line();
                self.prompt();
            }
            CTRL_D if self.is_terminal && self.line.is_empty() => self.exit(0),
            b'\r' | b'\n' => {
                if self.is_terminal {
                    self.end_line();
                }
                let line = std::mem::take(&mut self.line);
                self.run(&String::from_utf8_lossy(&line));
                if self.flood_left == 0 {
                    self.prompt();
                }
            }
            byte => {
                if self.is_terminal {
                    self.output.extend_from_slice(&[byte]);
                }
                self.line.push(byte);
            }
        }
    }

    fn run(&mut self, line: &str) {
        let (name, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match name {
            "" => return,
            "echo" => self.print(rest),
            "size" => self.print(&format!("{} {}", self.size.rows, self.size.cols)),
            "exit" => return self.exit(rest.parse().unwrap_or_default()),
            "flood" => {
                self.flood_left = rest.parse().unwrap_or_default();
                self.flood_column = 0;
                return;
            }
            unknown => self.print(&format!("{unknown}: not found")),
        }
        self.end_line();
    }

    fn exit(&mut self, status: i32) {
        self.flood_left = 0;
        self.exit_after_output.get_or_insert(status);
    }

    fn print(&mut self, text: &str) {
        self.output.extend_from_slice(text.as_bytes());
    }

    fn end_line(&mut self) {
        self.print(if self.is_terminal { "\r\n" } else { "\n" });
    }

    fn prompt(&mut self) {
        if self.is_terminal && self.exit_after_output.is_none() {
            self.print(PROMPT);
        }
    }

    /// The flood is made as it is read: there may be more of it than memory.
    fn flow(&mut self, most: usize) {
        while self.flood_left > 0 && self.output.len() < most {
            let byte = match self.flood_column % 81 {
                80 => b'\n',
                column => b"0123456789"
                    .get(usize::try_from(column % 10).unwrap_or_default())
                    .copied()
                    .unwrap_or(b'0'),
            };
            self.output.extend_from_slice(&[byte]);
            self.flood_column += 1;
            self.flood_left -= 1;
            if self.flood_left == 0 {
                self.end_line();
                self.prompt();
            }
        }
    }
}

#[derive(Debug)]
struct Inner {
    script: Mutex<Script>,
    changed: Notify,
}

#[derive(Clone, Debug)]
struct Shared(Arc<Inner>);

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the script after each change until `look` has found what it wants.
    async fn until<T>(&self, mut look: impl FnMut(&mut Script) -> Option<T>) -> T {
        loop {
            let changed = self.0.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // Registered before the look, so that no change falls between the two.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.script()) {
                self.0.changed.notify_waiters();
                return found;
            }
            changed.await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Input(Shared);

impl Input {
    pub(super) async fn write(&self, data: &[u8]) -> io::Result<usize> {
        self.0
            .until(|script| {
                if script.exit_after_output.is_some() {
                    return Some(Err(io::ErrorKind::BrokenPipe.into()));
                }
                // A key that interrupts is taken however much output waits.
                let interrupts = script.is_terminal && data.contains(&CTRL_C);
                if script.output.len() >= OUTPUT_MAX && !interrupts {
                    return None;
                }
                for byte in data {
                    script.take(*byte);
                }
                Some(Ok(data.len()))
            })
            .await
    }

    pub(super) fn finish(&self) {
        let mut script = self.0.script();
        if !script.is_terminal {
            script.exit_after_output.get_or_insert(0);
            self.0.0.changed.notify_waiters();
        }
    }

    pub(super) fn resize(&self, size: Size) {
        self.0.script().size = size;
    }
}

#[derive(Debug)]
pub(crate) struct Output(Shared);

impl Output {
    pub(super) async fn read(&self, most: usize) -> io::Result<Bytes> {
        let read = self.0.until(|script| {
            script.flow(most);
            if !script.output.is_empty() {
                let len = most.min(script.output.len());
                return Some(script.output.split_to(len).freeze());
            }
            script.exit_after_output.map(|_| Bytes::new())
        });
        Ok(read.await)
    }
}

#[derive(Debug)]
pub(crate) struct Control(Shared);

impl Control {
    pub(super) async fn ended(&self) -> ShellEnd {
        let ended = self.0.until(|script| script.exit_after_output);
        ShellEnd::Exited(ended.await)
    }

    pub(super) fn stop(&self) {
        self.0.script().exit(HUNG_UP);
        self.0.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: Option<&str>, terminal: bool) -> Target {
        let spec = ShellSpec {
            command: line.map(str::to_owned),
            terminal,
            ..ShellSpec::default()
        };
        let size = Size { rows: 4, cols: 9 };
        open(&spec, size)
    }

    async fn everything(target: &mut Target) -> String {
        let mut all = Vec::new();
        loop {
            let more = target.output.read(1_000).await.expect("reads");
            if more.is_empty() {
                break;
            }
            all.extend_from_slice(&more);
        }
        String::from_utf8(all).expect("text")
    }

    #[tokio::test]
    async fn a_typed_session_reads_like_one() {
        let mut target = command(None, true);
        let typed = b"echo hi\rsize\rwhat\rexit 3\r";

        target
            .input
            .write(&[Bytes::from_static(typed)])
            .await
            .expect("taken");

        let screen =
            "$ echo hi\r\nhi\r\n$ size\r\n4 9\r\n$ what\r\nwhat: not found\r\n$ exit 3\r\n";
        assert_eq!(everything(&mut target).await, screen);
        assert_eq!(target.control.ended().await, ShellEnd::Exited(3));
    }

    #[tokio::test]
    async fn a_command_on_pipes_prints_its_own_bytes_only() {
        let mut target = command(Some("echo a"), false);

        assert_eq!(everything(&mut target).await, "a\n");
        assert_eq!(target.control.ended().await, ShellEnd::Exited(0));
    }

    #[tokio::test]
    async fn ctrl_c_ends_a_flood() {
        let mut target = command(None, true);
        let endless = b"flood 1000000000000\r";
        target
            .input
            .write(&[Bytes::from_static(endless)])
            .await
            .expect("taken");
        target.output.read(8_192).await.expect("floods");

        target
            .input
            .write(&[Bytes::from_static(b"\x03exit\r")])
            .await
            .expect("taken");

        assert!(everything(&mut target).await.ends_with("^C\r\n$ exit\r\n"));
    }
}
