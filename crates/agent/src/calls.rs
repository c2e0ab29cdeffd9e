//! The agent's calls to the relay, each signed (wire-protocol 10.1).

use std::sync::{Mutex, MutexGuard, PoisonError};

use axt_control::luban::{
    CHANNEL_QUERY, ClockState, Identity, SessionList, SignedAhead, StatusPost, TaskReport,
    beat::HeartBeat,
    beat::HeartBeatReply,
    clock::SEEN_QUERY,
    header, path,
    task::{Reason, TaskListQuery},
};
use axt_net::{
    http::HttpError,
    link,
    tap::{Call, Seen, Side, Tap, Way},
    transport::KERNEL_BUFFER,
    ws::{self, ConnectError, WebSocket},
};
use axt_proto::{ChannelId, InstanceId};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
};
use jiff::tz::TimeZone;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::{
    behaviour::Fate,
    config::{AgentConfig, Surroundings},
    telemetry::Telemetry,
};

/// How many calls of channels there are at the same time: as many as keep their connections for the
/// next one. More would each begin with a handshake of TLS, which costs more than the wait.
const SHORT: usize = 8;

/// A call that was of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("refused with {status}: {}", String::from_utf8_lossy(.body))]
    Refused { status: StatusCode, body: Bytes },
    #[error("the answer is no JSON of the expected form: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("the server `{0}` gives no usable URL: {1}")]
    Url(String, http::Error),
}

/// The relay as an agent sees it.
#[derive(Debug)]
pub(crate) struct Relay {
    config: AgentConfig,
    around: Surroundings,
    fate: Fate,
    signed: Mutex<Signing>,
    /// Told when a request takes its signature.
    taken: Notify,
    control: Tap,
    /// Turns of the calls of channels, of which hundreds may begin or end at once.
    short: Semaphore,
    constant: HeaderMap,
    telemetry: Telemetry,
}

#[derive(Debug)]
struct Signing {
    ahead: SignedAhead,
    random: StdRng,
}

impl Relay {
    pub(crate) fn new(config: AgentConfig, around: Surroundings) -> Self {
        let random = config
            .seed
            .map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
        let mut constant = HeaderMap::new();
        let machine = &config.machine;
        insert(
            &mut constant,
            "user-agent",
            &machine.user_agent(&config.version),
        );
        if !machine.ip.is_empty() {
            insert(&mut constant, header::CLIENT_IP, &machine.ip);
        }
        Self {
            signed: Mutex::new(Signing {
                ahead: SignedAhead::new(config.signed_ahead),
                random,
            }),
            taken: Notify::new(),
            control: around.control_tap(config.signer.instance()),
            fate: Fate::new(config.behaviour.clone()),
            short: Semaphore::new(SHORT),
            config,
            around,
            constant,
            telemetry: Telemetry::default(),
        }
    }

    pub(crate) fn config(&self) -> &AgentConfig {
        &self.config
    }

    /// What has become of the agent.
    pub(crate) fn fate(&self) -> &Fate {
        &self.fate
    }

    pub(crate) fn instance(&self) -> &InstanceId {
        self.config.signer.instance()
    }

    pub(crate) fn around(&self) -> &Surroundings {
        &self.around
    }

    /// What it is to tell of itself.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// A number for whoever needs one, from the agent's own seed.
    pub(crate) fn random(&self) -> u64 {
        self.signing().random.next_u64()
    }

    /// Signs one request ahead, if one is missing; whether it did.
    pub(crate) fn sign_one_ahead(&self) -> bool {
        let now_ms = self.now_ms();
        let is_missing = self.signing().ahead.missing(now_ms) > 0;
        if is_missing {
            let identity = self.sign(now_ms);
            self.signing().ahead.put(identity);
        }
        is_missing
    }

    /// Its turn among the agents of its process, as long as it is held; what is signed meanwhile is
    /// fresh.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.around.turns.acquire().await.ok()
    }

    /// Waits until a request that was signed ahead is used.
    pub(crate) async fn signature_taken(&self) {
        self.taken.notified().await;
    }

    /// What to serve on `channel`.
    pub(crate) async fn session_list(&self, channel: &ChannelId) -> Result<SessionList, CallError> {
        let _turn = self.short.acquire().await;
        let query = format!("{CHANNEL_QUERY}={channel}");
        let answer = self.post(path::SESSION_LIST, &query, JSON).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// How a channel ended. Sent once, as the official agent does; the answer does not matter.
    pub(crate) async fn post_status(&self, post: &StatusPost) -> Result<(), CallError> {
        let _turn = self.short.acquire().await;
        self.post(path::SESSION_STATUS, &post.to_string(), TEXT)
            .await
            .map(drop)
    }

    /// What there is to run and to stop: all, or one task.
    pub(crate) async fn task_list(&self, reason: Reason) -> Result<SessionList, CallError> {
        let _turn = match reason {
            Reason::Startup { .. } => self.turn().await,
            // Somebody waits for what it was kicked for.
            Reason::Kickoff(_) => None,
        };
        let now = self.around.wall.now();
        let zone = TimeZone::system();
        let query = TaskListQuery {
            reason,
            current_time: self.now_ms(),
            offset: zone.to_offset(now).seconds(),
            time_zone: zone.iana_name().unwrap_or("Etc/UTC").to_owned(),
        };
        let answer = self.post(path::TASK_LIST, &query.to_string(), JSON).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// How a command goes, with output that the relay has not been told; the answer does not matter.
    pub(crate) async fn post_report(
        &self,
        report: &TaskReport,
        output: Bytes,
    ) -> Result<(), CallError> {
        let mut request = self.request(Method::POST, &report.path(), &report.query(), TEXT)?;
        *request.body_mut() = output;
        self.send(request).await.map(drop)
    }

    pub(crate) async fn heart_beat(&self, beat: &HeartBeat) -> Result<HeartBeatReply, CallError> {
        let _turn = self.turn().await;
        let request = self.request(Method::GET, path::HEART_BEAT, &beat.to_string(), FORM)?;
        let answer = self.send(request).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// How the relay's clock stands, once that is news to who has `seen` so much.
    pub(crate) async fn clock(&self, seen: Option<u64>) -> Result<ClockState, CallError> {
        let query = seen.map_or_else(String::new, |seen| format!("{SEEN_QUERY}={seen}"));
        let request = self.request(Method::GET, path::CLOCK, &query, JSON)?;
        Ok(serde_json::from_slice(&self.send(request).await?)?)
    }

    /// Sends a JSON body; what comes back.
    pub(crate) async fn post_body(&self, path: &str, body: Bytes) -> Result<Bytes, CallError> {
        let _turn = self.turn().await;
        let mut request = self.request(Method::POST, path, "", JSON)?;
        *request.body_mut() = body;
        self.send(request).await
    }

    /// Sends an event without saying whose it is, as an agent that is registered no longer.
    pub(crate) async fn post_anonymous_event(&self, body: Bytes) -> Result<(), CallError> {
        let mut request = self.request(Method::POST, path::METRICS, "", JSON)?;
        *request.body_mut() = body;
        let headers = request.headers_mut();
        let named = std::mem::take(headers);
        for name in [USER_AGENT, CONTENT_TYPE] {
            if let Some(value) = named.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        self.send(request).await.map(drop)
    }

    /// Takes the registration back; the body of the answer.
    pub(crate) async fn post_deregister(&self) -> Result<Bytes, CallError> {
        self.post(path::DEREGISTER, "", JSON).await
    }

    /// Opens the notify channel. A try that reaches nobody costs no signature.
    pub(crate) async fn notify_channel(&self) -> Result<WebSocket, ConnectError> {
        let _turn = self.turn().await;
        let identity = self.identity();
        let mut headers = self.headers_of(&identity);
        if !self.config.extensions.is_empty() {
            let announced = self.config.extensions.to_string();
            insert(&mut headers, header::EXTENSIONS, &announced);
        }
        let opened = self.websocket(path::NOTIFY, headers).await;
        if let Err(ConnectError::Unreachable(_)) = opened {
            self.signing().ahead.put_back(identity);
        }
        opened
    }

    /// Dials a data channel.
    pub(crate) async fn data_channel(
        &self,
        channel: &ChannelId,
    ) -> Result<WebSocket, ConnectError> {
        let path = format!("{}?{CHANNEL_QUERY}={channel}", path::SESSION_BACKEND);
        let socket = self.websocket(&path, self.headers()).await?;
        // A kernel that refuses keeps its own sizes: slower to push back, and nothing worse.
        let _ = socket.set_kernel_buffers(KERNEL_BUFFER);
        Ok(socket)
    }

    /// Wall time in Unix milliseconds, as the agent's clock shows it.
    pub(crate) fn now_ms(&self) -> u64 {
        let now = self.around.wall.now().as_millisecond();
        let shown = now.saturating_add(self.config.behaviour.wrong_clock_ms);
        u64::try_from(shown).unwrap_or_default()
    }

    async fn noted(&self, call: Call) {
        let seen = Seen::Call(Box::new(call));
        let now = self.around.clock.now();
        self.control.note(now, Side::Agent, Way::Out, seen).await;
    }

    async fn websocket(&self, path: &str, headers: HeaderMap) -> Result<WebSocket, ConnectError> {
        // `http` becomes `ws`, and `https` `wss`.
        let server = self
            .config
            .server
            .strip_prefix("http")
            .map_or_else(|| self.config.server.clone(), |rest| format!("ws{rest}"));
        let url = format!("{server}{path}");
        let begun = link::now();
        let opened = ws::connect(&self.around.dialer, &self.around.tls, &url, headers).await;
        if self.control.is_on() {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let mut call = Call {
                method: "GET".to_owned(),
                path: path.to_owned(),
                query: query.to_owned(),
                took: link::now().saturating_duration_since(begun),
                ..Call::default()
            };
            match &opened {
                Ok(_) => call.status = Some(StatusCode::SWITCHING_PROTOCOLS.as_u16()),
                Err(ConnectError::Refused { status, body, .. }) => {
                    call.status = Some(status.as_u16());
                    call.answer = body.clone();
                }
                Err(error) => call.said.push(("error", error.to_string())),
            }
            self.noted(call).await;
        }
        Ok(opened?.0)
    }

    async fn post(&self, path: &str, query: &str, content: &str) -> Result<Bytes, CallError> {
        let request = self.request(Method::POST, path, query, content)?;
        self.send(request).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        query: &str,
        content: &str,
    ) -> Result<Request<Bytes>, CallError> {
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("{}{path}{mark}{query}", self.config.server);
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Bytes::new())
            .map_err(|error| CallError::Url(self.config.server.clone(), error))?;
        *request.headers_mut() = self.headers();
        insert(request.headers_mut(), "content-type", content);
        Ok(request)
    }

    /// The control plane's tap.
    pub(crate) fn control(&self) -> &Tap {
        &self.control
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Bytes, CallError> {
        if request.method() == Method::POST && request.body().is_empty() {
            // Said as the official agent says it: some servers want to be told.
            request
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let seen = self.control.is_on().then(|| seen(&request));
        let begun = link::now();
        let response = self.around.http.send(request).await;
        if let Some(mut call) = seen {
            call.took = link::now().saturating_duration_since(begun);
            match &response {
                Ok(response) => {
                    call.status = Some(response.status().as_u16());
                    call.answer = response.body().clone();
                }
                Err(error) => call.said.push(("error", error.to_string())),
            }
            self.noted(call).await;
        }
        let response = response?;
        let (head, body) = response.into_parts();
        // 400 itself is taken for a success, as the official agent does (wire-protocol 10.1).
        if head.status > StatusCode::BAD_REQUEST {
            return Err(CallError::Refused {
                status: head.status,
                body,
            });
        }
        Ok(body)
    }

    /// The headers of one request: never to be used for a second one.
    fn headers(&self) -> HeaderMap {
        self.headers_of(&self.identity())
    }

    /// A signature that no request has had.
    fn identity(&self) -> Identity {
        let now_ms = self.now_ms();
        let ready = self.signing().ahead.take(now_ms);
        self.taken.notify_one();
        ready.unwrap_or_else(|| self.sign(now_ms))
    }

    fn headers_of(&self, identity: &Identity) -> HeaderMap {
        let mut headers = self.constant.clone();
        for (name, value) in identity.headers() {
            insert(&mut headers, name, &value);
        }
        headers
    }

    /// About 2 ms on this thread, rather than a thread of its own: an order that simulations can
    /// repeat, and no more work in all.
    fn sign(&self, now_ms: u64) -> Identity {
        let mut bytes = [0; 16];
        self.signing().random.fill_bytes(&mut bytes);
        let request_id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut identity = self.config.signer.sign(now_ms, request_id.to_string());
        if self.config.behaviour.wrong_signature {
            // Still of its form.
            identity.signature = identity.signature.to_ascii_uppercase();
        }
        identity
    }

    fn signing(&self) -> MutexGuard<'_, Signing> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request as a trace shows it, its answer still to come.
fn seen(request: &Request<Bytes>) -> Call {
    Call {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: ["content-type", "user-agent"]
            .iter()
            .filter_map(|name| {
                let value = request.headers().get(*name)?.to_str().ok()?;
                Some(((*name).to_owned(), value.to_owned()))
            })
            .collect(),
        request: request.body().clone(),
        ..Call::default()
    }
}

pub(crate) const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// Puts a header in, unless its value cannot be one.
fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
