//! The bandwidth of one direction of a session, shared by its connections in turns.

use std::{
    fmt,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axt_proto::{Limits, Meter, Verdict};
use tokio::sync::Mutex;

use crate::clock::{Clock, Fired, Timer};

/// A [`Meter`] that a session's connections share; cloning shares it.
///
/// Who has to wait for the meter holds it meanwhile, and the lock is handed on in the order in which
/// it was asked for: so connections take turns, of at most [`Pace::turn`] bytes each, and none of
/// them starves.
///
/// Whoever moves the clock waits until the next turn has armed its own deadline, or until nobody
/// has anything more to send at once ([`Pace::rest`]): else the clock would run away from a sender
/// that is ready, and its bandwidth would be lost.
#[derive(Clone)]
pub struct Pace(Option<Arc<Shared>>);

struct Shared {
    clock: Clock,
    turn: usize,
    metered: Mutex<Metered>,
    /// How many passes are under way.
    passing: AtomicUsize,
    /// The last deadline that came, until the next one is armed.
    fired: std::sync::Mutex<Option<Fired>>,
}

struct Metered {
    meter: Meter,
    timer: Timer,
}

impl Pace {
    /// No limit at all.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(None)
    }

    /// The documented limit, on rule time (limits-and-semantics R8).
    #[must_use]
    pub fn new(clock: &Clock, limits: &Limits) -> Self {
        if limits.bandwidth_bytes_per_s == 0 {
            return Self::unlimited();
        }
        let meter = Meter::new(
            limits.bandwidth_bytes_per_s,
            limits.burst_bytes,
            clock.now(),
        );
        Self(Some(Arc::new(Shared {
            clock: clock.clone(),
            turn: meter.turn(),
            metered: Mutex::new(Metered {
                meter,
                timer: clock.timer("bandwidth"),
            }),
            passing: AtomicUsize::new(0),
            fired: std::sync::Mutex::default(),
        })))
    }

    /// The most payload bytes that one [`Pace::pass`] may ask for.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.0.as_ref().map_or(usize::MAX, |shared| shared.turn)
    }

    /// Waits until `bytes` payload bytes may go. Who has passed asks again at once, or says that
    /// it rests.
    pub async fn pass(&self, bytes: usize) {
        let Some(shared) = &self.0 else { return };
        if bytes == 0 {
            return;
        }
        let _passing = Passing::enter(&shared.passing);
        let mut metered = shared.metered.lock().await;
        let Metered { meter, timer } = &mut *metered;
        let armed = Armed(timer);
        while let Verdict::WaitUntil(at) = meter.ask(shared.clock.now(), bytes) {
            armed.0.set(Some(at));
            shared.keep(None);
            let fired = armed.0.fired().await;
            shared.keep(Some(fired));
        }
    }

    /// Says that this connection has nothing to send just now: the clock may move on, unless
    /// another connection is about to take its turn.
    pub fn rest(&self) {
        if let Some(shared) = &self.0
            && shared.passing.load(Ordering::Acquire) == 0
        {
            shared.keep(None);
        }
    }
}

impl Shared {
    fn keep(&self, fired: Option<Fired>) {
        let mut kept = self.fired.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = fired;
    }
}

/// Counts a pass, until it is done or given up.
struct Passing<'a>(&'a AtomicUsize);

impl<'a> Passing<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A timer that is unset again when the wait is given up: a deadline that nobody waits for would
/// hold up whoever moves the clock.
struct Armed<'a>(&'a mut Timer);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(shared) => write!(out, "Pace({} bytes a turn)", shared.turn),
            None => out.write_str("Pace(unlimited)"),
        }
    }
}
