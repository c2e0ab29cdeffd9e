//! What happens to a forward, for whoever shows it.

use std::{fmt, net::SocketAddr};

use tokio::sync::mpsc;

use super::spec::Remote;
use crate::session::{Ended, OpenError, Why};

/// Something that happened. None of it ends the forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardEvent {
    /// Connections to this address are forwarded from now on. One event for each address.
    Listening {
        /// The address.
        local: SocketAddr,
        /// Where they go.
        remote: Remote,
    },
    /// A connection came in.
    Accepted {
        /// Its number: 1, 2, 3 … for this forward.
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
        /// Payload from here to the remote side, in bytes.
        sent: u64,
        /// Payload from there to here, in bytes.
        received: u64,
    },
    /// A connection was refused, or cut off by something between its two ends. Its local socket was
    /// reset, so that nobody takes a part for the whole.
    Failed {
        /// Its number.
        connection: u64,
        /// Why, in words.
        problem: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
}

impl fmt::Display for ForwardEvent {
    /// One line without its end, the first two as kubectl has them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { local, remote } => write!(out, "Forwarding from {local} -> {remote}"),
            Self::Accepted { local, .. } => {
                write!(out, "Handling connection for {}", local.port())
            }
            Self::Closed {
                connection,
                sent,
                received,
            } => write!(
                out,
                "connection {connection} closed: {sent} bytes sent, {received} received"
            ),
            Self::Failed {
                connection,
                problem,
                ..
            } => write!(out, "connection {connection} failed: {problem}"),
        }
    }
}

impl ForwardEvent {
    pub(super) fn refused(connection: u64, error: &OpenError) -> Self {
        let hint = match error {
            OpenError::Refused { code, .. } => hint(code),
            OpenError::Connect(_) => Some("`axt health` says whether the relay works"),
            OpenError::Call(_) | OpenError::Answer(_) => None,
        };
        Self::Failed {
            connection,
            problem: error.to_string(),
            hint,
        }
    }

    pub(super) fn cut_off(connection: u64, why: Why) -> Self {
        let told = Ended {
            why,
            exit_code: None,
        };
        let (problem, hint) = told
            .message()
            .unwrap_or_else(|| ("cut off".to_owned(), None));
        Self::Failed {
            connection,
            problem,
            hint,
        }
    }
}

/// What to do about a refused upgrade (design, "Refused upgrades").
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "SessionUrl.Expired" | "SessionUrl.Ended" => "start the forward anew",
        "SessionCount.ExceedLimit" => {
            "an instance takes 20 connections at a time: close some, or start the sandbox with \
             `--limit connections_per_instance=…`"
        }
        _ => return None,
    })
}

/// Where events go: in order, and waiting for a reader that is slow.
#[derive(Clone, Debug)]
pub(super) struct Events(pub(super) mpsc::Sender<ForwardEvent>);

impl Events {
    pub(super) async fn tell(&self, event: ForwardEvent) {
        // Nobody has to listen.
        let _ = self.0.send(event).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_kubectls() {
        let local = "[::1]:8080".parse().expect("an address");
        let peer = "[::1]:50000".parse().expect("an address");
        let remote = Remote {
            host: None,
            port: 80,
        };

        let listening = ForwardEvent::Listening { local, remote };
        let accepted = ForwardEvent::Accepted {
            connection: 1,
            local,
            peer,
        };

        assert_eq!(listening.to_string(), "Forwarding from [::1]:8080 -> 80");
        assert_eq!(accepted.to_string(), "Handling connection for 8080");
    }
}
