//! HTTP calls.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::{tls::ClientTls, transport::Dialer};

/// An HTTP client with a pool of connections. Cloning shares it.
#[derive(Clone, Debug)]
pub struct HttpClient;

/// A call that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody could be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The TLS handshake failed.
    #[error("{0}")]
    Tls(String),
    /// The answer took too long.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The answer is longer than the cap.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// Something that is no HTTP.
    #[error("{0}")]
    Protocol(String),
}

#[allow(missing_docs, clippy::todo, unused_variables)]
impl HttpClient {
    pub fn new(dialer: Dialer, tls: ClientTls) -> Self {
        todo!()
    }
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        todo!()
    }
    #[must_use]
    pub fn with_body_cap(self, bytes: usize) -> Self {
        todo!()
    }
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        todo!()
    }
}
