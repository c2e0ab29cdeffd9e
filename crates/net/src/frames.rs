//! Frames in websockets: the one place where websocket messages become [`Message`]s, and where
//! they can be looked at on the way ([`Tap`]).
//!
//! One message is one frame, decoded once and encoded once (wire-protocol 1).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axt_proto::frame::{FrameError, Framing, Message};

pub use crate::tap::{Tap, Tapped, Way};
use crate::{
    clock::Clock,
    tap::{Seen, Side},
    ws::{Incoming, Patience, WebSocket, WsError, WsReader, WsWriter},
};

/// Reads frames. Made by [`framed`].
#[derive(Debug)]
pub struct FrameReader<F> {
    reader: WsReader,
    framing: F,
    clock: Clock,
    tap: Tap,
    /// Read, and waiting for the tap to take its copy: kept here, so that a wait which is
    /// dropped loses nothing.
    untapped: Option<Box<(Seen, Result<Next, ReadError>)>>,
}

/// Writes frames; clones write to the same websocket. Made by [`framed`].
#[derive(Debug)]
pub struct FrameWriter<F> {
    writer: WsWriter,
    shared: Arc<Shared<F>>,
}

#[derive(Debug)]
struct Shared<F> {
    /// Counts frames, so it encodes in the order of sending.
    framing: Mutex<F>,
    clock: Clock,
    tap: Tap,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A frame.
    Message(Message),
    /// The websocket's close frame, as in [`Incoming::Closed`].
    Closed {
        /// The code; 1005 when there was none.
        code: u16,
        /// The reason, maybe empty.
        reason: String,
    },
}

/// Why there is no next frame.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The websocket broke.
    #[error(transparent)]
    Ws(#[from] WsError),
    /// A message is no frame. The websocket is whole: one may answer, and even read on.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The two halves of a websocket that carries frames. Each half has a framing of its own, since
/// each direction counts its own frames; createdDate is `clock`'s time.
pub fn framed<F: Framing>(
    socket: WebSocket,
    reads: F,
    writes: F,
    clock: Clock,
    tap: Tap,
) -> (FrameReader<F>, FrameWriter<F>) {
    let (reader, writer) = socket.split();
    let shared = Arc::new(Shared {
        framing: Mutex::new(writes),
        clock: clock.clone(),
        tap: tap.clone(),
    });
    let reader = FrameReader {
        reader,
        framing: reads,
        clock,
        tap,
        untapped: None,
    };
    (reader, FrameWriter { writer, shared })
}

impl<F: Framing> FrameReader<F> {
    /// The next frame. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; after one of the websocket's there is nothing more to read.
    pub async fn next(&mut self) -> Result<Next, ReadError> {
        if self.untapped.is_none() {
            let read = self.reader.next().await;
            // Whoever reads on after the end learns nothing new.
            if !self.tap.is_on() || matches!(read, Err(WsError::Closed)) {
                return match read? {
                    Incoming::Data(bytes) => Ok(Next::Message(self.framing.decode(bytes)?)),
                    Incoming::Closed { code, reason } => Ok(Next::Closed { code, reason }),
                };
            }
            self.untapped = Some(Box::new(self.seen(read)));
        }
        let permit = self.tap.permit().await;
        let Some(untapped) = self.untapped.take() else {
            // Not reached: it was there before the wait, and `self` is ours alone.
            return Err(WsError::Closed.into());
        };
        let (seen, next) = *untapped;
        if let Some(permit) = permit {
            permit.send(self.clock.now(), Side::of(F::NAME), Way::In, seen);
        }
        next
    }

    fn seen(&mut self, read: Result<Incoming, WsError>) -> (Seen, Result<Next, ReadError>) {
        match read {
            Ok(Incoming::Data(bytes)) => {
                let message = self.framing.decode(bytes.clone());
                let seen = Seen::Frame(bytes, message.as_ref().err().cloned());
                (seen, message.map(Next::Message).map_err(ReadError::Frame))
            }
            Ok(Incoming::Closed { code, reason }) => {
                let seen = Seen::Closed {
                    code,
                    reason: reason.clone(),
                };
                (seen, Ok(Next::Closed { code, reason }))
            }
            Err(error) => (Seen::Lost(error.to_string()), Err(error.into())),
        }
    }

    /// The framing, which knows what came.
    #[must_use]
    pub const fn framing(&self) -> &F {
        &self.framing
    }

    /// [`WsReader::patience`].
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.reader.patience()
    }

    /// [`WsReader::finish`].
    pub async fn finish(self, last: impl Future<Output = Result<(), WsError>>) {
        self.reader.finish(last).await;
    }

    /// [`WsReader::drain`]: to be called after [`FrameWriter::close`].
    pub async fn drain(self) {
        self.reader.drain().await;
    }
}

impl<F: Framing> FrameWriter<F> {
    /// Sends a frame and waits until the kernel has all of it. Sizes and statuses overtake data
    /// that waits. Input and output without a byte are not sent: there is a peer that trips over
    /// them (wire-protocol 2). Dropped before it is done, it has sent the frame whole or not at
    /// all.
    ///
    /// # Errors
    ///
    /// [`WsError`], as [`WsWriter::send_binary`].
    pub async fn send(&self, message: &Message) -> Result<(), WsError> {
        if is_nothing(message) {
            return Ok(());
        }
        let is_urgent = matches!(message, Message::Resize(_) | Message::Status(_));
        let shared = &*self.shared;
        let permit = shared.tap.permit().await;
        let encode = || {
            let now = shared.clock.now();
            let mut framing = shared.lock();
            let bytes = framing.encode(now.as_millis(), message);
            if let Some(permit) = permit {
                let seen = Seen::Frame(bytes.clone(), None);
                permit.send(now, Side::of(F::NAME), Way::Out, seen);
            }
            bytes
        };
        // One that is given up, or fails, may be sent again on another websocket.
        let mut sending = Sending { shared, encoded: 0 };
        let encode = || {
            let bytes = encode();
            sending.encoded = 1;
            bytes
        };
        let sent = self.writer.send_made(is_urgent, encode).await;
        if sent.is_ok() {
            sending.encoded = 0;
        }
        drop(sending);
        sent
    }

    /// Whether frames may leave together, by [`FrameWriter::send_all`]: not while a tap takes a copy
    /// of each.
    #[must_use]
    pub fn gathers(&self) -> bool {
        !self.shared.tap.is_on()
    }

    /// Sends frames in a row, as [`FrameWriter::send`] would send one: dropped before it is done, or
    /// failed, none of them counts as sent. Those that leave together are cheaper. Under a tap they
    /// leave one by one, and count one by one.
    ///
    /// # Errors
    ///
    /// As [`FrameWriter::send`].
    pub async fn send_all(&self, messages: &[Message]) -> Result<(), WsError> {
        if messages.len() < 2 || !self.gathers() {
            for message in messages {
                self.send(message).await?;
            }
            return Ok(());
        }
        let shared = &*self.shared;
        let messages = messages.iter().filter(|message| !is_nothing(message));
        let messages: Vec<_> = messages.collect();
        let mut sending = Sending { shared, encoded: 0 };
        let encode = |message: &&Message| {
            let now = shared.clock.now();
            let bytes = shared.lock().encode(now.as_millis(), message);
            sending.encoded += 1;
            bytes
        };
        let sent = self.writer.send_all_made(&messages, encode).await;
        if sent.is_ok() {
            sending.encoded = 0;
        }
        drop(sending);
        sent
    }

    /// Asks the framing something.
    pub fn with_framing<T>(&self, ask: impl FnOnce(&F) -> T) -> T {
        ask(&self.shared.lock())
    }

    /// Sends a close frame, see [`WsWriter::close`]; read on afterwards ([`FrameReader::drain`]).
    ///
    /// # Errors
    ///
    /// As [`WsWriter::close`].
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), WsError> {
        self.closes(code, reason).await;
        self.writer.close(code, reason).await
    }

    /// Sends a close frame behind all that was sent, see [`WsWriter::close_last`].
    ///
    /// # Errors
    ///
    /// As [`WsWriter::close_last`].
    pub async fn close_last(&self, code: u16, reason: &str) -> Result<(), WsError> {
        self.closes(code, reason).await;
        self.writer.close_last(code, reason).await
    }

    async fn closes(&self, code: u16, reason: &str) {
        let shared = &*self.shared;
        if let Some(permit) = shared.tap.permit().await {
            let reason = reason.to_owned();
            let seen = Seen::Closed { code, reason };
            permit.send(shared.clock.now(), Side::of(F::NAME), Way::Out, seen);
        }
    }

    /// Tells the tap that this websocket is there.
    pub async fn opened(&self) {
        let shared = &*self.shared;
        if let Some(permit) = shared.tap.permit().await {
            permit.send(shared.clock.now(), Side::of(F::NAME), Way::In, Seen::Opened);
        }
    }
}

impl<F> Shared<F> {
    fn lock(&self) -> MutexGuard<'_, F> {
        self.framing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is data without a byte, which is never sent.
fn is_nothing(message: &Message) -> bool {
    matches!(message, Message::Input(_) | Message::Output(_)) && message.data_len() == 0
}

/// Frames on their way: dropped while they are, they do not count as sent.
struct Sending<'a, F: Framing> {
    shared: &'a Shared<F>,
    encoded: usize,
}

impl<F: Framing> Drop for Sending<'_, F> {
    fn drop(&mut self) {
        for _ in 0..self.encoded {
            self.shared.lock().unsent();
        }
    }
}

impl<F> Clone for FrameWriter<F> {
    fn clone(&self) -> Self {
        Self {
            writer: self.writer.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

#[cfg(test)]
mod tests;
