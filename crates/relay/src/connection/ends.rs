//! The two websockets of a connection.

use std::sync::Arc;

use axt_net::{
    clock::Clock,
    frames::{FrameReader, FrameWriter, ReadError, Tap, framed},
    link,
    pump::FramesEnd,
    transport::parts::Ending as Hand,
    ws::{WebSocket, WsError},
};
use axt_proto::{
    ChannelId, Framing, Message, Reason,
    frame::{
        FrameError,
        agent::{AgentFraming, Resumes},
        client::ClientFraming,
    },
};

use crate::faults::mangling::{CARRIER, Mangled, Mangling};

/// Both directions of one websocket.
pub(super) struct Ends<F> {
    pub(super) incoming: FrameReader<F>,
    pub(super) outgoing: FrameWriter<F>,
    /// The client's: learns of a reset while nobody reads, and can end by one. An agent's websocket is
    /// to be closed as soon as its own end is.
    pub(super) hand: Option<Hand>,
}

/// Waits until a websocket is cut off and nobody can find out by reading it
/// ([`Hand::broken_unnoticed`]).
pub(super) async fn cut_off(hand: Option<&Hand>, passed: impl Fn() -> u64) {
    match hand {
        Some(hand) => hand.broken_unnoticed(passed).await,
        None => std::future::pending().await,
    }
}

/// The client's websocket.
pub(super) type ClientEnds = Ends<Mangled<ClientFraming>>;

/// The agent's data channel.
pub(super) type AgentEnds = Ends<Mangled<AgentFraming>>;

impl ClientEnds {
    /// What it sends is as wrong as `frames` says.
    pub(super) fn new(
        websocket: WebSocket,
        clock: &Clock,
        frames: &Arc<Mangling>,
        tap: Tap,
    ) -> Self {
        let reads = Mangled::reads(ClientFraming::default());
        let writes = Mangled::writes(ClientFraming::default(), Arc::clone(frames));
        let hand = websocket.ending();
        Self {
            hand: Some(hand),
            ..Self::framed(websocket, reads, writes, clock, tap)
        }
    }
}

impl AgentEnds {
    /// `former` is the data channel before this one, whose frames are counted on. Where the bytes
    /// have to be `exact`, those that were lost with it are an error.
    pub(super) fn new(
        websocket: WebSocket,
        channel: &ChannelId,
        clock: &Clock,
        (former, exact): (Option<&Self>, Option<Resumes>),
        (frames, tap): (&Arc<Mangling>, Tap),
    ) -> Self {
        let fresh = || AgentFraming::new(channel.clone());
        let (reads, writes) = match former {
            None => (fresh(), fresh()),
            Some(former) => {
                let mut reads = former.incoming.framing().inner.next_websocket();
                if let Some(how) = exact {
                    reads.resume(how);
                }
                let writes = former
                    .outgoing
                    .with_framing(|framing| framing.inner.next_websocket());
                (reads, writes)
            }
        };
        let writes = Mangled::writes(writes, Arc::clone(frames));
        Self::framed(websocket, Mangled::reads(reads), writes, clock, tap)
    }

    /// Reads on, and throws away, until the agent has let go of its channel.
    pub(super) async fn gone(&mut self) {
        while self.incoming.next().await.is_ok() {}
    }
}

impl<F: Framing> Ends<F> {
    fn framed(websocket: WebSocket, reads: F, writes: F, clock: &Clock, tap: Tap) -> Self {
        let (incoming, outgoing) = framed(websocket, reads, writes, clock.clone(), tap);
        Self {
            incoming,
            outgoing,
            hand: None,
        }
    }

    /// Sends a message, unless the peer takes longer than it is worth.
    pub(super) async fn tell(&self, message: &Message) -> bool {
        let sent = link::timeout(link::DRAIN, self.outgoing.send(message)).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Sends a close frame; the same.
    pub(super) async fn close(&self, code: u16, text: &str) {
        // Whether it arrives is the peer's business now.
        let _ = link::timeout(link::DRAIN, self.outgoing.close(code, text)).await;
    }

    /// Sends messages and a close frame to a peer that is to get all that was sent before, however
    /// slowly it reads, unless it is dead.
    pub(super) async fn finish(self, last: &[Message], code: u16, text: &str) {
        let Self {
            incoming,
            outgoing,
            hand: _hand,
        } = self;
        let saying = async {
            for message in last {
                outgoing.send(message).await?;
            }
            outgoing.close_last(code, text).await
        };
        incoming.finish(saying).await;
    }

    /// Ends it by a reset, for a peer that takes nothing of what is sent and so would not learn of
    /// any other end.
    pub(super) fn reset(self) {
        if let Some(hand) = &self.hand {
            hand.reset_when_dropped();
        }
    }

    /// Reads on, and throws away, until the peer has closed too; a second at most.
    pub(super) async fn drain(self) {
        self.incoming.drain().await;
    }
}

/// Sends the statuses that nothing called for, if there are any.
pub(super) async fn send_extras<F: Framing>(frames: &Mangling, to: &FrameWriter<F>) {
    while frames.has_extra() {
        let sent = link::timeout(link::DRAIN, to.send(&CARRIER)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// What an end of the incoming side means for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// A close frame: everything before it was meant.
    Orderly,
    /// The link is gone.
    Lost,
    /// The peer broke the protocol.
    Malformed(Reason),
}

impl From<&FramesEnd> for Ending {
    fn from(end: &FramesEnd) -> Self {
        match end {
            FramesEnd::Closed { .. } => Self::Orderly,
            FramesEnd::Broken(ReadError::Frame(FrameError::Gap { .. })) => {
                Self::Malformed(Reason::ProcessDataError)
            }
            FramesEnd::Broken(ReadError::Frame(_)) => Self::Malformed(Reason::ProtocolError),
            FramesEnd::Broken(ReadError::Ws(error)) => match error {
                WsError::TooBig => Self::Malformed(Reason::MessageTooBig),
                WsError::Protocol(_) => Self::Malformed(Reason::ProtocolError),
                WsError::Dead(_) | WsError::Cut | WsError::Closed | WsError::Io(_) => Self::Lost,
            },
        }
    }
}
