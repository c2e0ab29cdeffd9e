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
        let frame = Self::read(message)?;
        if frame.created_date == 0 {
            return Err(FrameError::NoDate {
                framing: AgentFraming::NAME,
            });
        }
        Ok(frame)
    }

    /// Reads one whole websocket message, whatever its createdDate: for traces.
    ///
    /// # Errors
    /// [`FrameError::TooShort`].
    pub fn read(message: Bytes) -> Result<Self, FrameError> {
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
    /// The sequence after that of the last frame that came.
    heard: Option<i64>,
    /// The first frame is still to come on a websocket that takes the place of a lost one.
    resumes: Option<Resumes>,
}

/// What the other end is known to do with its sequence when it dials again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumes {
    /// It goes on, if it goes anywhere: what is behind is nothing to conclude from.
    Perhaps,
    /// It goes on with the first frame that was not surely sent: what is behind came already.
    Exactly,
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
            heard: None,
            resumes: None,
        }
    }

    /// The same channel goes on over another websocket: frames that were lost with the one before
    /// are an error from now on, [`FrameError::Gap`], and those that come again are read as empty
    /// output.
    pub const fn resume(&mut self, how: Resumes) {
        self.resumes = Some(how);
    }

    /// The framing of the next websocket, for either direction: it goes on counting where this one
    /// is.
    #[must_use]
    pub const fn next_websocket(&self) -> Self {
        Self {
            channel: self.channel,
            sequence: self.sequence,
            heard: self.heard,
            resumes: None,
        }
    }

    /// Whether the frame came already.
    fn is_repeated(&mut self, found: i64) -> Result<bool, FrameError> {
        let resumes = self.resumes;
        let expected = self.heard;
        match (resumes, expected) {
            (Some(_), Some(expected)) if found > expected => {
                return Err(FrameError::Gap { expected, found });
            }
            (Some(Resumes::Exactly), Some(expected)) if found < expected => return Ok(true),
            _ => {}
        }
        self.resumes = None;
        self.heard = Some(found.wrapping_add(1));
        Ok(false)
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
        if self.is_repeated(frame.sequence)? {
            return Ok(Message::Output(Bytes::new()));
        }
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

    fn unsent(&mut self) {
        self.sequence = self.sequence.wrapping_sub(1);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> AgentFraming {
        AgentFraming::new("ch-1".parse().expect("a channel"))
    }

    fn output(text: &'static str) -> Message {
        Message::Output(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn what_was_lost_with_a_websocket_is_a_gap_on_the_next_one() {
        let (mut sender, mut receiver) = (channel(), channel());
        let [first, _lost, third] = ["1", "2", "3"].map(|text| sender.encode(1, &output(text)));

        receiver.decode(first).expect("a frame");
        let mut next = receiver.next_websocket();
        next.resume(Resumes::Perhaps);

        let gap = FrameError::Gap {
            expected: 1,
            found: 2,
        };
        assert_eq!(next.decode(third), Err(gap));
    }

    #[test]
    fn what_was_not_surely_sent_comes_again_and_is_taken_once() {
        let (mut sender, mut receiver) = (channel(), channel());

        let first = sender.encode(1, &output("1"));
        sender.unsent();
        let mut resent = sender.next_websocket();
        let (again, second) = (
            resent.encode(1, &output("1")),
            resent.encode(1, &output("2")),
        );
        receiver.decode(first).expect("a frame");
        let mut next = receiver.next_websocket();
        next.resume(Resumes::Exactly);

        assert_eq!(next.decode(again), Ok(output("")));
        assert_eq!(next.decode(second), Ok(output("2")));
    }

    #[test]
    fn an_agent_that_counts_anew_or_not_at_all_is_no_gap() {
        let mut receiver = channel();
        for text in ["1", "2", "3"] {
            receiver
                .decode(channel().encode(1, &output(text)))
                .expect("a frame");
        }
        let mut next = receiver.next_websocket();
        next.resume(Resumes::Perhaps);

        let anew = channel().encode(1, &output("4"));

        assert_eq!(next.decode(anew), Ok(output("4")));
    }
}
