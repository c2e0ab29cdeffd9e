//! The accept loop: TLS and plain HTTP on one port.
//!
//! ```text
//!   accept ─▶ first byte within 10 s ─▶ 0x16: TLS handshake ─┬─▶ HTTP/1.1 ─▶ service
//!                                       else ────────────────┘      └─ upgrade: the socket is the
//!                                                                      service's, see `ws`
//! ```

use std::{error::Error, io, net::SocketAddr, pin::pin};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use crate::{
    link,
    tasks::Tasks,
    tls::ServerTls,
    transport::{Listener, Stream},
};

/// The first byte of a TLS record that holds a handshake message; no HTTP method starts with it.
const HANDSHAKE_RECORD: u8 = 0x16;
/// What one request's headers may take up.
const HEADER_BYTES: usize = 64 * 1024;
/// How long the loop rests after it could not accept, most likely for want of descriptors.
const REST: std::time::Duration = std::time::Duration::from_millis(100);

/// Who sent a request: an extension of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end's address.
    pub addr: SocketAddr,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

/// Takes connections and has `service` answer their requests, each with a [`Peer`] among its
/// extensions, until the token of `tasks` is cancelled. Then no more are taken, a request under
/// way has [`link::DRAIN`] to be answered, and connections that were upgraded stay: they are
/// their owners'. Without `tls`, only plain HTTP is answered.
///
/// `tasks` holds the connections and is this loop's alone: usually a [`Tasks::child`].
pub async fn serve<S, B>(listener: Listener, tls: Option<ServerTls>, service: S, tasks: Tasks)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let token = tasks.token().clone();
    while let Some(accepted) = token.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok(stream) => {
                let addr = stream.peer_addr();
                let (tls, service, token) = (tls.clone(), service.clone(), token.clone());
                tasks.spawn("connection", async move {
                    if let Err(error) = connection(stream, tls, service, token).await {
                        tracing::debug!(peer = %addr, error, "a connection ended badly");
                    }
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections for the moment");
                token.run_until_cancelled(link::sleep(REST)).await;
            }
        }
    }
    drop(listener);
    tasks.shutdown(link::DRAIN).await;
}

/// Whether a failed accept concerns a connection that was gone before it was taken.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
    )
}

async fn connection<S, B>(
    stream: Stream,
    tls: Option<ServerTls>,
    service: S,
    token: CancellationToken,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Some(opened) = token.run_until_cancelled(open(stream, tls)).await else {
        return Ok(());
    };
    let Some(stream) = opened? else {
        return Ok(());
    };
    let peer = Peer {
        addr: stream.peer_addr(),
        is_tls: stream.is_tls(),
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        service.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(link::HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    if let Some(ended) = token.run_until_cancelled(connection.as_mut()).await {
        return Ok(ended?);
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}

/// Finds out what the other end speaks, and speaks it; `None` when it left without a word.
async fn open(mut stream: Stream, tls: Option<ServerTls>) -> io::Result<Option<Stream>> {
    let late = |late| io::Error::new(io::ErrorKind::TimedOut, late);
    let first = link::timeout(link::HANDSHAKE, stream.peek_byte()).await;
    match (first.map_err(late)??, tls) {
        (None, _) => Ok(None),
        (Some(HANDSHAKE_RECORD), Some(tls)) => {
            let session = link::timeout(link::HANDSHAKE, tls.accept(stream)).await;
            session.map_err(late)?.map(Some)
        }
        (Some(_), _) => Ok(Some(stream)),
    }
}

#[cfg(test)]
mod tests;
