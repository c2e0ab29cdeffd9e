//! Input on its way to the target: whole, in order, and never in the way of anything else.

use std::{collections::VecDeque, future::pending, io};

use axt_net::ws::GATHERED;
use axt_proto::Size;
use bytes::{Buf, Bytes};

use crate::target::Input;

/// How much input may wait for a target that does not read, before the link is not read either. With
/// what the kernel holds on the way here it is below 1 MiB.
const HOLD_MAX: usize = 64 * 1024;

/// The target's input, and what waits for it.
#[derive(Debug, Default)]
pub(super) struct Feed {
    input: Option<Input>,
    held: VecDeque<Bytes>,
    held_bytes: usize,
    /// The input is to end after what is held.
    is_last: bool,
    /// Nobody reads it any more.
    is_over: bool,
}

impl Feed {
    /// The target is open; what was held goes to it first.
    pub(super) fn open(&mut self, input: Input) {
        self.input = Some(input);
    }

    pub(super) fn push(&mut self, data: Bytes) {
        if !data.is_empty() && !self.is_over {
            self.held_bytes += data.len();
            self.held.push_back(data);
        }
    }

    pub(super) fn finish(&mut self) {
        self.is_last = true;
    }

    /// Throws away what is held, and all that will come.
    pub(super) fn give_up(&mut self) {
        *self = Self {
            is_over: true,
            ..Self::default()
        };
    }

    pub(super) fn resize(&self, size: Size) {
        if let Some(input) = &self.input {
            input.resize(size);
        }
    }

    /// Whether more may be pushed.
    pub(super) fn has_room(&self) -> bool {
        self.held_bytes < HOLD_MAX
    }

    /// Whether what is held is little enough to wait for more that is there already, so that it goes
    /// to the target at once.
    pub(super) fn gathers(&self) -> bool {
        !self.held.is_empty() && self.held_bytes < GATHERED
    }

    /// Whether nothing waits for the target.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Writes some of what is held, or ends the input when nothing is; waits while there is nothing
    /// to do. Cancel-safe.
    pub(super) async fn step(&mut self) -> io::Result<Fed> {
        let Some(input) = &mut self.input else {
            return pending().await;
        };
        if !self.held.is_empty() {
            let mut written = input.write(self.held.make_contiguous()).await?;
            self.held_bytes = self.held_bytes.saturating_sub(written);
            while let Some(first) = self.held.front_mut() {
                let part = written.min(first.len());
                first.advance(part);
                written -= part;
                if !first.is_empty() {
                    break;
                }
                self.held.pop_front();
            }
            Ok(Fed::Some)
        } else if self.is_last {
            input.finish().await;
            self.is_last = false;
            Ok(Fed::All)
        } else {
            pending().await
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// The target has taken some of the input.
    Some,
    /// It has had all of it, and its end.
    All,
}
