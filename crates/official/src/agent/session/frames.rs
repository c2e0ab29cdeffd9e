//! What its reader makes of a frame (wire-protocol 3 to 7).

use std::time::Duration;

use axt_net::link;
use bytes::Bytes;
use serde_json::Value;

use super::{Code, IDLE, SLOW_START, Session, Target};
use crate::wire::{self, Frame, Unreadable, kind};

impl Session<'_> {
    pub(super) async fn received(&mut self, message: Bytes) -> Option<Code> {
        let frame = match wire::read_at_agent(&message) {
            Ok(frame) => frame,
            Err(Unreadable::TooShort) => {
                self.complain(format!("{} bytes are no frame", message.len()));
                return None;
            }
            Err(Unreadable::KillsReader) => {
                self.complain(format!("{} bytes kill the reader", message.len()));
                self.is_deaf = true;
                return None;
            }
        };
        if frame.created_ms == 0 {
            self.complain("a frame without a date is rejected");
            return None;
        }
        self.idle_until = link::now() + IDLE;
        self.frames += 1;
        if frame.payload.is_empty() {
            self.complain(format!("a frame of type {} without payload", frame.kind));
        }
        let is_speed = frame.kind == kind::STATUS && wire::told_speed(&frame.payload).is_some();
        if self.frames == 1 && !is_speed {
            self.complain(format!("the first frame is no speed: {frame:?}"));
        }
        match frame.kind {
            kind::INPUT => self.input(&frame).await,
            kind::SIZE => self.size(&frame).await,
            kind::STATUS => self.status(&frame).await,
            other => {
                self.complain(format!("a frame of type {other} does nothing"));
                None
            }
        }
    }

    async fn input(&mut self, frame: &Frame) -> Option<Code> {
        match &mut self.target {
            Target::NotYet => {
                self.complain(format!("input came within {SLOW_START:?}, and is lost"));
            }
            Target::Shell(shell) => shell.feed(&frame.payload),
            Target::Pty(pty) => pty.feed(&frame.payload),
            Target::Port(_) => {
                if !self.reopened().await {
                    return Some(Code::OpenPortFailed);
                }
                if let Target::Port(port) = &mut self.target
                    && !port.write(&frame.payload).await
                {
                    return Some(Code::IoPortFailed);
                }
            }
        }
        None
    }

    async fn size(&mut self, frame: &Frame) -> Option<Code> {
        let told: Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
        let number = |name| told.get(name).and_then(Value::as_u64);
        let size = number("rows").zip(number("cols"));
        match (&mut self.target, size) {
            (_, None) => self.complain("a size that is no JSON object does nothing"),
            (Target::NotYet, _) => self.complain("a size came before the terminal, and is lost"),
            (Target::Shell(shell), Some((rows, cols))) => shell.resize(rows, cols),
            (Target::Pty(pty), Some((rows, cols))) => pty.resize(rows, cols),
            (Target::Port(_), _) => return self.unasked().await,
        }
        None
    }

    async fn status(&mut self, frame: &Frame) -> Option<Code> {
        match frame.payload.first() {
            Some(7) => {
                let Some(speed) = wire::told_speed(&frame.payload) else {
                    self.complain("a speed that is none");
                    return None;
                };
                match wire::interval_ms(speed, self.object.packet()) {
                    Some(interval) => self.interval = Duration::from_millis(interval),
                    None => {
                        self.complain(format!("the speed {speed} kills the reader"));
                        self.is_deaf = true;
                    }
                }
            }
            Some(3) => {}
            other => self.complain(format!("a status of code {other:?} does nothing")),
        }
        self.unasked().await
    }

    /// A frame that is no input has a target dialled anew too, and nobody has asked for that: what the
    /// new connection says comes behind the old one's end.
    async fn unasked(&mut self) -> Option<Code> {
        if matches!(&self.target, Target::Port(port) if !port.is_open()) {
            self.complain("a frame without input has its target dialled anew, which has closed");
        }
        (!self.reopened().await).then_some(Code::OpenPortFailed)
    }

    /// Any frame makes it dial anew a target that has closed (wire-protocol 9.2).
    async fn reopened(&mut self) -> bool {
        match &mut self.target {
            Target::Port(port) if !port.is_open() => port.dial().await,
            _ => true,
        }
    }

    fn complain(&self, what: impl std::fmt::Display) {
        let channel = &self.object.channel;
        self.agent.complaints.file(format!("{channel}: {what}"));
    }
}
