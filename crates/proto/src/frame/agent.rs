//! The agent framing, between relay and agent (wire-protocol 3).
//!
//! ```text
//! type u32 | schema 4 | channelId 32 | createdDate u64 ms | sequence i64 | payloadLength u32
//!          | payload …
//! ```
//!
//! All integers are little-endian; the header has 60 bytes. A size is a JSON object (wire-protocol
//! 6).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{
    FrameError, Framing, Message, SCHEMA, Size, declared,
    payload::{self, ResizeCodec},
};
use crate::ChannelId;

/// The header's length in bytes.
pub const HEADER: usize = 60;

/// The channel id's room in the header, in bytes.
const CHANNEL: usize = 32;

/// One frame with each of its header fields, as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message type, see [`super::kind`].
    pub kind: u32,
    /// `1.01` from both sides; never checked.
    pub schema: [u8; 4],
    /// The channel id with blanks (or NULs) after it; never checked.
    pub channel: [u8; 32],
    /// Unix milliseconds; never 0.
    pub created_date: u64,
    /// Counts the sender's frames from 0; never checked.
    pub sequence: i64,
    /// The payload's length as the header states it; never checked.
    pub declared_length: u32,
    /// What follows the header, to the end of the message.
    pub payload: Bytes,
}

impl Frame {
    /// Reads one whole websocket message. The payload is a slice of it.
    ///
    /// # Errors
    /// [`FrameError::TooShort`] and [`FrameError::NoDate`].
    pub fn decode(message: Bytes) -> Result<Self, FrameError> {
        if message.len() < HEADER {
            return Err(FrameError::TooShort {
                framing: AgentFraming::NAME,
                len: message.len(),
                least: HEADER,
            });
        }
        // Nothing below can run out of bytes: `HEADER` has been checked.
        let mut rest = message;
        let kind = rest.get_u32_le();
        let mut schema = [0; 4];
        rest.copy_to_slice(&mut schema);
        let mut channel = [0; CHANNEL];
        rest.copy_to_slice(&mut channel);
        let created_date = rest.get_u64_le();
        if created_date == 0 {
            return Err(FrameError::NoDate {
                framing: AgentFraming::NAME,
            });
        }
        Ok(Self {
            kind,
            schema,
            channel,
            created_date,
            sequence: rest.get_i64_le(),
            declared_length: rest.get_u32_le(),
            payload: rest,
        })
    }

    /// Writes the frame as it is.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut message = BytesMut::with_capacity(HEADER + self.payload.len());
        message.put_u32_le(self.kind);
        message.put_slice(&self.schema);
        message.put_slice(&self.channel);
        message.put_u64_le(self.created_date);
        message.put_i64_le(self.sequence);
        message.put_u32_le(self.declared_length);
        message.put_slice(&self.payload);
        message.freeze()
    }

    /// The channel id without its padding, when it is a well-formed one. For traces: a data
    /// channel belongs to the id of its URL, whatever its frames say.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        let padded = std::str::from_utf8(&self.channel).ok()?;
        padded.trim_matches(['\0', ' ']).parse().ok()
    }
}

/// The agent framing of one channel, at either end of it.
///
/// An agent keeps one over all websockets that a channel dials, because its sequence goes on when
/// the websocket is dialled again.
#[derive(Debug)]
pub struct AgentFraming {
    channel: [u8; CHANNEL],
    sequence: i64,
}

impl AgentFraming {
    /// The framing of a fresh channel; its sequence starts at 0.
    #[must_use]
    pub fn new(channel: ChannelId) -> Self {
        let mut padded = [b' '; CHANNEL];
        // A channel id has at most 32 bytes, which its type sees to.
        for (to, from) in padded.iter_mut().zip(channel.as_str().bytes()) {
            *to = from;
        }
        Self {
            channel: padded,
            sequence: 0,
        }
    }

    /// The sequence that the next frame will carry.
    #[must_use]
    pub const fn sequence(&self) -> i64 {
        self.sequence
    }
}

impl Framing for AgentFraming {
    const NAME: &'static str = "agent";

    fn decode(&mut self, message: Bytes) -> Result<Message, FrameError> {
        let frame = Frame::decode(message)?;
        payload::read(frame.kind, frame.payload, &RESIZE)
    }

    fn encode(&mut self, created_ms: u64, message: &Message) -> Bytes {
        let (kind, payload) = payload::write(message, &RESIZE);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Frame {
            kind,
            schema: SCHEMA,
            channel: self.channel,
            created_date: created_ms.max(1),
            sequence,
            declared_length: declared(&payload),
            payload,
        }
        .encode()
    }
}

const RESIZE: ResizeCodec = ResizeCodec {
    read: read_size,
    write: write_size,
    expected: "a JSON object with cols and rows",
};

/// A size as the agent reads it: keys in any order, others passed over.
#[derive(Serialize, Deserialize)]
struct JsonSize {
    cols: u32,
    rows: u32,
}

/// No terminal has more than 65,535 rows or columns, but the wire has room for it: what is above
/// counts as that many.
fn read_size(payload: &[u8]) -> Option<Size> {
    let size: JsonSize = serde_json::from_slice(payload).ok()?;
    Some(Size {
        rows: u16::try_from(size.rows).unwrap_or(u16::MAX),
        cols: u16::try_from(size.cols).unwrap_or(u16::MAX),
    })
}

fn write_size(size: Size) -> Bytes {
    let size = JsonSize {
        cols: size.cols.into(),
        rows: size.rows.into(),
    };
    // Two numbers always have a JSON text.
    serde_json::to_vec(&size).unwrap_or_default().into()
}
