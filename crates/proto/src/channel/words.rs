//! What goes into the machine and comes out of it.

use std::time::Duration;

use crate::{Extensions, Message, Size};

/// What a channel is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What stands at its far end.
    pub target: TargetKind,
    /// The terminal's size, if it was told beforehand.
    pub size: Option<Size>,
    /// The extensions that may be used.
    pub granted: Extensions,
    /// The speed of the output in bits a second (`flowLimit`); 0 for the documented default.
    pub speed_bits: u32,
    /// The relay's idle timeout.
    pub idle_timeout: Duration,
    /// Whether any frame of the relay's keeps the channel from it, as it does an official agent's
    /// (wire-protocol 8, 9.4). A relay of ours, which tells its timeout, goes by data.
    pub any_frame_counts: bool,
}

/// What stands at the far end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A shell on a terminal.
    Terminal,
    /// A shell on pipes.
    Pipes,
    /// A TCP port.
    Port,
}

/// How a channel ended; the agent posts it as a status (wire-protocol 10.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The shell ended by itself, with this status.
    Exited(i32),
    /// The TCP connection came to its end.
    Done,
    /// The relay told the agent to stop.
    Stopped,
    /// Nothing passed for the idle timeout, or the link was lost for good.
    TimedOut,
    /// The shell could not be started, or the port not be reached.
    NotOpened,
    /// The TCP connection broke.
    Broken,
    /// The relay sent what is no frame.
    BadData,
}

/// What the channel's runner is to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait a moment for the terminal's size, then say [`settled`](super::Channel::settled).
    Settle,
    /// Open the target, a terminal with this size; then say [`opened`](super::Channel::opened) or
    /// [`not_opened`](super::Channel::not_opened).
    Open(Size),
    /// Tell the terminal its size.
    Resize(Size),
    /// End the target's input, after what was delivered; then say
    /// [`input_finished`](super::Channel::input_finished).
    FinishInput,
    /// Deliver the input that is held or has already come in, as long as the target takes it; then
    /// say [`drained`](super::Channel::drained).
    Drain,
    /// Break the TCP connection.
    ResetTarget,
    /// End the target, or the attempt to open it, and whatever it has under way.
    StopTarget,
    /// Send this, which has no payload, after the output.
    Send(Message),
    /// Dial the data channel again; then say [`link_up`](super::Channel::link_up) or [`link_given_up`](super::Channel::link_given_up).
    Redial,
    /// Post how the channel ended; then say [`reported`](super::Channel::reported).
    Report(End),
    /// Close the data channel. The last action.
    Close,
}

/// What becomes of a message's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes to the target, after all that was kept.
    Deliver,
    /// It is kept until the target is open.
    Keep,
    /// Nobody wants it.
    Drop,
}
