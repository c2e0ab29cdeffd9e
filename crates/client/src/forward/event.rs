//! What happens to a forward, for whoever shows it.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{spec::Remote, trouble::Trouble};

/// Something that happened. None of it ends the forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardEvent {
    /// Connections to this address are forwarded from now on. One event for each address.
    Listening {
        /// The address.
        local: SocketAddr,
        /// Where they go.
        remote: Destination,
        /// The session that they go through at first.
        session: String,
    },
    /// A connection came in.
    Accepted {
        /// Its number: 1, 2, 3 … for all forwards that tell the same listener of events.
        connection: u64,
        /// The address that it came to.
        local: SocketAddr,
        /// Where it came from.
        peer: SocketAddr,
    },
    /// A connection ended as one of its own two ends wanted it.
    Closed {
        /// Its number.
        connection: u64,
        /// What it carried.
        carried: Carried,
        /// Which of them, and how.
        how: Parting,
    },
    /// A connection was refused, or cut off by something between its two ends. Its local socket was
    /// reset, so that nobody takes a part for the whole.
    Failed {
        /// Its number.
        connection: u64,
        /// What it had carried by then.
        carried: Carried,
        /// Why, and what to do about it.
        trouble: Trouble,
    },
    /// The session could open no more connections, and another one has taken its place.
    Renewed {
        /// The new session's id.
        session: String,
        /// What was wrong with the one before, in words.
        because: String,
    },
    /// From now on it is the session's limit that holds up its connections.
    Limited {
        /// The limit each way, in bytes a second.
        bytes_per_s: u64,
    },
}

/// Where a forward's connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A port, as seen from the instance.
    Remote(Remote),
    /// Wherever that session leads, which somebody else has started.
    Session(String),
}

/// How much went each way, in payload bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// From here to the remote side.
    pub sent: u64,
    /// From there to here.
    pub received: u64,
}

/// Which end of a connection ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// Both were done.
    Done,
    /// The local end was reset.
    LocalReset,
    /// The remote end was reset.
    RemoteReset,
    /// The forward was ended.
    Stopped,
}

impl Parting {
    /// In one word, for scripts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::LocalReset => "local_reset",
            Self::RemoteReset => "remote_reset",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(remote) => remote.fmt(out),
            Self::Session(id) => write!(out, "session {id}"),
        }
    }
}

impl fmt::Display for ForwardEvent {
    /// One line without its end, the first two as kubectl has them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { local, remote, .. } => {
                write!(out, "Forwarding from {local} -> {remote}")
            }
            Self::Accepted { local, .. } => {
                write!(out, "Handling connection for {}", local.port())
            }
            Self::Closed {
                connection,
                carried: Carried { sent, received },
                how,
            } => write!(
                out,
                "connection {connection} closed ({}): {sent} bytes sent, {received} received",
                how.word()
            ),
            Self::Failed {
                connection,
                trouble: Trouble { problem, hint, .. },
                ..
            } => write!(out, "connection {connection} failed: {problem}; {hint}"),
            Self::Renewed { session, because } => {
                write!(out, "went on with session {session}: {because}")
            }
            Self::Limited { bytes_per_s } => write!(
                out,
                "limited to {} by session",
                super::rate_in_words(*bytes_per_s)
            ),
        }
    }
}

/// Where events go, in order, and the numbers of the connections that they are of. Clones share
/// both, so that the forwards of one command can be told apart.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<ForwardEvent>,
    accepted: Arc<AtomicU64>,
}

impl From<mpsc::Sender<ForwardEvent>> for Events {
    fn from(sender: mpsc::Sender<ForwardEvent>) -> Self {
        Self {
            sender,
            accepted: Arc::default(),
        }
    }
}

impl Events {
    /// The number of the next connection.
    pub(super) fn next_number(&self) -> u64 {
        self.accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Waits for a reader that is slow.
    pub(super) async fn tell(&self, event: ForwardEvent) {
        // Nobody has to listen.
        let _ = self.sender.send(event).await;
    }

    /// Waits for nobody, so it is for what is no loss.
    pub(super) fn tell_in_passing(&self, event: ForwardEvent) {
        let _ = self.sender.try_send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_kubectls() {
        let local = "[::1]:8080".parse().expect("an address");
        let peer = "[::1]:50000".parse().expect("an address");
        let remote = Destination::Remote(Remote {
            host: None,
            port: 80,
        });

        let listening = ForwardEvent::Listening {
            local,
            remote,
            session: "s-1".into(),
        };
        let accepted = ForwardEvent::Accepted {
            connection: 1,
            local,
            peer,
        };

        assert_eq!(listening.to_string(), "Forwarding from [::1]:8080 -> 80");
        assert_eq!(accepted.to_string(), "Handling connection for 8080");
    }
}
