//! Faults: what the relay can be told to do wrong, on the wire and in the protocol (docs/faults.md).
//!
//! One closed set of words for the admin API, the command line, the settings and scenarios. Those of
//! the wire are toxiproxy's, with its attributes, units and directions.

mod read;
mod words;

#[cfg(test)]
mod tests;

use axt_proto::{ConnectionId, InstanceId, SessionId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{
    read::BadFault,
    words::{Attribute, COMMON, Family, KINDS, KindWords},
};

/// A fault: what goes wrong, where, and how often. As JSON or TOML it is one flat table, such as
/// `{"type":"latency","latency":500,"link":"client","stream":"downstream"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct Fault {
    /// What it is removed by; absent: the relay makes one, such as `latency-1`.
    pub name: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// On which websocket: for faults of the wire, and of frames.
    pub link: Link,
    /// Which way: for faults of the wire.
    pub stream: Stream,
    /// For whom.
    pub scope: Scope,
    /// How likely it strikes where it could, 0 to 1: once for each websocket on the wire, each time in
    /// the protocol.
    pub toxicity: f64,
    /// How often it strikes before it is spent; absent: always. On the wire: how many websockets.
    pub times: Option<u32>,
}

impl Fault {
    /// A fault of everything, always.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            name: None,
            kind,
            link: Link::Client,
            stream: Stream::Downstream,
            scope: Scope {
                instance: None,
                session: None,
                connection: None,
            },
            toxicity: 1.0,
            times: None,
        }
    }

    /// The same, so often and no more.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The same on that websocket.
    #[must_use]
    pub const fn on(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// The same that way.
    #[must_use]
    pub const fn going(mut self, stream: Stream) -> Self {
        self.stream = stream;
        self
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FaultKind {
    /// Bytes are late by `latency` ± `jitter` ms.
    Latency {
        /// ms.
        latency: u64,
        /// ms.
        #[serde(default)]
        jitter: u64,
    },
    /// At most `rate` KB (1,000 bytes) a second.
    Bandwidth {
        /// KB/s.
        rate: u64,
    },
    /// The end is late by `delay` ms.
    SlowClose {
        /// ms.
        delay: u64,
    },
    /// No data gets through; after `timeout` ms the connection is closed, never if that is 0.
    Timeout {
        /// ms.
        #[serde(default)]
        timeout: u64,
    },
    /// After `timeout` ms the connection is reset.
    ResetPeer {
        /// ms.
        #[serde(default)]
        timeout: u64,
    },
    /// Data comes in pieces of `average_size` ± `size_variation` bytes, `delay` µs apart.
    Slicer {
        /// Bytes.
        average_size: u64,
        /// Bytes.
        #[serde(default)]
        size_variation: u64,
        /// µs.
        #[serde(default)]
        delay: u64,
    },
    /// After so many bytes the connection is closed.
    LimitData {
        /// Bytes.
        bytes: u64,
    },
    /// The agent is not told of a channel.
    DropKick,
    /// The agent is told of a channel `delay` ms late.
    DelayKick {
        /// ms.
        delay: u64,
    },
    /// The agent is told of a channel twice.
    DoubleKick,
    /// The agent's data channel is accepted, and paired with its client only `delay` ms later.
    HoldPairing {
        /// ms.
        delay: u64,
    },
    /// A connection gets the channel id of the instance's latest connection that is still there.
    RepeatChannel,
    /// The agent's dial of a data channel is answered with that HTTP status.
    RefuseDataChannel {
        /// HTTP status.
        status: u16,
    },
    /// The agent's data channel is cut `delay` ms after it was opened, and may be dialled again.
    CutDataChannel {
        /// ms.
        #[serde(default)]
        delay: u64,
    },
    /// The header of a frame with data states this length of its payload.
    WrongLength {
        /// Bytes.
        length: u32,
    },
    /// A frame with data ends after so many bytes.
    CutHeader {
        /// Bytes.
        bytes: u32,
    },
    /// The createdDate of a frame with data is 0.
    ZeroDate,
    /// A frame with data has that type.
    WrongType {
        /// The type.
        number: u32,
    },
    /// A status is sent that nothing called for.
    SendStatus {
        /// Its code byte.
        code: u8,
        /// What follows it, as text.
        #[serde(default)]
        reason: String,
    },
    /// A speed is sent that is none of the limits, 0 too.
    SendSpeed {
        /// Bits a second.
        bits: u32,
    },
    /// Calls of the API are answered with an error of its table.
    ApiError {
        /// The error's code.
        code: String,
        /// The action; absent: every one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<String>,
    },
    /// A client's token is refused, though it is right.
    RefuseToken,
    /// StartTerminalSession is answered as if the region had all the sessions that it may have.
    SessionsFull,
    /// A client is refused as if the instance had all the connections that it may have.
    ConnectionsFull,
}

impl FaultKind {
    /// Its word, as in `type`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Bandwidth { .. } => "bandwidth",
            Self::SlowClose { .. } => "slow_close",
            Self::Timeout { .. } => "timeout",
            Self::ResetPeer { .. } => "reset_peer",
            Self::Slicer { .. } => "slicer",
            Self::LimitData { .. } => "limit_data",
            Self::DropKick => "drop_kick",
            Self::DelayKick { .. } => "delay_kick",
            Self::DoubleKick => "double_kick",
            Self::HoldPairing { .. } => "hold_pairing",
            Self::RepeatChannel => "repeat_channel",
            Self::RefuseDataChannel { .. } => "refuse_data_channel",
            Self::CutDataChannel { .. } => "cut_data_channel",
            Self::WrongLength { .. } => "wrong_length",
            Self::CutHeader { .. } => "cut_header",
            Self::ZeroDate => "zero_date",
            Self::WrongType { .. } => "wrong_type",
            Self::SendStatus { .. } => "send_status",
            Self::SendSpeed { .. } => "send_speed",
            Self::ApiError { .. } => "api_error",
            Self::RefuseToken => "refuse_token",
            Self::SessionsFull => "sessions_full",
            Self::ConnectionsFull => "connections_full",
        }
    }
}

/// A websocket of the relay's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Between a client and the relay.
    #[default]
    Client,
    /// Between the relay and an agent, for one connection: its data channel.
    Agent,
    /// Between the relay and an agent: its notify channel.
    Notify,
}

/// A direction, as toxiproxy says it of a connection that somebody opens to a server. The relay is the
/// server of all three websockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Towards the relay: what the client or the agent sends.
    Upstream,
    /// From the relay: what the client or the agent is sent.
    #[default]
    Downstream,
}

/// Whom a fault is for: everybody where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// That instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// That session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// That connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
}

/// A fault that was added, and what has become of it: a row of `GET /v1/faults`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultState {
    /// How often it has struck.
    pub acted: u64,
    /// How often it still may; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u32>,
    /// The fault, with its name.
    #[serde(flatten)]
    pub fault: Fault,
}

/// The answer of `GET /v1/faults`, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultsAnswer {
    /// All of them, those that are spent too.
    pub faults: Vec<FaultState>,
}

/// The answer of `POST /v1/faults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultAdded {
    /// What it is removed by: `DELETE /v1/faults/NAME`.
    pub name: String,
}
