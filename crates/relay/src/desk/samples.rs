//! What passes through connections, told to those who follow the events: once a second at most.
//!
//! Bytes and waits are counters, and no change of the registry: a sample is made of what they have
//! grown by. It goes to followers alone, for it would push the rest out of the ring, and a session's
//! 200 events out of the journal.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    time::Duration,
};

use axt_net::link::{self, Instant};
use axt_proto::{Carried, ConnectionId, Direction, Event, EventKind};

use super::Desk;

/// How far samples are apart. Link time.
const EVERY: Duration = Duration::from_secs(1);

/// Of how many connections a sample tells, those with the most bytes first: a follower is not to be
/// left behind by them alone.
const BUSIEST: usize = 100;

/// See the module.
#[derive(Debug)]
pub(super) struct Samples {
    next: Instant,
    /// What all connections had carried at the last sample: bytes, and nanoseconds of waiting.
    totals: [u128; 4],
    /// What each had.
    told: HashMap<ConnectionId, Carried>,
}

impl Samples {
    pub(super) fn new() -> Self {
        Self {
            next: link::now(),
            totals: [0; 4],
            told: HashMap::new(),
        }
    }
}

impl Desk {
    /// When to look next; never without a connection.
    pub(super) fn next_sample(&self) -> Option<Instant> {
        (!self.traffic.is_empty()).then_some(self.samples.next)
    }

    /// Tells what has passed since the last time. While rule time stands still nothing is told: a
    /// rate would have no meaning, and a simulation no two traces alike.
    pub(super) fn sample(&mut self) {
        self.samples.next = link::now() + EVERY;
        let totals = self.all_carried();
        if self.clock.status().frozen || totals == self.samples.totals {
            return;
        }
        self.samples.totals = totals;
        let live: HashSet<_> = self.traffic.keys().copied().collect();
        self.samples.told.retain(|id, _| live.contains(id));
        let mut grown = Vec::new();
        for (id, traffic) in &self.traffic {
            let now = traffic.carried();
            let before = self.samples.told.insert(*id, now).unwrap_or_default();
            let more = now.since(before);
            if more != Carried::default() {
                grown.push((*id, more));
            }
        }
        grown.sort_by_key(|(id, more)| (Reverse(more.bytes_up + more.bytes_down), id.0));
        grown.truncate(BUSIEST);
        for (id, carried) in grown {
            if let Some(sample) = self.sample_of(id, carried) {
                self.ring.pass(sample);
            }
        }
    }

    fn sample_of(&self, id: ConnectionId, carried: Carried) -> Option<Event> {
        let connection = self.registry.connection(id)?;
        let session = self.registry.session(&connection.session)?;
        Some(Event {
            seq: self.ring.last(),
            at: self.now(),
            kind: EventKind::ConnectionTraffic { carried },
            region: session.region.clone(),
            instance: Some(connection.instance.clone()),
            session: Some(session.id.clone()),
            connection: Some(id),
        })
    }

    fn all_carried(&self) -> [u128; 4] {
        let held = |direction| self.totals.held(direction).as_nanos();
        [
            self.totals.bytes(Direction::Up).into(),
            self.totals.bytes(Direction::Down).into(),
            held(Direction::Up),
            held(Direction::Down),
        ]
    }
}
