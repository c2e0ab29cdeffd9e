//! One TCP connection and its websocket: bytes each way, and how each end learns of the other's.
//!
//! ```text
//!  the local socket                           the websocket
//!   bytes                              ─▶      input
//!   FIN                                ─▶      eof        (ungranted: nothing, the rest goes on)
//!   reset                              ─▶      reset      (ungranted: type 3)
//!   bytes                              ◀─      output
//!   FIN, the other direction goes on   ◀─      eof
//!   FIN, both directions are done      ◀─      closed with Exit
//!   reset                              ◀─      reset; closed with any other reason; lost
//! ```
//!
//! Each direction reads only after it has written all of what it read before, so a slow end slows
//! the other and nobody else.

use std::{io, pin::pin};

use axt_net::{
    frames::{FrameReader, FrameWriter, Next, ReadError},
    transport::Stream,
};
use axt_proto::{
    Extensions, Reason, Status,
    frame::{Message, client::ClientFraming},
};
use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio_util::sync::CancellationToken;

use super::{
    event::{Events, ForwardEvent},
    parting::{linger, part, reset},
    session::Session,
};
use crate::session::{Link, Why};

/// The most payload in a message of ours, in bytes (design, "Sizes").
const MESSAGE: usize = 8 * 1024;

/// What the kernel may hold of the local connection, in bytes each way. It is a hop on this machine,
/// so more would not make it faster; it would only hide a reader that does not read.
const KERNEL_BUFFER: usize = 128 * 1024;

/// A connection that came in.
pub(super) struct Connection<'a> {
    pub(super) number: u64,
    pub(super) session: &'a Session,
    pub(super) events: &'a Events,
    pub(super) stop: &'a CancellationToken,
}

/// How a connection ended.
enum End {
    /// The remote side is done, and all that it sent was written here.
    Done,
    /// The local socket broke, by a reset for instance.
    LocalReset(io::Error),
    /// The remote socket did.
    RemoteReset,
    /// Something between the two broke.
    CutOff(Why),
    /// The forward is to end.
    Stopped,
}

/// How many bytes went each way.
#[derive(Default)]
struct Carried {
    sent: u64,
    received: u64,
}

impl Connection<'_> {
    /// Serves the connection to its end.
    pub(super) async fn serve(self, local: Stream) {
        let accepted = ForwardEvent::Accepted {
            connection: self.number,
            local: local.local_addr(),
            peer: local.peer_addr(),
        };
        self.events.tell(accepted).await;
        // A kernel that refuses keeps its own sizes: slower to push back, and nothing worse.
        let _ = local.set_kernel_buffers(KERNEL_BUFFER);
        // Until its end is known to be an orderly one: should this process be killed, nobody must
        // take a part for the whole.
        let _ = local.reset_when_dropped();
        let connecting = self.session.connect();
        match self.stop.run_until_cancelled(connecting).await {
            Some(Ok(link)) => self.carry(local, link).await,
            Some(Err(error)) => {
                reset(local);
                let refused = ForwardEvent::refused(self.number, &error);
                self.events.tell(refused).await;
            }
            None => reset(local),
        }
    }

    /// Carries bytes both ways, then lets both ends go.
    async fn carry(&self, local: Stream, link: Link) {
        let Link {
            mut reader,
            writer,
            granted,
        } = link;
        let (mut input, mut output) = tokio::io::split(local);
        let mut carried = Carried::default();
        let end = {
            let up = pin!(up(&mut input, &writer, granted, &mut carried.sent));
            let down = pin!(down(
                &mut reader,
                &mut output,
                granted,
                &mut carried.received
            ));
            tokio::select! {
                biased;
                () = self.stop.cancelled() => End::Stopped,
                end = down => end,
                error = up => End::LocalReset(error),
            }
        };
        match end {
            End::Done => {
                let local = input.unsplit(output);
                let _ = local.close_when_dropped();
                let (input, mut output) = tokio::io::split(local);
                // The FIN first: the local end need not wait for the relay to let go.
                let _ = output.shutdown().await;
                let parting = async {
                    part(reader, writer, None).await;
                    self.closed(carried).await;
                };
                let lingering = self.stop.run_until_cancelled(linger(input, output));
                tokio::join!(parting, lingering);
            }
            End::LocalReset(error) => {
                tracing::debug!(connection = self.number, %error, "the local socket broke");
                drop((input, output));
                let word = if granted.reset {
                    Message::Reset
                } else {
                    Message::Close
                };
                part(reader, writer, Some(word)).await;
                self.closed(carried).await;
            }
            End::RemoteReset => {
                reset(input.unsplit(output));
                part(reader, writer, None).await;
                self.closed(carried).await;
            }
            End::CutOff(why) => {
                reset(input.unsplit(output));
                part(reader, writer, Some(Message::Close)).await;
                let cut_off = ForwardEvent::cut_off(self.number, why);
                self.events.tell(cut_off).await;
            }
            End::Stopped => {
                reset(input.unsplit(output));
                part(reader, writer, Some(Message::Close)).await;
            }
        }
    }

    async fn closed(&self, carried: Carried) {
        let closed = ForwardEvent::Closed {
            connection: self.number,
            sent: carried.sent,
            received: carried.received,
        };
        self.events.tell(closed).await;
    }
}

/// From the local socket to the websocket. It ends only when the local socket breaks: after a FIN
/// the other direction decides.
async fn up(
    input: &mut ReadHalf<Stream>,
    writer: &FrameWriter<ClientFraming>,
    granted: Extensions,
    sent: &mut u64,
) -> io::Error {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(MESSAGE);
        let length = match input.read_buf(&mut (&mut buffer).limit(MESSAGE)).await {
            Ok(length) => length,
            Err(error) => return error,
        };
        let message = match length {
            0 if !granted.eof => return std::future::pending().await,
            0 => Message::Eof,
            _ => Message::Input(buffer.split().freeze()),
        };
        // A websocket that takes nothing has ended, and its other half is told why.
        if writer.send(&message).await.is_err() || message == Message::Eof {
            return std::future::pending().await;
        }
        *sent += u64::try_from(length).unwrap_or(0);
    }
}

/// From the websocket to the local socket.
async fn down(
    reader: &mut FrameReader<ClientFraming>,
    output: &mut WriteHalf<Stream>,
    granted: Extensions,
    received: &mut u64,
) -> End {
    let mut is_finished = false;
    loop {
        let message = match reader.next().await {
            Ok(Next::Message(message)) => message,
            Ok(Next::Closed { code, reason }) => return ended(Why::closed(code, &reason)),
            Err(ReadError::Ws(error)) => return End::CutOff(Why::Lost(error.to_string())),
            Err(ReadError::Frame(error)) => return End::CutOff(Why::Malformed(error.to_string())),
        };
        let written = match message {
            Message::Output(data) if !is_finished => {
                *received += u64::try_from(data.len()).unwrap_or(0);
                output.write_all(&data).await
            }
            Message::Eof if granted.eof => {
                is_finished = true;
                output.shutdown().await
            }
            Message::Reset if granted.reset => return End::RemoteReset,
            // Our relay only closes; another one may say why in a status (wire-protocol 5).
            Message::Status(Status::Ended(word)) => return ended(Why::told(&word)),
            Message::Status(Status::ConnectFailed(text)) => {
                return End::CutOff(Why::told(&String::from_utf8_lossy(&text)));
            }
            // A speed is for official clients, which pace themselves by it; here the relay's
            // back-pressure is enough. The rest is ignored as they do (wire-protocol 4).
            _ => Ok(()),
        };
        if let Err(error) = written {
            return End::LocalReset(error);
        }
    }
}

/// Whether the remote side ended as a TCP connection does that is done. A relay that gives no
/// reason may still close properly: with 1000, or with a close frame without a code.
fn ended(why: Why) -> End {
    match why {
        Why::Told(Reason::Exit) | Why::Closed { code: 1000 | 1005 } => End::Done,
        why => End::CutOff(why),
    }
}
