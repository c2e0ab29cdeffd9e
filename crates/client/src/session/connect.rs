//! Opening a session: the call, then the websocket.

use std::time::Duration;

use axt_control::luban::header;
use axt_net::{
    clock::Clock,
    frames::{FrameReader, FrameWriter, Tap, framed},
    tls::ClientTls,
    transport::{Dialer, KERNEL_BUFFER, parts::Ending},
    ws::{self, ConnectError},
};
use axt_proto::{
    Extensions, Secret,
    frame::{Size, client::ClientFraming},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::{Open, Progress};
use crate::api::{Api, CallError};

/// What StartTerminalSession answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Started {
    /// The session's id, `s-…`.
    #[serde(rename = "SessionId")]
    pub id: String,
    /// Where to connect to; it carries the token.
    #[serde(rename = "WebSocketUrl")]
    pub url: Secret,
    /// The token.
    #[serde(rename = "SecurityToken")]
    pub token: Secret,
}

/// What it takes to open a session's websocket.
#[derive(Clone, Debug)]
pub struct Network {
    /// How the relay is dialled.
    pub dialer: Dialer,
    /// Whom to trust.
    pub tls: ClientTls,
    /// What stamps frames.
    pub clock: Clock,
    /// Who looks at frames on the way.
    pub tap: Tap,
}

/// A session's websocket, from the client's end.
#[derive(Debug)]
pub struct Link {
    pub(crate) reader: FrameReader<ClientFraming>,
    pub(crate) writer: FrameWriter<ClientFraming>,
    pub(crate) granted: Extensions,
    pub(crate) progress: Progress,
    /// Learns of a reset while nobody reads the websocket, and can end it by one.
    pub(crate) ending: Ending,
}

impl Link {
    /// Which of the announced extensions the relay granted.
    #[must_use]
    pub fn granted(&self) -> Extensions {
        self.granted
    }

    /// What it moves, while it does.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

/// What this end announces on its upgrade (design, "Extensions that official peers never notice").
#[derive(Clone, Copy, Debug, Default)]
pub struct Announce {
    /// The extensions; none sends no header, as an official client does.
    pub extensions: Extensions,
    /// The window's size.
    pub size: Option<Size>,
}

/// A session that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The API's answer has no usable session in it.
    #[error("the answer to StartTerminalSession is not usable: {0}")]
    Answer(String),
    /// The relay refused the websocket, with a reason.
    #[error("the relay refused the session: {code}: {message}")]
    Refused {
        /// The code, such as `SessionUrl.Expired`; the HTTP status where there is none.
        code: String,
        /// In words.
        message: String,
    },
    /// The websocket could not be opened.
    #[error("cannot open the session's websocket: {0}")]
    Connect(ConnectError),
}

/// Starts a session.
///
/// # Errors
/// [`OpenError::Call`] and [`OpenError::Answer`].
pub async fn start(api: &Api, wanted: &Open) -> Result<Started, OpenError> {
    let mut parameters = vec![("InstanceId.1", wanted.instance.as_str())];
    if let Some(line) = &wanted.command_line {
        parameters.push(("CommandLine", line));
    }
    if let Some(user) = &wanted.username {
        parameters.push(("Username", user));
    }
    start_with(api, &parameters).await
}

/// Starts a session with the parameters of the API.
///
/// # Errors
/// As [`start`].
pub(crate) async fn start_with(
    api: &Api,
    parameters: &[(&str, &str)],
) -> Result<Started, OpenError> {
    let answer = api.call("StartTerminalSession", parameters).await?;
    // The answer holds a token, so what is wrong with it is told without its text.
    serde_json::from_value(answer)
        .map_err(|_| OpenError::Answer("a field is missing, or is no text".to_owned()))
}

/// Connects to a session. The token goes by header as well as in the URL (wire-protocol 14).
///
/// # Errors
/// [`OpenError::Refused`] and [`OpenError::Connect`].
pub async fn connect(
    network: &Network,
    started: &Started,
    announce: Announce,
) -> Result<Link, OpenError> {
    let headers = headers(&started.token, announce);
    // As the official client mends the spelling of old ones (wire-protocol 9.1).
    let url = &started.url.expose().replacen("sessionid", "sessionId", 1);
    let Network {
        dialer,
        tls,
        clock,
        tap,
    } = network;
    let (socket, answered) = match ws::connect(dialer, tls, url, headers).await {
        Ok(connected) => connected,
        Err(ConnectError::Refused { status, body, .. }) => {
            return Err(refusal(status, &body));
        }
        Err(error) => return Err(OpenError::Connect(error)),
    };
    // A kernel that refuses keeps its own sizes: slower to push back, and nothing worse.
    let _ = socket.set_kernel_buffers(KERNEL_BUFFER);
    let granted = answered
        .get(header::EXTENSIONS)
        .and_then(|value| value.to_str().ok())
        .map(|text| {
            let Ok(granted) = text.parse::<Extensions>();
            granted.both(announce.extensions)
        })
        .unwrap_or_default();
    let idle_timeout = answered
        .get(header::IDLE)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let ending = socket.ending();
    let (reads, writes) = (ClientFraming::new(), ClientFraming::new());
    let (reader, writer) = framed(socket, reads, writes, clock.clone(), tap.clone());
    Ok(Link {
        reader,
        writer,
        granted,
        progress: Progress::new(idle_timeout),
        ending,
    })
}

fn headers(token: &Secret, announce: Announce) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(mut value) = HeaderValue::from_str(token.expose()) {
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(header::SESSION_TOKEN), value);
    }
    if announce.extensions.is_empty() {
        return headers;
    }
    if let Ok(value) = HeaderValue::from_str(&announce.extensions.to_string()) {
        headers.insert(HeaderName::from_static(header::EXTENSIONS), value);
    }
    if let Some(Size { rows, cols }) = announce.size
        && let Ok(value) = HeaderValue::from_str(&format!("{rows}x{cols}"))
    {
        headers.insert(HeaderName::from_static(header::SIZE), value);
    }
    headers
}

/// A refused upgrade carries an error in JSON (design, "Failure").
fn refusal(status: http::StatusCode, body: &[u8]) -> OpenError {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        code: String,
        #[serde(default)]
        message: String,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { code, message }) => OpenError::Refused { code, message },
        Err(_) => OpenError::Refused {
            code: status.as_str().to_owned(),
            message: status.canonical_reason().unwrap_or("refused").to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_extensions_the_upgrade_looks_like_an_official_clients() {
        let announce = Announce {
            extensions: Extensions::NONE,
            size: Some(Size {
                rows: 30,
                cols: 100,
            }),
        };

        let headers = headers(&Secret::new("t"), announce);

        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-acs-session-token"]);
    }

    #[test]
    fn what_is_announced_goes_with_the_upgrade() {
        let announce = Announce {
            extensions: Extensions {
                exit: true,
                ..Extensions::NONE
            },
            size: Some(Size {
                rows: 30,
                cols: 100,
            }),
        };

        let headers = headers(&Secret::new("t"), announce);

        assert_eq!(headers["x-axt-ext"], "exit");
        assert_eq!(headers["x-axt-size"], "30x100");
        assert!(!format!("{headers:?}").contains("\"t\""));
    }

    #[test]
    fn a_refusal_tells_the_relays_code() {
        let json = br#"{"Code":"SessionUrl.Expired","Message":"The URL has expired."}"#;

        let refused = refusal(http::StatusCode::FORBIDDEN, json).to_string();
        let silent = refusal(http::StatusCode::BAD_GATEWAY, b"<html>").to_string();

        assert_eq!(
            refused,
            "the relay refused the session: SessionUrl.Expired: The URL has expired."
        );
        assert_eq!(silent, "the relay refused the session: 502: Bad Gateway");
    }
}
