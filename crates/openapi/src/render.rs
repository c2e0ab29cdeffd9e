//! Answers and errors as bytes: JSON and XML from the same value (ecs-api 1.4).

mod xml;

use std::fmt;

use serde::Serialize;

use crate::{Answer, ApiError, error::AccessDenied, received::ReplyTo};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What every official SDK asks for.
    Json,
    /// What RPC means without Format.
    Xml,
}

impl Format {
    /// The format of that name, in any case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case("json") => Some(Self::Json),
            _ if name.eq_ignore_ascii_case("xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// The exact bytes of Content-Type: clients compare them whole (ecs-api 1.4).
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=utf-8",
            Self::Xml => "text/xml;charset=utf-8",
        }
    }
}

/// An answer as bytes, all but Content-Length and Date, which belong to HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// The headers to send.
    pub headers: Vec<(&'static str, String)>,
    /// The body. It can hold a token, so `Debug` leaves it out.
    pub body: Vec<u8>,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rendered")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// `RequestId` first, then the answer's own fields.
#[derive(Serialize)]
struct Success<'a> {
    #[serde(rename = "RequestId")]
    request_id: &'a str,
    #[serde(flatten)]
    answer: &'a Answer,
}

/// The body of an error, in the documented order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal<'a> {
    request_id: &'a str,
    host_id: &'a str,
    code: &'a str,
    message: &'a str,
    recommend: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_denied_detail: Option<&'a AccessDenied>,
}

/// An action's answer. `request_id` is the one of [`mint::request_id`](crate::mint::request_id).
#[must_use]
pub fn answer(reply_to: &ReplyTo, request_id: &str, answer: &Answer) -> Rendered {
    let body = Success { request_id, answer };
    let body = match reply_to.format {
        Format::Json => json(&body),
        Format::Xml => xml::document(&format!("{}Response", answer.action()), &body),
    };
    rendered(reply_to.format, 200, request_id, body)
}

/// An error's answer. `Recommend` becomes `base/errors/Code`, a page of the sandbox's own.
#[must_use]
pub fn error(reply_to: &ReplyTo, request_id: &str, base: &str, error: &ApiError) -> Rendered {
    let code = error.code_text();
    let refusal = Refusal {
        request_id,
        host_id: &reply_to.host,
        code: &code,
        message: &error.message(reply_to.action),
        recommend: &format!("{base}/errors/{code}"),
        access_denied_detail: error.access_denied(),
    };
    let status = error.status(reply_to.action);
    let body = match reply_to.format {
        Format::Json => json(&refusal),
        Format::Xml => xml::error(&refusal),
    };
    let mut rendered = rendered(reply_to.format, status, request_id, body);
    if let Some(wait) = error.wait() {
        let millis = wait.as_millis().max(1).to_string();
        rendered.headers.push(("x-acs-retry-after", millis));
    }
    rendered
}

/// Writing cannot fail on these types: names are texts and there is no I/O.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn rendered(format: Format, status: u16, request_id: &str, body: Vec<u8>) -> Rendered {
    Rendered {
        status,
        headers: vec![
            ("content-type", format.content_type().to_owned()),
            ("x-acs-request-id", request_id.to_owned()),
            ("cache-control", "no-store".to_owned()),
        ],
        body,
    }
}
