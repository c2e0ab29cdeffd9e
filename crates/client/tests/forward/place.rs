//! A forward with both of its ends: applications that connect to it, and a relay that does exactly
//! what each test says.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axt_client::{
    Api,
    api::permanent,
    forward::{Bound, Forward, ForwardEvent, Remote, Route},
    session::Network,
};
use axt_net::{
    accept,
    clock::Clock,
    frames::Tap,
    http::HttpClient,
    tasks::Tasks,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet, Stream},
    wall::Wall,
};
use axt_proto::{Extensions, Secret};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::handshake::server::{self, ErrorResponse},
};
use tokio_util::sync::CancellationToken;

use super::far_end::FarEnd;

const STARTED: &str = r#"{"RequestId":"r","SessionId":"s-1","SecurityToken":"t",
    "WebSocketUrl":"ws://relay:80/session?sessionId=s-1&token=t"}"#;

/// The calls that reached the API: the action and its parameters.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

/// A forward that runs, and all that is around it.
pub(crate) struct Place {
    pub(crate) stop: CancellationToken,
    pub(crate) events: mpsc::Receiver<ForwardEvent>,
    forward: Tasks,
    /// The API, which outlives the forward.
    _service: Tasks,
    net: MemoryNet,
    relay: Listener,
    calls: Calls,
    local: SocketAddr,
}

impl Place {
    /// Applications connect over TCP, so that a reset is a reset.
    pub(crate) async fn on_loopback(announced: Extensions) -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await;
        Self::start(MemoryNet::new(), listener.expect("free"), "80", announced).await
    }

    /// Applications connect in memory.
    pub(crate) async fn in_memory(announced: Extensions) -> Self {
        Self::towards("80", announced).await
    }

    /// The same with a remote end such as `db:5432`.
    pub(crate) async fn towards(remote: &str, announced: Extensions) -> Self {
        let net = MemoryNet::new();
        let listener = net.bind("localhost", 0).expect("free");
        Self::start(net, listener, remote, announced).await
    }

    async fn start(net: MemoryNet, local: Listener, remote: &str, announced: Extensions) -> Self {
        let (forward, service) = (Tasks::new(), Tasks::new());
        let calls = Calls::default();
        serve_api(&net, &service, &calls);
        let relay = net.bind("relay", 80).expect("free");
        let address = local.local_addr().expect("told");
        let (sender, events) = mpsc::channel(1024);
        let instance = "i-1".parse().expect("an instance");
        let remote = remote_of(remote);
        let route = route(&net, announced);
        let bound = Bound::on(vec![local], remote);
        let started = Forward::start(bound, route, &instance, sender).await;
        let stop = CancellationToken::new();
        forward.spawn("forward", started.expect("started").run(stop.clone()));
        let mut place = Self {
            stop,
            events,
            forward,
            _service: service,
            net,
            relay,
            calls,
            local: address,
        };
        let listening = place.next_event().await;
        assert!(matches!(listening, ForwardEvent::Listening { local, .. } if local == address));
        place
    }

    /// An application that connects in memory.
    pub(crate) async fn application(&self) -> Stream {
        let dialer = Dialer::memory(&self.net);
        let dialled = dialer.dial("localhost", self.local.port()).await;
        dialled.expect("the forward listens")
    }

    /// An application that connects over TCP.
    pub(crate) async fn tcp_application(&self) -> TcpStream {
        let connected = TcpStream::connect(self.local).await;
        connected.expect("the forward listens")
    }

    /// Waits until the forward has ended, for itself or for `stop`.
    pub(crate) async fn ended(&self, guard: Duration) {
        let left = self.forward.shutdown(guard).await;
        assert!(left.is_empty(), "{left:?}");
    }

    /// Whether anybody listens there still.
    pub(crate) async fn is_listening(&self) -> bool {
        let dialer = Dialer::memory(&self.net);
        dialer.dial("localhost", self.local.port()).await.is_ok()
    }

    /// The relay takes a websocket and grants `granted`.
    pub(crate) async fn far_end(&self, granted: &'static str) -> FarEnd {
        let stream = self.relay.accept().await.expect("a client");
        let upgrade = |_: &server::Request, mut response: server::Response| {
            if !granted.is_empty() {
                let granted = granted.parse().expect("a header");
                response.headers_mut().insert("x-axt-ext", granted);
            }
            Ok(response)
        };
        let socket = accept_hdr_async(stream, upgrade).await;
        FarEnd::new(socket.expect("upgraded"))
    }

    /// The relay refuses a websocket.
    pub(crate) async fn refuse(&self, status: u16, body: &'static str) {
        let stream = self.relay.accept().await.expect("a client");
        let refuse = |_: &server::Request, _: server::Response| {
            let mut response = ErrorResponse::new(Some(body.to_owned()));
            *response.status_mut() = status.try_into().expect("a status");
            Err(response)
        };
        let refused = accept_hdr_async(stream, refuse).await;
        assert!(refused.is_err());
    }

    pub(crate) async fn next_event(&mut self) -> ForwardEvent {
        self.events.recv().await.expect("the forward runs")
    }

    /// The next event that is not of a connection that came in.
    pub(crate) async fn next_end(&mut self) -> ForwardEvent {
        loop {
            match self.next_event().await {
                ForwardEvent::Accepted { .. } => {}
                end => return end,
            }
        }
    }

    /// The calls that reached the API so far.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }
}

fn remote_of(text: &str) -> Remote {
    let spec: axt_client::forward::ForwardSpec = format!("0:{text}").parse().expect("well-formed");
    spec.remote
}

fn route(net: &MemoryNet, extensions: Extensions) -> Route {
    let dialer = Dialer::memory(net);
    let tls = ClientTls::system();
    let api = Api::new(
        HttpClient::new(dialer.clone(), tls.clone()),
        "http://api:80",
        "cn-hangzhou".parse().expect("a region"),
        permanent("LTAIx".into(), Secret::new("hunter2")),
        Wall::system(),
    );
    Route {
        api: api.expect("an endpoint"),
        network: Network {
            dialer,
            tls,
            clock: Clock::from_wall(&Wall::system(), 0),
            tap: Tap::none(),
        },
        extensions,
    }
}

/// An API that starts and ends sessions, and remembers having been asked.
fn serve_api(net: &MemoryNet, tasks: &Tasks, calls: &Calls) {
    let listener = net.bind("api", 80).expect("free");
    let calls = Arc::clone(calls);
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let action = &request.headers()["x-acs-action"];
        let action = action.to_str().expect("text").to_owned();
        let calls = Arc::clone(&calls);
        async move {
            let body = request.into_body().collect().await.expect("whole");
            let parameters = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push((action, parameters));
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(
                STARTED.as_bytes(),
            ))))
        }
    });
    tasks.spawn("api", accept::serve(listener, None, service, tasks.child()));
}
