//! The shell and everything that it started: reaped while it lives, ended when it is over.

use std::{fs, time::Duration};

use nix::{
    errno::Errno,
    sys::{
        signal::{self, Signal},
        wait::{self, WaitPidFlag, WaitStatus},
    },
    unistd::Pid,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    time::{ClockId, clock_gettime},
};

use super::supervisor::Signals;

/// How long processes have, after the hang-up, to end by themselves.
const GRACE: Duration = Duration::from_millis(200);
/// How long killing and reaping may take in all. Only a process that the kernel will not let go
/// (uninterruptible, or another user's under an agent that is not root) is left after it.
pub(crate) const LIMIT: Duration = Duration::from_millis(2_500);
/// How often children are looked for while none ends: a parent's end makes its children ours.
pub(crate) const ROUND: Duration = Duration::from_millis(10);

pub(super) struct Family {
    shell: Pid,
    status: Option<i32>,
}

impl Family {
    pub(super) fn of(shell: Pid) -> Self {
        Self {
            shell,
            status: None,
        }
    }

    pub(super) fn shell_has_ended(&self) -> bool {
        self.status.is_some()
    }

    /// Takes leave of all children that have ended. Returns whether there are any others.
    pub(super) fn reap(&mut self) -> bool {
        loop {
            match wait::waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return true,
                Ok(WaitStatus::Exited(pid, status)) if pid == self.shell => {
                    self.status = Some(status);
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.shell => {
                    self.status = Some(128 + signal as i32);
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Ends the shell, if it has not ended, and every descendant. Returns the shell's status.
    pub(super) fn end_all(&mut self, signals: &Signals) -> i32 {
        self.hang_up();
        let started = now();
        while self.reap() {
            let spent = now().saturating_sub(started);
            if spent > LIMIT {
                break;
            }
            if spent >= GRACE {
                // Only children, not their children: those become ours as their parents end, and
                // so nobody can slip away between being seen and being killed.
                for child in children() {
                    let _ = signal::kill(child, Signal::SIGKILL);
                }
            }
            wait_for_child(signals);
        }
        self.status_or_killed()
    }

    /// Ends the shell alone, if it has not ended. Returns its status.
    pub(super) fn end_shell(&mut self, signals: &Signals) -> i32 {
        if !self.shell_has_ended() {
            self.hang_up();
        }
        let started = now();
        while self.reap() && !self.shell_has_ended() {
            let spent = now().saturating_sub(started);
            if spent > LIMIT {
                break;
            }
            if spent >= GRACE {
                let _ = signal::kill(self.shell, Signal::SIGKILL);
            }
            wait_for_child(signals);
        }
        self.status_or_killed()
    }

    /// What a terminal that goes away says to the programs on it; a stopped one must wake to hear it.
    fn hang_up(&self) {
        for child in children() {
            let _ = signal::kill(child, Signal::SIGHUP);
            let _ = signal::kill(child, Signal::SIGCONT);
        }
    }

    fn status_or_killed(&self) -> i32 {
        self.status.unwrap_or(128 + Signal::SIGKILL as i32)
    }
}

/// The children now of this process, the helper or the agent: of all its threads.
pub(crate) fn children() -> Vec<Pid> {
    // The kernel's own lists, where it keeps them (CONFIG_PROC_CHILDREN).
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let lists: Vec<_> = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .collect();
    if !lists.is_empty() {
        let all = lists.iter().flat_map(|list| list.split_ascii_whitespace());
        return all.filter_map(pid).collect();
    }
    let own = Pid::this();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| pid(entry.file_name().to_str()?))
        .filter(|process| parent(*process) == Some(own))
        .collect()
}

fn parent(process: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name stands in parentheses and may itself hold some.
    let (_, after_name) = stat.rsplit_once(')')?;
    pid(after_name.split_ascii_whitespace().nth(1)?)
}

fn pid(text: &str) -> Option<Pid> {
    text.parse().ok().map(Pid::from_raw)
}

/// Waits for a child's end, for [`ROUND`] at most.
fn wait_for_child(signals: &Signals) {
    let mut ready = [PollFd::new(signals, PollFlags::IN)];
    let round = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(ROUND.subsec_nanos()),
    };
    let _ = rustix::event::poll(&mut ready, Some(&round));
    signals.take_all();
}

/// The monotonic clock. The helper is a program of its own, beyond the reach of the clocks that a
/// tester moves.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        now.tv_sec.try_into().unwrap_or_default(),
        now.tv_nsec.try_into().unwrap_or_default(),
    )
}
