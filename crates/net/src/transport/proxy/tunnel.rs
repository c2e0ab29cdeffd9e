//! One tunnel: CONNECT, and what the proxy says to it.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header::HOST};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{Proxy, ProxyProblem};
use crate::{
    tls::ClientTls,
    transport::{Dialer, Stream},
};

/// Connects to a host through `proxy`. Takes as long as that does: the caller has the deadline.
pub(super) async fn through(
    proxy: &Proxy,
    tls: &ClientTls,
    host: &str,
    port: u16,
) -> Result<Stream, ProxyProblem> {
    let dialled = Dialer::tcp().dial(&proxy.host, proxy.port).await;
    let stream = dialled.map_err(|error| ProxyProblem::Unreachable(error.source))?;
    let stream = if proxy.is_tls {
        let connecting = tls.connect(&proxy.host, stream).await;
        connecting.map_err(ProxyProblem::Tls)?
    } else {
        stream
    };
    connect(proxy, stream, host, port).await
}

async fn connect(
    proxy: &Proxy,
    stream: Stream,
    host: &str,
    port: u16,
) -> Result<Stream, ProxyProblem> {
    let nonsense = |why: String| ProxyProblem::Nonsense(why);
    let authority = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let request = request(proxy, &authority).map_err(|error| nonsense(error.to_string()))?;
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| nonsense(error.to_string()))?;
    let exchange = async {
        let answer = sender.send_request(request).await;
        let mut answer = answer.map_err(|error| nonsense(error.to_string()))?;
        match answer.status() {
            status if status.is_success() => {}
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                return Err(if proxy.credentials.is_some() {
                    ProxyProblem::WrongPassword
                } else {
                    ProxyProblem::Unauthorized
                });
            }
            status => return Err(ProxyProblem::Refused(status)),
        }
        let upgraded = hyper::upgrade::on(&mut answer).await;
        let upgraded = upgraded.map_err(|error| nonsense(error.to_string()))?;
        let parts = upgraded
            .downcast::<TokioIo<Stream>>()
            .map_err(|_| nonsense("the connection was lost".to_owned()))?;
        // Who is behind it waits for us to speak first, TLS and HTTP alike.
        if !parts.read_buf.is_empty() {
            return Err(nonsense("it says more than was asked".to_owned()));
        }
        Ok(parts.io.into_inner())
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

fn request(proxy: &Proxy, authority: &str) -> Result<Request<Empty<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(authority)
        .header(HOST, authority)
        .body(Empty::new())?;
    if let Some(credentials) = &proxy.credentials {
        let mut value = HeaderValue::from_str(credentials.expose())?;
        value.set_sensitive(true);
        request
            .headers_mut()
            .insert(http::header::PROXY_AUTHORIZATION, value);
    }
    Ok(request)
}
