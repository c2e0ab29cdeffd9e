//! The sending half.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use tokio::sync::{Mutex, MutexGuard};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::{WsError, heard::Heard};
use crate::link;

/// RFC 6455 5.5: what a close frame's 125 bytes leave for the reason.
const REASON_BYTES: usize = 123;

/// The sending half of a websocket; clones send on the same one. Messages are sent in the order
/// in which they were asked for, each as soon as the one before it is with the kernel. Urgent
/// ones, pings and close frames overtake those that wait, but not the one under way.
#[derive(Clone, Debug)]
pub struct WsWriter(Arc<Shared>);

type Sink = SplitSink<WebSocketStream<Heard>, Message>;

#[derive(Debug)]
struct Shared {
    /// Fair: whoever asks first is served first.
    sink: Mutex<Sink>,
    /// How many urgent messages wait.
    urgent: AtomicUsize,
}

impl WsWriter {
    pub(super) fn new(sink: Sink) -> Self {
        Self(Arc::new(Shared {
            sink: Mutex::new(sink),
            urgent: AtomicUsize::new(0),
        }))
    }

    /// Sends a binary message and waits until the kernel has all of it. When dropped before, the
    /// message is sent whole or not at all.
    ///
    /// # Errors
    ///
    /// [`WsError`]; [`WsError::Closed`] after a close frame of either side.
    pub async fn send_binary(&self, message: Bytes) -> Result<(), WsError> {
        let mut sink = self.turn().await;
        Ok(sink.send(Message::Binary(message)).await?)
    }

    /// Sends a text message, otherwise as [`Self::send_binary`] does.
    ///
    /// # Errors
    ///
    /// As [`Self::send_binary`].
    pub async fn send_text(&self, message: String) -> Result<(), WsError> {
        let mut sink = self.turn().await;
        Ok(sink.send(Message::Text(message.into())).await?)
    }

    /// Sends a binary message ahead of all that wait and are not urgent.
    ///
    /// # Errors
    ///
    /// As [`Self::send_binary`].
    pub async fn send_urgent(&self, message: Bytes) -> Result<(), WsError> {
        self.urgent(Message::Binary(message)).await
    }

    /// Sends a binary message that is made when its turn has come, so that what counts messages
    /// counts them in the order of sending.
    pub(crate) async fn send_made(
        &self,
        is_urgent: bool,
        make: impl FnOnce() -> Bytes,
    ) -> Result<(), WsError> {
        let mut sink = if is_urgent {
            self.urgent_turn().await
        } else {
            self.turn().await
        };
        Ok(sink.send(Message::Binary(make())).await?)
    }

    /// The same for several in a row, with nothing between them. They leave together, some
    /// [`super::GATHERED`] bytes at a time.
    pub(crate) async fn send_all_made<T>(
        &self,
        of: &[T],
        mut make: impl FnMut(&T) -> Bytes,
    ) -> Result<(), WsError> {
        let mut sink = self.turn().await;
        for each in of {
            sink.feed(Message::Binary(make(each))).await?;
        }
        Ok(sink.flush().await?)
    }

    /// Sends a close frame. A reason above 123 bytes is cut at a character. It gives up when the
    /// message under way keeps it waiting for more than 1 s ([`link::DRAIN`]). Read on afterwards
    /// ([`super::WsReader::drain`]).
    ///
    /// # Errors
    ///
    /// [`WsError`]; [`WsError::Closed`] when the websocket is closed already.
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), WsError> {
        let closing = self.urgent(close_frame(code, reason));
        let closed = link::timeout(link::DRAIN, closing).await;
        closed.unwrap_or_else(|late| Err(std::io::Error::other(late).into()))
    }

    /// Sends a close frame behind all that was asked for, and waits for as long as the peer makes
    /// it wait: what was sent before is not to be lost. For [`super::WsReader::finish`], which
    /// gives up when the peer is dead.
    ///
    /// # Errors
    ///
    /// [`WsError`]; [`WsError::Closed`] when the websocket is closed already.
    pub async fn close_last(&self, code: u16, reason: &str) -> Result<(), WsError> {
        let mut sink = self.turn().await;
        Ok(sink.send(close_frame(code, reason)).await?)
    }

    pub(super) async fn ping(&self) -> Result<(), WsError> {
        self.urgent(Message::Ping(Bytes::new())).await
    }

    /// Whether a message is under way.
    pub(super) fn is_sending(&self) -> bool {
        self.0.sink.try_lock().is_err()
    }

    async fn urgent(&self, message: Message) -> Result<(), WsError> {
        let mut sink = self.urgent_turn().await;
        Ok(sink.send(message).await?)
    }

    async fn urgent_turn(&self) -> MutexGuard<'_, Sink> {
        let _waiting = Waiting::enter(&self.0.urgent);
        self.0.sink.lock().await
    }

    async fn turn(&self) -> MutexGuard<'_, Sink> {
        loop {
            let sink = self.0.sink.lock().await;
            if self.0.urgent.load(Ordering::SeqCst) == 0 {
                return sink;
            }
            // Let go, and queued again behind it, the lock goes to the urgent one: it is fair.
            drop(sink);
        }
    }
}

/// An urgent message that waits; its drop, also that of a cancelled one, takes it off the count.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn close_frame(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame {
        code: code.into(),
        reason: cut(reason, REASON_BYTES).into(),
    }))
}

/// The longest start of `text` that has at most `bytes` bytes.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
