//! A small server for the tests of this crate.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use crate::{
    accept::{self, Peer},
    ca::DevCa,
    http::HttpClient,
    tasks::Tasks,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet},
    wall::Wall,
    ws::{self, ConnectError, WebSocket},
};

/// What no test should ever wait for.
pub(crate) const GUARD: std::time::Duration = std::time::Duration::from_secs(20);

/// `/ws` opens websockets, handed out by [`Server::accepted`]; `/peer` tells who called; `/big`
/// answers 10,000 bytes; `/slow` never; `/refuse` is 403 with a JSON body; others echo the body.
pub(crate) struct Server {
    pub(crate) tasks: Tasks,
    pub(crate) dialer: Dialer,
    pub(crate) tls: ClientTls,
    /// `HOST:PORT`.
    pub(crate) host: String,
    sockets: mpsc::Receiver<WebSocket>,
}

impl Server {
    /// On a real socket, with TLS and without.
    pub(crate) async fn on_loopback() -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self::start(listener, Dialer::tcp(), format!("localhost:{port}"))
    }

    /// In memory.
    pub(crate) fn in_memory() -> Self {
        let net = MemoryNet::new();
        let listener = net.bind("localhost", 7443).unwrap();
        Self::start(listener, Dialer::memory(&net), "localhost:7443".to_owned())
    }

    fn start(listener: Listener, dialer: Dialer, host: String) -> Self {
        let ca = DevCa::ephemeral(&[], &Wall::system()).unwrap();
        let (sender, sockets) = mpsc::channel(16);
        let tasks = Tasks::new();
        let upgrades = Arc::new(tasks.child());
        let service =
            tower::service_fn(move |request| answer(request, sender.clone(), upgrades.clone()));
        let serving = accept::serve(
            listener,
            Some(ca.server_tls().unwrap()),
            service,
            tasks.child(),
        );
        tasks.spawn("server", serving);
        Self {
            tasks,
            dialer,
            tls: ClientTls::with_ca_pem(ca.ca_pem()).unwrap(),
            host,
            sockets,
        }
    }

    pub(crate) fn client(&self) -> HttpClient {
        HttpClient::new(self.dialer.clone(), self.tls.clone())
    }

    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.host)
    }

    pub(crate) async fn connect(&self, url: &str) -> Result<(WebSocket, HeaderMap), ConnectError> {
        ws::connect(&self.dialer, &self.tls, url, HeaderMap::new()).await
    }

    /// The next websocket that was opened at `/ws`.
    pub(crate) async fn accepted(&mut self) -> WebSocket {
        self.sockets.recv().await.expect("the server runs")
    }

    /// A websocket, and the server's end of it.
    pub(crate) async fn pair(&mut self, scheme: &str) -> (WebSocket, WebSocket) {
        let url = self.url(scheme, "/ws?token=secret");
        let (client, _) = self.connect(&url).await.unwrap();
        (client, self.accepted().await)
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>> + Send>>;

fn answer(
    mut request: Request<Incoming>,
    sockets: mpsc::Sender<WebSocket>,
    upgrades: Arc<Tasks>,
) -> Answer {
    Box::pin(async move {
        let path = request.uri().path().to_owned();
        let body = match path.as_str() {
            "/ws" => {
                let mut extra = HeaderMap::new();
                extra.insert("x-axt-ext", "exit".parse().unwrap());
                return Ok(match ws::upgrade(&mut request, extra) {
                    Ok((answer, upgrading)) => {
                        upgrades.spawn("upgrade", async move {
                            if let Ok(socket) = upgrading.finish().await {
                                let _ = sockets.send(socket).await;
                            }
                        });
                        answer.map(|()| Full::default())
                    }
                    Err(refusal) => status(StatusCode::UPGRADE_REQUIRED, refusal.to_string()),
                });
            }
            "/refuse" => return Ok(status(StatusCode::FORBIDDEN, r#"{"Code":"No"}"#.to_owned())),
            "/peer" => {
                let peer = request.extensions().get::<Peer>().unwrap();
                format!("{} {}", peer.addr.ip(), peer.is_tls).into()
            }
            "/big" => Bytes::from(vec![b'x'; 10_000]),
            "/slow" => std::future::pending().await,
            _ => request.into_body().collect().await.unwrap().to_bytes(),
        };
        Ok(Response::new(Full::new(body)))
    })
}

fn status(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}
