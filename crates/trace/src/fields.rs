//! What one websocket message says, field by field, in either framing (wire-protocol 2 to 6).
//!
//! More lenient than `axt_proto::Framing`: a trace shows what was sent, the malformed too.

use axt_proto::{
    ChannelId, Status,
    frame::{
        FrameError, Framing, Message, SCHEMA,
        agent::{self, AgentFraming},
        client::{self, ClientFraming},
        kind,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::record::Hop;

/// The fields of a message. What a header does not have, or a type does not carry, is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    /// `input`, `output`, `resize`, `close`, `status`, `exit`, `eof`, `reset`, `alive`, `unknown`, or
    /// `none` for a message that has no whole header.
    pub r#type: String,
    /// The type's number, where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_number: Option<u32>,
    /// The schema, where it is not `1.01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The session id of the client framing, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_field: Option<String>,
    /// The instance id of the client framing, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_field: Option<String>,
    /// The channel id of the agent framing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_field: Option<String>,
    /// createdDate, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_ms: Option<u64>,
    /// The sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The payload's length as the header states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// The payload's length as it is, in bytes; of a message without a header, the message's.
    pub size: u64,
    /// Of a resize, lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// Of a resize, columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// Of a status, the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Of a status, what the code means: `connect_failed`, `keep_alive`, `ended` or `speed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Of the status `ended`, why; of `connect_failed`, the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of the status `speed`, bits a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<u32>,
    /// Of an exit, the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Why it is no frame that a peer may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The payload in base64, where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// Reads a message in the framing of a hop; `with_payload` says whether its payload is kept.
#[must_use]
pub fn read(hop: Hop, message: &Bytes, with_payload: bool) -> Fields {
    let (mut fields, payload) = match hop {
        Hop::Client => match client::Frame::read(message.clone()) {
            Ok(frame) => of_client(frame),
            Err(error) => (none(message, &error), message.clone()),
        },
        Hop::Agent => match agent::Frame::read(message.clone()) {
            Ok(frame) => of_agent(frame),
            Err(error) => (none(message, &error), message.clone()),
        },
    };
    if fields.error.is_none() && fields.r#type != "none" {
        let meant = match hop {
            Hop::Client => ClientFraming::new().decode(message.clone()),
            Hop::Agent => AgentFraming::new(nobody()).decode(message.clone()),
        };
        say(&mut fields, meant);
    }
    if with_payload && !payload.is_empty() {
        fields.payload = Some(STANDARD.encode(&payload));
    }
    fields
}

/// The framing that a message is most likely in: a channel id stands where it stands in the agent
/// framing alone, for the client framing has its lengths and its date there.
#[must_use]
pub fn guess(message: &Bytes) -> Hop {
    let Ok(frame) = agent::Frame::read(message.clone()) else {
        return Hop::Client;
    };
    let is_text = frame
        .channel
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte == 0);
    if is_text && frame.channel_id().is_some() {
        Hop::Agent
    } else {
        Hop::Client
    }
}

/// The payload again, where it was kept.
#[must_use]
pub fn payload(fields: &Fields) -> Option<Bytes> {
    let text = fields.payload.as_ref()?;
    STANDARD.decode(text).ok().map(Bytes::from)
}

/// The websocket message again, as far as it is known, and its whole length. Ids of the client framing
/// are what was read of them.
#[must_use]
pub fn message(hop: Hop, fields: &Fields) -> (Bytes, usize) {
    let payload = payload(fields);
    let size = usize::try_from(fields.size).unwrap_or(usize::MAX);
    if fields.r#type == "none" {
        return (payload.unwrap_or_default(), size);
    }
    let kind = fields.type_number.or_else(|| number(&fields.r#type));
    let mut schema = SCHEMA;
    if let Some(text) = &fields.schema {
        for (to, from) in schema.iter_mut().zip(text.bytes()) {
            *to = from;
        }
    }
    let id = |field: &Option<String>| Bytes::from(field.clone().unwrap_or_default());
    let header = match hop {
        Hop::Client => client::Frame {
            kind: kind.unwrap_or_default(),
            schema,
            session_id: id(&fields.session_field),
            instance_id: id(&fields.instance_field),
            created_date: fields.date_ms.unwrap_or_default(),
            sequence: fields.seq.unwrap_or_default(),
            declared_length: fields.length.unwrap_or_default(),
            payload: Bytes::new(),
        }
        .encode(),
        Hop::Agent => {
            let mut channel = [b' '; 32];
            let text = id(&fields.channel_field);
            for (to, from) in channel.iter_mut().zip(&text) {
                *to = *from;
            }
            agent::Frame {
                kind: kind.unwrap_or_default(),
                schema,
                channel,
                created_date: fields.date_ms.unwrap_or_default(),
                sequence: fields.seq.unwrap_or_default(),
                declared_length: fields.length.unwrap_or_default(),
                payload: Bytes::new(),
            }
            .encode()
        }
    };
    let len = header.len().saturating_add(size);
    let mut message = header.to_vec();
    message.extend_from_slice(&payload.unwrap_or_default());
    (message.into(), len)
}

impl Fields {
    /// Whether it is input or output: what counts as data.
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self.r#type.as_str(), "input" | "output")
    }
}

fn none(message: &Bytes, error: &FrameError) -> Fields {
    Fields {
        r#type: "none".to_owned(),
        size: len(message),
        error: Some(error.to_string()),
        ..Fields::default()
    }
}

fn of_client(frame: client::Frame) -> (Fields, Bytes) {
    let id = |bytes: &Bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        (!text.is_empty()).then_some(text)
    };
    let fields = Fields {
        session_field: id(&frame.session_id),
        instance_field: id(&frame.instance_id),
        ..header(
            (frame.kind, frame.schema),
            (frame.created_date, frame.sequence),
            frame.declared_length,
            &frame.payload,
        )
    };
    (fields, frame.payload)
}

fn of_agent(frame: agent::Frame) -> (Fields, Bytes) {
    let channel = String::from_utf8_lossy(&frame.channel);
    let fields = Fields {
        channel_field: Some(channel.trim_matches(['\0', ' ']).to_owned()),
        ..header(
            (frame.kind, frame.schema),
            (frame.created_date, frame.sequence),
            frame.declared_length,
            &frame.payload,
        )
    };
    (fields, frame.payload)
}

fn header(
    (kind, schema): (u32, [u8; 4]),
    (date, sequence): (u64, i64),
    length: u32,
    payload: &Bytes,
) -> Fields {
    let word = word(kind);
    Fields {
        r#type: word.unwrap_or("unknown").to_owned(),
        type_number: word.is_none().then_some(kind),
        schema: (schema != SCHEMA).then(|| String::from_utf8_lossy(&schema).into_owned()),
        date_ms: Some(date),
        seq: Some(sequence),
        length: Some(length),
        size: len(payload),
        ..Fields::default()
    }
}

const fn word(kind: u32) -> Option<&'static str> {
    Some(match kind {
        kind::INPUT => "input",
        kind::OUTPUT => "output",
        kind::RESIZE => "resize",
        kind::CLOSE => "close",
        kind::STATUS => "status",
        kind::EXIT => "exit",
        kind::EOF => "eof",
        kind::RESET => "reset",
        kind::ALIVE => "alive",
        _ => return None,
    })
}

/// The number of a type that is known.
pub(crate) fn number(word: &str) -> Option<u32> {
    let known = [
        kind::INPUT,
        kind::OUTPUT,
        kind::RESIZE,
        kind::CLOSE,
        kind::STATUS,
        kind::EXIT,
        kind::EOF,
        kind::RESET,
        kind::ALIVE,
    ];
    known
        .into_iter()
        .find(|kind| self::word(*kind) == Some(word))
}

fn say(fields: &mut Fields, meant: Result<Message, FrameError>) {
    match meant {
        Ok(Message::Resize(size)) => {
            fields.rows = Some(size.rows);
            fields.cols = Some(size.cols);
        }
        Ok(Message::Status(status)) => say_status(fields, &status),
        Ok(Message::Exit(status)) => fields.exit = Some(status),
        Ok(_) => {}
        Err(error) => fields.error = Some(error.to_string()),
    }
}

fn say_status(fields: &mut Fields, status: &Status) {
    fields.code = status.encode().first().copied();
    let word = match status {
        Status::ConnectFailed(text) => {
            fields.reason = Some(String::from_utf8_lossy(text).into_owned());
            "connect_failed"
        }
        Status::KeepAlive => "keep_alive",
        Status::Ended(reason) => {
            fields.reason = Some(reason.to_string());
            "ended"
        }
        Status::Speed(speed) => {
            fields.speed = Some(*speed);
            "speed"
        }
        Status::Other { .. } => return,
    };
    fields.status = Some(word.to_owned());
}

fn len(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A channel for framings that do not look at it. A literal that is well-formed, as the tests say.
#[allow(clippy::panic)]
fn nobody() -> ChannelId {
    match "ch-0".parse() {
        Ok(channel) => channel,
        Err(_) => unreachable!("`ch-0` is well-formed"),
    }
}

#[cfg(test)]
mod tests;
