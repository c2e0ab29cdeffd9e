//! What the client makes of a frame (wire-protocol 2, 4, 5).

use bytes::Bytes;

use super::{Receipt, Wss};
use crate::{
    socket,
    wire::{self, Frame, Unreadable, kind},
};

/// The words that it knows, each with what it prints.
const REASONS: [(&str, &str); 8] = [
    ("Exit", "session closed"),
    ("AgentTimeout", "agent timed out"),
    ("InitChannelFailed", "channel could not be set up"),
    ("OpenChannelFailed", "channel could not be opened"),
    ("SessionIdDuplicated", "session id already in use"),
    ("ProcessDataError", "error while handling data"),
    ("OpenPtyFailed", "no pty"),
    ("FlowExceedLimit", "traffic limit exceeded"),
];

impl Wss {
    /// The next thing that comes.
    pub(super) async fn receive(&mut self) -> Receipt {
        let Some(message) = socket::receive(&mut self.reader).await else {
            return Receipt::Lost;
        };
        match wire::read_at_client(&message) {
            Ok(frame) => self.take(&frame),
            Err(Unreadable::TooShort) => {
                self.complain(format!("{} bytes end it", message.len()));
                Receipt::Crashed(1)
            }
            Err(Unreadable::KillsReader) => {
                self.complain(format!("{} bytes make it deaf", message.len()));
                Receipt::Deaf
            }
        }
    }

    fn take(&mut self, frame: &Frame) -> Receipt {
        self.frames += 1;
        if frame.created_ms == 0 {
            self.complain("a frame without a date ends it");
            return Receipt::Crashed(1);
        }
        if frame.payload.is_empty() {
            self.complain(format!("a frame of type {} without payload", frame.kind));
        }
        let is_status = frame.kind == kind::STATUS;
        let is_speed = is_status && wire::told_speed(&frame.payload).is_some();
        let is_end = is_status && frame.payload.first() == Some(&5);
        if self.frames == 1 && !is_speed && !is_end {
            self.complain(format!("the first frame is no speed: {frame:?}"));
        }
        match frame.kind {
            kind::OUTPUT => Receipt::Output(frame.payload.clone()),
            kind::STATUS => self.status(&frame.payload),
            other => {
                self.complain(format!("a frame of type {other} is ignored"));
                Receipt::Nothing
            }
        }
    }

    fn status(&self, payload: &Bytes) -> Receipt {
        match payload.as_ref() {
            [2, ..] => Receipt::Ended(String::from_utf8_lossy(payload).into_owned()),
            [3, ..] => Receipt::Nothing,
            [5, reason @ ..] => {
                let word = String::from_utf8_lossy(reason);
                let known = REASONS.iter().find(|(known, _)| *known == word);
                Receipt::Ended(match known {
                    Some((word, meaning)) => format!("{word}: {meaning}"),
                    None => word.into_owned(),
                })
            }
            [7, ..] => match wire::told_speed(payload) {
                None => {
                    self.complain(format!("a speed that is none: {payload:?}"));
                    Receipt::Nothing
                }
                Some(speed) => match wire::interval_ms(speed, 2_048) {
                    Some(interval) => Receipt::Pace(interval),
                    None => {
                        self.complain(format!("crashed: the speed {speed} divides by zero"));
                        Receipt::Crashed(2)
                    }
                },
            },
            _ => {
                self.complain(format!("a status that does nothing: {payload:?}"));
                Receipt::Nothing
            }
        }
    }

    pub(super) fn complain(&self, what: impl Into<String>) {
        self.complaints.file(what);
    }
}
