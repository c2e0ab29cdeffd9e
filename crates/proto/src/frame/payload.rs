//! Payloads as messages, for both framings. They differ in the resize payload alone, so each
//! framing hands its own codec for that in.

use bytes::Bytes;

use super::{FrameError, Message, Size, kind};
use crate::Status;

/// How a framing writes a size (wire-protocol 6).
pub(super) struct ResizeCodec {
    pub(super) read: fn(&[u8]) -> Option<Size>,
    pub(super) write: fn(Size) -> Bytes,
    pub(super) expected: &'static str,
}

/// Reads a payload of the type `kind`.
pub(super) fn read(kind: u32, payload: Bytes, resize: &ResizeCodec) -> Result<Message, FrameError> {
    let malformed = |kind, expected| FrameError::Payload {
        kind,
        len: payload.len(),
        expected,
    };
    match kind {
        kind::INPUT => Ok(Message::Input(payload)),
        kind::OUTPUT => Ok(Message::Output(payload)),
        kind::RESIZE => (resize.read)(&payload)
            .map(Message::Resize)
            .ok_or_else(|| malformed("resize", resize.expected)),
        kind::CLOSE => Ok(Message::Close),
        kind::STATUS => Ok(match Status::parse(&payload) {
            Some(status) => Message::Status(status),
            None => Message::Other { kind, payload },
        }),
        kind::EXIT => <[u8; 4]>::try_from(payload.as_ref())
            .map(|bytes| Message::Exit(i32::from_le_bytes(bytes)))
            .map_err(|_| malformed("exit", "an exit status, 4 bytes little-endian")),
        kind::EOF => Ok(Message::Eof),
        kind::RESET => Ok(Message::Reset),
        kind::ALIVE => Ok(Message::Alive),
        _ => Ok(Message::Other { kind, payload }),
    }
}

/// The type and the payload of a message.
pub(super) fn write(message: &Message, resize: &ResizeCodec) -> (u32, Bytes) {
    match message {
        Message::Input(data) => (kind::INPUT, data.clone()),
        Message::Output(data) => (kind::OUTPUT, data.clone()),
        Message::Resize(size) => (kind::RESIZE, (resize.write)(*size)),
        Message::Close => (kind::CLOSE, Bytes::from_static(b"1")),
        Message::Status(status) => (kind::STATUS, status.encode()),
        Message::Exit(status) => (kind::EXIT, Bytes::copy_from_slice(&status.to_le_bytes())),
        Message::Eof => (kind::EOF, Bytes::new()),
        Message::Reset => (kind::RESET, Bytes::new()),
        Message::Alive => (kind::ALIVE, Bytes::new()),
        // A status is never written as it came: an empty one is survived by luck only, and a low
        // speed is not survived at all (wire-protocol 2, 7). The keep-alive has no effect on either
        // program.
        Message::Other {
            kind: kind::STATUS,
            payload,
        } => (
            kind::STATUS,
            Status::parse(payload).unwrap_or(Status::KeepAlive).encode(),
        ),
        Message::Other { kind, payload } => (*kind, payload.clone()),
    }
}
