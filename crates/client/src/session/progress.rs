//! What a session has moved, and how long it may stay silent: for whoever asks while it runs.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use axt_net::link::{self, Instant};
use axt_proto::Limits;

/// A session's counters. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    began: Instant,
    idle_timeout: Option<Duration>,
    sent: AtomicU64,
    received: AtomicU64,
    /// In bits a second; 0 while nothing was told.
    speed: AtomicU32,
    last: Mutex<Instant>,
}

/// What a session has moved so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How long it has been open.
    pub open_for: Duration,
    /// Payload bytes that were typed.
    pub sent: u64,
    /// Payload bytes that came.
    pub received: u64,
    /// The bandwidth each way, in bytes a second; `None` where there is no limit, or none was told.
    pub bytes_per_s: Option<u64>,
    /// How long it may yet be silent, by this machine's clock; `None` where the relay did not say.
    pub idle_left: Option<Duration>,
}

impl Progress {
    pub(super) fn new(idle_timeout: Option<Duration>) -> Self {
        let now = link::now();
        Self(Arc::new(Counters {
            began: now,
            idle_timeout,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            speed: AtomicU32::new(0),
            last: Mutex::new(now),
        }))
    }

    /// Whether the relay is one of ours, by that it tells its idle timeout.
    pub(super) fn is_relay_ours(&self) -> bool {
        self.0.idle_timeout.is_some()
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.count(&self.0.sent, bytes);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.count(&self.0.received, bytes);
    }

    pub(super) fn told_speed(&self, bits_per_s: u32) {
        self.0.speed.store(bits_per_s, Ordering::Relaxed);
    }

    fn count(&self, counter: &AtomicU64, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        counter.fetch_add(bytes, Ordering::Relaxed);
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = link::now();
    }

    /// What it has moved so far.
    #[must_use]
    pub fn moved(&self) -> Moved {
        let now = link::now();
        let last = *self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = now.saturating_duration_since(last);
        let speed = self.0.speed.load(Ordering::Relaxed);
        Moved {
            open_for: now.saturating_duration_since(self.0.began),
            sent: self.0.sent.load(Ordering::Relaxed),
            received: self.0.received.load(Ordering::Relaxed),
            bytes_per_s: (speed != 0 && speed != Limits::MAX_SPEED_BITS)
                .then(|| u64::from(speed / 8)),
            idle_left: self
                .0
                .idle_timeout
                .map(|timeout| timeout.saturating_sub(silent)),
        }
    }
}
