//! Answers about sessions (ecs-api 3.1 to 3.3).

use axt_proto::{Secret, SessionId};
use serde::Serialize;

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
