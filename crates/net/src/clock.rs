//! Rule time: what the documented limits are judged by. It can be frozen and moved.
//!
//! ```text
//!            ┌── release ──┐              advance, in either state:
//!            ▼             │                now := next armed deadline ≤ target
//!   running ────freeze──▶ frozen            every timer due then fires
//!                                           wait until every `Fired` guard is back
//!                                           … until now = target
//! ```
//!
//! A running clock is link time plus an offset: it moves in jumps too when a simulation pauses
//! the runtime. No clock ever goes back.

mod state;
#[cfg(test)]
mod tests;
mod timer;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axt_proto::Tick;
use tokio::sync::{Notify, watch};

use self::state::State;
pub use self::timer::{Fired, Timer};
use crate::{link, wall::Wall};

/// How often timers may come due at one and the same instant of an advance. One that is armed
/// for an instant that is not after now, again and again, would else hold the clock for ever.
const ROUNDS_AT_ONE_INSTANT: u32 = 1_000;

/// The clock of rule time. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told whenever the last timer that had fired is back.
    all_back: Notify,
    /// How often it was frozen, moved or released.
    version: watch::Sender<u64>,
    /// Held by the one `advance` that is under way; others queue.
    advancing: tokio::sync::Mutex<()>,
}

/// What a clock says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStatus {
    /// The instant it is now.
    pub now: Tick,
    /// Whether it stands still.
    pub frozen: bool,
}

/// A timer fired while the clock was being moved, and its owner did not act on it and come back
/// within 5 s of link time ([`link::TIMER_BACK`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the timer `{name}` is not back within 5 s")]
pub struct TimerNotBack {
    /// The name that the timer was made with.
    pub name: &'static str,
}

impl Clock {
    /// A clock that shows `at` now and runs.
    #[must_use]
    pub fn running(at: Tick) -> Self {
        Self::with(State::new(at, false, link::now()))
    }

    /// A clock that stands at `at`.
    #[must_use]
    pub fn frozen(at: Tick) -> Self {
        Self::with(State::new(at, true, link::now()))
    }

    /// A running clock that is `offset_nanos` nanoseconds ahead of wall time (behind, when
    /// negative), as [`Clock::offset_from`] told before the program was restarted.
    #[must_use]
    pub fn from_wall(wall: &Wall, offset_nanos: i64) -> Self {
        let nanos = wall.now().as_nanosecond() + i128::from(offset_nanos);
        let nanos = u64::try_from(nanos.max(0)).unwrap_or(u64::MAX);
        Self::running(Tick::from_nanos(nanos))
    }

    /// How many nanoseconds this clock is ahead of wall time; negative when it is behind.
    #[must_use]
    pub fn offset_from(&self, wall: &Wall) -> i64 {
        let offset = i128::from(self.now().as_nanos()) - wall.now().as_nanosecond();
        i64::try_from(offset).unwrap_or(if offset < 0 { i64::MIN } else { i64::MAX })
    }

    fn with(state: State) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                all_back: Notify::new(),
                version: watch::Sender::new(0),
                advancing: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The instant it is now.
    #[must_use]
    pub fn now(&self) -> Tick {
        self.shared.state().now(link::now())
    }

    /// The instant it is now, and whether the clock stands still.
    #[must_use]
    pub fn status(&self) -> ClockStatus {
        self.shared.state().status(link::now())
    }

    /// A timer, unset. The name is for whoever reads [`TimerNotBack`].
    #[must_use]
    pub fn timer(&self, name: &'static str) -> Timer {
        Timer::new(Arc::clone(&self.shared), name)
    }

    /// Stops time. Timers whose deadline has come already still fire, no others do.
    pub fn freeze(&self) -> ClockStatus {
        let now = link::now();
        let mut state = self.shared.state();
        state.freeze(now);
        let status = state.status(now);
        drop(state);
        self.shared.changed();
        status
    }

    /// Lets time run on from where it stands.
    pub fn release(&self) -> ClockStatus {
        let now = link::now();
        let mut state = self.shared.state();
        let (status, wakers) = (state.release(now), state.armed_wakers());
        drop(state);
        wakers.wake();
        self.shared.changed();
        status
    }

    /// How often it has been frozen, moved or released, and a way to wait until it is again.
    #[must_use]
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Stands or runs from now on as another clock does that shows `at`: moved there from deadline
    /// to deadline, unless it is there or past it already. For a program that follows another's
    /// rule time.
    ///
    /// # Errors
    ///
    /// As [`Clock::advance`]; the clock then stands, or runs, where it has come to.
    pub async fn follow(&self, at: Tick, frozen: bool) -> Result<ClockStatus, TimerNotBack> {
        if frozen && !self.status().frozen {
            self.freeze();
        }
        let behind = at.since(self.now());
        let moved = match behind.is_zero() {
            true => Ok(self.status()),
            false => self.advance(behind).await,
        };
        if !frozen && self.status().frozen {
            self.release();
        }
        moved.map(|_| self.status())
    }

    /// Moves time on by `by`, from deadline to deadline: at each, the timers due then fire, and
    /// the clock waits until their owners have acted and armed their next deadlines. A clock that
    /// ran runs on afterwards. Calls at the same time are carried out one after another; dropping
    /// the future leaves the clock where it has come to.
    ///
    /// # Errors
    ///
    /// [`TimerNotBack`] when an owner takes more than 5 s of link time, or arms its timer for the
    /// same instant without end. The clock then stays at that instant (or runs on from it).
    pub async fn advance(&self, by: Duration) -> Result<ClockStatus, TimerNotBack> {
        let _one_at_a_time = self.shared.advancing.lock().await;
        let target = self.shared.state().hold(link::now()) + by;
        let held = Held(&self.shared);
        let mut rounds = 0;
        loop {
            self.all_back().await?;
            let Some(step) = self.shared.state().step(target) else {
                break;
            };
            rounds = if step.is_same_instant { rounds + 1 } else { 0 };
            if rounds > ROUNDS_AT_ONE_INSTANT {
                return Err(TimerNotBack { name: step.name });
            }
            step.wakers.wake();
        }
        drop(held);
        self.shared.changed();
        Ok(self.status())
    }

    /// Waits until the owner of every timer that has fired is back.
    async fn all_back(&self) -> Result<(), TimerNotBack> {
        let deadline = link::now() + link::TIMER_BACK;
        loop {
            let mut told = std::pin::pin!(self.shared.all_back.notified());
            told.as_mut().enable();
            let Some(name) = self.shared.state().first_out() else {
                return Ok(());
            };
            let rest = deadline.duration_since(link::now());
            if link::timeout(rest, told).await.is_err() {
                return Err(TimerNotBack { name });
            }
        }
    }
}

impl Shared {
    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time held by an `advance`. Its drop, also that of a cancelled one, lets a clock that is not
/// frozen run again.
struct Held<'a>(&'a Shared);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.let_go(link::now());
        let wakers = state.armed_wakers();
        drop(state);
        wakers.wake();
    }
}
