//! How much passes through a session, and whether the session's limit is what holds it up.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use axt_net::link::{self, Instant};
use axt_proto::{Direction, Limits};

/// Over how long a rate is taken, at least; twice that without a byte is a pause.
const SPAN: Duration = Duration::from_secs(1);

/// The counters of one session.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// What the relay said that the session may carry each way, in bits a second; 0 when it has not
    /// said (wire-protocol 5, code 7).
    told_bits: AtomicU32,
    open: AtomicU64,
    up: Way,
    down: Way,
}

#[derive(Debug, Default)]
struct Way {
    bytes: AtomicU64,
    rate: Mutex<Rate>,
}

/// What passes just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passing {
    /// Connections that are open.
    pub open: u64,
    /// Payload from here to the remote side so far, in bytes.
    pub sent: u64,
    /// Payload from there to here so far, in bytes.
    pub received: u64,
    /// The session's limit in bytes a second each way, when it is what holds up its connections.
    pub limited_to: Option<u64>,
}

impl Passing {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            open: self.open + other.open,
            sent: self.sent.saturating_add(other.sent),
            received: self.received.saturating_add(other.received),
            limited_to: self.limited_to.or(other.limited_to),
        }
    }
}

impl Flow {
    /// The relay says what the session may carry.
    pub(super) fn told(&self, bits: u32) {
        self.told_bits.store(bits, Ordering::Relaxed);
    }

    /// A connection is open until the answer is dropped.
    pub(super) fn opened(&self) -> Open<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(&self.open)
    }

    /// So many payload bytes have passed. When that is the moment at which the session's limit
    /// begins to hold up its connections, it answers with the limit, in bytes a second.
    pub(super) fn passed(&self, direction: Direction, bytes: usize) -> Option<u64> {
        let way = match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        way.bytes.fetch_add(bytes, Ordering::Relaxed);
        let limit = self.limit()?;
        let mut rate = way.lock();
        let was_full = rate.is_full;
        rate.add(link::now(), bytes, limit);
        (rate.is_full && !was_full).then_some(limit)
    }

    /// What passes just now.
    pub(super) fn passing(&self) -> Passing {
        let now = link::now();
        let is_full = |way: &Way| way.lock().is_full_at(now);
        let is_limited = is_full(&self.up) || is_full(&self.down);
        Passing {
            open: self.open.load(Ordering::Relaxed),
            sent: self.up.bytes.load(Ordering::Relaxed),
            received: self.down.bytes.load(Ordering::Relaxed),
            limited_to: self.limit().filter(|_| is_limited),
        }
    }

    /// Bytes a second; `None` when there is no limit, or none is known.
    fn limit(&self) -> Option<u64> {
        let bits = self.told_bits.load(Ordering::Relaxed);
        (bits > 0 && bits < Limits::MAX_SPEED_BITS).then_some(u64::from(bits) / 8)
    }
}

impl Way {
    fn lock(&self) -> std::sync::MutexGuard<'_, Rate> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is open.
pub(super) struct Open<'a>(&'a AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The rate of one direction, span by span.
#[derive(Debug, Default)]
struct Rate {
    since: Option<Instant>,
    bytes: u64,
    /// Whether in the last whole span nine tenths of what is allowed passed, or more.
    is_full: bool,
}

impl Rate {
    fn add(&mut self, now: Instant, bytes: u64, limit: u64) {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= SPAN {
            let allowed = u128::from(limit) * elapsed.as_millis() / 1_000;
            self.is_full = elapsed < SPAN * 2 && u128::from(self.bytes) * 10 >= allowed * 9;
            self.since = Some(now);
            self.bytes = 0;
        }
        self.bytes += bytes;
    }

    fn is_full_at(&self, now: Instant) -> bool {
        let since = self.since.unwrap_or(now);
        self.is_full && now.saturating_duration_since(since) < SPAN * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 200_000;

    /// Tenths of a second, with so many bytes in each.
    fn after(tenths: u32, bytes: u64) -> (Rate, Instant) {
        let start = link::now();
        let mut rate = Rate::default();
        let mut now = start;
        for tenth in 0..tenths {
            now = start + Duration::from_millis(100) * tenth;
            rate.add(now, bytes, LIMIT);
        }
        (rate, now)
    }

    #[test]
    fn a_direction_that_carries_what_it_may_is_full() {
        assert!(after(11, LIMIT / 10).0.is_full);
        assert!(after(40, LIMIT / 10).0.is_full);
    }

    #[test]
    fn one_that_carries_less_or_has_not_for_long_is_not() {
        assert!(!after(40, LIMIT / 20).0.is_full);
        assert!(!after(9, LIMIT / 10).0.is_full);
    }

    #[test]
    fn a_pause_ends_it() {
        let (mut rate, now) = after(20, LIMIT / 10);
        let later = now + SPAN * 3;

        assert!(!rate.is_full_at(later));
        rate.add(later, LIMIT, LIMIT);
        assert!(!rate.is_full);
    }

    #[test]
    fn no_limit_holds_up_nothing() {
        let flow = Flow::default();
        flow.told(Limits::MAX_SPEED_BITS);

        assert_eq!(flow.passed(Direction::Up, 1_000_000), None);
        let passing = flow.passing();
        assert_eq!((passing.sent, passing.limited_to), (1_000_000, None));
    }

    #[test]
    fn open_connections_are_counted_until_they_are_dropped() {
        let flow = Flow::default();

        let one = flow.opened();
        let other = flow.opened();
        assert_eq!(flow.passing().open, 2);
        drop((one, other));

        assert_eq!(flow.passing().open, 0);
    }
}
