//! The first process of a container, where nobody else is: it starts the program itself, passes
//! signals on to it, and reaps whatever the container leaves without a parent.
//!
//! The kernel gives a container's orphans to its first process, and keeps from it every signal that
//! it has no handler for. A program that waits for its own children by their ids would leave the
//! orphans of others as zombies; so the first process does nothing but this, and the program is its
//! child. As the first process ends, the kernel ends all others of the container.

use std::{
    env,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{self, Command, ExitCode},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{self, SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        wait::{self, WaitPidFlag, WaitStatus},
    },
    unistd::Pid,
};

/// What is passed on. The rest is for this process (a child's end), or cannot be caught.
const PASSED_ON: [Signal; 7] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
];

/// A signal of the kernel's own (`SI_KERNEL`): a terminal's Ctrl-C, which the whole group gets.
const OF_THE_KERNEL: i32 = 0x80;

/// Whether this is the first process of a container.
#[must_use]
pub fn is_wanted() -> bool {
    process::id() == 1
}

/// For the program that the first process has started, before it does anything: lets in the signals that
/// it was started without.
pub fn settle() {
    if Pid::parent().as_raw() == 1 {
        // A mask that cannot be set is none that could be wrong.
        let _ = awaited().thread_unblock();
    }
}

/// Runs this same program again, with the same arguments, and ends as it does: with its exit code, or
/// with 128 and the number of the signal that ended it.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(u8::try_from(status & 0xff).unwrap_or(u8::MAX)),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: the first process: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<i32> {
    // Blocked before there is a child whose end could be missed; the child is started so too, and
    // settles.
    let awaited = awaited();
    awaited.thread_block()?;
    let signals = SignalFd::with_flags(&awaited, SfdFlags::SFD_CLOEXEC)?;
    // Under the name that it was called by, for those who look at the list of processes.
    let name = env::args_os().next().unwrap_or_default();
    let program = Command::new("/proc/self/exe")
        .arg0(name)
        .args(env::args_os().skip(1))
        .spawn()?;
    // The handle is let go: it is reaped like the orphans.
    let program = Pid::from_raw(program.id().cast_signed());
    loop {
        if let Some(status) = reap(program) {
            return Ok(status);
        }
        let Some(arrived) = signals.read_signal()? else {
            continue;
        };
        let number = i32::try_from(arrived.ssi_signo).unwrap_or_default();
        match Signal::try_from(number) {
            Ok(Signal::SIGCHLD) | Err(_) => {}
            Ok(_) if arrived.ssi_code == OF_THE_KERNEL => {}
            // It may have ended just now, and then there is nobody to tell.
            Ok(signal) => {
                let _ = signal::kill(program, signal);
            }
        }
    }
}

fn awaited() -> SigSet {
    let mut awaited: SigSet = PASSED_ON.into_iter().collect();
    awaited.add(Signal::SIGCHLD);
    awaited
}

/// Takes leave of all children that have ended; the program's status, if it is among them.
fn reap(program: Pid) -> Option<i32> {
    let mut status = None;
    loop {
        match wait::waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == program => status = Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == program => {
                status = Some(128 + signal as i32);
            }
            Ok(WaitStatus::StillAlive) => return status,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return status,
        }
    }
}
