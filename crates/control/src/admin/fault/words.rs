//! The table of words: every kind of fault with its attributes, units and effect. Help texts,
//! errors and docs/faults.md are made of it.

/// What a fault is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Bytes of one websocket, one way. It has `link` and `stream`.
    Wire,
    /// What the relay does with a connection.
    Protocol,
    /// A frame that the relay sends. It has `link`, which is `client` or `agent`.
    Frame,
    /// Answers of the API. It has no scope.
    Api,
}

/// An attribute of a kind, or a key that every kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// Its unit or form; `text` and ids are texts, everything else is a number.
    pub unit: &'static str,
    /// What it is when it is left out; `None`: it must not be.
    pub default: Option<&'static str>,
}

impl Attribute {
    const fn needed(name: &'static str, unit: &'static str) -> Self {
        Self {
            name,
            unit,
            default: None,
        }
    }

    const fn or(name: &'static str, unit: &'static str, default: &'static str) -> Self {
        Self {
            name,
            unit,
            default: Some(default),
        }
    }
}

/// What people are told of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindWords {
    /// Its word.
    pub word: &'static str,
    /// What it is of.
    pub family: Family,
    /// Its own attributes.
    pub attributes: &'static [Attribute],
    /// What it does, as a sentence.
    pub effect: &'static str,
    /// Whether an official program can crash or hang by it for good (wire-protocol 12).
    pub is_harmful: bool,
}

const fn kind(
    word: &'static str,
    family: Family,
    attributes: &'static [Attribute],
    effect: &'static str,
) -> KindWords {
    KindWords {
        word,
        family,
        attributes,
        effect,
        is_harmful: false,
    }
}

const fn harmful(kind: KindWords) -> KindWords {
    KindWords {
        is_harmful: true,
        ..kind
    }
}

/// What every kind can have.
pub const COMMON: [Attribute; 8] = [
    Attribute::or("name", "text", "TYPE-N"),
    Attribute::or("link", "client, agent or notify", "client"),
    Attribute::or("stream", "upstream or downstream", "downstream"),
    Attribute::or("toxicity", "0 to 1", "1"),
    Attribute::or("times", "a whole number from 1 on", "always"),
    Attribute::or("instance", "an instance id", "all"),
    Attribute::or("session", "a session id", "all"),
    Attribute::or("connection", "a connection's number", "all"),
];

const DELAY: Attribute = Attribute::needed("delay", "ms");
const BYTES: Attribute = Attribute::needed("bytes", "bytes");

use Family::{Api, Frame, Protocol, Wire};

/// Every kind.
#[rustfmt::skip]
pub const KINDS: [KindWords; 24] = [
    kind("latency", Wire, &[Attribute::needed("latency", "ms"), Attribute::or("jitter", "ms", "0")],
        "Bytes come later, by latency ± jitter."),
    kind("bandwidth", Wire, &[Attribute::needed("rate", "KB/s")],
        "At most so many thousand bytes a second get through."),
    kind("slow_close", Wire, &[DELAY],
        "The end of the connection comes later."),
    kind("timeout", Wire, &[Attribute::or("timeout", "ms", "0")],
        "No data gets through; after so long the connection is closed, unless 0."),
    kind("reset_peer", Wire, &[Attribute::or("timeout", "ms", "0")],
        "After so long the connection is reset."),
    kind("slicer", Wire, &[Attribute::needed("average_size", "bytes"), Attribute::or("size_variation", "bytes", "0"), Attribute::or("delay", "µs", "0")],
        "Data comes in pieces of average_size ± size_variation, so far apart."),
    kind("limit_data", Wire, &[BYTES],
        "The connection is closed once so much has gone through."),
    kind("drop_kick", Protocol, &[],
        "The agent is not told of a new channel."),
    kind("delay_kick", Protocol, &[DELAY],
        "The agent is told of a new channel so much later."),
    kind("double_kick", Protocol, &[],
        "The agent is told of a new channel twice."),
    kind("hold_pairing", Protocol, &[DELAY],
        "The agent's data channel is paired with its client so much later."),
    kind("repeat_channel", Protocol, &[],
        "A new connection gets the channel id of the instance's latest one."),
    kind("refuse_data_channel", Protocol, &[Attribute::needed("status", "HTTP status")],
        "The agent's dial of a data channel is answered with that status."),
    kind("cut_data_channel", Protocol, &[Attribute::or("delay", "ms", "0")],
        "The agent's data channel is cut so long after it was opened."),
    kind("wrong_length", Frame, &[Attribute::needed("length", "bytes")],
        "The header of a frame with data states that length of its payload."),
    harmful(kind("cut_header", Frame, &[BYTES],
        "A frame with data ends after so many bytes.")),
    harmful(kind("zero_date", Frame, &[],
        "The createdDate of a frame with data is 0.")),
    kind("wrong_type", Frame, &[Attribute::needed("number", "message type")],
        "A frame with data has that type instead of its own."),
    harmful(kind("send_status", Frame, &[Attribute::needed("code", "0 to 255"), Attribute::or("reason", "text", "empty")],
        "A status is sent that nothing called for.")),
    harmful(kind("send_speed", Frame, &[Attribute::needed("bits", "bits/s")],
        "A speed is sent that is none of the limits, even 0.")),
    kind("api_error", Api, &[Attribute::or("code", "text: an error's code", "InternalError.Dispatch"), Attribute::or("action", "text: an action", "all")],
        "Calls of the API are answered with that error."),
    kind("refuse_token", Protocol, &[],
        "A client is refused as if its token were wrong."),
    kind("sessions_full", Api, &[],
        "StartTerminalSession is answered as if the region's quota were used up."),
    kind("connections_full", Protocol, &[],
        "A client is refused as if the instance's quota were used up."),
];

impl KindWords {
    /// The kind of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The keys of every kind that this one has too.
    pub fn common(&self) -> impl Iterator<Item = &'static Attribute> + Clone {
        let family = self.family;
        COMMON.iter().filter(move |key| match key.name {
            "link" => matches!(family, Wire | Frame),
            "stream" => family == Wire,
            "instance" | "session" | "connection" => family != Api,
            _ => true,
        })
    }

    /// All its keys, its own first.
    pub fn keys(&self) -> impl Iterator<Item = &'static Attribute> + Clone {
        self.attributes.iter().chain(self.common())
    }
}
