//! A relay by script: what an agent of the documented kind may expect, and nothing more. It checks
//! each request's signature and that its id is a new one.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axt_agent::{Agent, AgentConfig, Machine, Shells, Surroundings};
use axt_control::luban::{
    AgentKey, Identity, SessionList, SessionObject, Signer, StatusPost, TaskReport, Verifier,
    header, path,
};
use axt_net::{
    accept,
    ca::DevCa,
    clock::Clock,
    link,
    tasks::Tasks,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet},
    wall::Wall,
    ws::{self, Incoming, WebSocket, WsReader, WsWriter},
};
use axt_proto::{ChannelId, Framing, InstanceId, Message, Tick, frame::agent::AgentFraming};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming as Body;
use tokio::sync::mpsc;

/// Against hanging; nothing is measured by it.
pub const GUARD: Duration = Duration::from_secs(600);
pub const START: Tick = Tick::from_millis(1_795_587_061_027);
const MACHINE: &str = "machine-1";

pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    link::timeout(GUARD, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

/// One key for all tests: making one takes a while.
fn key() -> &'static AgentKey {
    static KEY: OnceLock<AgentKey> = OnceLock::new();
    KEY.get_or_init(|| AgentKey::generate(&mut rand::rng()).expect("a key"))
}

struct Script {
    sessions: BTreeMap<ChannelId, SessionObject>,
    /// What a kick finds in the task list.
    tasks: SessionList,
    /// How many reports on tasks are refused before one is taken.
    refused_reports: u32,
    seen_ids: BTreeSet<String>,
    refuses: Option<StatusCode>,
}

pub struct Relay {
    pub clock: Clock,
    pub agent: Agent,
    pub tasks: Tasks,
    served: Tasks,
    script: Arc<Mutex<Script>>,
    notify: mpsc::Receiver<(HeaderMap, WebSocket)>,
    data: mpsc::Receiver<(ChannelId, WebSocket)>,
    posts: mpsc::Receiver<StatusPost>,
    reports: mpsc::Receiver<(TaskReport, Bytes)>,
    pub calls: mpsc::Receiver<String>,
}

impl Relay {
    /// A relay and its agent in memory, with scripted shells and a clock that stands still.
    pub async fn simulated() -> Self {
        Self::start(Clock::frozen(START), |_| {}).await
    }

    /// A relay and its agent in memory, with real shells and ports.
    pub async fn with_real_targets() -> Self {
        let helper = axt_agent::shell::HelperProgram {
            path: env!("CARGO_BIN_EXE_axt-shell").into(),
            args: Vec::new(),
        };
        Self::start(Clock::running(START), |config| {
            config.shells = Shells::Real {
                helper,
                keep_background: false,
            };
        })
        .await
    }

    /// It is gone, with all that was connected to it.
    pub fn vanish(&mut self) {
        self.served = Tasks::new();
    }

    pub async fn start(clock: Clock, change: impl FnOnce(&mut AgentConfig)) -> Self {
        let net = MemoryNet::new();
        let listener = net.bind("relay.test", 80).expect("free");
        let script = Arc::new(Mutex::new(Script {
            sessions: BTreeMap::new(),
            tasks: SessionList::default(),
            refused_reports: 0,
            seen_ids: BTreeSet::new(),
            refuses: None,
        }));
        let (notify_sender, notify) = mpsc::channel(8);
        let (data_sender, data) = mpsc::channel(8);
        let (post_sender, posts) = mpsc::channel(8);
        let (report_sender, reports) = mpsc::channel(64);
        let (call_sender, calls) = mpsc::channel(64);
        let tasks = Tasks::new();
        let served = tasks.child();
        let inner = Inner {
            script: Arc::clone(&script),
            notify: notify_sender,
            data: data_sender,
            posts: post_sender,
            reports: report_sender,
            calls: call_sender,
            tasks: Arc::new(served.child()),
        };
        serve(listener, inner, &served);

        let instance: InstanceId = "i-bp1testinstance0001".parse().expect("valid");
        let mut config = AgentConfig::new(
            "http://relay.test",
            Signer::new(instance, MACHINE, key()),
            Arc::new(Machine::here()),
        );
        config.shells = Shells::Scripted;
        config.seed = Some(7);
        change(&mut config);
        let ca = DevCa::ephemeral(&[], &Wall::system()).expect("a CA");
        let tls = ClientTls::with_ca_pem(ca.ca_pem()).expect("trust");
        let mut around =
            Surroundings::new(Dialer::memory(&net), tls, clock.clone(), Wall::system());
        around.targets = Dialer::tcp();
        let agent = Agent::start(config, around, &tasks);
        Self {
            clock,
            agent,
            tasks,
            served,
            script,
            notify,
            data,
            posts,
            reports,
            calls,
        }
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("no panic")
    }

    /// From now on every websocket is refused.
    pub fn refuse(&self, status: Option<StatusCode>) {
        self.script().refuses = status;
    }

    pub async fn notified(&mut self) -> NotifyChannel {
        let (headers, socket) = soon("the notify channel", self.notify.recv())
            .await
            .expect("the relay runs");
        let (reader, writer) = socket.split();
        NotifyChannel {
            headers,
            reader,
            writer,
        }
    }

    pub async fn dialled(&mut self) -> DataChannel {
        let (id, socket) = soon("the data channel", self.data.recv())
            .await
            .expect("the relay runs");
        DataChannel::new(id, socket)
    }

    pub async fn status(&mut self) -> StatusPost {
        soon("a status", self.posts.recv())
            .await
            .expect("the relay runs")
    }

    /// The next report on a task, and its output.
    pub async fn report(&mut self) -> (TaskReport, Bytes) {
        soon("a report", self.reports.recv())
            .await
            .expect("the relay runs")
    }

    /// What there is to run and to stop from now on.
    pub fn lists_tasks(&self, tasks: SessionList) {
        self.script().tasks = tasks;
    }

    /// The next reports are refused.
    pub fn refuse_reports(&self, count: u32) {
        self.script().refused_reports = count;
    }

    pub fn lists(&self, session: SessionObject) {
        let mut script = self.script();
        script.sessions.insert(session.channel_id.clone(), session);
    }

    /// Kicks the agent for a session, and waits until it has dialled.
    pub async fn open(
        &mut self,
        notify: &mut NotifyChannel,
        session: SessionObject,
    ) -> DataChannel {
        let command = format!("kick_vm session start {}", session.channel_id);
        self.lists(session);
        notify.say(&command).await;
        self.dialled().await
    }
}

pub struct NotifyChannel {
    pub headers: HeaderMap,
    reader: WsReader,
    pub writer: WsWriter,
}

impl NotifyChannel {
    /// Sends a command and returns the answer.
    pub async fn say(&mut self, command: &str) -> String {
        self.writer
            .send_text(command.to_owned())
            .await
            .expect("sends");
        match soon("an answer", self.reader.next())
            .await
            .expect("answers")
        {
            Incoming::Data(text) => String::from_utf8(text.to_vec()).expect("text"),
            closed @ Incoming::Closed { .. } => panic!("{closed:?}"),
        }
    }
}

pub struct DataChannel {
    pub id: ChannelId,
    reader: WsReader,
    writer: WsWriter,
    framing: AgentFraming,
    pub seen: Vec<u8>,
    /// The sequence of each output frame, in order.
    pub sequences: Vec<i64>,
}

impl DataChannel {
    fn new(id: ChannelId, socket: WebSocket) -> Self {
        let (reader, writer) = socket.split();
        Self {
            framing: AgentFraming::new(id.clone()),
            id,
            reader,
            writer,
            seen: Vec::new(),
            sequences: Vec::new(),
        }
    }

    /// Neither reads nor writes any more, pings neither; the socket is open for as long as this is kept.
    pub fn stands_still(self) -> WsWriter {
        self.writer
    }

    pub async fn send(&mut self, message: Message) {
        let frame = self.framing.encode(1, &message);
        self.send_raw(frame).await;
    }

    /// Goes on counting behind so many frames that went over an earlier websocket, or were lost with it.
    pub fn count_on_from(&mut self, frames: usize) {
        for _ in 0..frames {
            let _ = self.framing.encode(1, &Message::Eof);
        }
    }

    pub async fn send_raw(&mut self, frame: Bytes) {
        self.writer.send_binary(frame).await.expect("sends");
    }

    pub async fn type_text(&mut self, text: &str) {
        self.send(Message::Input(Bytes::copy_from_slice(text.as_bytes())))
            .await;
    }

    /// The next frame; `None` once the agent has closed in good order.
    pub async fn next(&mut self) -> Option<Message> {
        self.try_next().await.expect("reads")
    }

    /// The same, or how the websocket broke.
    pub async fn try_next(&mut self) -> Result<Option<Message>, ws::WsError> {
        Ok(match soon("a frame", self.reader.next()).await? {
            Incoming::Data(frame) => {
                let raw = axt_proto::frame::agent::Frame::decode(frame.clone()).expect("a frame");
                self.sequences.push(raw.sequence);
                assert_eq!(raw.channel_id().as_ref(), Some(&self.id));
                Some(self.framing.decode(frame).expect("a message"))
            }
            Incoming::Closed { code, .. } => {
                assert_eq!(code, 1000);
                None
            }
        })
    }

    /// Reads output until `text` has come, and forgets all up to its end.
    pub async fn expect(&mut self, text: &str) {
        loop {
            let wanted = text.as_bytes();
            let at = self
                .seen
                .windows(wanted.len())
                .position(|part| part == wanted);
            if let Some(at) = at {
                self.seen.drain(..at + wanted.len());
                return;
            }
            match self.next().await {
                Some(Message::Output(data)) => self.seen.extend_from_slice(&data),
                other => panic!("{other:?} instead of `{text}`"),
            }
        }
    }

    /// All that comes until the agent closes: the output, and the other messages.
    pub async fn rest(&mut self) -> (Vec<u8>, Vec<Message>) {
        let mut others = Vec::new();
        while let Some(message) = self.next().await {
            match message {
                Message::Output(data) => self.seen.extend_from_slice(&data),
                other => others.push(other),
            }
        }
        (std::mem::take(&mut self.seen), others)
    }
}

#[derive(Clone)]
struct Inner {
    script: Arc<Mutex<Script>>,
    notify: mpsc::Sender<(HeaderMap, WebSocket)>,
    data: mpsc::Sender<(ChannelId, WebSocket)>,
    posts: mpsc::Sender<StatusPost>,
    reports: mpsc::Sender<(TaskReport, Bytes)>,
    calls: mpsc::Sender<String>,
    tasks: Arc<Tasks>,
}

fn serve(listener: Listener, inner: Inner, tasks: &Tasks) {
    let service = tower::service_fn(move |request| {
        let inner = inner.clone();
        async move { Ok::<_, Infallible>(inner.answer(request).await) }
    });
    tasks.spawn(
        "relay",
        accept::serve(listener, None, service, tasks.child()),
    );
}

impl Inner {
    async fn answer(&self, mut request: Request<Body>) -> Response<Full<Bytes>> {
        self.check(&request);
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        match path.as_str() {
            path::NOTIFY | path::SESSION_BACKEND => self.upgrade(&mut request, &query),
            path::SESSION_LIST => {
                let script = self.script.lock().expect("no panic");
                let channel = channel(&query);
                let instance = "i-bp1testinstance0001".parse().expect("valid");
                let list = script.sessions.get(&channel).map_or_else(
                    || SessionList::empty("i-bp1testinstance0001".parse().expect("valid")),
                    |session| SessionList::one(instance, session.clone()),
                );
                json(serde_json::to_vec(&list).expect("serialises"))
            }
            path::SESSION_STATUS => {
                let post = query.parse().expect("a status post");
                self.posts.send(post).await.expect("the test listens");
                json(r#"{"code":200}"#)
            }
            path::TASK_LIST => {
                let _ = self.calls.try_send(path.clone());
                let list = match query.contains("reason=kickoff") {
                    true => self.script.lock().expect("no panic").tasks.clone(),
                    false => SessionList::default(),
                };
                json(serde_json::to_vec(&list).expect("serialises"))
            }
            report if report.starts_with(path::TASK_REPORT) => {
                let report = TaskReport::read(report, &query).expect("a report");
                let body = request.into_body().collect().await.expect("a body");
                if self.refuses_report() {
                    let mut refusal = json("{}");
                    *refusal.status_mut() = StatusCode::BAD_GATEWAY;
                    return refusal;
                }
                let report = (report, body.to_bytes());
                self.reports.send(report).await.expect("the test listens");
                json(r#"{"code":200}"#)
            }
            other => {
                // Only some tests look.
                let _ = self.calls.try_send(other.to_owned());
                json(r#"{"code":200,"nextInterval":60000}"#)
            }
        }
    }

    fn refuses_report(&self) -> bool {
        let mut script = self.script.lock().expect("no panic");
        let left = script.refused_reports;
        script.refused_reports = left.saturating_sub(1);
        left > 0
    }

    fn check(&self, request: &Request<Body>) {
        let get = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let identity = Identity::read(get)
            .expect("well-formed")
            .expect("every request is signed");
        Verifier::new(MACHINE, &key().public())
            .verify(&identity)
            .expect("signed with the agent's key");
        let mut script = self.script.lock().expect("no panic");
        assert!(script.seen_ids.insert(identity.request_id), "a replay");
        let agent = get("user-agent").unwrap_or_default();
        assert!(agent.starts_with("linux_"), "{agent}");
    }

    fn upgrade(&self, request: &mut Request<Body>, query: &str) -> Response<Full<Bytes>> {
        let refuses = self.script.lock().expect("no panic").refuses;
        if let Some(status) = refuses {
            let mut refusal = json("{}");
            *refusal.status_mut() = status;
            return refusal;
        }
        let headers = request.headers().clone();
        let (answer, upgrading) =
            ws::upgrade(request, HeaderMap::new()).expect("a websocket upgrade");
        let (inner, query) = (self.clone(), query.to_owned());
        self.tasks.spawn("upgrade", async move {
            let socket = upgrading.finish().await.expect("upgrades");
            if query.is_empty() {
                let _ = inner.notify.send((headers, socket)).await;
            } else {
                let _ = inner.data.send((channel(&query), socket)).await;
            }
        });
        answer.map(|()| Full::default())
    }
}

fn channel(query: &str) -> ChannelId {
    let id = query.strip_prefix("channelId=").expect("a channel id");
    id.parse().expect("well-formed")
}

fn json(body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(body.into()))
}

/// A session object of the base protocol.
pub fn session(id: &str) -> SessionObject {
    serde_json::from_str(&format!(r#"{{"channelId":"{id}","flowLimit":1000000000}}"#))
        .expect("valid")
}

pub fn header_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::EXTENSIONS)?.to_str().ok()
}
