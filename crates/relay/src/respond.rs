//! Small HTTP answers.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;

/// The body of a refused upgrade (design, "Refused upgrades").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
}

/// A JSON answer. What it holds can always be written as JSON: our own types are.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    text(
        status,
        "application/json;charset=utf-8",
        serde_json::to_string(body).unwrap_or_default(),
    )
}

/// A text of some kind.
pub(crate) fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A refused upgrade, or a refused agent.
pub(crate) fn refusal(
    status: StatusCode,
    code: &str,
    message: &str,
    request_id: &str,
) -> Response<Body> {
    json(
        status,
        &Refusal {
            code,
            message,
            request_id,
        },
    )
}
