//! Clients' websockets: `/session?sessionId=…&token=…`.

use std::sync::Arc;

use axt_control::luban::header::{EXTENSIONS, IDLE, SESSION_TOKEN, SIZE};
use axt_net::{accept::Peer, ws};
use axt_proto::{Extensions, SessionId, Size};
use axt_registry::ConnectRefusal;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header},
};

use crate::{connection, desk::Upgrade, relay::Shared, respond};

/// Serves an upgrade on a session's URL, or refuses it before the upgrade (design, "Refused
/// upgrades").
pub(crate) async fn connect(
    State(shared): State<Arc<Shared>>,
    mut request: Request<Body>,
) -> Response<Body> {
    let request_id = shared.request_id();
    if !is_upgrade(request.headers()) {
        return respond::refusal(
            StatusCode::UPGRADE_REQUIRED,
            "UpgradeRequired",
            "This is the URL of a session: open it as a websocket.",
            &request_id,
        );
    }
    if shared.is_stopping() {
        return stopping(&request_id);
    }
    let Some(upgrade) = read(&request) else {
        return refused(ConnectRefusal::UnknownOrWrongToken, &request_id);
    };
    let is_ours = !upgrade.extensions.is_empty();
    let opened = match shared.desk.ask(move |desk| desk.connect(&upgrade)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(refusal)) => return refused(refusal, &request_id),
        Err(_) => return stopping(&request_id),
    };
    let mut granted = HeaderMap::new();
    if !opened.granted.is_empty()
        && let Ok(value) = HeaderValue::from_str(&opened.granted.to_string())
    {
        granted.insert(EXTENSIONS, value);
    }
    let context = shared.connections();
    if is_ours {
        granted.insert(IDLE, HeaderValue::from(context.limits.idle_timeout_s));
    }
    let (response, upgrading) = match ws::upgrade(&mut request, granted) {
        Ok(upgraded) => upgraded,
        Err(error) => {
            // The connection was opened for nothing; dropping it gives its slot back.
            return respond::refusal(
                StatusCode::UPGRADE_REQUIRED,
                "UpgradeRequired",
                &error.to_string(),
                &request_id,
            );
        }
    };
    shared.tasks.spawn("connection", async move {
        match upgrading.finish().await {
            Ok(websocket) => Box::pin(connection::run(websocket, opened, context)).await,
            Err(error) => tracing::debug!(%error, "a client left during its upgrade"),
        }
    });
    response.map(|()| Body::empty())
}

/// Whether the request asks for a websocket at all.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// What the client wishes; `None` when it names no session, or no single token.
fn read(request: &Request<Body>) -> Option<Upgrade> {
    let mut session: Option<SessionId> = None;
    let mut token: Option<String> = None;
    let query = request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            // The official client mends this spelling itself; others need not.
            "sessionId" | "sessionid" => session = value.parse().ok(),
            "token" if !value.is_empty() => token = Some(value.into_owned()),
            _ => {}
        }
    }
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    // An empty header is no header; two tokens that differ are refused (design, "Safety of a
    // laptop").
    let token = match (token, header(SESSION_TOKEN)) {
        (Some(from_url), Some(from_header)) if from_url != from_header => return None,
        (from_url, from_header) => from_url.or(from_header)?,
    };
    let peer = request.extensions().get::<Peer>();
    Some(Upgrade {
        session: session?,
        token,
        client_ip: peer
            .map(|peer| peer.addr.ip().to_string())
            .unwrap_or_default(),
        extensions: header(EXTENSIONS).map(Extensions::from).unwrap_or_default(),
        size: header(SIZE).as_deref().and_then(size),
    })
}

/// `ROWSxCOLS`
fn size(text: &str) -> Option<Size> {
    let (rows, cols) = text.split_once('x')?;
    Some(Size {
        rows: rows.parse().ok()?,
        cols: cols.parse().ok()?,
    })
}

fn refused(refusal: ConnectRefusal, request_id: &str) -> Response<Body> {
    respond::refusal(
        StatusCode::FORBIDDEN,
        refusal.code(),
        &sentence(&refusal.to_string()),
        request_id,
    )
}

fn stopping(request_id: &str) -> Response<Body> {
    respond::refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "RelayStopping",
        "The relay is stopping: try again in a moment.",
        request_id,
    )
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, token: Option<&str>) -> Request<Body> {
        let mut request = Request::builder().uri(url);
        if let Some(token) = token {
            request = request.header(SESSION_TOKEN, token);
        }
        request.body(Body::empty()).expect("a request")
    }

    fn token(url: &str, header: Option<&str>) -> Option<String> {
        read(&request(url, header)).map(|upgrade| upgrade.token)
    }

    #[test]
    fn the_token_comes_by_url_or_header_and_an_empty_header_is_none() {
        assert_eq!(
            token("/session?sessionId=s-1&token=t", None).as_deref(),
            Some("t")
        );
        assert_eq!(
            token("/session?sessionId=s-1&token=t", Some("")).as_deref(),
            Some("t")
        );
        assert_eq!(
            token("/session?sessionid=s-1", Some("t")).as_deref(),
            Some("t")
        );
        assert_eq!(
            token("/session?sessionId=s-1&token=t", Some("t")).as_deref(),
            Some("t")
        );
    }

    #[test]
    fn two_tokens_that_differ_or_none_at_all_name_no_session() {
        assert_eq!(token("/session?sessionId=s-1&token=t", Some("u")), None);
        assert_eq!(token("/session?sessionId=s-1", None), None);
        assert_eq!(token("/session?token=t", None), None);
        assert_eq!(token("/session?sessionId=x&token=t", None), None);
    }

    #[test]
    fn a_size_is_rows_by_columns() {
        assert_eq!(
            size("30x100"),
            Some(Size {
                rows: 30,
                cols: 100
            })
        );
        assert_eq!(size("30"), None);
        assert_eq!(size("x"), None);
        assert_eq!(size("99999x1"), None);
    }
}
