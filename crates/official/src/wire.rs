//! Both framings as the official programs read and write them (wire-protocol 2 and 3).
//!
//! Written by offsets, and apart from `axt_proto`'s.

use bytes::{BufMut, Bytes, BytesMut};

/// Message types (wire-protocol 4).
pub mod kind {
    /// Input.
    pub const INPUT: u32 = 0;
    /// Output.
    pub const OUTPUT: u32 = 1;
    /// A size.
    pub const SIZE: u32 = 2;
    /// The client's end.
    pub const CLOSE: u32 = 3;
    /// A status.
    pub const STATUS: u32 = 5;
}

/// What both programs write as their schema.
const SCHEMA: &[u8; 4] = b"1.01";

/// A frame that was received: what is looked at of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The type, see [`kind`].
    pub kind: u32,
    /// When it was made, Unix milliseconds.
    pub created_ms: u64,
    /// What the header says of the payload's length. Both programs ignore it.
    pub told_length: u32,
    /// All behind the header.
    pub payload: Bytes,
}

/// What becomes of a message that is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is logged and skipped (the agent), or the program ends (the client).
    TooShort,
    /// The reader dies in silence: 57 to 59 bytes at the agent, 27 to 29 at the client.
    KillsReader,
}

/// Reads what the agent receives.
///
/// # Errors
/// [`Unreadable`]; bytes 0 to 56 are skipped, and 57 to 59 kill the reader.
pub fn read_at_agent(message: &Bytes) -> Result<Frame, Unreadable> {
    match message.len() {
        ..57 => Err(Unreadable::TooShort),
        57..60 => Err(Unreadable::KillsReader),
        _ => Ok(Frame {
            kind: u32_at(message, 0),
            created_ms: u64_at(message, 40),
            told_length: u32_at(message, 56),
            payload: message.slice(60..),
        }),
    }
}

/// Reads what the client receives.
///
/// # Errors
/// [`Unreadable`]; below 27 bytes the client ends, and 27 to 29 kill its reader.
pub fn read_at_client(message: &Bytes) -> Result<Frame, Unreadable> {
    if message.len() < 27 {
        return Err(Unreadable::TooShort);
    }
    let session = usize::from(byte_at(message, 8));
    let instance = usize::from(byte_at(message, 9 + session));
    let ids = session + instance;
    if message.len() < 30 + ids {
        return Err(Unreadable::KillsReader);
    }
    Ok(Frame {
        kind: u32_at(message, 0),
        created_ms: u64_at(message, 10 + ids),
        told_length: u32_at(message, 26 + ids),
        payload: message.slice(30 + ids..),
    })
}

/// Writes what the agent sends.
#[must_use]
pub fn write_at_agent(
    kind: u32,
    channel: &str,
    created_ms: u64,
    sequence: i64,
    payload: &[u8],
) -> Bytes {
    let mut message = BytesMut::with_capacity(60 + payload.len());
    message.put_u32_le(kind);
    message.put_slice(SCHEMA);
    message.put_slice(format!("{channel:<32}").as_bytes());
    message.put_u64_le(created_ms);
    message.put_i64_le(sequence);
    message.put_u32_le(length(payload));
    message.put_slice(payload);
    message.freeze()
}

/// Writes what the client sends.
#[must_use]
pub fn write_at_client(kind: u32, created_ms: u64, sequence: i64, payload: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(30 + payload.len());
    message.put_u32_le(kind);
    message.put_slice(SCHEMA);
    message.put_bytes(0, 2);
    message.put_u64_le(created_ms);
    message.put_i64_le(sequence);
    message.put_u32_le(length(payload));
    message.put_slice(payload);
    message.freeze()
}

/// A speed as status 7 tells it: 1 to 4 bytes, big-endian; `None` for what both programs ignore
/// (wire-protocol 5).
#[must_use]
pub fn told_speed(status: &[u8]) -> Option<u32> {
    match status {
        [7, rest @ ..] if (1..=4).contains(&rest.len()) => {
            let speed = rest
                .iter()
                .fold(0, |speed: u32, byte| speed << 8 | u32::from(*byte));
            Some(speed).filter(|speed| *speed != 0)
        }
        _ => None,
    }
}

/// Milliseconds between two frames of at most `packet` bytes at `speed` bits a second; `None` where
/// the official programs divide by zero (wire-protocol 7).
#[must_use]
pub fn interval_ms(speed: u32, packet: u32) -> Option<u64> {
    let packets = speed / 8 / packet;
    1_000_u32.checked_div(packets).map(u64::from)
}

fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).expect("no payload is so long")
}

fn byte_at(message: &Bytes, at: usize) -> u8 {
    message.get(at).copied().unwrap_or_default()
}

fn u32_at(message: &Bytes, at: usize) -> u32 {
    let bytes = message
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok());
    u32::from_le_bytes(bytes.unwrap_or_default())
}

fn u64_at(message: &Bytes, at: usize) -> u64 {
    let bytes = message
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    u64::from_le_bytes(bytes.unwrap_or_default())
}

#[cfg(test)]
mod tests;
