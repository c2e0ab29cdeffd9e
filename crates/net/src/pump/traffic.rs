//! What has passed through a connection's two pumps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axt_proto::{Carried, Direction, Tick};
use tokio::sync::Notify;

use crate::{clock::Clock, link};

/// The counters of one connection.
#[derive(Debug)]
pub struct Traffic {
    clock: Clock,
    /// Rule time of the last payload, either way, in nanoseconds.
    last: AtomicU64,
    /// Where the link time of [`Way::at`] starts.
    start: link::Instant,
    up: Way,
    down: Way,
    totals: Arc<Totals>,
}

/// The counters of all connections together: they only ever grow.
#[derive(Debug, Default)]
pub struct Totals {
    up: Total,
    down: Total,
}

#[derive(Debug, Default)]
struct Total {
    bytes: AtomicU64,
    held_nanos: AtomicU64,
}

impl Totals {
    /// Payload bytes that have passed in that direction.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.way(direction).bytes.load(Ordering::Relaxed)
    }

    /// How long payload in that direction was held back by the bandwidth, in rule time; connections
    /// that were held back at the same time count each.
    #[must_use]
    pub fn held(&self, direction: Direction) -> Duration {
        Duration::from_nanos(self.way(direction).held_nanos.load(Ordering::Relaxed))
    }

    const fn way(&self, direction: Direction) -> &Total {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
}

#[derive(Debug, Default)]
struct Way {
    bytes: AtomicU64,
    /// How long it was held back by the bandwidth, in nanoseconds of rule time.
    held_nanos: AtomicU64,
    /// Link time of its last payload, in nanoseconds since the start.
    at: AtomicU64,
    /// Whether its pump waits for its source, with nothing left to write.
    is_reading: AtomicBool,
    first: Notify,
}

impl Traffic {
    /// Nothing has passed yet.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self::among(clock, Arc::default())
    }

    /// The same; what will pass counts in the totals too.
    #[must_use]
    pub fn among(clock: &Clock, totals: Arc<Totals>) -> Self {
        Self {
            totals,
            clock: clock.clone(),
            last: AtomicU64::new(0),
            start: link::now(),
            up: Way::default(),
            down: Way::default(),
        }
    }

    /// One direction's counters, for its pump.
    #[must_use]
    pub const fn passed(&self, direction: Direction) -> Passed<'_> {
        Passed {
            traffic: self,
            direction,
        }
    }

    /// Payload bytes that have passed in that direction.
    #[must_use]
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.way(direction).bytes.load(Ordering::Relaxed)
    }

    /// All that has passed, both ways, and how long it was held back.
    #[must_use]
    pub fn carried(&self) -> Carried {
        let held_ms = |way: &Way| way.held_nanos.load(Ordering::Relaxed) / 1_000_000;
        Carried {
            bytes_up: self.bytes(Direction::Up),
            bytes_down: self.bytes(Direction::Down),
            held_up_ms: held_ms(&self.up),
            held_down_ms: held_ms(&self.down),
        }
    }

    /// Rule time of the last payload, either way; the epoch when there was none.
    #[must_use]
    pub fn last(&self) -> Tick {
        Tick::from_nanos(self.last.load(Ordering::Relaxed))
    }

    /// Link time since the last payload in that direction; `None` when there was none.
    #[must_use]
    pub fn quiet_for(&self, direction: Direction) -> Option<Duration> {
        let way = self.way(direction);
        if way.bytes.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let at = Duration::from_nanos(way.at.load(Ordering::Relaxed));
        Some(link::now().duration_since(self.start).saturating_sub(at))
    }

    /// Whether that direction's pump has nothing to write and waits for its source.
    #[must_use]
    pub fn is_reading(&self, direction: Direction) -> bool {
        self.way(direction).is_reading.load(Ordering::Relaxed)
    }

    /// Waits for the first payload in that direction. For one waiter at a time.
    pub async fn first(&self, direction: Direction) {
        while self.bytes(direction) == 0 {
            self.way(direction).first.notified().await;
        }
    }

    const fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
}

/// One direction of a [`Traffic`].
#[derive(Clone, Copy, Debug)]
pub struct Passed<'a> {
    traffic: &'a Traffic,
    direction: Direction,
}

impl Passed<'_> {
    /// Payload has been written to the other end. Nothing happens for 0 bytes.
    pub fn count(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let way = self.traffic.way(self.direction);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = way.bytes.fetch_add(bytes, Ordering::Relaxed);
        let total = self.traffic.totals.way(self.direction);
        total.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.touch();
        let since = link::now().duration_since(self.traffic.start);
        let since = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        way.at.store(since, Ordering::Relaxed);
        if before == 0 {
            way.first.notify_one();
        }
    }

    /// Says that payload is held back by the bandwidth, until the answer is dropped.
    pub(super) fn holding(&self) -> Holding<'_> {
        Holding {
            passed: *self,
            since: self.traffic.clock.now(),
        }
    }

    /// Something has passed that counts as payload for the idle timeout, and is none.
    pub(super) fn touch(&self) {
        let now = self.traffic.clock.now();
        self.traffic
            .last
            .fetch_max(now.as_nanos(), Ordering::Relaxed);
    }

    /// Says that the pump waits for its source, until the answer is dropped.
    pub(super) fn reading(&self) -> Reading<'_> {
        let flag = &self.traffic.way(self.direction).is_reading;
        flag.store(true, Ordering::Relaxed);
        Reading(flag)
    }
}

pub(super) struct Holding<'a> {
    passed: Passed<'a>,
    since: Tick,
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let Passed { traffic, direction } = self.passed;
        let held = traffic.clock.now().since(self.since).as_nanos();
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        let total = traffic.totals.way(direction);
        for counter in [&traffic.way(direction).held_nanos, &total.held_nanos] {
            counter.fetch_add(held, Ordering::Relaxed);
        }
    }
}

pub(super) struct Reading<'a>(&'a AtomicBool);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
