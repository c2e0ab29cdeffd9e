//! The bandwidth of one direction of a session, shared by its connections in turns.

use std::{
    fmt,
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axt_proto::{Limits, Load, Meter, Verdict};
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

/// More was sent than the bandwidth allows, where that ends a connection (limits-and-semantics R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than the bandwidth allows")]
pub struct Exceeded;

struct Shared {
    clock: Clock,
    turn: usize,
    /// Whether who would have to wait is told [`Exceeded`] instead.
    closes: bool,
    load: std::sync::Mutex<Load>,
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

    /// Whether there is no limit.
    #[must_use]
    pub(super) const fn is_unlimited(&self) -> bool {
        self.0.is_none()
    }

    /// The documented limit, on rule time (limits-and-semantics R8).
    #[must_use]
    pub fn new(clock: &Clock, limits: &Limits) -> Self {
        if limits.bandwidth_bytes_per_s == 0 {
            return Self::unlimited();
        }
        let closes = limits.close_above_bandwidth != 0;
        let burst = match closes {
            true => limits.closing_burst(),
            false => limits.burst_bytes,
        };
        let meter = Meter::new(limits.bandwidth_bytes_per_s, burst, clock.now());
        Self(Some(Arc::new(Shared {
            clock: clock.clone(),
            turn: meter.turn(),
            closes,
            load: Load::new(limits.bandwidth_bytes_per_s, Duration::from_secs(1)).into(),
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
    ///
    /// # Errors
    /// [`Exceeded`], where the limits say that nobody waits.
    pub async fn pass(&self, bytes: usize) -> Result<(), Exceeded> {
        let Some(shared) = &self.0 else { return Ok(()) };
        if bytes == 0 {
            return Ok(());
        }
        let _passing = Passing::enter(&shared.passing);
        let mut metered = shared.metered.lock().await;
        let Metered { meter, timer } = &mut *metered;
        let armed = Armed(timer);
        loop {
            let now = shared.clock.now();
            let Verdict::WaitUntil(at) = meter.ask(now, bytes) else {
                shared.load().count(now, bytes);
                return Ok(());
            };
            if shared.closes {
                return Err(Exceeded);
            }
            armed.0.set(Some(at));
            shared.keep(None);
            let fired = armed.0.fired().await;
            shared.keep(Some(fired));
        }
    }

    /// What has passed lately; `None` where there is no limit.
    #[must_use]
    pub fn load(&self) -> Option<Load> {
        self.0.as_ref().map(|shared| *shared.load())
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
    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
