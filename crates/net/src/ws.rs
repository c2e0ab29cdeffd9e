//! Websockets (RFC 6455): messages of up to 1 MiB in, pings by themselves, and no extensions.
//!
//! A websocket has one reader and any number of writers. Liveness does not depend on the reader
//! being read: pings are sent every 10 s in any case, so that a relay which holds back a sender
//! is not taken for dead by it.

mod client;
mod heard;
mod pinger;
mod reader;
mod server;
mod writer;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, error::ProtocolError, protocol::Role, protocol::WebSocketConfig},
};

use self::heard::Heard;
pub use self::{
    client::{ConnectError, connect},
    heard::Patience,
    reader::{Incoming, WsReader},
    server::{NotAnUpgrade, Upgrading, upgrade},
    writer::WsWriter,
};
use crate::{
    fault::Hook,
    transport::{Stream, parts::Ending},
};

/// The longest message that is accepted, in bytes. Also the longest frame of one.
pub const MAX_MESSAGE: usize = 1024 * 1024;
/// The buffer that bytes are read into; it grows to the largest message. It is there as long as
/// the websocket, and an idle pair under TLS is to cost less than 32 KiB: each KiB here is two.
const READ_BUFFER: usize = 2 * 1024;

/// How many bytes are moved at once where they are there and nothing limits them: messages that leave
/// together are cheaper, and so are reads and writes that are longer.
pub const GATHERED: usize = 32 * 1024;

/// A websocket after its handshake.
#[derive(Debug)]
pub struct WebSocket {
    inner: WebSocketStream<Heard>,
}

/// How a websocket broke.
#[derive(Debug, thiserror::Error)]
pub enum WsError {
    /// No byte came in for so long (link time).
    #[error("the peer has been silent for {} s", .0.as_secs())]
    Dead(Duration),
    /// A message or frame above [`MAX_MESSAGE`].
    #[error("a message is longer than {MAX_MESSAGE} bytes")]
    TooBig,
    /// Something that RFC 6455 forbids.
    #[error("against the websocket protocol: {0}")]
    Protocol(String),
    /// The connection ended without a close frame.
    #[error("the connection was cut")]
    Cut,
    /// The websocket was closed before, by either side.
    #[error("the websocket is closed")]
    Closed,
    /// The transport's own.
    #[error(transparent)]
    Io(io::Error),
}

impl WebSocket {
    async fn from_upgraded(upgraded: Upgraded, role: Role) -> Result<Self, WsError> {
        // Taken back as what it was: hyper's own box and buffer would stay as long as the socket.
        let parts = upgraded.downcast::<TokioIo<Stream>>().map_err(|_| {
            WsError::Io(io::Error::other(
                "the connection is not from `accept::serve`",
            ))
        })?;
        let stream = Heard::new(parts.io.into_inner());
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(GATHERED)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let early = parts.read_buf;
        let inner = if early.is_empty() {
            WebSocketStream::from_raw_socket(stream, role, Some(config)).await
        } else {
            WebSocketStream::from_partially_read(stream, early.to_vec(), role, Some(config)).await
        };
        Ok(Self { inner })
    }

    /// The other end's address.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.inner.get_ref().stream().peer_addr()
    }

    /// Has faults put on its bytes by `hook` from now on.
    pub fn put_hook(&mut self, hook: Hook) {
        self.inner.get_mut().stream_mut().put_hook(hook);
    }

    /// [`Stream::ending`].
    #[must_use]
    pub fn ending(&self) -> Ending {
        self.inner.get_ref().stream().ending()
    }

    /// Asks the kernel to hold at most about `bytes` in each direction.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn set_kernel_buffers(&self, bytes: usize) -> io::Result<()> {
        self.inner.get_ref().stream().set_kernel_buffers(bytes)
    }

    /// The two halves. From here on the websocket is pinged, until the reader is dropped.
    #[must_use]
    pub fn split(self) -> (WsReader, WsWriter) {
        let last_heard = self.inner.get_ref().last();
        let (sink, stream) = self.inner.split();
        let writer = WsWriter::new(sink);
        let reader = WsReader::new(stream, last_heard, writer.clone());
        (reader, writer)
    }
}

impl From<Error> for WsError {
    fn from(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::SendAfterClosing) => Self::Closed,
            Error::Capacity(_) => Self::TooBig,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Cut,
            Error::Io(error) => error.into(),
            other => Self::Protocol(other.to_string()),
        }
    }
}

impl From<io::Error> for WsError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Cut,
            _ => Self::Io(error),
        }
    }
}

/// A copy of `payload` where that frees more memory than it takes: a slice of the read buffer
/// keeps all of it alive, and that buffer is as large as the largest message was.
fn compact(payload: Bytes) -> Bytes {
    const SMALL: usize = 8 * 1024;
    if payload.len() <= SMALL {
        return Bytes::copy_from_slice(&payload);
    }
    payload
}
