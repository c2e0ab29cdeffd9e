//! The agent's end of one channel, as a machine (wire-protocol 9 and 14).

mod words;

use std::{collections::VecDeque, time::Duration};

use crate::{Extensions, IdleTimer, Limits, Message, Meter, Size, Status, Tick, Verdict};

pub use words::{Action, End, Fate, Opening, TargetKind};

/// How much longer than the relay's the agent's own idle timeout is: the relay is the judge, and
/// the agent's timer is there for a relay that does not care.
const IDLE_MARGIN: Duration = Duration::from_secs(1);

/// How many bytes of input are kept until the target is open. Beyond it the link is not read.
const KEEP_MAX: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Settling,
    Opening,
    Open,
    Leaving,
    Draining(i32),
    Reporting,
    Closed,
}

/// The agent's end of one channel.
///
/// ```text
///             a size or input came,
///             or the moment is over           opened           exited             drained
///  Settling ───────────────────────▶ Opening ────────▶ Open ──────────▶ Draining ─────────┐
///     │                                 │               │                  │              ▼
///     │                                 │ not opened    │ TCP: both ways   │          Reporting
///     │                                 │               │ done, or broken; │              │
///     │                                 │               │ stopped: Leaving │              │
///     └─────────────────────────────────┴───────────────┴──────────────────┴──▶ ─────────▶┤ reported
///               stop, idle, link given up, a message that is no frame                     ▼
///                                                                                       Closed
///  link:  Up ──lost──▶ Down (dial again) ──up──▶ Up     the target does not notice; until Reporting
///                        └──given up──▶ Reporting
/// ```
///
/// A size from before the target is open is what it opens with, and input from before is kept.
/// A TCP connection is done when each end has had all that the other sent it. Where a half-close is
/// granted, an end without one is a cut and the target is told so by a reset; where it is not, a
/// stop is all that a client has, so what it sent before goes to the target first (Leaving).
/// Output is metered. Payload never comes here: the machine is told lengths, and says what becomes
/// of the bytes. Its two kinds of time are apart as well: the idle timeout and the meter are rule
/// time and so instants; spans of link time are the runner's, who says when they are over.
#[derive(Debug)]
pub struct Channel {
    target: TargetKind,
    granted: Extensions,
    phase: Phase,
    is_link_up: bool,
    size: Size,
    opened_with: Size,
    kept: usize,
    input_ended: bool,
    input_delivered: bool,
    input_broken: bool,
    output_ended: bool,
    speed_bits: u32,
    meter: Meter,
    idle: IdleTimer,
    any_frame_counts: bool,
    actions: VecDeque<Action>,
}

impl Channel {
    /// A channel whose link has just been dialled.
    #[must_use]
    pub fn new(opening: &Opening, now: Tick) -> Self {
        let speed_bits = match opening.speed_bits {
            0 => Limits::default().speed_bits(),
            told => told,
        };
        let mut channel = Self {
            target: opening.target,
            granted: opening.granted,
            phase: Phase::Settling,
            is_link_up: true,
            size: opening.size.unwrap_or_default(),
            opened_with: Size::default(),
            kept: 0,
            input_ended: false,
            input_delivered: false,
            input_broken: false,
            output_ended: false,
            speed_bits,
            meter: meter(speed_bits, now),
            idle: IdleTimer::new(now, opening.idle_timeout + IDLE_MARGIN),
            any_frame_counts: opening.any_frame_counts,
            actions: VecDeque::new(),
        };
        if opening.target == TargetKind::Terminal && opening.size.is_none() {
            channel.actions.push_back(Action::Settle);
        } else {
            channel.open();
        }
        channel
    }

    /// The next thing to do; ask until there is none, after each other call.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether the link is to be read: not while enough input is kept. After the end it is still
    /// read, for that is how a runner learns that nobody is there to be told.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.is_link_up && self.kept < KEEP_MAX
    }

    /// Whether the end has been decided.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Reporting | Phase::Closed)
    }

    /// A message came over the link. The answer is about its payload.
    pub fn received(&mut self, now: Tick, message: &Message) -> Fate {
        if self.is_over() {
            return Fate::Drop;
        }
        if self.any_frame_counts {
            self.idle.data(now);
        }
        match message {
            Message::Input(data) => return self.input(now, data.len()),
            Message::Resize(size) => self.resize(*size),
            Message::Status(Status::Speed(bits)) => self.speed(now, *bits),
            Message::Eof if self.granted.eof => self.end_input(),
            Message::Alive if self.granted.alive => self.idle.data(now),
            Message::Reset if self.granted.reset && self.target == TargetKind::Port => {
                self.actions.push_back(Action::ResetTarget);
                self.finish(End::Done);
            }
            // Close does nothing to an agent (wire-protocol 12.7), nor does any other.
            _ => {}
        }
        Fate::Drop
    }

    /// A message came that is no frame.
    pub fn received_garbage(&mut self) {
        self.abort(End::BadData);
    }

    /// The moment that [`Action::Settle`] asked for is over.
    pub fn settled(&mut self) {
        if self.phase == Phase::Settling {
            self.open();
        }
    }

    /// The target is open. What was kept goes to it first.
    pub fn opened(&mut self) {
        if self.phase != Phase::Opening {
            return;
        }
        self.phase = Phase::Open;
        self.kept = 0;
        if self.size != self.opened_with {
            self.actions.push_back(Action::Resize(self.size));
        }
        if self.input_ended {
            self.actions.push_back(Action::FinishInput);
        }
    }

    /// The target could not be opened, or turned out never to have been.
    pub fn not_opened(&mut self) {
        self.finish(End::NotOpened);
    }

    /// All input has been delivered, and its end after it.
    pub fn input_finished(&mut self) {
        self.input_delivered = true;
        if self.phase == Phase::Open && self.target == TargetKind::Port && self.output_ended {
            self.finish(End::Done);
        }
    }

    /// The target takes no more input. A shell may live on; what it means for a TCP connection, its
    /// output tells: all of that is sent first.
    pub fn input_broken(&mut self) {
        self.input_broken = true;
        if self.target == TargetKind::Port && self.output_ended {
            self.broken();
        }
    }

    /// The target has this much output, `len` bytes, for the link. Ask with at most
    /// [`Channel::largest_output`].
    pub fn output(&mut self, now: Tick, len: usize) -> Verdict {
        let verdict = self.meter.ask(now, len);
        if verdict == Verdict::Forward && len > 0 {
            self.idle.data(now);
        }
        verdict
    }

    /// The most bytes that one [`Channel::output`] may carry.
    #[must_use]
    pub fn largest_output(&self) -> usize {
        self.meter.largest()
    }

    /// All output of the target has been sent, and no more will come.
    pub fn output_ended(&mut self) {
        self.output_ended = true;
        match (self.phase, self.target) {
            (Phase::Draining(status), _) => self.exit(status),
            // The kernel tells of a break once, and it was told to the input.
            (Phase::Open, TargetKind::Port) if self.input_broken => self.broken(),
            (Phase::Open, TargetKind::Port) => {
                if self.granted.eof && !self.input_delivered {
                    self.actions.push_back(Action::Send(Message::Eof));
                } else {
                    self.finish(End::Done);
                }
            }
            // A shell may close its output and live on.
            _ => {}
        }
    }

    /// The shell has ended with this status; its output may still have to be read.
    pub fn exited(&mut self, status: i32) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining(status);
            if self.output_ended {
                self.exit(status);
            }
        }
    }

    /// The TCP connection broke.
    pub fn broken(&mut self) {
        if self.is_over() {
            return;
        }
        if self.granted.reset {
            self.actions.push_back(Action::Send(Message::Reset));
        }
        self.finish(End::Broken);
    }

    /// The TCP connection broke, and its output will not tell: the relay takes none of it, or it has
    /// ended before. In the first case the report alone can tell, for nothing gets past the output
    /// that is held up.
    pub fn broken_unnoticed(&mut self) {
        if self.output_ended {
            return self.broken();
        }
        self.abort(End::Broken);
    }

    /// The relay wants the channel to end.
    pub fn stop(&mut self) {
        match self.phase {
            Phase::Open if self.target == TargetKind::Port && !self.granted.eof => {
                self.phase = Phase::Leaving;
                self.actions.push_back(Action::Drain);
            }
            Phase::Leaving => {}
            _ => self.abort(End::Stopped),
        }
    }

    /// The target has had what [`Action::Drain`] was for, or takes no more of it.
    pub fn drained(&mut self) {
        if self.phase == Phase::Leaving {
            self.abort(End::Stopped);
        }
    }

    /// When [`Channel::tick`] wants to be called; never once the end has been decided.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        (!self.is_over()).then(|| self.idle.deadline())
    }

    /// Rule time has passed.
    pub fn tick(&mut self, now: Tick) {
        if self.idle.is_expired(now) {
            self.abort(End::TimedOut);
        }
    }

    /// The link was lost. The target goes on, and its output waits.
    pub fn link_lost(&mut self) {
        let was_up = std::mem::replace(&mut self.is_link_up, false);
        if was_up && !self.is_over() && self.phase != Phase::Leaving {
            self.actions.push_back(Action::Redial);
        }
    }

    /// The link is back.
    pub fn link_up(&mut self) {
        self.is_link_up = true;
    }

    /// The link cannot be had back.
    pub fn link_given_up(&mut self) {
        self.abort(End::TimedOut);
    }

    /// The status was posted, or nobody took it.
    pub fn reported(&mut self) {
        if self.phase == Phase::Reporting {
            self.phase = Phase::Closed;
            self.actions.push_back(Action::Close);
        }
    }

    fn input(&mut self, now: Tick, len: usize) -> Fate {
        if len > 0 {
            self.idle.data(now);
        }
        match self.phase {
            _ if self.input_ended => Fate::Drop,
            Phase::Settling | Phase::Opening => {
                self.kept = self.kept.saturating_add(len);
                self.settled();
                Fate::Keep
            }
            Phase::Open | Phase::Leaving => Fate::Deliver,
            Phase::Draining(_) | Phase::Reporting | Phase::Closed => Fate::Drop,
        }
    }

    fn resize(&mut self, size: Size) {
        if self.target != TargetKind::Terminal {
            return;
        }
        self.size = size;
        match self.phase {
            Phase::Settling => self.open(),
            Phase::Open => self.actions.push_back(Action::Resize(size)),
            Phase::Opening
            | Phase::Leaving
            | Phase::Draining(_)
            | Phase::Reporting
            | Phase::Closed => {}
        }
    }

    fn speed(&mut self, now: Tick, bits: u32) {
        // The same speed again is no new burst.
        if bits != self.speed_bits {
            self.speed_bits = bits;
            self.meter = meter(bits, now);
        }
    }

    fn end_input(&mut self) {
        if std::mem::replace(&mut self.input_ended, true) {
            return;
        }
        if self.phase == Phase::Open {
            self.actions.push_back(Action::FinishInput);
        }
    }

    fn open(&mut self) {
        self.phase = Phase::Opening;
        self.opened_with = self.size;
        self.actions.push_back(Action::Open(self.size));
    }

    fn exit(&mut self, status: i32) {
        if self.granted.exit {
            self.actions.push_back(Action::Send(Message::Exit(status)));
        }
        self.finish(End::Exited(status));
    }

    /// The end, for a reason of the target's own.
    fn finish(&mut self, end: End) {
        if !self.is_over() {
            self.phase = Phase::Reporting;
            self.actions.push_back(Action::Report(end));
        }
    }

    /// The end, whatever the target would rather do.
    fn abort(&mut self, end: End) {
        if !self.is_over() {
            self.actions.clear();
            let is_cut = self.target == TargetKind::Port && self.granted.eof;
            self.actions.push_back(if is_cut {
                Action::ResetTarget
            } else {
                Action::StopTarget
            });
            self.finish(end);
        }
    }
}

/// The meter for a speed in bits a second; the greatest one means no limit.
fn meter(speed_bits: u32, now: Tick) -> Meter {
    let rate = if speed_bits >= Limits::MAX_SPEED_BITS {
        0
    } else {
        (speed_bits / 8).max(1)
    };
    Meter::new(rate, Limits::default().burst_bytes, now)
}

#[cfg(test)]
mod tests;
