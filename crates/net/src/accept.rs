//! The accept loop.

use std::{error::Error, net::SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tower::Service;

use crate::{tasks::Tasks, tls::ServerTls, transport::Listener};

/// Who sent a request: an extension of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end's address.
    pub addr: SocketAddr,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

/// Serves until the group's token is cancelled.
#[allow(clippy::todo, unused_variables)]
pub async fn serve<S, B>(listener: Listener, tls: Option<ServerTls>, service: S, tasks: Tasks)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    todo!()
}
