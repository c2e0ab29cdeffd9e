//! What any bytes at all are put through: by the property tests of this crate, and by the fuzz targets
//! in `fuzz/`, which know how to find bytes that no test would think of.
//!
//! Each function tells what did not hold. It panics only if what it tries does.

use bytes::Bytes;

use crate::{
    Extensions, Framing, Message, Status,
    frame::{
        agent::{self, AgentFraming},
        client::{self, ClientFraming},
        kind,
    },
    translate,
};

/// A promise that some bytes have broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl Broken {
    /// A promise, in words.
    #[must_use]
    pub fn new(promise: impl Into<String>) -> Self {
        Self(promise.into())
    }
}

fn hold(promise: &str, holds: bool) -> Result<(), Broken> {
    if holds {
        Ok(())
    } else {
        Err(Broken::new(promise))
    }
}

/// A websocket message from a client: read raw, read typed, and passed on (wire-protocol 2).
///
/// # Errors
/// What did not hold.
pub fn client_frame(bytes: &[u8]) -> Result<(), Broken> {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(frame) = client::Frame::decode(bytes.clone()) {
        hold(
            "a raw client frame is written as it was read",
            frame.encode() == bytes,
        )?;
    }
    let Ok(message) = ClientFraming::new().decode(bytes) else {
        return Ok(());
    };
    for is_port in [false, true] {
        let translated = translate::to_agent(message.clone(), Extensions::ALL, is_port);
        if let translate::ToAgent::Send(passed) = translated {
            arrives(&mut agent_framing()?, &passed)?;
        }
    }
    arrives(&mut ClientFraming::new(), &message)
}

/// A websocket message from an agent, likewise (wire-protocol 3).
///
/// # Errors
/// What did not hold.
pub fn agent_frame(bytes: &[u8]) -> Result<(), Broken> {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(frame) = agent::Frame::decode(bytes.clone()) {
        let _ = frame.channel_id();
        hold(
            "a raw agent frame is written as it was read",
            frame.encode() == bytes,
        )?;
    }
    let Ok(message) = agent_framing()?.decode(bytes) else {
        return Ok(());
    };
    if let translate::ToClient::Send(passed) =
        translate::to_client(message.clone(), Extensions::ALL)
    {
        arrives(&mut ClientFraming::new(), &passed)?;
    }
    arrives(&mut agent_framing()?, &message)
}

/// The payloads of a status, a resize and an exit, in both framings (wire-protocol 5, 6).
///
/// # Errors
/// What did not hold.
pub fn payload(bytes: &[u8]) -> Result<(), Broken> {
    let payload = Bytes::copy_from_slice(bytes);
    let status = Status::parse(&payload);
    hold(
        "a status is whatever has a code",
        status.is_none() == payload.is_empty(),
    )?;
    if let Some(status) = status {
        hold("no status is written empty", !status.encode().is_empty())?;
    }
    for kind in [kind::STATUS, kind::RESIZE, kind::EXIT] {
        client_frame(&framed(kind, client::HEADER, &payload))?;
        agent_frame(&framed(kind, agent::HEADER, &payload))?;
    }
    Ok(())
}

/// A frame of that type whose header, of so many bytes, says nothing else but a date.
fn framed(kind: u32, header: usize, payload: &[u8]) -> Vec<u8> {
    let mut frame = kind.to_le_bytes().to_vec();
    // The date ends with its highest byte, before the sequence and the length.
    frame.resize(header.saturating_sub(13), 0);
    frame.push(1);
    frame.resize(header, 0);
    frame.extend(payload);
    frame
}

/// What was read is read again when it has been written; where writing mends it, once.
fn arrives(framing: &mut impl Framing, message: &Message) -> Result<(), Broken> {
    let mut pass = |message: &Message| {
        let frame = framing.encode(0, message);
        framing
            .decode(frame)
            .map_err(|error| Broken::new(format!("what was written cannot be read: {error}")))
    };
    let mended = pass(message)?;
    hold("writing mends a message once", pass(&mended)? == mended)?;
    let is_status = matches!(
        message,
        Message::Status(_)
            | Message::Other {
                kind: kind::STATUS,
                ..
            }
    );
    hold("only a status is mended", is_status || mended == *message)
}

fn agent_framing() -> Result<AgentFraming, Broken> {
    let channel = "ch-0".parse();
    channel
        .map(AgentFraming::new)
        .map_err(|_| Broken::new("`ch-0` is a channel's id"))
}
