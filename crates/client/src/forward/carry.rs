//! Bytes each way between a local end and a websocket, and how each learns of the other's end.
//!
//! Each direction reads only after it has written all of what it read before, so a slow end slows
//! the other and nobody else.

use std::{
    convert::Infallible,
    future::pending,
    io::{self, IoSlice},
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};

use axt_net::{
    frames::{FrameReader, FrameWriter, Next, ReadError},
    link,
    transport::read_some,
    ws::GATHERED,
};
use axt_proto::{
    Direction, Extensions, Reason, Status,
    frame::{Message, client::ClientFraming},
    translate,
};
use bytes::Bytes;
use futures_util::poll;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{
    event::{Carried, Events, ForwardEvent},
    session::{Beat, Live},
};
use crate::session::{Why, detail_of};

/// The most payload in a message of ours, in bytes (design, "Sizes").
const MESSAGE: usize = 8 * 1024;

/// How a connection ended.
pub(super) enum End {
    /// The remote side is done, and all that it sent was written here.
    Done,
    /// The local end broke, by a reset for instance.
    LocalReset(String),
    /// The local end has closed, and cannot read any more.
    LocalClosed,
    /// The remote socket did.
    RemoteReset,
    /// Something between the two broke: what, and what the agent said of it.
    CutOff(Why, Option<String>),
    /// The forward is to end.
    Stopped,
}

/// What both directions of a connection need.
pub(super) struct Way<'a> {
    pub(super) granted: Extensions,
    pub(super) live: &'a Live,
    pub(super) events: &'a Events,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl<'a> Way<'a> {
    pub(super) const fn new(granted: Extensions, live: &'a Live, events: &'a Events) -> Self {
        Self {
            granted,
            live,
            events,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    pub(super) fn carried(&self) -> Carried {
        Carried {
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }

    fn count(&self, direction: Direction, bytes: usize) {
        let counter = match direction {
            Direction::Up => &self.sent,
            Direction::Down => &self.received,
        };
        counter.fetch_add(u64::try_from(bytes).unwrap_or(0), Ordering::Relaxed);
        if let Some(bytes_per_s) = self.live.flow.passed(direction, bytes) {
            self.events
                .tell_in_passing(ForwardEvent::Limited { bytes_per_s });
        }
    }

    /// From the local end to the websocket, to the end of what there is to read. The error is the
    /// local end's.
    pub(super) async fn up(
        &self,
        input: &mut (impl AsyncRead + Unpin),
        writer: &FrameWriter<ClientFraming>,
    ) -> io::Result<()> {
        loop {
            let data = read_some(input, GATHERED).await?;
            let length = data.len();
            let messages: Vec<_> = match length {
                0 if !self.granted.eof => return Ok(()),
                0 => vec![Message::Eof],
                _ => translate::split(data, MESSAGE)
                    .map(Message::Input)
                    .collect(),
            };
            // A websocket that takes nothing has ended, and its other half is told why.
            if writer.send_all(&messages).await.is_err() {
                return pending().await;
            }
            if length == 0 {
                return Ok(());
            }
            self.count(Direction::Up, length);
        }
    }

    /// From the websocket to the local end, which is let go of when the remote side half-closes.
    pub(super) async fn down(
        &self,
        reader: &mut FrameReader<ClientFraming>,
        output: &mut Option<impl AsyncWrite + Unpin>,
    ) -> End {
        let mut following = None;
        loop {
            let next = match following.take() {
                Some(next) => next,
                None => reader.next().await,
            };
            let message = match next {
                Ok(Next::Message(message)) => message,
                Ok(Next::Closed { code, reason }) => {
                    return ended(Why::closed(code, &reason), detail_of(&reason));
                }
                Err(ReadError::Ws(error)) => {
                    return End::CutOff(Why::Lost(error.to_string()), None);
                }
                Err(ReadError::Frame(error)) => {
                    return End::CutOff(Why::Malformed(error.to_string()), None);
                }
            };
            let written = match (message, &mut *output) {
                (Message::Output(data), Some(local)) => {
                    let mut length = data.len();
                    let mut together = vec![data];
                    while length < GATHERED && following.is_none() {
                        let next = pin!(reader.next());
                        match poll!(next) {
                            Poll::Ready(Ok(Next::Message(Message::Output(data)))) => {
                                length += data.len();
                                together.push(data);
                            }
                            Poll::Ready(other) => following = Some(other),
                            Poll::Pending => break,
                        }
                    }
                    self.count(Direction::Down, length);
                    write_all(local, &together).await
                }
                (Message::Eof, Some(local)) if self.granted.eof => {
                    let closed = local.shutdown().await;
                    *output = None;
                    closed
                }
                (Message::Reset, _) if self.granted.reset => return End::RemoteReset,
                (Message::Status(Status::Speed(bits)), _) => {
                    // For official clients, which pace themselves by it; here the relay's
                    // back-pressure is enough, and it is good to know what it is due to.
                    self.live.flow.told(bits);
                    Ok(())
                }
                // Our relay only closes; another one may say why in a status (wire-protocol 5).
                (Message::Status(Status::Ended(word)), _) => return ended(Why::told(&word), None),
                (Message::Status(Status::ConnectFailed(text)), _) => {
                    return End::CutOff(Why::told(&String::from_utf8_lossy(&text)), None);
                }
                // The rest is ignored as official clients do it (wire-protocol 4).
                _ => Ok(()),
            };
            if let Err(error) = written {
                return End::LocalReset(error.to_string());
            }
        }
    }

    /// Says again and again that the connection is in use.
    pub(super) async fn stay_alive(
        writer: &FrameWriter<ClientFraming>,
        beat: Option<Beat>,
    ) -> Infallible {
        let Some(Beat { clock, every }) = beat else {
            return pending().await;
        };
        let mut timer = clock.timer("keepalive");
        timer.set(Some(clock.now() + every));
        loop {
            let fired = timer.fired().await;
            timer.set(Some(clock.now() + every));
            drop(fired);
            if writer.send(&Message::Alive).await.is_err() {
                return pending().await;
            }
        }
    }

    /// Waits until nothing has come for `quiet` (link time).
    pub(super) async fn silence(&self, quiet: std::time::Duration) {
        loop {
            let before = self.received.load(Ordering::Relaxed);
            link::sleep(quiet).await;
            if self.received.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Writes all of several pieces, as many at once as are taken.
async fn write_all(output: &mut (impl AsyncWrite + Unpin), pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = slices.as_mut_slice();
    // What is empty needs no writing, and is not to be taken for an end.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match output.write_vectored(rest).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut rest, written),
        }
    }
    Ok(())
}

/// Whether the remote side ended as a TCP connection does that is done. A relay that gives no
/// reason may still close properly: with 1000, or with a close frame without a code.
fn ended(why: Why, detail: Option<String>) -> End {
    match why {
        Why::Told(Reason::Exit) | Why::Closed { code: 1000 | 1005 } => End::Done,
        why => End::CutOff(why, detail),
    }
}
