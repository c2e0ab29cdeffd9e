//! What a clock and its timers know, behind one lock. Nothing here waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
};

use axt_proto::Tick;

use super::ClockStatus;
use crate::link::Instant;

/// Identifies a timer of a clock; never used twice.
pub(super) type TimerId = u64;

#[derive(Debug)]
pub(super) struct State {
    /// Rule time at `since`, or for as long as time stands.
    base: Tick,
    /// The link time from which rule time runs; `None` while it is frozen or held.
    since: Option<Instant>,
    frozen: bool,
    /// An advance is under way: it alone says what is due, so that it can keep the order.
    is_held: bool,
    next_id: TimerId,
    timers: BTreeMap<TimerId, Entry>,
    /// All armed deadlines, in the order in which they come due.
    armed: BTreeSet<(Tick, TimerId)>,
    /// Timers that are due or whose guard is out.
    out: BTreeSet<TimerId>,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    deadline: Option<Tick>,
    /// An advance has reached the deadline; the owner has not taken it yet.
    is_due: bool,
    /// Guards that the owner holds.
    guards: u32,
    waker: Option<Waker>,
}

/// Whom to wake once the lock is let go.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(super) fn wake(self) {
        for waker in self.0 {
            waker.wake();
        }
    }
}

/// One step of an advance.
pub(super) struct Step {
    /// Whether time stands where it stood before.
    pub(super) is_same_instant: bool,
    /// One of the timers that are due.
    pub(super) name: &'static str,
    pub(super) wakers: Wakers,
}

/// What the owner of a timer has to do.
pub(super) enum Poll {
    /// Act: the timer has fired.
    Fired,
    /// Wait to be woken, at this link time at the latest if there is one.
    Wait(Option<Instant>),
}

impl State {
    pub(super) fn new(at: Tick, frozen: bool, link_now: Instant) -> Self {
        Self {
            base: at,
            since: (!frozen).then_some(link_now),
            frozen,
            is_held: false,
            next_id: 0,
            timers: BTreeMap::new(),
            armed: BTreeSet::new(),
            out: BTreeSet::new(),
        }
    }

    pub(super) fn now(&self, link_now: Instant) -> Tick {
        match self.since {
            Some(since) => self.base + link_now.saturating_duration_since(since),
            None => self.base,
        }
    }

    pub(super) fn status(&self, link_now: Instant) -> ClockStatus {
        ClockStatus {
            now: self.now(link_now),
            frozen: self.frozen,
        }
    }

    pub(super) fn freeze(&mut self, link_now: Instant) {
        self.stop(link_now);
        self.frozen = true;
    }

    pub(super) fn release(&mut self, link_now: Instant) -> ClockStatus {
        self.frozen = false;
        self.run(link_now);
        self.status(link_now)
    }

    /// An advance begins; tells where time stands.
    pub(super) fn hold(&mut self, link_now: Instant) -> Tick {
        self.stop(link_now);
        self.is_held = true;
        self.base
    }

    /// The advance has ended.
    pub(super) fn let_go(&mut self, link_now: Instant) {
        self.is_held = false;
        self.run(link_now);
    }

    fn stop(&mut self, link_now: Instant) {
        self.base = self.now(link_now);
        self.since = None;
    }

    fn run(&mut self, link_now: Instant) {
        if self.since.is_none() && !self.frozen && !self.is_held {
            self.since = Some(link_now);
        }
    }

    /// Those who wait for a deadline, to find out anew how long.
    pub(super) fn armed_wakers(&mut self) -> Wakers {
        let ids = self.armed.iter().map(|(_, id)| id);
        let wakers = ids.filter_map(|id| self.timers.get_mut(id)?.waker.take());
        Wakers(wakers.collect())
    }

    /// Moves time to the next deadline up to `target` and makes due what is due then; without
    /// one, moves it to `target` and answers `None`.
    pub(super) fn step(&mut self, target: Tick) -> Option<Step> {
        let first = self.armed.first().filter(|(at, _)| *at <= target);
        let Some(&(at, _)) = first else {
            self.base = self.base.max(target);
            return None;
        };
        let is_same_instant = at <= self.base;
        self.base = self.base.max(at);
        let mut step = None;
        while let Some(&(at, id)) = self.armed.first() {
            if at > self.base {
                break;
            }
            self.armed.pop_first();
            let Some(entry) = self.timers.get_mut(&id) else {
                continue;
            };
            entry.deadline = None;
            entry.is_due = true;
            self.out.insert(id);
            let step = step.get_or_insert(Step {
                is_same_instant,
                name: entry.name,
                wakers: Wakers::default(),
            });
            step.wakers.0.extend(entry.waker.take());
        }
        step
    }

    /// The name of a timer that has fired and whose owner is not back.
    pub(super) fn first_out(&self) -> Option<&'static str> {
        let id = self.out.first()?;
        self.timers.get(id).map(|entry| entry.name)
    }

    pub(super) fn add(&mut self, name: &'static str) -> TimerId {
        let id = self.next_id;
        self.next_id += 1;
        self.timers.insert(
            id,
            Entry {
                name,
                deadline: None,
                is_due: false,
                guards: 0,
                waker: None,
            },
        );
        id
    }

    /// Forgets a timer; true when it was the last that was out.
    pub(super) fn remove(&mut self, id: TimerId) -> bool {
        if let Some(at) = self.timers.remove(&id).and_then(|entry| entry.deadline) {
            self.armed.remove(&(at, id));
        }
        self.out.remove(&id) && self.out.is_empty()
    }

    /// Arms a timer, or unsets it. An owner that does so has looked at the time, so a firing that
    /// it has not taken is void. True when the timer was the last that was out.
    pub(super) fn set(&mut self, id: TimerId, at: Option<Tick>) -> bool {
        let Some(entry) = self.timers.get_mut(&id) else {
            return false;
        };
        if let Some(before) = entry.deadline.take() {
            self.armed.remove(&(before, id));
        }
        entry.deadline = at;
        entry.is_due = false;
        let is_back = entry.guards == 0;
        if let Some(at) = at {
            self.armed.insert((at, id));
        }
        is_back && self.out.remove(&id) && self.out.is_empty()
    }

    pub(super) fn deadline(&self, id: TimerId) -> Option<Tick> {
        self.timers.get(&id)?.deadline
    }

    /// Fires the timer if its deadline has come, else remembers whom to wake.
    pub(super) fn poll(&mut self, id: TimerId, link_now: Instant, waker: &Waker) -> Poll {
        let now = self.now(link_now);
        let Some(entry) = self.timers.get_mut(&id) else {
            return Poll::Wait(None);
        };
        let has_come = !self.is_held && entry.deadline.is_some_and(|at| at <= now);
        if entry.is_due || has_come {
            if let Some(at) = entry.deadline.take() {
                self.armed.remove(&(at, id));
            }
            entry.is_due = false;
            entry.guards += 1;
            self.out.insert(id);
            return Poll::Fired;
        }
        entry.waker = Some(waker.clone());
        let wake_at = match (self.since, entry.deadline) {
            (Some(since), Some(at)) => since.checked_add(at.since(self.base)),
            _ => None,
        };
        Poll::Wait(wake_at)
    }

    /// Takes a guard back; true when it was the last that was out.
    pub(super) fn back(&mut self, id: TimerId) -> bool {
        let Some(entry) = self.timers.get_mut(&id) else {
            return false;
        };
        entry.guards = entry.guards.saturating_sub(1);
        let is_back = entry.guards == 0 && !entry.is_due;
        is_back && self.out.remove(&id) && self.out.is_empty()
    }
}
