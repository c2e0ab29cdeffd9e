//! What a call looks like from outside: method, headers, content (wire-protocol 10.1, 10.5).

use bytes::Bytes;
use http::{HeaderMap, Method, Version, request::Parts};

/// A call that has come in.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its path.
    pub path: String,
    /// Its query, as it was sent.
    pub query: String,
    /// Its body.
    pub body: Bytes,
    /// Its headers.
    pub headers: HeaderMap,
}

/// What kind of content a call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// None: a websocket's handshake.
    None,
    /// A GET's, which has no body.
    Form,
    Json,
    Text,
}

impl Content {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Form => Some("application/x-www-form-urlencoded"),
            Self::Json => Some("application/json; charset=utf-8"),
            Self::Text => Some("text/plain; charset=utf-8"),
        }
    }
}

/// Headers that every call may have.
const ANY: [&str; 10] = [
    "host",
    "user-agent",
    "content-type",
    "content-length",
    "accept-encoding",
    "x-acs-instance-id",
    "x-acs-timestamp",
    "x-acs-request-id",
    "x-acs-signature",
    "x-client-ip",
];

/// Headers that a websocket's handshake has besides.
const HANDSHAKE: [&str; 4] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
];

/// What our own agent announces itself by.
const ANNOUNCING: &str = "x-axt-ext";

/// The method and the content of each path; `None` for one that no agent calls.
pub(super) fn expected(path: &str) -> Option<(Method, Content)> {
    Some(match path {
        "/luban/notify_server" | "/luban/session/backend" => (Method::GET, Content::None),
        "/luban/api/heart-beat" => (Method::GET, Content::Form),
        "/luban/api/v1/session/status"
        | "/luban/api/v1/task/verified"
        | "/luban/api/v1/task/running"
        | "/luban/api/v1/task/finish"
        | "/luban/api/v1/task/timeout"
        | "/luban/api/v1/task/error"
        | "/luban/api/v1/task/stopped"
        | "/luban/api/v1/task/invalid" => (Method::POST, Content::Text),
        "/luban/api/instance/register"
        | "/luban/api/instance/deregister"
        | "/luban/api/v1/session/list"
        | "/luban/api/v1/task/list"
        | "/luban/api/v1/update/update_check"
        | "/luban/api/metrics"
        | "/luban/api/v1/exception/client_report"
        | "/luban/api/instance/list_instance_state_configurations" => (Method::POST, Content::Json),
        _ => return None,
    })
}

/// All that is wrong with a call's outside, its identity excepted.
pub(super) fn check(head: &Parts) -> Vec<String> {
    let Some((method, content)) = expected(head.uri.path()) else {
        return vec!["no agent calls that".to_owned()];
    };
    let mut wrong = Vec::new();
    let get = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if head.method != method || head.version != Version::HTTP_11 {
        wrong.push(format!("{} {:?}", head.method, head.version));
    }
    let user_agent = get("user-agent").unwrap_or_default();
    if !is_user_agent(user_agent) {
        wrong.push(format!("the User-Agent `{user_agent}`"));
    }
    if get("content-type") != content.name() {
        wrong.push(format!("the content type {:?}", get("content-type")));
    }
    if method == Method::POST && get("content-length").is_none() {
        wrong.push("no Content-Length".to_owned());
    }
    for name in head.headers.keys() {
        let name = name.as_str();
        let is_handshake = content == Content::None;
        let is_known = ANY.contains(&name)
            || is_handshake && HANDSHAKE.contains(&name)
            || name == ANNOUNCING && head.uri.path() == "/luban/notify_server";
        if !is_known {
            wrong.push(format!("the header {name}"));
        }
    }
    if content == Content::None {
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
        ] {
            if !get(name).is_some_and(|it| it.eq_ignore_ascii_case(value)) {
                wrong.push(format!("the header {name}: {:?}", get(name)));
            }
        }
    }
    wrong
}

/// `<os>_<arch>/<four numbers>`
fn is_user_agent(text: &str) -> bool {
    let Some((machine, version)) = text.split_once('/') else {
        return false;
    };
    let is_machine = machine.split_once('_').is_some_and(|(os, arch)| {
        ["linux", "windows", "freebsd"].contains(&os) && !arch.is_empty()
    });
    let numbers: Vec<&str> = version.split('.').collect();
    is_machine && numbers.len() == 4 && numbers.iter().all(|it| it.parse::<u32>().is_ok())
}
