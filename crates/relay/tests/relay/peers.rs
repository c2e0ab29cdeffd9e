//! Scripted ends: a client's websocket, and an agent.

use std::time::Duration;

use axt_control::luban::{SessionList, SessionObject, path};
use axt_net::{
    clock::Clock,
    frames::{FrameReader, FrameWriter, Next, Tap, framed},
    http::HttpClient,
    link,
    tls::ClientTls,
    transport::Dialer,
    ws::{self, ConnectError, Incoming, WebSocket, WsReader, WsWriter},
};
use axt_proto::{
    FrameError, Framing, Message, Status,
    frame::{agent::AgentFraming, client::ClientFraming},
};
use bytes::Bytes;
use http::{HeaderMap, Request};

/// How long anything may take before a test gives up, in link time, which jumps.
pub(crate) const GUARD: Duration = Duration::from_secs(600);

/// One end of a websocket that carries frames.
pub(crate) struct End<F> {
    pub(crate) reader: FrameReader<F>,
    pub(crate) writer: FrameWriter<F>,
}

impl<F: Framing> End<F> {
    pub(crate) fn new(websocket: WebSocket, reads: F, writes: F, clock: &Clock) -> Self {
        let (reader, writer) = framed(websocket, reads, writes, clock.clone(), Tap::none());
        Self { reader, writer }
    }

    pub(crate) async fn send(&self, message: Message) {
        self.writer.send(&message).await.expect("sent");
    }

    pub(crate) async fn next(&mut self) -> Next {
        link::timeout(GUARD, self.reader.next())
            .await
            .expect("something comes in time")
            .expect("a frame or a close")
    }

    pub(crate) async fn expect(&mut self, message: Message) {
        assert_eq!(self.next().await, Next::Message(message));
    }

    pub(crate) async fn expect_speed(&mut self) {
        let next = self.next().await;
        assert!(
            matches!(next, Next::Message(Message::Status(Status::Speed(_)))),
            "{next:?}"
        );
    }

    pub(crate) async fn expect_ended(&mut self, word: &str) {
        self.expect(Message::Status(Status::Ended(word.into())))
            .await;
    }

    pub(crate) async fn expect_closed(&mut self, code: u16, reason: &str) {
        assert_eq!(
            self.next().await,
            Next::Closed {
                code,
                reason: reason.to_owned()
            }
        );
    }
}

/// The type that [`Scripted`] writes as something that is no frame.
const GARBLED: u32 = u32::MAX;

/// The client framing, and a way to break it.
#[derive(Default)]
pub(crate) struct Scripted(ClientFraming);

impl Framing for Scripted {
    const NAME: &'static str = ClientFraming::NAME;

    fn decode(&mut self, message: Bytes) -> Result<Message, FrameError> {
        self.0.decode(message)
    }

    fn encode(&mut self, created_ms: u64, message: &Message) -> Bytes {
        let whole = self.0.encode(created_ms, message);
        match message {
            Message::Other { kind: GARBLED, .. } => whole.slice(..29),
            _ => whole,
        }
    }
}

/// A client's websocket.
pub(crate) struct Client {
    pub(crate) end: End<Scripted>,
    pub(crate) granted: Option<String>,
}

impl std::ops::Deref for Client {
    type Target = End<Scripted>;

    fn deref(&self) -> &Self::Target {
        &self.end
    }
}

impl std::ops::DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.end
    }
}

impl Client {
    pub(crate) async fn type_text(&self, text: &'static str) {
        self.send(Message::Input(Bytes::from_static(text.as_bytes())))
            .await;
    }

    pub(crate) async fn expect_output(&mut self, text: &'static str) {
        self.expect(Message::Output(Bytes::from_static(text.as_bytes())))
            .await;
    }

    /// Sends a message of 29 bytes: a header that is cut short (wire-protocol 2).
    pub(crate) async fn send_garbled(&self) {
        let payload = Bytes::new();
        self.send(Message::Other {
            kind: GARBLED,
            payload,
        })
        .await;
    }
}

/// An agent's data channel.
pub(crate) struct Channel {
    pub(crate) end: End<AgentFraming>,
    pub(crate) object: SessionObject,
}

impl std::ops::Deref for Channel {
    type Target = End<AgentFraming>;

    fn deref(&self) -> &Self::Target {
        &self.end
    }
}

impl std::ops::DerefMut for Channel {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.end
    }
}

impl Channel {
    pub(crate) async fn print(&self, text: &'static str) {
        self.send(Message::Output(Bytes::from_static(text.as_bytes())))
            .await;
    }

    pub(crate) async fn expect_input(&mut self, text: &'static str) {
        self.expect(Message::Input(Bytes::from_static(text.as_bytes())))
            .await;
    }
}

/// A scripted agent without a signature.
pub(crate) struct Agent {
    pub(crate) dialer: Dialer,
    pub(crate) http: HttpClient,
    pub(crate) clock: Clock,
    pub(crate) headers: HeaderMap,
    pub(crate) notify: Option<(WsReader, WsWriter)>,
}

impl Agent {
    /// Opens the notify channel, in place of an older one.
    pub(crate) async fn notify(&mut self) {
        self.notify = Some(self.open_notify().await);
    }

    pub(crate) async fn open_notify(&self) -> (WsReader, WsWriter) {
        let url = format!("ws://localhost:7443{}", path::NOTIFY);
        let tls = ClientTls::system();
        let (websocket, _) = ws::connect(&self.dialer, &tls, &url, self.headers.clone())
            .await
            .expect("let in");
        websocket.split()
    }

    /// Loses the notify channel.
    pub(crate) fn go_away(&mut self) {
        self.notify = None;
    }

    /// The next command on the notify channel, which is accepted.
    pub(crate) async fn command(&mut self) -> String {
        let (reader, writer) = self.notify.as_mut().expect("a notify channel");
        let next = link::timeout(GUARD, reader.next())
            .await
            .expect("something comes in time");
        let Ok(Incoming::Data(bytes)) = next else {
            panic!("the notify channel is over: {next:?}");
        };
        let command = String::from_utf8(bytes.to_vec()).expect("a text");
        writer
            .send_text(format!("accept:{command}"))
            .await
            .expect("sent");
        command
    }

    /// Hears that its instance is deregistered, and that nothing comes after that.
    pub(crate) async fn expect_dismissal(&mut self) {
        let (reader, _) = self.notify.as_mut().expect("a notify channel");
        let told = reader.next().await.expect("a command");
        assert_eq!(told, Incoming::Data("kick_vm agent deregister".into()));
        let end = reader.next().await.expect("a close frame");
        let reason = "deregistered".to_owned();
        assert_eq!(
            end,
            Incoming::Closed {
                code: 1_000,
                reason
            }
        );
    }

    /// Waits for the kick and answers with the channel that it names.
    pub(crate) async fn kicked(&mut self) -> String {
        let command = self.command().await;
        let channel = command.strip_prefix("kick_vm session start ");
        channel.unwrap_or_else(|| panic!("{command}")).to_owned()
    }

    pub(crate) async fn expect_stop(&mut self, channel: &Channel) {
        let stop = format!("kick_vm session stop {}", channel.object.channel_id);
        assert_eq!(self.command().await, stop);
    }

    /// Does what an agent does when it is kicked, up to the open data channel.
    pub(crate) async fn serve(&mut self) -> Channel {
        let channel = self.kicked().await;
        let list = self.list(&channel).await;
        assert_eq!(list.session.len(), 1, "{list:?}");
        let object = list.session.into_iter().next().expect("one");
        let mut channel = self.dial(object).await.expect("let in");
        channel.expect_speed().await;
        channel
    }

    pub(crate) async fn list(&self, channel: &str) -> SessionList {
        let body = self
            .post(&format!("{}?channelId={channel}", path::SESSION_LIST))
            .await;
        serde_json::from_slice(&body).expect("a list")
    }

    pub(crate) async fn dial(&self, object: SessionObject) -> Result<Channel, ConnectError> {
        self.dial_counting_from(object, 0).await
    }

    /// The same with a first frame of that sequence.
    pub(crate) async fn dial_counting_from(
        &self,
        object: SessionObject,
        sequence: u8,
    ) -> Result<Channel, ConnectError> {
        let id = object.channel_id.clone();
        let url = format!(
            "ws://localhost:7443{}?channelId={id}",
            path::SESSION_BACKEND
        );
        let tls = ClientTls::system();
        let (websocket, _) = ws::connect(&self.dialer, &tls, &url, self.headers.clone()).await?;
        let mut writes = AgentFraming::new(id.clone());
        for _ in 0..sequence {
            writes.encode(1, &Message::Close);
        }
        Ok(Channel {
            end: End::new(websocket, AgentFraming::new(id), writes, &self.clock),
            object,
        })
    }

    /// Says how a session ended.
    pub(crate) async fn post_status(&self, channel: &SessionObject, status: &str, code: &str) {
        let id = &channel.channel_id;
        self.post(&format!(
            "{}?channelId={id}&status={status}&errorcode={code}",
            path::SESSION_STATUS
        ))
        .await;
    }

    pub(crate) async fn post(&self, path_and_query: &str) -> Bytes {
        self.post_body(path_and_query, b"").await
    }

    pub(crate) async fn post_body(&self, path_and_query: &str, body: &[u8]) -> Bytes {
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("http://localhost:7443{path_and_query}"))
            .body(Bytes::copy_from_slice(body))
            .expect("a request");
        request.headers_mut().extend(self.headers.clone());
        let response = self.http.send(request).await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        response.into_body()
    }
}
