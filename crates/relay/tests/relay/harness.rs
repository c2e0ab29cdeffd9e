//! A relay in memory, and scripted ends for it.

use std::collections::BTreeMap;

use axt_control::luban::header;
use axt_journal::Journal;
use axt_net::{
    clock::Clock,
    http::HttpClient,
    link,
    tasks::Tasks,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet},
    wall::Wall,
    ws::{self, ConnectError},
};
use axt_openapi::{Caller, Identity};
use axt_proto::{Event, EventKind, Extensions, InstanceId, Limits, Tick};
use axt_registry::InstanceSpec;
use axt_relay::{Followed, Listeners, MetadataListener, Relay, RelayConfig, RelayHandle, Urls};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use serde_json::Value;

use crate::peers::{Agent, Channel, Client, End, GUARD, Scripted};

pub(crate) const INSTANCE: &str = "i-box1";
const VERSION: &str = "2.2.4.1065";
const API: &str = "http://localhost:7080";
const AXT: &str = "http://localhost:7443";
const ADMIN: &str = "http://localhost:7090";
const METADATA: &str = "http://localhost:7200";
pub(crate) const START: Tick = Tick::from_millis(1_795_587_061_027);

/// A relay whose rule time stands still.
pub(crate) struct World {
    pub(crate) relay: RelayHandle,
    pub(crate) clock: Clock,
    net: MemoryNet,
    dialer: Dialer,
    http: HttpClient,
    _tasks: Tasks,
}

/// A started session.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) url: String,
}

/// Limits without a bandwidth: frozen rule time would stop it after the burst.
fn limits() -> Limits {
    Limits {
        bandwidth_bytes_per_s: 0,
        ..Limits::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(limits()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::on(limits, Journal::inline().expect("memory")).await
    }

    pub(crate) async fn on(limits: Limits, journal: Journal) -> Self {
        let net = MemoryNet::new();
        let tasks = Tasks::new();
        let clock = Clock::frozen(START);
        let bind = |port| net.bind("localhost", port).expect("a free name");
        let account = "1000000000000001".parse().expect("valid");
        let region = "cn-hangzhou".parse().expect("valid");
        let instance = |id: &str| {
            let id: InstanceId = id.parse().expect("valid");
            InstanceSpec::new(
                id,
                "1000000000000001".parse().expect("valid"),
                "cn-hangzhou".parse().expect("valid"),
            )
        };
        let config = RelayConfig {
            listeners: Listeners {
                api: bind(7_080),
                axt: Some(bind(7_443)),
                admin: bind(7_090),
                metadata: Some(MetadataListener::Own(bind(7_200))),
            },
            tls: None,
            clock: clock.clone(),
            wall: Wall::fixed(jiff::Timestamp::from_second(1_795_587_061).expect("in range")),
            limits,
            limit_sources: BTreeMap::new(),
            journal,
            region,
            account,
            regions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            access_keys: BTreeMap::new(),
            no_auth: Some(Caller {
                account: "1000000000000001".parse().expect("valid"),
                access_key_id: String::new(),
                identity: Identity::Account("1000000000000001".to_owned()),
                policy: None,
            }),
            instances: vec![instance(INSTANCE), instance("i-box2")],
            allow_unsigned: true,
            metadata_instance: Some(INSTANCE.parse().expect("valid")),
            urls: Urls {
                advertise_plain: true,
                ..Urls::default()
            },
            admin_token: None,
            faults: Vec::new(),
            seed: Some(7),
            enforce_tls: false,
            traces: axt_relay::TraceConfig::default(),
        };
        let relay = Relay::start(config, &tasks).expect("starts");
        let dialer = Dialer::memory(&net);
        Self {
            http: HttpClient::new(dialer.clone(), ClientTls::system()),
            relay,
            clock,
            net,
            dialer,
            _tasks: tasks,
        }
    }

    /// How the official programs' peers reach it.
    pub(crate) fn network(&self) -> axt_official::Network {
        axt_official::Network::new(self.dialer.clone(), ClientTls::system())
    }

    /// Binds a name in the net that relay and agents share, for the target of a forward.
    pub(crate) fn target(&self, host: &str, port: u16) -> Listener {
        self.net.bind(host, port).expect("a free name")
    }

    /// Calls the API without a signature.
    pub(crate) async fn call(&self, action: &str, parameters: &str) -> (u16, Value) {
        let url = format!(
            "{API}/?Action={action}&Version=2014-05-26&Format=JSON&RegionId=cn-hangzhou{parameters}"
        );
        self.send("POST", &url, "").await
    }

    /// Calls the admin API.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.send(method, &format!("{ADMIN}{path}"), body).await
    }

    /// Makes a call of an agent's.
    pub(crate) async fn luban(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> (u16, String) {
        let url = format!("{AXT}{path}");
        self.text(method, &url, headers, body).await
    }

    /// Asks the metadata service.
    pub(crate) async fn metadata(&self, path: &str) -> (u16, String) {
        let url = format!("{METADATA}{path}");
        self.text("GET", &url, &[], "").await
    }

    /// What Prometheus is told.
    pub(crate) async fn metrics(&self) -> String {
        let request = Request::get(format!("{ADMIN}/metrics")).body(Bytes::new());
        let response = self.http.send(request.expect("a request")).await;
        String::from_utf8(response.expect("an answer").body().to_vec()).expect("a text")
    }

    async fn send(&self, method: &str, url: &str, body: &str) -> (u16, Value) {
        let (status, body) = self.text(method, url, &[], body).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    async fn text(
        &self,
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes()));
        let response = self.http.send(request.expect("a request")).await;
        let response = response.expect("an answer");
        let body = String::from_utf8_lossy(response.body()).into_owned();
        (response.status().as_u16(), body)
    }

    pub(crate) async fn start_session(&self) -> Session {
        self.start_session_with("").await
    }

    pub(crate) async fn start_session_with(&self, parameters: &str) -> Session {
        let parameters = format!("&InstanceId.1={INSTANCE}{parameters}");
        let (status, answer) = self.call("StartTerminalSession", &parameters).await;
        assert_eq!(status, 200, "{answer}");
        Self::session(&answer)
    }

    /// The session that StartTerminalSession answered with.
    pub(crate) fn session(answer: &Value) -> Session {
        let text = |name: &str| answer[name].as_str().expect("a text").to_owned();
        Session {
            id: text("SessionId"),
            token: text("SecurityToken"),
            url: text("WebSocketUrl"),
        }
    }

    pub(crate) async fn connect(&self, url: &str) -> Result<Client, ConnectError> {
        self.connect_with(url, HeaderMap::new()).await
    }

    pub(crate) async fn connect_with(
        &self,
        url: &str,
        headers: HeaderMap,
    ) -> Result<Client, ConnectError> {
        let tls = ClientTls::system();
        let (websocket, answer) = ws::connect(&self.dialer, &tls, url, headers).await?;
        Ok(Client {
            end: End::new(
                websocket,
                Scripted::default(),
                Scripted::default(),
                &self.clock,
            ),
            granted: answer
                .get(header::EXTENSIONS)
                .map(|value| value.to_str().expect("a text").to_owned()),
        })
    }

    /// An agent like the official one.
    pub(crate) async fn agent(&self) -> Agent {
        self.agent_of(INSTANCE, None).await
    }

    /// An agent of ours.
    pub(crate) async fn our_agent(&self) -> Agent {
        self.agent_of(INSTANCE, Some(Extensions::ALL)).await
    }

    pub(crate) async fn agent_of(&self, instance: &str, announces: Option<Extensions>) -> Agent {
        let mut headers = HeaderMap::new();
        let agent = format!("linux_amd64/{VERSION}");
        headers.insert(http::header::USER_AGENT, text(&agent));
        headers.insert(header::CLIENT_INSTANCE_ID, text(instance));
        if let Some(extensions) = announces {
            headers.insert(header::EXTENSIONS, text(&extensions.to_string()));
        }
        self.agent_with(instance, headers).await
    }

    /// An agent whose requests have these headers.
    pub(crate) async fn agent_with(&self, instance: &str, headers: HeaderMap) -> Agent {
        let mut agent = Agent {
            dialer: self.dialer.clone(),
            http: self.http.clone(),
            clock: self.clock.clone(),
            headers,
            notify: None,
        };
        agent.notify().await;
        // Its answer is sent once the desk knows of it.
        self.until(|event| {
            matches!(event.kind, EventKind::AgentOnline)
                && event.instance.as_ref().map(InstanceId::as_str) == Some(instance)
        })
        .await;
        agent
    }

    /// Waits until something has happened, or sees that it has already.
    pub(crate) async fn until(&self, is_it: impl Fn(&Event) -> bool) -> Event {
        let (past, mut follower) = self.relay.events(0).await.expect("the relay runs");
        if let Some(event) = past.into_iter().find(|event| is_it(event)) {
            return Event::clone(&event);
        }
        let found = async {
            loop {
                match follower.next().await {
                    Some(Followed::Event(event)) if is_it(&event) => return Event::clone(&event),
                    Some(_) => {}
                    None => panic!("the relay has ended"),
                }
            }
        };
        link::timeout(GUARD, found)
            .await
            .expect("it happens in time")
    }

    /// Waits for the end of a connection.
    pub(crate) async fn until_over(&self) -> EventKind {
        let over = |event: &Event| {
            matches!(
                event.kind,
                EventKind::ConnectionClosed { .. } | EventKind::ConnectionFailed { .. }
            )
        };
        self.until(over).await.kind
    }

    /// Connects a client and an agent's channel. The speeds that come first are taken.
    pub(crate) async fn pair(&self, agent: &mut Agent, session: &Session) -> (Client, Channel) {
        let mut client = self.connect(&session.url).await.expect("let in");
        let channel = agent.serve().await;
        client.expect_speed().await;
        (client, channel)
    }
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("a header")
}

/// What a request with these headers is answered on the axt listener.
pub(crate) async fn signed_agent_answer(
    world: &World,
    path: &str,
    headers: &[(&'static str, String)],
) -> (u16, Value) {
    let headers: Vec<(&'static str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let (status, body) = world.luban("POST", path, &headers, "").await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}
