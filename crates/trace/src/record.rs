//! The format of a trace: one JSON object a line, a [`Header`] first and then [`Record`]s.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fields::Fields;

/// The version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// The first line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub axt_trace: u32,
    /// Who looked: `relay` or `agent`.
    pub seen_by: String,
    /// The version of that program.
    pub version: String,
    /// Wall time of the first record, RFC 3339 in UTC.
    pub started: String,
    /// Whether payload was kept, as far as is known at the first record.
    pub payload: bool,
    /// Whose records these are; absent ids differ from record to record.
    #[serde(flatten)]
    pub ids: Ids,
}

/// Ids, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Ids {
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// Between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hop {
    /// Between client, or the API's caller, and relay.
    Client,
    /// Between relay and agent.
    Agent,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dir {
    /// From the client to the relay, or from the relay to the agent.
    Up,
    /// From the agent to the relay, or from the relay to the client.
    Down,
}

/// One thing that passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counts the file's records from 0.
    pub n: u64,
    /// Rule time, microseconds since the Unix epoch.
    pub rule_us: u64,
    /// Link time, microseconds since the file's first record.
    pub link_us: u64,
    /// Between whom.
    pub hop: Hop,
    /// Which way; of a call, that of its request.
    pub dir: Dir,
    /// Whose, where the header does not say.
    #[serde(flatten)]
    pub ids: Ids,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A websocket is there to carry frames.
    Open,
    /// A websocket message with a frame.
    Frame(Box<Fields>),
    /// A close frame of the websocket.
    Close {
        /// Its code; 1005 stands for none.
        code: u16,
        /// Its text.
        reason: String,
    },
    /// The websocket broke.
    Lost {
        /// How.
        why: String,
    },
    /// A command on the notify channel, or the answer to one.
    Notify {
        /// All of it.
        text: String,
    },
    /// An HTTP request with its answer.
    Call(Box<Call>),
}

/// An HTTP request with its answer. Texts that are not known to be harmless are `***`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The parameters of the query, and of a form in the body.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// Headers that say something.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The request's body, when it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// Bytes in the request's body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub request_size: u64,
    /// The answer's status; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The action of the API, or what else the answerer says of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub said: Map<String, Value>,
    /// The answer's body, when it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Bytes in the answer's body.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answer_size: u64,
    /// From the request to the answer, microseconds of link time.
    pub took_us: u64,
    /// The output in a task's report, base64, where payload is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Ids {
    /// These, and where they are silent the others.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            session: self.session.or_else(|| other.session.clone()),
            connection: self.connection.or_else(|| other.connection.clone()),
            channel: self.channel.or_else(|| other.channel.clone()),
            instance: self.instance.or_else(|| other.instance.clone()),
        }
    }

    /// The id of that name; a name that is none is passed over.
    pub(crate) fn set(&mut self, name: &str, id: String) {
        let place = match name {
            "session" => &mut self.session,
            "connection" => &mut self.connection,
            "channel" => &mut self.channel,
            "instance" => &mut self.instance,
            _ => return,
        };
        *place = Some(id);
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Client => "client",
            Self::Agent => "agent",
        })
    }
}

impl What {
    /// What it is in one word: `open`, `frame`, `close`, `lost`, `notify` or `call`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frame(_) => "frame",
            Self::Close { .. } => "close",
            Self::Lost { .. } => "lost",
            Self::Notify { .. } => "notify",
            Self::Call(_) => "call",
        }
    }

    /// Its kind, or of a frame its type.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Frame(fields) => &fields.r#type,
            other => other.kind(),
        }
    }
}
