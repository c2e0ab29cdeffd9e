//! The server's side of the handshake.

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::{handshake::derive_accept_key, protocol::Role};

use super::{WebSocket, WsError};
use crate::link;

/// A request that is no websocket upgrade; it is answered with 426.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is for websockets only: {0}")]
pub struct NotAnUpgrade(&'static str);

/// An upgrade that was granted and has yet to be sent.
#[derive(Debug)]
pub struct Upgrading(OnUpgrade);

impl Upgrading {
    /// The websocket, once the 101 has been sent. To be awaited in a task of its own: the answer
    /// leaves only after the request's handler has returned it.
    ///
    /// # Errors
    ///
    /// [`WsError`] when the client has gone, or does not take the answer within 10 s.
    pub async fn finish(self) -> Result<WebSocket, WsError> {
        let late = |late| WsError::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late));
        let upgraded = link::timeout(link::HANDSHAKE, self.0).await.map_err(late)?;
        let upgraded = upgraded.map_err(|_| WsError::Cut)?;
        WebSocket::from_upgraded(upgraded, Role::Server).await
    }
}

/// Grants a websocket upgrade: the 101 to answer with, `extra` headers added, and what becomes of
/// it. Subprotocols and extensions that the client offers are not taken.
///
/// # Errors
///
/// [`NotAnUpgrade`] when the request is something else; it is untouched then.
pub fn upgrade<B>(
    request: &mut Request<B>,
    extra: HeaderMap,
) -> Result<(Response<()>, Upgrading), NotAnUpgrade> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(NotAnUpgrade("the method is not GET"));
    }
    if !has_word(headers, &CONNECTION, "upgrade") || !has_word(headers, &UPGRADE, "websocket") {
        return Err(NotAnUpgrade("there is no `Upgrade: websocket`"));
    }
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(NotAnUpgrade("the version is not 13"));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY);
    let key = key.ok_or(NotAnUpgrade("there is no Sec-WebSocket-Key"))?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    let accept = accept.map_err(|_| NotAnUpgrade("the key is malformed"))?;
    let upgrading = request.extensions_mut().remove::<OnUpgrade>();
    let upgrading = upgrading.ok_or(NotAnUpgrade("the connection cannot be upgraded"))?;

    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.extend(extra);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok((answer, Upgrading(upgrading)))
}

/// Whether a header that is a list has a word in it.
pub(super) fn has_word(headers: &HeaderMap, name: &http::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(word))
}
