//! Answers about sessions (ecs-api 3.1 to 3.3).

use axt_proto::{Secret, SessionId};
use serde::Serialize;

use super::wrapped;

/// The answer of StartTerminalSession: all that a client needs to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartTerminalSession {
    /// The session.
    pub session_id: SessionId,
    /// The token of the URL.
    pub security_token: Secret,
    /// Where to connect; it holds the token, so it is a secret too. See [`session_url`].
    pub web_socket_url: Secret,
}

/// `BASE/session?sessionId=…&token=…`. The spelling `sessionId` is what clients look for; `base` is
/// `wss://…` or `ws://…` without a trailing slash.
#[must_use]
pub fn session_url(base: &str, session: &SessionId, token: &Secret) -> Secret {
    Secret::new(format!(
        "{base}/session?sessionId={session}&token={}",
        token.expose()
    ))
}

/// The answer of EndTerminalSession.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EndTerminalSession {}

/// The answer of DescribeTerminalSessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTerminalSessions {
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The sessions of the page, the newest first.
    pub sessions: Sessions,
}

wrapped! {
    /// `Sessions.Session[]`
    Sessions { "Session": Session }
    /// `Connections.Connection[]`
    Connections { "Connection": Connection }
}

/// A session and who started it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Session {
    /// The session.
    pub session_id: String,
    /// When it was started, `yyyy-MM-ddTHH:mm:ssZ`.
    pub creation_time: String,
    /// The port that it forwards to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_number: Option<u16>,
    /// The host that it forwards to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_server: Option<String>,
    /// `Account`, `RAMUser` or `AssumedRoleUser`.
    pub identity_type: String,
    /// The id of whoever started it.
    pub principal_id: String,
    /// The address that it was started from.
    #[serde(rename = "ClientIP", skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// The user whose shell it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Its connections, the oldest first.
    pub connections: Connections,
}

/// A connection of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Connection {
    /// The instance.
    pub instance_id: String,
    /// `Connecting`, `Connected`, `Terminated` or `Failed`.
    pub status: &'static str,
    /// When it was let in, `yyyy-MM-ddTHH:mm:ssZ`.
    pub start_time: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// Why it ended, a word of the reason table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_reason: Option<String>,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_detail: Option<String>,
}
