//! The receiving half.

use std::{
    future::Future,
    pin::{Pin, pin},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream::SplitStream};
use tokio::time::Sleep;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{
    WsError, WsWriter, compact,
    heard::{Heard, LastHeard, Patience},
    pinger::Pinger,
};
use crate::link::{self, Instant};

/// RFC 6455 7.1.5: what stands for a close frame without a code.
const NO_CODE: u16 = 1005;

/// The receiving half of a websocket. Its drop ends the pings.
#[derive(Debug)]
pub struct WsReader {
    stream: SplitStream<WebSocketStream<Heard>>,
    last_heard: LastHeard,
    /// How long nothing came in while somebody listened.
    silent: Duration,
    /// Reading has stopped in the middle: what the peer goes on sending stays in the socket.
    is_stuck: bool,
    /// When silence is looked at again. It stays armed from message to message: to arm a timer anew
    /// for each takes a lock that all connections share.
    deadline: Pin<Box<Sleep>>,
    writer: WsWriter,
    _pinger: Pinger,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message, binary or text: both kinds are data (wire-protocol 1).
    Data(Bytes),
    /// The peer's close frame. Ours, in answer, is on its way.
    Closed {
        /// The code; 1005 when there was none.
        code: u16,
        /// The reason, maybe empty.
        reason: String,
    },
}

impl WsReader {
    pub(super) fn new(
        stream: SplitStream<WebSocketStream<Heard>>,
        last_heard: LastHeard,
        writer: WsWriter,
    ) -> Self {
        Self {
            stream,
            last_heard,
            silent: Duration::ZERO,
            is_stuck: false,
            deadline: Box::pin(tokio::time::sleep(link::DEAD_AFTER)),
            _pinger: Pinger::start(writer.clone()),
            writer,
        }
    }

    /// The next message. Pings are answered on the way. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`WsError::Dead`] after 30 s ([`link::DEAD_AFTER`]) of silence or what [`Self::patience`] was set
    /// to, and not before 60 s while the peer keeps a message of ours waiting
    /// ([`link::STALLED_AFTER`]); only time spent in here counts. After
    /// any error there is nothing more to read; a close frame can still be sent unless the
    /// connection is gone.
    pub async fn next(&mut self) -> Result<Incoming, WsError> {
        let watch = Watch {
            entered: link::now(),
            last_heard: &self.last_heard,
            silent: &mut self.silent,
        };
        let mut limit = self.last_heard.patience();
        let deadline = &mut self.deadline;
        let due = watch.deadline(limit);
        // One that comes too early only looks, and is armed anew.
        if deadline.deadline() > due {
            deadline.as_mut().reset(due);
        }
        loop {
            tokio::select! {
                biased;
                message = self.stream.next() => match message {
                    Some(Ok(Message::Binary(payload))) => {
                        return Ok(Incoming::Data(compact(payload)));
                    }
                    Some(Ok(Message::Text(text))) => {
                        return Ok(Incoming::Data(compact(text.into())));
                    }
                    Some(Ok(Message::Close(frame))) => {
                        // One more poll sends the answer.
                        let _ = self.stream.next().now_or_never();
                        let (code, reason) = frame.map_or((NO_CODE, String::new()), |frame| {
                            (frame.code.into(), frame.reason.to_string())
                        });
                        return Ok(Incoming::Closed { code, reason });
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Err(error)) => {
                        let error = error.into();
                        self.is_stuck = matches!(error, WsError::TooBig | WsError::Protocol(_));
                        return Err(error);
                    }
                    None => return Err(WsError::Closed),
                },
                () = deadline.as_mut() => {
                    limit = self.last_heard.patience();
                    if self.writer.is_sending() {
                        limit = limit.max(link::STALLED_AFTER);
                    }
                    if watch.silence() >= limit {
                        return Err(WsError::Dead(watch.silence()));
                    }
                    deadline.as_mut().reset(watch.deadline(limit));
                }
            }
        }
    }

    /// By which the peer is given more time, or less.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience::new(self.last_heard.clone())
    }

    /// Ends the websocket so that nothing which was sent is lost, for as long as the peer lives:
    /// reads on while `last` is sent, whose end is a close frame ([`WsWriter::close_last`]), and
    /// then until the peer has closed too, 30 s at most ([`link::DEAD_AFTER`]). Whoever goes away
    /// with bytes unread takes what is under way with him, since the kernel sends a reset.
    pub async fn finish(mut self, last: impl Future<Output = Result<(), WsError>>) {
        let mut last = pin!(last);
        let sent = loop {
            tokio::select! {
                biased;
                sent = &mut last => break sent,
                incoming = self.next() => if !matches!(incoming, Ok(Incoming::Data(_))) {
                    return;
                },
            }
        };
        if sent.is_ok() {
            let closed = async { while let Ok(Incoming::Data(_)) = self.next().await {} };
            let _ = link::timeout(link::DEAD_AFTER, closed).await;
        }
    }

    /// To be called after [`WsWriter::close`], before both halves are dropped: reads on until the
    /// peer has closed too, 1 s at most ([`link::DRAIN`]). A socket that is dropped with bytes
    /// unread is reset, and a reset may overtake the close frame. After a message that could not
    /// be read, all that can be done is to give the close frame that second.
    pub async fn drain(mut self) {
        if self.is_stuck {
            return link::sleep(link::DRAIN).await;
        }
        let closed = async { while let Ok(Incoming::Data(_)) = self.next().await {} };
        let _ = link::timeout(link::DRAIN, closed).await;
    }
}

/// Counts silence while [`WsReader::next`] is waited for, and not while nobody reads: what came
/// in then is still in the socket.
struct Watch<'a> {
    entered: Instant,
    last_heard: &'a LastHeard,
    silent: &'a mut Duration,
}

impl Watch<'_> {
    fn silence(&self) -> Duration {
        let now = link::now();
        let heard = self.last_heard.at();
        if heard >= self.entered {
            return now.saturating_duration_since(heard);
        }
        *self.silent + now.saturating_duration_since(self.entered)
    }

    /// When to look again: a limit may be lowered meanwhile.
    fn deadline(&self, limit: Duration) -> Instant {
        let left = limit.saturating_sub(self.silence());
        link::now() + left.min(link::DEAD_AFTER)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        *self.silent = self.silence();
    }
}
