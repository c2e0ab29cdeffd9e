//! Websockets.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};

use crate::{tls::ClientTls, transport::Dialer};

/// A websocket after its handshake.
#[derive(Debug)]
pub struct WebSocket;

/// The receiving half.
#[derive(Debug)]
pub struct WsReader;

/// The sending half; clones send on the same websocket.
#[derive(Clone, Debug)]
pub struct WsWriter;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message, binary or text.
    Data(Bytes),
    /// The peer's close frame; 1005 when it had no code.
    Closed {
        /// The code.
        code: u16,
        /// The reason.
        reason: String,
    },
}

/// How a websocket broke.
#[derive(Debug, thiserror::Error)]
pub enum WsError {
    /// No byte within the deadline.
    #[error("the peer has been silent for {} s", .0.as_secs())]
    Dead(std::time::Duration),
    /// A message above 1 MiB.
    #[error("a message is longer than {0} bytes")]
    TooBig(usize),
    /// Against RFC 6455.
    #[error("websocket protocol: {0}")]
    Protocol(String),
    /// The connection ended without a close frame.
    #[error("the connection was cut")]
    Cut,
    /// Sent after the websocket was closed.
    #[error("the websocket is closed")]
    Closed,
    /// The transport's.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A request that is no websocket upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnUpgrade(&'static str);

/// An upgrade that was granted but not yet answered.
#[derive(Debug)]
pub struct Upgrading;

/// A websocket that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Answered with something else than 101.
    #[error("refused with {status}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The body, 64 KiB at most.
        body: Bytes,
    },
    /// Nobody could be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The TLS handshake failed.
    #[error("{0}")]
    Tls(String),
    /// Not a `ws://` or `wss://` URL.
    #[error("{0}")]
    Url(String),
    /// Took too long, or answered nonsense.
    #[error("{0}")]
    Protocol(String),
}

/// The server's side: answers the upgrade with 101 and `extra` headers.
#[allow(clippy::todo, unused_variables, clippy::missing_errors_doc)]
pub fn upgrade<B>(
    request: &mut Request<B>,
    extra: HeaderMap,
) -> Result<(Response<()>, Upgrading), NotAnUpgrade> {
    todo!()
}

/// The client's side.
#[allow(clippy::todo, unused_variables, clippy::missing_errors_doc)]
pub async fn connect(
    dialer: &Dialer,
    tls: &ClientTls,
    url: &str,
    headers: HeaderMap,
) -> Result<(WebSocket, HeaderMap), ConnectError> {
    todo!()
}

#[allow(
    missing_docs,
    clippy::todo,
    unused_variables,
    clippy::missing_errors_doc
)]
impl Upgrading {
    /// Resolves once the 101 has been sent.
    pub async fn finish(self) -> Result<WebSocket, WsError> {
        todo!()
    }
}

#[allow(
    missing_docs,
    clippy::todo,
    unused_variables,
    clippy::missing_errors_doc
)]
impl WebSocket {
    pub fn split(self) -> (WsReader, WsWriter) {
        todo!()
    }
    pub fn set_kernel_buffers(&self, bytes: usize) -> io::Result<()> {
        todo!()
    }
}

#[allow(
    missing_docs,
    clippy::todo,
    unused_variables,
    clippy::missing_errors_doc
)]
impl WsReader {
    pub async fn next(&mut self) -> Result<Incoming, WsError> {
        todo!()
    }
    /// After [`WsWriter::close`]: reads on until the peer has closed too, 1 s at most.
    pub async fn drain(self) {
        todo!()
    }
}

#[allow(
    missing_docs,
    clippy::todo,
    unused_variables,
    clippy::missing_errors_doc
)]
impl WsWriter {
    pub async fn send_binary(&self, message: Bytes) -> Result<(), WsError> {
        todo!()
    }
    /// Overtakes messages that wait, not the one under way.
    pub async fn send_urgent(&self, message: Bytes) -> Result<(), WsError> {
        todo!()
    }
    pub async fn send_text(&self, message: String) -> Result<(), WsError> {
        todo!()
    }
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), WsError> {
        todo!()
    }
}
