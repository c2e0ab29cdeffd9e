//! A shell, as the agent holds it: a way in, a way out, and the helper that tells how it ended.
//!
//! rustix opens the PTY, not portable-pty: that crate cannot hand a descriptor to the child, change
//! the user, or report a failed exec, types a newline and an EOT into the shell when its writer is
//! dropped, and wants a thread to read from. What is left of it is a dozen lines
//! (`descriptor` and `open_terminal`), which make pipes and terminals the same thing here:
//! non-blocking descriptors that wait in the runtime's one epoll, so that an idle shell costs no
//! thread.

mod descriptor;
mod orphans;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    os::unix,
    path::PathBuf,
    process::Stdio,
};

use axt_proto::Size;
use bytes::{Bytes, BytesMut};
use rustix::{
    net::Shutdown,
    pty::{self, OpenptFlags},
    termios::{self, InputModes, OptionalActions, Winsize},
};
use tokio::{
    io::AsyncReadExt,
    net::UnixStream,
    process::{Child, Command},
};

use crate::helper::{Report, SUPERVISE, ShellSpec};
use descriptor::Descriptor;
use orphans::Known;

/// How much of a helper's own words is kept.
const WORDS_MAX: usize = 4_096;

/// The program that starts shells: [`crate::helper::main`] must be what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperProgram {
    /// Its path.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Default for HelperProgram {
    /// `axt __shell`, of the program that is running now, even when its file was replaced since.
    fn default() -> Self {
        Self {
            path: PathBuf::from("/proc/self/exe"),
            args: vec!["__shell".to_owned()],
        }
    }
}

/// A shell could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The system has no terminal, pipe or socket to give.
    #[error("cannot open {what}: {errno}")]
    Open {
        /// What was to be opened.
        what: &'static str,
        /// The system's answer.
        errno: io::Error,
    },
    /// The helper cannot be started.
    #[error("cannot start the shell helper `{}`: {errno}", .path.display())]
    Helper {
        /// The setting.
        path: PathBuf,
        /// The system's answer.
        errno: io::Error,
    },
}

impl ShellError {
    fn opening<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |errno| Self::Open {
            what,
            errno: errno.into(),
        }
    }
}

/// How a shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellEnd {
    /// By itself or by a signal: its exit status, or 128 and the signal's number.
    Exited(i32),
    /// It never started, or its helper was lost. In words.
    Failed(String),
}

/// A shell that was started. Its parts are independent: input that waits does not hold up output.
#[derive(Debug)]
pub struct Shell {
    /// Where its input goes.
    pub input: ShellInput,
    /// Where its output comes from.
    pub output: ShellOutput,
    /// Its helper.
    pub control: ShellControl,
}

impl Shell {
    /// Starts a shell. A terminal has `size` before anything runs on it.
    ///
    /// That the account or its shell is not there comes to light later, as [`ShellEnd::Failed`].
    ///
    /// # Errors
    /// When the system has no descriptors left, or the helper cannot be started.
    pub fn start(helper: &HelperProgram, spec: &ShellSpec, size: Size) -> Result<Self, ShellError> {
        let (ours, theirs) = if spec.terminal {
            open_terminal(size).map_err(ShellError::opening("a terminal"))?
        } else {
            open_pipes().map_err(ShellError::opening("pipes"))?
        };
        let (control, their_control) =
            unix::net::UnixStream::pair().map_err(ShellError::opening("a control socket"))?;
        control
            .set_nonblocking(true)
            .map_err(ShellError::opening("a control socket"))?;
        let socket =
            UnixStream::from_std(control).map_err(ShellError::opening("a control socket"))?;

        let failed_start = |errno| ShellError::Helper {
            path: helper.path.clone(),
            errno,
        };
        let spec_text = serde_json::to_string(spec).map_err(|error| failed_start(error.into()))?;
        if !spec.keep_background {
            orphans::adopt();
        }
        let mut command = Command::new(&helper.path);
        command
            .args(&helper.args)
            .env(SUPERVISE, spec_text)
            .stdin(Stdio::from(theirs.input))
            .stdout(Stdio::from(theirs.output))
            .stderr(Stdio::from(OwnedFd::from(their_control)));
        let started = orphans::known(|| {
            let child = command.spawn()?;
            let id = child.id();
            Ok((child, id))
        });
        let (child, known) = started.map_err(failed_start)?;
        // Our copies of its ends, which would keep the output from ending.
        drop(command);
        Ok(Self {
            input: ours.input,
            output: ours.output,
            control: ShellControl {
                child,
                adopts: !spec.keep_background,
                _known: known,
                socket,
                words: BytesMut::new(),
            },
        })
    }
}

struct Ours {
    input: ShellInput,
    output: ShellOutput,
}

struct Theirs {
    input: OwnedFd,
    output: OwnedFd,
}

fn open_terminal(size: Size) -> io::Result<(Ours, Theirs)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = pty::openpt(flags)?;
    pty::unlockpt(&master)?;
    let terminal = pty::ioctl_tiocgptpeer(&master, flags)?;
    termios::tcsetwinsize(&master, winsize(size))?;
    // So that a line's erase key takes whole characters away.
    let mut modes = termios::tcgetattr(&terminal)?;
    modes.input_modes |= InputModes::IUTF8;
    termios::tcsetattr(&terminal, OptionalActions::Now, &modes)?;

    let master = Descriptor::new(master)?;
    let ours = Ours {
        input: ShellInput(Some(Way::Terminal(master.clone()))),
        output: ShellOutput(master),
    };
    let theirs = Theirs {
        input: terminal.try_clone()?,
        output: terminal,
    };
    Ok((ours, theirs))
}

fn open_pipes() -> io::Result<(Ours, Theirs)> {
    let (their_input, input) = io::pipe()?;
    let (output, their_output) = io::pipe()?;
    let ours = Ours {
        input: ShellInput(Some(Way::Pipe(Descriptor::new(input.into())?))),
        output: ShellOutput(Descriptor::new(output.into())?),
    };
    let theirs = Theirs {
        input: their_input.into(),
        output: their_output.into(),
    };
    Ok((ours, theirs))
}

fn winsize(size: Size) -> Winsize {
    Winsize {
        ws_row: size.rows,
        ws_col: size.cols,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// Where a shell's input goes.
#[derive(Debug)]
pub struct ShellInput(Option<Way>);

#[derive(Debug)]
enum Way {
    Terminal(Descriptor),
    Pipe(Descriptor),
}

impl ShellInput {
    /// Writes some of `data` as soon as any of it fits, and says how many bytes. Dropped before it
    /// has answered, it has written nothing.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody will read it any more.
    pub async fn write(&self, data: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Some(Way::Terminal(descriptor) | Way::Pipe(descriptor)) => descriptor.write(data).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Ends the input of a shell on pipes. A terminal's input has no end: there the user types one.
    pub fn finish(&mut self) {
        if matches!(self.0, Some(Way::Pipe(_))) {
            self.0 = None;
        }
    }

    /// Tells a terminal its size; the programs on it are told by the kernel.
    ///
    /// # Errors
    /// The system's.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        match &self.0 {
            Some(Way::Terminal(descriptor)) => {
                Ok(termios::tcsetwinsize(descriptor.as_fd(), winsize(size))?)
            }
            _ => Ok(()),
        }
    }
}

/// Where a shell's output comes from; its errors are merged into it.
#[derive(Debug)]
pub struct ShellOutput(Descriptor);

impl ShellOutput {
    /// Reads what is there, `most` bytes at most, or waits for some. Empty at the end. Dropped
    /// before it has answered, it has read nothing.
    ///
    /// # Errors
    /// The system's.
    pub async fn read(&mut self, most: usize) -> io::Result<Bytes> {
        self.0.read(most).await
    }
}

/// A shell's helper. Dropped, it ends the shell with all that it started.
#[derive(Debug)]
pub struct ShellControl {
    child: Child,
    /// Whether what a helper leaves behind comes to this process.
    adopts: bool,
    _known: Known,
    socket: UnixStream,
    words: BytesMut,
}

impl ShellControl {
    /// Asks the helper to end the shell and all that it started; [`ShellControl::ended`] tells when
    /// that is done.
    pub fn stop(&self) {
        // The socket may be gone already, and then so is the shell.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
    }

    /// Waits until the shell has ended and its helper has been reaped. May be dropped and asked
    /// again.
    pub async fn ended(&mut self) -> ShellEnd {
        loop {
            match self.socket.read_buf(&mut self.words).await {
                Ok(1..) if self.words.len() < WORDS_MAX => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        // It closes the socket by ending.
        let reaped = self.child.wait().await;
        match read_reports(&self.words) {
            Ok(end) => end,
            Err(words) => {
                if self.adopts {
                    orphans::end().await;
                }
                let how =
                    reaped.map_or_else(|error| error.to_string(), |status| status.to_string());
                ShellEnd::Failed(format!("the shell helper was lost ({how}) {words}"))
            }
        }
    }
}

/// Finds out what happened from all that a helper said. A failure outweighs the exit status of the
/// stage that failed. The error is what was said beside reports.
fn read_reports(words: &[u8]) -> Result<ShellEnd, String> {
    let mut exited = None;
    let mut others = String::new();
    for line in words.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Report::Failed(why)) => return Ok(ShellEnd::Failed(why)),
            Ok(Report::Exited(status)) => exited = Some(ShellEnd::Exited(status)),
            Err(_) => others.push_str(&String::from_utf8_lossy(line)),
        }
    }
    exited.ok_or(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_the_status_of_the_stage_that_failed() {
        let words = b"{\"failed\":\"no user\"}\n{\"exited\":0}\n";

        assert_eq!(
            read_reports(words),
            Ok(ShellEnd::Failed("no user".to_owned()))
        );
    }

    #[test]
    fn a_loaders_words_are_kept_when_nothing_was_reported() {
        let words = b"cannot load libc.so.6\n";

        assert_eq!(read_reports(words), Err("cannot load libc.so.6".to_owned()));
    }
}
