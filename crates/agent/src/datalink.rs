//! A data channel's websocket and the frames on it (wire-protocol 3).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axt_net::{
    clock::Clock,
    frames::{FrameReader, FrameWriter, Next, ReadError, Tap, framed},
    ws::{WebSocket, WsError},
};
use axt_proto::{
    ChannelId, FrameError, Framing, Message,
    frame::agent::{AgentFraming, Resumes},
};
use bytes::Bytes;
use tokio::sync::watch;

/// What came over the link, or became of it.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Message),
    /// What came is no frame; why not.
    Garbage(String),
    /// Nothing will come any more; why not.
    Lost(String),
}

/// A channel's framing over all websockets that it dials, so that the sequence of its frames goes
/// on (wire-protocol 3).
#[derive(Clone, Debug)]
struct ChannelFraming(Arc<Mutex<AgentFraming>>);

impl ChannelFraming {
    fn new(channel: ChannelId) -> Self {
        Self(Arc::new(Mutex::new(AgentFraming::new(channel))))
    }

    fn lock(&self) -> MutexGuard<'_, AgentFraming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Framing for ChannelFraming {
    const NAME: &'static str = AgentFraming::NAME;

    fn decode(&mut self, message: Bytes) -> Result<Message, FrameError> {
        self.lock().decode(message)
    }

    fn encode(&mut self, created_ms: u64, message: &Message) -> Bytes {
        self.lock().encode(created_ms, message)
    }

    fn unsent(&mut self) {
        self.lock().unsent();
    }
}

type Reader = FrameReader<ChannelFraming>;
type Writer = FrameWriter<ChannelFraming>;

async fn next(reader: &mut Reader) -> Arrival {
    match reader.next().await {
        Ok(Next::Message(message)) => Arrival::Message(message),
        Ok(Next::Closed { code, reason }) => Arrival::Lost(format!("closed with {code} {reason}")),
        Err(ReadError::Frame(error)) => Arrival::Garbage(error.to_string()),
        Err(ReadError::Ws(error @ (WsError::TooBig | WsError::Protocol(_)))) => {
            Arrival::Garbage(error.to_string())
        }
        Err(ReadError::Ws(error)) => Arrival::Lost(error.to_string()),
    }
}

/// Which of a channel's websockets, counted from 0.
type Generation = u64;

/// The sending side of a channel, over all websockets that it dials: a message that one of them did
/// not take waits for the next. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct LinkWriter {
    sockets: watch::Receiver<Option<(Generation, Writer)>>,
    broken: watch::Sender<Option<Generation>>,
}

impl LinkWriter {
    /// Sends a message. Waits while there is no link, and for ever when there will be none: whoever
    /// waits is dropped then.
    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_all(std::slice::from_ref(message)).await;
    }

    /// Sends messages in a row, the same way.
    pub(crate) async fn send_all(&mut self, messages: &[Message]) {
        let mut rest = messages;
        loop {
            let found = self.sockets.wait_for(Option::is_some).await;
            let Some((generation, socket)) = found.ok().and_then(|found| found.clone()) else {
                return;
            };
            if socket.gathers() {
                if socket.send_all(rest).await.is_ok() {
                    return;
                }
            } else {
                while let Some((message, more)) = rest.split_first()
                    && socket.send(message).await.is_ok()
                {
                    rest = more;
                }
                if rest.is_empty() {
                    return;
                }
            }
            self.broken.send_replace(Some(generation));
            if self.sockets.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A channel's link: one websocket, then the next one when that is lost.
#[derive(Debug)]
pub(crate) struct Link {
    framing: ChannelFraming,
    clock: Clock,
    tap: Tap,
    reader: Option<Reader>,
    sockets: watch::Sender<Option<(Generation, Writer)>>,
    broken: watch::Receiver<Option<Generation>>,
    writer: LinkWriter,
    generation: Generation,
}

impl Link {
    pub(crate) fn new(channel: ChannelId, socket: WebSocket, clock: Clock, tap: Tap) -> Self {
        let (sockets, receiver) = watch::channel(None);
        let (broken_sender, broken) = watch::channel(None);
        let mut link = Self {
            framing: ChannelFraming::new(channel),
            clock,
            tap,
            reader: None,
            sockets,
            broken,
            writer: LinkWriter {
                sockets: receiver,
                broken: broken_sender,
            },
            generation: 0,
        };
        link.replace(socket);
        link
    }

    pub(crate) fn writer(&self) -> LinkWriter {
        self.writer.clone()
    }

    /// Takes a newly dialled websocket into use. Where the bytes have to be `exact`, those that were
    /// lost with the one before are told as garbage: for a relay that counts on.
    pub(crate) fn redialled(&mut self, socket: WebSocket, is_exact: bool) {
        if is_exact {
            self.framing.lock().resume(Resumes::Exactly);
        }
        self.replace(socket);
    }

    fn replace(&mut self, socket: WebSocket) {
        let (reader, writer) = framed(
            socket,
            self.framing.clone(),
            self.framing.clone(),
            self.clock.clone(),
            self.tap.clone(),
        );
        self.generation += 1;
        self.reader = Some(reader);
        self.sockets.send_replace(Some((self.generation, writer)));
    }

    /// The next message; for ever when the link is lost. A send that failed counts as a loss too,
    /// for a link that is not read must not go unnoticed. Cancel-safe.
    pub(crate) async fn next(&mut self, is_listening: bool) -> Arrival {
        let Self {
            reader: Some(reader),
            broken,
            generation,
            ..
        } = self
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            biased;
            Ok(_) = broken.wait_for(|broken| *broken == Some(*generation)) => {
                Arrival::Lost("a frame could not be sent".to_owned())
            }
            arrival = next(reader), if is_listening => arrival,
            // Without this, a link that is not read would be an error when nothing is broken.
            () = std::future::pending() => Arrival::Lost(String::new()),
        }
    }

    /// Lets go of a websocket that is lost.
    pub(crate) fn lose(&mut self) {
        self.reader = None;
        self.sockets.send_replace(None);
    }

    /// Says and hears nothing from now on; the websocket is open for as long as the answer is kept.
    pub(crate) fn mute(&mut self) -> impl Sized + use<> {
        // Without its reader a websocket answers no ping and sends none.
        self.reader = None;
        self.sockets.send_replace(None)
    }

    /// Closes the websocket behind all that was sent, however slowly the relay reads it.
    pub(crate) async fn finish(&mut self) {
        let last = self.sockets.borrow().clone();
        if let (Some(reader), Some((_, writer))) = (self.reader.take(), last) {
            reader.finish(writer.close_last(NORMAL, "")).await;
        }
    }

    /// Closes the websocket in good order, and in no more time than that is worth.
    pub(crate) async fn close(&mut self) {
        let last = self.sockets.send_replace(None);
        if let (Some(reader), Some((_, writer))) = (self.reader.take(), last) {
            // It may be gone already, which is as good.
            let _ = writer.close(NORMAL, "").await;
            reader.drain().await;
        }
    }
}

/// The close code of an orderly end (RFC 6455 7.4.1).
const NORMAL: u16 = 1000;
