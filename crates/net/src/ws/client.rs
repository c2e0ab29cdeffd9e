//! The client's side of the handshake.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{
        CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    uri::PathAndQuery,
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::{
    handshake::{client::generate_key, derive_accept_key},
    protocol::Role,
};

use super::{WebSocket, WsError};
use crate::{
    http as calls,
    link::{self, TimedOut},
    tls::{ClientTls, TlsError},
    transport::{DialError, Dialer, ProxyError, Stream},
};

/// How much of a refusal's body is kept, in bytes.
const BODY_CAP: usize = 64 * 1024;

/// A websocket that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server answered with something else than 101.
    #[error("{host} refused the websocket with {status}")]
    Refused {
        /// Who answered.
        host: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's headers.
        headers: Box<HeaderMap>,
        /// The answer's body; empty when it is above 64 KiB or broke off.
        body: Bytes,
    },
    /// Nobody could be reached at the address.
    #[error(transparent)]
    Unreachable(Arc<DialError>),
    /// The TLS handshake failed; the text says what to do.
    #[error(transparent)]
    Tls(TlsError),
    /// The TLS handshake or the websocket's took too long.
    #[error("the handshake with {host} got {late}")]
    TimedOut {
        /// Whom it was with.
        host: String,
        /// How long it had.
        late: TimedOut,
    },
    /// A URL that is not `ws://HOST…` or `wss://HOST…`. The URL is not in here: it may hold a
    /// token.
    #[error("{0}")]
    Url(&'static str),
    /// The server answered with something that is no websocket handshake, or broke off.
    #[error("the handshake with {host} failed: {why}")]
    Protocol {
        /// Whom it was with.
        host: String,
        /// What went wrong.
        why: String,
    },
}

impl ConnectError {
    /// The proxy that was in the way, if it was one.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyError> {
        match self {
            Self::Unreachable(error) => error.proxy(),
            _ => None,
        }
    }
}

/// Opens the websocket at `url`, with `headers` beside those of the handshake; no subprotocol, no
/// extension, no Origin. The answer holds the headers of the 101. Each of dial, TLS and websocket
/// handshake has 10 s ([`link::HANDSHAKE`]).
///
/// # Errors
///
/// [`ConnectError`]; none of them holds the URL's path or query.
pub async fn connect(
    dialer: &Dialer,
    tls: &ClientTls,
    url: &str,
    headers: HeaderMap,
) -> Result<(WebSocket, HeaderMap), ConnectError> {
    let url =
        Uri::try_from(url).map_err(|_| ConnectError::Url("the websocket URL is malformed"))?;
    let tls = match url.scheme_str() {
        Some("wss") => Some(tls),
        Some("ws") => None,
        _ => {
            return Err(ConnectError::Url(
                "a websocket URL starts with ws:// or wss://",
            ));
        }
    };
    let authority = url
        .authority()
        .ok_or(ConnectError::Url("the websocket URL has no host"))?;
    let host = calls::host_of(authority);
    let port = authority
        .port_u16()
        .unwrap_or(if tls.is_some() { 443 } else { 80 });
    let connected = calls::connect(dialer, tls, authority.host(), port).await;
    let stream = connected.map_err(|error| match error {
        calls::ConnectError::Unreachable(error) => ConnectError::Unreachable(error),
        calls::ConnectError::Tls(error) => ConnectError::Tls(error),
        calls::ConnectError::TimedOut(late) => ConnectError::TimedOut {
            host: host.clone(),
            late,
        },
    })?;
    let shaken = link::timeout(link::HANDSHAKE, shake_hands(stream, &url, &host, headers)).await;
    shaken.unwrap_or_else(|late| Err(ConnectError::TimedOut { host, late }))
}

async fn shake_hands(
    stream: Stream,
    url: &Uri,
    host: &str,
    headers: HeaderMap,
) -> Result<(WebSocket, HeaderMap), ConnectError> {
    let failed = |why: String| ConnectError::Protocol {
        host: host.to_owned(),
        why,
    };
    let key = generate_key();
    let request = request(url, host, &key, headers).map_err(|error| failed(error.to_string()))?;
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(error.to_string()))?;
    let exchange = async {
        let answer = sender.send_request(request).await;
        let mut answer = answer.map_err(|error| failed(error.to_string()))?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(host, answer).await);
        }
        let accept = answer.headers().get(SEC_WEBSOCKET_ACCEPT);
        if accept.is_none_or(|accept| *accept != derive_accept_key(key.as_bytes())) {
            return Err(failed(
                "the answer's Sec-WebSocket-Accept is wrong".to_owned(),
            ));
        }
        let upgraded = hyper::upgrade::on(&mut answer).await;
        let upgraded = upgraded.map_err(|error| failed(error.to_string()))?;
        let opened = WebSocket::from_upgraded(upgraded, Role::Client).await;
        let opened = opened.map_err(|error: WsError| failed(error.to_string()))?;
        Ok((opened, answer.headers().clone()))
    };
    // The connection has to be driven while the exchange waits for it; how it ends, the exchange
    // tells better.
    let driver = async {
        let _ = connection.with_upgrades().await;
        std::future::pending().await
    };
    tokio::select! {
        biased;
        opened = exchange => opened,
        never = driver => never,
    }
}

fn request(
    url: &Uri,
    host: &str,
    key: &str,
    headers: HeaderMap,
) -> Result<Request<Empty<Bytes>>, http::Error> {
    let path = url.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut request = Request::get(path)
        .header(HOST, host)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, HeaderValue::try_from(key)?)
        .body(Empty::new())?;
    request.headers_mut().extend(headers);
    Ok(request)
}

async fn refusal(host: &str, answer: Response<Incoming>) -> ConnectError {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, BODY_CAP).collect().await;
    ConnectError::Refused {
        host: host.to_owned(),
        status: head.status,
        headers: Box::new(head.headers),
        body: body.map(|body| body.to_bytes()).unwrap_or_default(),
    }
}
