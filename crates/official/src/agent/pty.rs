//! A shell for real, on a terminal, as the official agent opens it (wire-protocol 9.1): `bash`, or the
//! words of the command, on a terminal without a size, in the home of its user. Here that is always
//! the user of this process: no account is made.

use std::{
    env, io,
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{self, OpenptFlags},
    termios::{Winsize, tcsetwinsize},
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    process::{Child, Command},
};

use super::shell;

/// Bytes of output that are read at once.
const READ: usize = 1_024;

#[derive(Debug)]
pub(super) struct Pty {
    terminal: AsyncFd<OwnedFd>,
    child: Child,
    /// Input that the terminal has not taken; nothing more is read before it has.
    pending: Vec<u8>,
    /// What was read but is no whole character yet.
    held: Vec<u8>,
}

impl Pty {
    pub(super) fn start(command: &str) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = pty::openpt(flags)?;
        pty::unlockpt(&terminal)?;
        let theirs = pty::ioctl_tiocgptpeer(&terminal, flags)?;
        rustix::io::ioctl_fionbio(&terminal, true)?;
        let stdio = || theirs.try_clone().map(Stdio::from);
        let home = env::var_os("HOME").unwrap_or_else(|| "/".into());
        let language = env::var_os("LANG").unwrap_or_else(|| "C.UTF-8".into());
        let words = match command {
            "" => "bash",
            words => words,
        };
        let child = Command::new("setsid")
            .arg("--ctty")
            // Words alone: no shell is around them.
            .args(words.split_whitespace())
            .env("TERM", "xterm-256color")
            .env("LANG", language)
            .current_dir(home)
            .stdin(stdio()?)
            .stdout(stdio()?)
            .stderr(stdio()?)
            .spawn()?;
        // SAFETY: an `OwnedFd` names one open descriptor from its making to its drop, and nobody can
        // get at this one to swap it: only shared references are ever handed out.
        #[allow(unsafe_code)]
        let terminal = unsafe { AsyncFd::register(terminal) }?;
        Ok(Self {
            terminal,
            child,
            pending: Vec::new(),
            held: Vec::new(),
        })
    }

    pub(super) fn resize(&self, rows: u64, cols: u64) {
        let number = |number: u64| u16::try_from(number).unwrap_or_default();
        let size = Winsize {
            ws_row: number(rows),
            ws_col: number(cols),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let _ = tcsetwinsize(self.terminal.as_fd(), size);
    }

    pub(super) fn feed(&mut self, input: &[u8]) {
        self.pending.extend_from_slice(input);
    }

    /// Whether it takes more input.
    pub(super) fn has_room(&self) -> bool {
        self.pending.is_empty()
    }

    /// The next piece of output, empty when there is none to send; `None` at the end. Cancel-safe.
    pub(super) async fn turn(&mut self, may_send: impl Future<Output = ()>) -> Option<Vec<u8>> {
        let Self {
            terminal,
            pending,
            held,
            ..
        } = self;
        let writing = async {
            let write = |fd: &OwnedFd| Ok(rustix::io::write(fd, pending)?);
            terminal.async_io(Interest::WRITABLE, write).await
        };
        let reading = async {
            may_send.await;
            let mut piece = vec![0; READ - held.len()];
            let read = |fd: &OwnedFd| Ok(rustix::io::read(fd, &mut piece[..])?);
            // EIO is the end: no program has the terminal any more.
            let length = terminal.async_io(Interest::READABLE, read).await;
            piece.truncate(length.unwrap_or_default());
            piece
        };
        tokio::select! {
            written = writing, if !pending.is_empty() => {
                // Nobody reads what nobody can read.
                let written = written.unwrap_or(pending.len());
                pending.drain(..written);
                Some(Vec::new())
            }
            piece = reading => {
                if piece.is_empty() {
                    return None;
                }
                Some(shell::as_sent(held, piece))
            }
        }
    }
}

impl Drop for Pty {
    /// The shell is killed; its background jobs survive.
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_echoes_what_it_is_told_and_ends() {
        let mut pty = Pty::start("cat").expect("a terminal");
        pty.resize(30, 100);
        pty.feed("\u{4f60}\r\u{4}".as_bytes());

        let mut seen = Vec::new();
        while let Some(piece) = pty.turn(std::future::ready(())).await {
            seen.extend(piece);
        }

        assert_eq!(String::from_utf8_lossy(&seen), "\u{4f60}\r\n\u{4f60}\r\n");
    }
}
