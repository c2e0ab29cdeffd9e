//! Frames: what one websocket message carries, in either framing.
//!
//! The client framing ([`client`], wire-protocol 2) and the agent framing ([`agent`],
//! wire-protocol 3) wrap the same messages in different headers. Both come in two layers: a raw
//! `Frame` with each header field, byte for byte, for those who look at the wire; and
//! [`Framing`], which turns websocket messages into typed [`Message`]s and back, for all others.
//!
//! What is never here: the websocket itself, and what a message means for a connection.

mod payload;

pub mod agent;
pub mod client;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Status;

/// The schema that both programs write and neither checks (wire-protocol 2, 3).
pub const SCHEMA: [u8; 4] = *b"1.01";

/// Message types on the wire (wire-protocol 4), and those of the extensions, which are only ever
/// sent when granted.
pub mod kind {
    /// What the user typed, or bytes towards the TCP target.
    pub const INPUT: u32 = 0;
    /// What the shell printed, or bytes from the TCP target.
    pub const OUTPUT: u32 = 1;
    /// The terminal's new size.
    pub const RESIZE: u32 = 2;
    /// The client is done.
    pub const CLOSE: u32 = 3;
    /// A status, see [`crate::status`].
    pub const STATUS: u32 = 5;
    /// Extension `exit`: the exit status, `{i32}`, little-endian in both framings.
    pub const EXIT: u32 = 0x4158_0001;
    /// Extension `eof`: no more data in this direction. No payload.
    pub const EOF: u32 = 0x4158_0002;
    /// Extension `reset`: the TCP connection broke. No payload.
    pub const RESET: u32 = 0x4158_0003;
    /// Extension `alive`: the connection is in use although nothing passes. No payload.
    pub const ALIVE: u32 = 0x4158_0004;
}

/// A terminal's size in character cells. 0 by 0 means "not known", as on a fresh PTY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
}

/// What a frame says, whatever the framing (wire-protocol 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Bytes towards the shell or the TCP target (type 0).
    Input(Bytes),
    /// Bytes from the shell or the TCP target (type 1).
    Output(Bytes),
    /// The terminal's new size (type 2, wire-protocol 6).
    Resize(Size),
    /// The client is done (type 3).
    Close,
    /// A status (type 5, wire-protocol 5).
    Status(Status),
    /// Extension `exit`: the shell's exit status.
    Exit(i32),
    /// Extension `eof`: the sender has no more data.
    Eof,
    /// Extension `reset`: the sender's TCP connection broke.
    Reset,
    /// Extension `alive`: for the idle timeout this counts as data.
    Alive,
    /// A type that is not known, or a status without its code byte. Official programs ignore it.
    Other {
        /// The type on the wire.
        kind: u32,
        /// All of the payload.
        payload: Bytes,
    },
}

impl Message {
    /// How many payload bytes count as data, for the bandwidth and the idle timeout: those of
    /// [`Message::Input`] and [`Message::Output`], and nothing else (limits-and-semantics R5).
    #[must_use]
    pub fn data_len(&self) -> usize {
        match self {
            Self::Input(data) | Self::Output(data) => data.len(),
            _ => 0,
        }
    }
}

/// A websocket message that is no frame. It costs its sender the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The message ends inside the header. Sent on, some of these would leave an official reader
    /// deaf (wire-protocol 12.3).
    #[error("a message of {len} bytes is no {framing} frame: the header alone has {least}")]
    TooShort {
        /// [`Framing::NAME`].
        framing: &'static str,
        /// The whole message's length in bytes.
        len: usize,
        /// The least that would do, in bytes, with the lengths of ids that it states.
        least: usize,
    },
    /// The header's createdDate is 0, which both official programs refuse.
    #[error("a {framing} frame with createdDate 0: expected Unix milliseconds")]
    NoDate {
        /// [`Framing::NAME`].
        framing: &'static str,
    },
    /// The payload does not fit its type.
    #[error("a {kind} payload of {len} bytes is malformed: expected {expected}")]
    Payload {
        /// The type's name.
        kind: &'static str,
        /// The payload's length in bytes.
        len: usize,
        /// What would have been well-formed.
        expected: &'static str,
    },
    /// Frames are missing since the websocket was lost and dialled again.
    #[error("frames {expected} to {found} are missing: they were lost with the websocket before")]
    Gap {
        /// The sequence that should have come.
        expected: i64,
        /// The one that came.
        found: i64,
    },
}

/// One of the two framings: websocket messages to [`Message`]s and back.
///
/// Reading is as lenient as the official programs are: ids, schema and the declared length are not
/// looked at, and the sequence only where a websocket takes the place of one that was lost
/// ([`agent::AgentFraming::resume`]). Writing is as strict as the least tolerant of them needs: headers
/// are whole, no createdDate is 0, no status is empty, no speed is below
/// [`Status::MIN_SPEED`] (wire-protocol 12).
pub trait Framing: Send {
    /// The framing's name in errors and traces.
    const NAME: &'static str;

    /// Reads one whole websocket message, binary or text. The data is a slice of it, not a copy.
    ///
    /// # Errors
    /// When the header is cut short, createdDate is 0, or the payload does not fit its type.
    fn decode(&mut self, message: Bytes) -> Result<Message, FrameError>;

    /// Writes one whole websocket message and counts it.
    ///
    /// `created_ms` is the time in Unix milliseconds; 0 is written as 1, for no peer takes 0.
    fn encode(&mut self, created_ms: u64, message: &Message) -> Bytes;

    /// The frame that was encoded last has not been sent, or not surely: it does not count, and will
    /// be encoded anew if it is sent on another websocket.
    fn unsent(&mut self) {}
}

/// The length that a header declares.
fn declared(payload: &Bytes) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_input_and_output_are_data() {
        let data = Bytes::from_static(b"abc");

        assert_eq!(Message::Input(data.clone()).data_len(), 3);
        assert_eq!(Message::Output(data.clone()).data_len(), 3);
        assert_eq!(Message::Status(Status::ConnectFailed(data)).data_len(), 0);
        assert_eq!(Message::Resize(Size::default()).data_len(), 0);
    }

    #[test]
    fn an_error_says_what_was_wrong_and_what_was_expected() {
        let cut = FrameError::TooShort {
            framing: "client",
            len: 29,
            least: 30,
        };

        assert_eq!(
            cut.to_string(),
            "a message of 29 bytes is no client frame: the header alone has 30"
        );
    }
}
