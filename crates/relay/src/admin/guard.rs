//! Who may use the admin API (design, "Safety of a laptop").

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode, header},
    middleware::Next,
};

use crate::{api::is_loopback_host, relay::Shared};

/// Lets a request through that carries the token, where there is one; where there is none, one that
/// names a loopback host and that no web page has sent.
pub(super) async fn check(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let headers = request.headers();
    let get = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match &shared.admin_token {
        Some(token) => {
            let given = get(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
            if !given.is_some_and(|given| token.matches(given.trim())) {
                return super::error(
                    StatusCode::UNAUTHORIZED,
                    "the admin API wants its token",
                    Some("pass --admin-token, or set AXT_ADMIN_TOKEN"),
                );
            }
        }
        None if !is_local(headers, get(header::HOST)) => {
            return super::error(
                StatusCode::FORBIDDEN,
                "the admin API without a token is for programs of this machine",
                Some("call it by a loopback address, or set a token"),
            );
        }
        None => {}
    }
    next.run(request).await
}

fn is_local(headers: &HeaderMap, host: Option<&str>) -> bool {
    !headers.contains_key(header::ORIGIN) && host.is_some_and(is_loopback_host)
}
