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
}

impl Stop {
    /// The signal's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

/// The signals that end a client. While this lives they no longer end the process by themselves.
#[derive(Debug)]
pub struct Stops {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
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
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal that asks to end.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            biased;
            Some(()) = self.interrupt.recv() => Stop::Interrupt,
            Some(()) = self.terminate.recv() => Stop::Terminate,
            Some(()) = self.hangup.recv() => Stop::Hangup,
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
