//! The service's end of a data channel: each frame is checked to the byte (wire-protocol 3, 4).

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use tokio_tungstenite::tungstenite::Message;

use super::{Shared, line::Line, soon};
use crate::wire::{self, kind};

/// A data channel. Dropping it is a loss without a close frame.
#[derive(Debug)]
pub struct DataChannel {
    line: Line,
    channel: String,
    shared: Arc<Shared>,
    sequence: i64,
    seen: Vec<u8>,
}

impl DataChannel {
    pub(super) async fn new(upgraded: Upgraded, channel: String, shared: Arc<Shared>) -> Self {
        let sequence = shared.state().order.next_sequence(&channel);
        Self {
            line: Line::new(upgraded, &shared.tasks).await,
            sequence,
            channel,
            shared,
            seen: Vec::new(),
        }
    }

    /// Which it is.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Sends a frame, see [`wire::kind`].
    pub async fn send(&mut self, kind: u32, payload: &[u8]) {
        let frame = wire::write_at_agent(kind, &self.channel, 1_795_587_061_027, 0, payload);
        self.line.send(Message::Binary(frame)).await;
    }

    /// Sends a message that is no frame, or one that is wrong.
    pub async fn send_as_it_is(&mut self, message: Bytes) {
        self.line.send(Message::Binary(message)).await;
    }

    /// Types.
    pub async fn type_text(&mut self, text: &str) {
        self.send(kind::INPUT, text.as_bytes()).await;
    }

    /// The next output; `None` once the connection is over, in whatever way.
    pub async fn output(&mut self) -> Option<Bytes> {
        loop {
            match soon("a frame", self.line.next()).await {
                Some(Message::Binary(message)) => return Some(self.check(&message)),
                Some(Message::Close(_)) | None => return None,
                Some(other) => self.shared.complain("data channel", format!("{other:?}")),
            }
        }
    }

    /// Reads output until `text` has come, and forgets all up to its end.
    pub async fn expect(&mut self, text: &str) {
        let wanted = text.as_bytes();
        loop {
            let found = self.seen.windows(wanted.len()).position(|it| it == wanted);
            if let Some(at) = found {
                self.seen.drain(..at + wanted.len());
                return;
            }
            match self.output().await {
                Some(data) => self.seen.extend_from_slice(&data),
                None => panic!("`{text}` did not come: {}", self.seen.escape_ascii()),
            }
        }
    }

    /// Reads on until the agent has let go of it.
    pub async fn rest(mut self) -> Vec<u8> {
        while let Some(data) = self.output().await {
            self.seen.extend_from_slice(&data);
        }
        std::mem::take(&mut self.seen)
    }

    fn check(&mut self, message: &Bytes) -> Bytes {
        let what = format!("data channel {}", self.channel);
        let Ok(frame) = wire::read_at_agent(message) else {
            self.shared.complain(&what, "no frame");
            return Bytes::new();
        };
        let due = wire::write_at_agent(
            kind::OUTPUT,
            &self.channel,
            frame.created_ms.max(1),
            self.sequence,
            &frame.payload,
        );
        if due != *message || frame.payload.is_empty() {
            let head = message.slice(..60).escape_ascii().to_string();
            self.shared
                .complain(&what, format!("{head} instead of frame {}", self.sequence));
        }
        self.sequence += 1;
        let mut state = self.shared.state();
        state.order.note_sequence(&self.channel, self.sequence);
        drop(state);
        frame.payload
    }
}

/// Where each channel's frames are counted on from (wire-protocol 3: a re-dial goes on).
pub(super) type Sequences = BTreeMap<String, i64>;
