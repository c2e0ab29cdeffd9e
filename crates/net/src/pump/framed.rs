//! Websockets that carry frames, as sources and sinks.

use std::fmt;

use axt_proto::{Framing, Message};

use super::{Sink, Source};
use crate::{
    frames::{FrameReader, FrameWriter, Next, ReadError},
    ws::WsError,
};

/// How a websocket's incoming side ended.
#[derive(Debug)]
pub enum FramesEnd {
    /// With a close frame.
    Closed {
        /// Its code; 1005 when there was none.
        code: u16,
    },
    /// By something that is no frame, or by the websocket's breaking.
    Broken(ReadError),
}

impl fmt::Display for FramesEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code } => write!(out, "closed with code {code}"),
            Self::Broken(error) => error.fmt(out),
        }
    }
}

impl<F: Framing> Source for FrameReader<F> {
    type End = FramesEnd;

    async fn next(&mut self) -> Result<Message, FramesEnd> {
        match Self::next(self).await {
            Ok(Next::Message(message)) => Ok(message),
            Ok(Next::Closed { code, .. }) => Err(FramesEnd::Closed { code }),
            Err(error) => Err(FramesEnd::Broken(error)),
        }
    }
}

impl<F: Framing> Sink for FrameWriter<F> {
    type Broken = WsError;

    async fn send(&self, message: &Message) -> Result<(), WsError> {
        Self::send(self, message).await
    }

    fn gathers(&self) -> bool {
        Self::gathers(self)
    }

    async fn send_all(&self, messages: &[Message]) -> Result<(), WsError> {
        Self::send_all(self, messages).await
    }
}
