//! The OpenAPI's listener: an HTTP request in, an answer of `openapi` out.

use std::sync::{Arc, atomic::Ordering};

use axt_net::accept::Peer;
use axt_openapi::{
    ActionName, ApiError, Caller, ErrorCode, Failure, Now, Received, Rendered, read,
    received::MAX_BYTES, render,
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;

use crate::{
    relay::Shared,
    respond,
    traces::Said,
    verbs::{self, CallFrom},
    world::ForCall,
};

/// Serves one call of the API.
pub(crate) async fn call(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = whole(body).await;
    let peer = parts.extensions.get::<Peer>().copied();
    let headers: Vec<(&str, &[u8])> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let received = Received {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        is_tls: peer.is_some_and(|peer| peer.is_tls),
    };
    let now = Now {
        wall: shared.wall.now(),
        rule: shared.clock.now(),
    };
    let world = ForCall {
        all: &shared.surroundings,
        now: now.rule,
        may_be_unsigned: is_from_this_machine(&parts.headers),
    };
    let request_id = shared.request_id();
    let base = base(&parts.headers, received.is_tls);
    let (reply_to, result) = match read(&received, &world, now) {
        Err(failure) => {
            let Failure {
                error,
                reply_to,
                caller,
            } = *failure;
            if let (ErrorCode::ForbiddenRam, Some(caller)) = (error.code(), &caller) {
                warn_of(&request_id, reply_to.action, caller);
            }
            (reply_to, Err(error))
        }
        Ok(call) => {
            let reply_to = call.reply_to.clone();
            let fault = fault(&shared, call.action.name()).await;
            if !call.ignored.is_empty() {
                tracing::info!(
                    request_id,
                    action = %call.action.name(),
                    ignored = ?call.ignored,
                    "parameters mean nothing to the action"
                );
            }
            let from = CallFrom {
                client_ip: peer.map(|peer| peer.addr.ip().to_string()),
                host: call.reply_to.host.clone(),
            };
            let result = match fault {
                Some(error) => Err(error),
                None => verbs::carry_out(&shared, call, &from).await,
            };
            (reply_to, result)
        }
    };
    log(&request_id, reply_to.action, result.as_ref().err());
    shared.metrics.called(
        reply_to.action.map_or("none", ActionName::as_str),
        result
            .as_ref()
            .err()
            .map_or("Ok", |error| error.code().entry().code),
    );
    let mut said = vec![("request_id", request_id.clone())];
    said.extend(reply_to.action.map(|action| ("action", action.to_string())));
    said.extend(
        result
            .as_ref()
            .err()
            .map(|error| ("code", error.code().entry().code.to_owned())),
    );
    let rendered = match &result {
        Ok(answer) => render::answer(&reply_to, &request_id, answer),
        Err(error) => render::error(&reply_to, &request_id, &base, error),
    };
    let mut response = response(rendered);
    response.extensions_mut().insert(Said(said));
    response
}

/// What the call is answered with instead, where a fault says so.
async fn fault(shared: &Shared, action: ActionName) -> Option<ApiError> {
    if !shared.has_api_faults.load(Ordering::Acquire) {
        return None;
    }
    let struck = shared.desk.ask(move |desk| desk.api_fault(action));
    struck.await.ok().flatten()
}

/// What `Recommend` points at: all that is known of a code (design, "Recommend").
pub(crate) async fn explain(Path(code): Path<String>) -> Response<Body> {
    let mut text = String::new();
    for entry in ErrorCode::find(&code).into_iter().map(ErrorCode::entry) {
        text.push_str(&format!(
            "{} (HTTP {})\n{}\n\nWhen {}.\nWhat to do: {}\n\n",
            entry.code, entry.status, entry.message, entry.when, entry.hint
        ));
    }
    if text.is_empty() {
        return respond::text(
            StatusCode::NOT_FOUND,
            "text/plain;charset=utf-8",
            "There is no such code. `axt api --errors` lists them all.\n",
        );
    }
    respond::text(StatusCode::OK, "text/plain;charset=utf-8", text)
}

/// The body, and one byte more than is allowed when it is longer: the refusal of that is one of the
/// documented checks, at its place in their order. What breaks off is what came.
async fn whole(mut body: Body) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let room = (MAX_BYTES + 1).saturating_sub(whole.len());
        whole.extend(data.iter().take(room));
        if whole.len() > MAX_BYTES {
            break;
        }
    }
    whole
}

/// Whether a call names a loopback host, and no other site's page can have sent it.
fn is_from_this_machine(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::ORIGIN)
        && headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .is_some_and(is_loopback_host)
}

/// Whether a `Host` header's value names this machine: not a name that only resolves to it.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let name = verbs::host_name(host);
    name.eq_ignore_ascii_case("localhost")
        || name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn base(headers: &HeaderMap, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

fn log(request_id: &str, action: Option<ActionName>, error: Option<&ApiError>) {
    let action = action.map(tracing::field::display);
    match error {
        None => tracing::info!(request_id, action, "answered"),
        Some(error) => tracing::info!(request_id, action, %error, "refused"),
    }
}

/// Whoever repeats a denied call as it was is told that its nonce was used, so what came first is made
/// easy to find (field-reports-api 2).
fn warn_of(request_id: &str, action: Option<ActionName>, caller: &Caller) {
    tracing::warn!(
        request_id,
        action = action.map(tracing::field::display),
        access_key = caller.access_key_id,
        "Forbidden.RAM: the policy of the access key does not allow it"
    );
}

fn response(rendered: Rendered) -> Response<Body> {
    let mut response = Response::new(Body::from(rendered.body));
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in rendered.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}
