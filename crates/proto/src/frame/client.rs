//! The client framing, between client and relay (wire-protocol 2).
//!
//! ```text
//! type u32 | schema 4 | n u8 | session id n | m u8 | instance id m
//!          | createdDate u64 ms | sequence i64 | payloadLength u32 | payload …
//! ```
//!
//! All integers are little-endian. With both ids empty the header has 30 bytes. A size is two
//! 16-bit integers, rows first (wire-protocol 6).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{
    FrameError, Framing, Message, SCHEMA, Size, declared,
    payload::{self, ResizeCodec},
};

/// The header's length with both ids empty, in bytes.
pub const HEADER: usize = 30;

const AT_SESSION_ID: usize = 8;

/// One frame with each of its header fields, as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message type, see [`super::kind`].
    pub kind: u32,
    /// `1.01` from both programs; never checked.
    pub schema: [u8; 4],
    /// Empty from the client, and skipped by it. At most 255 bytes.
    pub session_id: Bytes,
    /// Empty from the client, and skipped by it. At most 255 bytes.
    pub instance_id: Bytes,
    /// Unix milliseconds; never 0.
    pub created_date: u64,
    /// Counts the sender's frames of any type from 0; never checked.
    pub sequence: i64,
    /// The payload's length as the header states it; never checked.
    pub declared_length: u32,
    /// What follows the header, to the end of the message.
    pub payload: Bytes,
}

impl Frame {
    /// Reads one whole websocket message. Ids and payload are slices of it.
    ///
    /// # Errors
    /// [`FrameError::TooShort`] and [`FrameError::NoDate`].
    pub fn decode(message: Bytes) -> Result<Self, FrameError> {
        let frame = Self::read(message)?;
        if frame.created_date == 0 {
            return Err(FrameError::NoDate {
                framing: ClientFraming::NAME,
            });
        }
        Ok(frame)
    }

    /// Reads one whole websocket message, whatever its createdDate: for traces.
    ///
    /// # Errors
    /// [`FrameError::TooShort`].
    pub fn read(message: Bytes) -> Result<Self, FrameError> {
        let id_length = |at: usize| message.get(at).copied().map_or(0, usize::from);
        let session_length = id_length(AT_SESSION_ID);
        let instance_length = id_length(AT_SESSION_ID + 1 + session_length);
        let least = HEADER + session_length + instance_length;
        if message.len() < least {
            return Err(FrameError::TooShort {
                framing: ClientFraming::NAME,
                len: message.len(),
                least,
            });
        }
        // Nothing below can run out of bytes: `least` has been checked.
        let mut rest = message;
        let kind = rest.get_u32_le();
        let mut schema = [0; 4];
        rest.copy_to_slice(&mut schema);
        rest.advance(1);
        let session_id = rest.split_to(session_length);
        rest.advance(1);
        let instance_id = rest.split_to(instance_length);
        let created_date = rest.get_u64_le();
        Ok(Self {
            kind,
            schema,
            session_id,
            instance_id,
            created_date,
            sequence: rest.get_i64_le(),
            declared_length: rest.get_u32_le(),
            payload: rest,
        })
    }

    /// Writes the frame as it is. Of an id that is longer than 255 bytes, only these are written.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let room = HEADER + self.session_id.len() + self.instance_id.len() + self.payload.len();
        let mut message = BytesMut::with_capacity(room);
        message.put_u32_le(self.kind);
        message.put_slice(&self.schema);
        put_id(&mut message, &self.session_id);
        put_id(&mut message, &self.instance_id);
        message.put_u64_le(self.created_date);
        message.put_i64_le(self.sequence);
        message.put_u32_le(self.declared_length);
        message.put_slice(&self.payload);
        message.freeze()
    }
}

fn put_id(message: &mut BytesMut, id: &[u8]) {
    let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
    message.put_u8(length);
    message.extend(id.iter().take(usize::from(length)));
}

/// The client framing of one websocket, at either end of it: ids empty, sequence from 0.
#[derive(Debug, Default)]
pub struct ClientFraming {
    sequence: i64,
}

impl ClientFraming {
    /// The framing of a fresh websocket.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Framing for ClientFraming {
    const NAME: &'static str = "client";

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
            session_id: Bytes::new(),
            instance_id: Bytes::new(),
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
    expected: "rows and columns, 2 bytes little-endian each",
};

/// The client writes `i16`. Reading the same bits as `u16` gives every size below 32,768 as it
/// was, and those above as the terminal had them before they wrapped.
fn read_size(payload: &[u8]) -> Option<Size> {
    let [rows_low, rows_high, cols_low, cols_high] = <[u8; 4]>::try_from(payload).ok()?;
    Some(Size {
        rows: u16::from_le_bytes([rows_low, rows_high]),
        cols: u16::from_le_bytes([cols_low, cols_high]),
    })
}

fn write_size(size: Size) -> Bytes {
    let mut payload = BytesMut::with_capacity(4);
    payload.put_u16_le(size.rows);
    payload.put_u16_le(size.cols);
    payload.freeze()
}
