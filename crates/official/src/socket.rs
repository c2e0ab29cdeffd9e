//! Websockets as the Go programs use them: no ping of their own accord but what they are known to
//! send, and an end that is a bare loss of the connection.

use std::sync::Arc;

use axt_net::{
    http::HttpClient,
    link,
    tls::ClientTls,
    transport::{Dialer, Stream},
};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use http::{HeaderMap, Uri};
use tokio::sync::Mutex;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, handshake::client::generate_key},
};

/// How a peer reaches the relay: over sockets or in memory.
#[derive(Clone, Debug)]
pub struct Network {
    /// Dials.
    pub dialer: Dialer,
    /// Whom it trusts.
    pub tls: ClientTls,
    /// Calls.
    pub http: HttpClient,
}

impl Network {
    /// A network for `dialer`.
    #[must_use]
    pub fn new(dialer: Dialer, tls: ClientTls) -> Self {
        Self {
            http: HttpClient::new(dialer.clone(), tls.clone()),
            dialer,
            tls,
        }
    }
}

type Sink = SplitSink<WebSocketStream<Stream>, Message>;

/// The sending half. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Mutex<Sink>>);

/// The receiving half. When both are dropped the connection is, without a close frame.
pub(crate) type Reader = SplitStream<WebSocketStream<Stream>>;

impl Writer {
    /// Sends a binary message; whether it could be.
    pub(crate) async fn send(&self, message: Bytes) -> bool {
        self.0
            .lock()
            .await
            .send(Message::Binary(message))
            .await
            .is_ok()
    }

    pub(crate) async fn send_text(&self, text: String) -> bool {
        self.0
            .lock()
            .await
            .send(Message::Text(text.into()))
            .await
            .is_ok()
    }

    pub(crate) async fn ping(&self, payload: &'static str) -> bool {
        let ping = Message::Ping(Bytes::from_static(payload.as_bytes()));
        self.0.lock().await.send(ping).await.is_ok()
    }
}

/// What the other end sent, text and binary alike, or `None` once the connection is over, in
/// whatever way.
pub(crate) async fn receive(reader: &mut Reader) -> Option<Bytes> {
    loop {
        match reader.next().await? {
            Ok(Message::Binary(message)) => return Some(message),
            Ok(Message::Text(text)) => return Some(Bytes::copy_from_slice(text.as_bytes())),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Opens the websocket at `url`; in words why not.
pub(crate) async fn open(
    network: &Network,
    url: &str,
    headers: HeaderMap,
) -> Result<(Reader, Writer), String> {
    let opening = link::timeout(link::HANDSHAKE, shake_hands(network, url, headers));
    let socket = opening.await.map_err(|late| late.to_string())??;
    let (sink, reader) = socket.split();
    Ok((reader, Writer(Arc::new(Mutex::new(sink)))))
}

async fn shake_hands(
    network: &Network,
    url: &str,
    headers: HeaderMap,
) -> Result<WebSocketStream<Stream>, String> {
    let uri: Uri = url.parse().map_err(|_| format!("`{url}` is no URL"))?;
    let authority = uri
        .authority()
        .ok_or_else(|| format!("`{url}` has no host"))?;
    let is_tls = uri.scheme_str() == Some("wss");
    let port = authority
        .port_u16()
        .unwrap_or(if is_tls { 443 } else { 80 });
    let dialled = network.dialer.dial(authority.host(), port).await;
    let mut stream = dialled.map_err(|error| error.to_string())?;
    if is_tls {
        let secured = network.tls.connect(authority.host(), stream).await;
        stream = secured.map_err(|error| error.to_string())?;
    }
    let mut request = http::Request::get(uri.clone())
        .header("Host", authority.as_str())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|error| error.to_string())?;
    request.headers_mut().extend(headers);
    let shaken = client_async(request, stream).await;
    shaken
        .map(|(socket, _)| socket)
        .map_err(|error| error.to_string())
}
