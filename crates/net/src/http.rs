//! HTTP calls: what our own agent and client send to the relay's control plane and API.

use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Request, Response, Uri,
    uri::{Authority, Scheme},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioIo, TokioTimer},
};
use tower::Service;

use crate::{
    link::{self, TimedOut},
    tasks::Tasks,
    tls::{ClientTls, TlsError},
    transport::{DialError, Dialer, ProxyError, Stream},
};

/// The longest answer that is taken unless the caller says otherwise, in bytes.
pub const BODY_CAP: usize = 4 * 1024 * 1024;
/// Idle connections that are kept for one host.
const POOL: usize = 8;

/// An HTTP/1.1 client with a pool of connections. Cloning shares it; the last clone's drop ends
/// its connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    timeout: Duration,
    body_cap: usize,
    _connections: Arc<Tasks>,
}

/// A call that got no answer. An answer of any status is no error.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody could be reached at the address.
    #[error(transparent)]
    Unreachable(Arc<DialError>),
    /// The TLS handshake failed; the text says what to do.
    #[error(transparent)]
    Tls(TlsError),
    /// The dial, the handshake or the answer took too long.
    #[error("the call to {host} got {late}")]
    TimedOut {
        /// Whom the call was to.
        host: String,
        /// How long it had.
        late: TimedOut,
    },
    /// The answer is longer than what the client takes, in bytes.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// A URL that cannot be called, an answer that is no HTTP, or a connection that broke.
    #[error("the call to {host} failed: {why}")]
    Protocol {
        /// Whom the call was to.
        host: String,
        /// What went wrong.
        why: String,
    },
}

impl HttpError {
    /// The proxy that was in the way, if it was one.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyError> {
        match self {
            Self::Unreachable(error) => error.proxy(),
            _ => None,
        }
    }
}

impl HttpClient {
    /// A client that dials with `dialer`, and speaks TLS where a URL says `https`.
    #[must_use]
    pub fn new(dialer: Dialer, tls: ClientTls) -> Self {
        let connections = Arc::new(Tasks::new());
        let client = Client::builder(Executor(Arc::downgrade(&connections)))
            .pool_idle_timeout(link::POOLED)
            .pool_max_idle_per_host(POOL)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(Connector { dialer, tls });
        Self {
            client,
            timeout: link::REQUEST,
            body_cap: BODY_CAP,
            _connections: connections,
        }
    }

    /// The same client, giving each call `timeout` (link time) in all.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same client, taking answers of up to `bytes`.
    #[must_use]
    pub fn with_body_cap(mut self, bytes: usize) -> Self {
        self.body_cap = bytes;
        self
    }

    /// Sends a request to its URL, which has to be absolute, and reads the whole answer. `Host`
    /// and `Content-Length` are added where they are missing.
    ///
    /// # Errors
    ///
    /// [`HttpError`], when there is no whole answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let host = request.uri().authority().map(host_of);
        let host = host.unwrap_or_else(|| "a URL without a host".to_owned());
        let call = self.exchange(request.map(Full::new));
        match link::timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.classify(host, error)),
            Err(late) => Err(HttpError::TimedOut { host, late }),
        }
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = Limited::new(body, self.body_cap).collect().await?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    fn classify(&self, host: String, error: Box<dyn Error + Send + Sync>) -> HttpError {
        if error.is::<LengthLimitError>() {
            return HttpError::TooLarge(self.body_cap);
        }
        let mut why = Vec::new();
        let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<ConnectError>() {
                return error.clone().into_http(host);
            }
            why.push(error.to_string());
            cause = error.source();
        }
        let why = why.join(": ");
        HttpError::Protocol { host, why }
    }
}

/// Runs the pool's connections as tasks that the client owns.
#[derive(Clone)]
struct Executor(Weak<Tasks>);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
{
    fn execute(&self, future: F) {
        if let Some(tasks) = self.0.upgrade() {
            tasks.spawn("http connection", async move {
                future.await;
            });
        }
    }
}

/// Dials the host of a URL, or its proxy.
#[derive(Clone, Debug)]
struct Connector {
    dialer: Dialer,
    tls: ClientTls,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { dialer, tls } = self.clone();
        Box::pin(async move {
            let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
            let host = uri.host().unwrap_or_default();
            let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
            let stream = connect(&dialer, is_tls.then_some(&tls), host, port).await?;
            Ok(TokioIo::new(stream))
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// `HOST[:PORT]`, without the user and password that may stand before them.
pub(crate) fn host_of(authority: &Authority) -> String {
    let text = authority.as_str();
    text.rsplit_once('@')
        .map_or(text, |(_, host)| host)
        .to_owned()
}

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Unreachable(Arc<DialError>),
    #[error(transparent)]
    Tls(TlsError),
    #[error("the TLS handshake got {0}")]
    TimedOut(TimedOut),
}

impl ConnectError {
    fn into_http(self, host: String) -> HttpError {
        match self {
            Self::Unreachable(error) => HttpError::Unreachable(error),
            Self::Tls(error) => HttpError::Tls(error),
            Self::TimedOut(late) => HttpError::TimedOut { host, late },
        }
    }
}

/// Dials, and speaks TLS if there is any to speak.
pub(crate) async fn connect(
    dialer: &Dialer,
    tls: Option<&ClientTls>,
    host: &str,
    port: u16,
) -> Result<Stream, ConnectError> {
    let dialled = dialer.dial_server(tls.is_some(), host, port).await;
    let stream = dialled.map_err(|error| ConnectError::Unreachable(Arc::new(error)))?;
    let Some(tls) = tls else {
        return Ok(stream);
    };
    let session = link::timeout(link::HANDSHAKE, tls.connect(host, stream)).await;
    session
        .map_err(ConnectError::TimedOut)?
        .map_err(ConnectError::Tls)
}

#[cfg(test)]
mod tests;
