//! Tracing one session.

use axt_proto::SessionId;
use serde::{Deserialize, Serialize};

/// The body of `POST /v1/sessions/{id}/trace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceRequest {
    /// Whether its frames and its control-plane calls are written from now on.
    pub on: bool,
    /// Whether what people type and read is written too.
    #[serde(default)]
    pub payload: bool,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceAnswer {
    /// Which session.
    pub session: SessionId,
    /// Whether it is traced now.
    pub on: bool,
    /// Whether payload is written.
    pub payload: bool,
    /// The folder that is written to, on the relay's machine.
    pub folder: String,
}
