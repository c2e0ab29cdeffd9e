//! Signals that concern a client: the window changed, or it is time to end.

use std::io;

use axt_proto::frame::Size;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Why a client should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGINT: Ctrl-C where the terminal is not raw.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
    /// No signal: the escape `~.` was typed.
    Escape,
}

impl Stop {
    /// The signal's name, or the escape's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
            Self::Escape => "the escape character and a dot",
        }
    }
}

/// The signals that end a client. While this lives they no longer end the process by themselves.
#[derive(Debug)]
pub struct Stops {
    interrupt: Signal,
    terminate: Signal,
    /// None when whoever started us (nohup) had it ignored: then it stays so.
    hangup: Option<Signal>,
}

impl Stops {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses handlers.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if is_hangup_ignored() {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            },
        })
    }

    /// The next signal that asks to end.
    pub async fn next(&mut self) -> Stop {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(()) = self.interrupt.recv() => Stop::Interrupt,
            Some(()) = self.terminate.recv() => Stop::Terminate,
            Some(()) = hangup => Stop::Hangup,
            else => std::future::pending().await,
        }
    }

    /// The next signal that asks to end while the terminal is raw. There Ctrl-C is a key like any
    /// other, so a SIGINT is meant for somebody else in the process group, such as a wrapper script.
    pub async fn next_while_raw(&mut self) -> Stop {
        loop {
            match self.next().await {
                Stop::Interrupt => {}
                stop => return stop,
            }
        }
    }
}

/// Whether SIGHUP is ignored, as Linux tells it; elsewhere it is taken not to be.
fn is_hangup_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

fn ignores_hangup(status: &str) -> bool {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        // SIGHUP is signal 1, so it is bit 0.
        .is_some_and(|mask| mask & 1 == 1)
}

/// Where a session learns the size of its window.
#[derive(Debug)]
pub enum Sizes {
    /// There is no window.
    None,
    /// The terminal on stdout; SIGWINCH tells of changes, nothing polls.
    Terminal {
        /// SIGWINCH.
        changed: Signal,
    },
    /// Whatever the sender says; for tests and the simulation.
    Given(watch::Receiver<Size>),
}

impl Sizes {
    /// The terminal on stdout, if it is one.
    #[must_use]
    pub fn of_terminal() -> Self {
        match (super::size(), signal(SignalKind::window_change())) {
            (Some(_), Ok(changed)) => Self::Terminal { changed },
            _ => Self::None,
        }
    }

    /// The size now.
    pub fn current(&mut self) -> Option<Size> {
        match self {
            Self::None => None,
            Self::Terminal { .. } => super::size(),
            Self::Given(sizes) => Some(*sizes.borrow_and_update()),
        }
    }

    /// The size after the next change; several changes at once are one. Cancel-safe.
    pub async fn changed(&mut self) -> Size {
        loop {
            let is_open = match self {
                Self::None => false,
                Self::Terminal { changed } => changed.recv().await.is_some(),
                Self::Given(sizes) => sizes.changed().await.is_ok(),
            };
            if !is_open {
                return std::future::pending().await;
            }
            if let Some(size) = self.current() {
                return size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nohup_is_told_by_the_mask_of_ignored_signals() {
        assert!(ignores_hangup("Name:\taxt\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("Name:\taxt\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
