//! The idle timeout of one connection, as a deadline (limits-and-semantics R5).

use std::time::Duration;

use crate::Tick;

/// When a connection has been without data for too long.
///
/// Data is any payload byte in either direction; pings, resizes, statuses and empty frames are
/// not. The timer runs from the moment that the connection is live, and the deadline is exactly
/// the timeout after the last byte.
#[derive(Clone, Debug)]
pub struct IdleTimer {
    timeout: Duration,
    last: Tick,
}

impl IdleTimer {
    /// A timer of a connection that is live since `now`.
    #[must_use]
    pub const fn new(now: Tick, timeout: Duration) -> Self {
        Self { timeout, last: now }
    }

    /// Data passed, in whichever direction. An instant before the last one changes nothing.
    pub fn data(&mut self, now: Tick) {
        self.last = self.last.max(now);
    }

    /// When the connection will have been idle for the timeout, if nothing passes until then.
    #[must_use]
    pub fn deadline(&self) -> Tick {
        self.last + self.timeout
    }

    /// Whether the deadline has come.
    #[must_use]
    pub fn is_expired(&self, now: Tick) -> bool {
        now >= self.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Tick = Tick::from_millis(1_000_000);
    const TIMEOUT: Duration = Duration::from_secs(180);
    const NANOSECOND: Duration = Duration::from_nanos(1);

    #[test]
    fn it_expires_exactly_at_the_timeout() {
        let timer = IdleTimer::new(START, TIMEOUT);

        assert!(!timer.is_expired(START + TIMEOUT - NANOSECOND));
        assert!(timer.is_expired(START + TIMEOUT));
    }

    #[test]
    fn data_moves_the_deadline_from_its_own_instant() {
        let mut timer = IdleTimer::new(START, TIMEOUT);
        let last_moment = START + TIMEOUT - NANOSECOND;

        timer.data(last_moment);

        assert_eq!(timer.deadline(), last_moment + TIMEOUT);
    }

    #[test]
    fn an_instant_of_the_past_never_shortens_the_wait() {
        let mut timer = IdleTimer::new(START, TIMEOUT);

        timer.data(START - Duration::from_secs(5));

        assert_eq!(timer.deadline(), START + TIMEOUT);
    }
}
