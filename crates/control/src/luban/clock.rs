//! The relay's rule time, for agents of ours that follow it. An official agent never asks.

use axt_proto::Tick;
use serde::{Deserialize, Serialize};

/// The query parameter by which an agent says what it has seen.
pub const SEEN_QUERY: &str = "seen";

/// The answer of [`path::CLOCK`](super::path::CLOCK): how the relay's clock stands. It comes at once
/// to an agent that has not seen this version, and else when there is a new one, or after a few
/// seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Rule time, in nanoseconds since the Unix epoch.
    pub now_ns: u64,
    /// Whether it stands still.
    pub frozen: bool,
    /// Counts how often the clock was frozen, moved or released since the relay's start.
    pub version: u64,
}

impl ClockState {
    /// Rule time.
    #[must_use]
    pub const fn now(&self) -> Tick {
        Tick::from_nanos(self.now_ns)
    }
}
