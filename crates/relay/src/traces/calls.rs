//! Calls of the control planes: the API's, the agents', and the upgrades.

use std::sync::Arc;

use axt_control::{admin, luban::header};
use axt_net::{
    link,
    tap::{Call, Seen, Side, Way},
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Request, Response},
    middleware::Next,
};
use http_body_util::BodyExt;

use crate::relay::Shared;

/// The longest body that is looked at, in bytes; of a longer one the trace has nothing.
const BODY: u64 = 64 * 1024;

/// Headers that say something of a call, and are no secrets.
const HEADERS: [&str; 8] = [
    "content-type",
    "host",
    "user-agent",
    "x-acs-action",
    header::INSTANCE_ID,
    header::CLIENT_INSTANCE_ID,
    header::EXTENSIONS,
    header::SIZE,
];

/// What the answerer says of a call, among the extensions of its answer.
#[derive(Clone, Debug)]
pub(crate) struct Said(pub(crate) Vec<(&'static str, String)>);

/// Answers a request, and hands a copy of both to whoever traces them.
pub(crate) async fn see(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let traces = &shared.traces;
    if !traces.is_any() || is_view(&request) {
        return next.run(request).await;
    }
    let begun = link::now();
    let (head, body) = request.into_parts();
    let (body, copy) = copied(body).await;
    let mut call = Call {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: chosen(&head.headers),
        request: copy,
        ..Call::default()
    };
    let response = next.run(Request::from_parts(head, body)).await;
    let (head, body) = response.into_parts();
    let (body, copy) = copied(body).await;
    call.status = Some(head.status.as_u16());
    call.answer = copy;
    if let Some(Said(said)) = head.extensions.get::<Said>() {
        call.said.clone_from(said);
    }
    call.took = link::now().saturating_duration_since(begun);
    let named = |name: &str| {
        let of = |text: &[u8]| {
            form_urlencoded::parse(text)
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.into_owned())
        };
        of(call.query.as_bytes()).or_else(|| of(&call.request))
    };
    let (session, channel) = (named("sessionId"), named("channelId"));
    let session = session.or_else(|| session_of(&call.path).map(str::to_owned));
    if let Some(tap) = traces.control(session.as_deref(), channel.as_deref()) {
        let side = match call.path.starts_with("/luban/") {
            true => Side::Agent,
            false => Side::Client,
        };
        let seen = Seen::Call(Box::new(call));
        tap.note(shared.clock.now(), side, Way::In, seen).await;
    }
    Response::from_parts(head, body)
}

/// A call of the admin API that only looks, as an orchestrator and `axt top` do without end, or one that asks for
/// a trace.
fn is_view(request: &Request<Body>) -> bool {
    let path = request.uri().path();
    let is_admin = path.starts_with("/v1/") || path == admin::path::METRICS;
    is_admin && (request.method() == Method::GET || path.ends_with("/trace"))
}

/// The session that a path of the admin API is about.
fn session_of(path: &str) -> Option<&str> {
    let rest = path
        .strip_prefix(admin::path::SESSIONS)?
        .strip_prefix('/')?;
    rest.split('/').next()
}

/// The body, and a copy of it where it is known to be short.
async fn copied(body: Body) -> (Body, Bytes) {
    use axum::body::HttpBody;
    let is_short = body.size_hint().exact().is_some_and(|size| size <= BODY);
    if !is_short {
        return (body, Bytes::new());
    }
    match body.collect().await {
        Ok(whole) => {
            let bytes = whole.to_bytes();
            (Body::from(bytes.clone()), bytes)
        }
        // It broke off: whoever reads it is to find that out.
        Err(error) => {
            let broken = futures_util::stream::once(async move { Err::<Bytes, _>(error) });
            (Body::from_stream(broken), Bytes::new())
        }
    }
}

fn chosen(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value(name)?)))
        .collect()
}
