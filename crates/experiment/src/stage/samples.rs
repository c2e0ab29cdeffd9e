//! What went through the terminals, and how long the bandwidth held it back: for the picture.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axt_net::{
    pump::Totals,
    tap::{Label, Seen, Tap, Tapped, Taps, Way},
    tasks::Tasks,
};
use axt_proto::{
    Direction, Tick,
    frame::{Framing, client::ClientFraming},
};
use serde::Serialize;
use tokio::sync::mpsc;

/// The width of a sample, in milliseconds of rule time.
pub(crate) const SAMPLE_MS: u64 = 250;

/// How many frames may wait to be counted.
const QUEUE: usize = 256;

/// What went through all terminals in a quarter of a second of rule time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// When it begins, in milliseconds of rule time since the start.
    pub at_ms: u64,
    /// Payload bytes from clients.
    pub up: u64,
    /// Payload bytes to clients.
    pub down: u64,
    /// For how long the relay has held payload back by then, in milliseconds: the sum over all
    /// connections, both ways.
    pub held_ms: u64,
}

/// See the module.
pub(crate) struct Samples {
    shared: Arc<Shared>,
    taps: Taps,
    _tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    samples: Mutex<BTreeMap<u64, Sample>>,
    /// The relay's counters, and what those of the relays before it have come to.
    carried: Mutex<(Arc<Totals>, u64)>,
    start: Tick,
}

impl Shared {
    fn held_ms(&self) -> u64 {
        let carried = lock(&self.carried);
        held_ms(&carried.0).saturating_add(carried.1)
    }

    fn count(&self, tapped: &Tapped) {
        let Seen::Frame(bytes, None) = &tapped.seen else {
            return;
        };
        let Ok(message) = ClientFraming::new().decode(bytes.clone()) else {
            return;
        };
        let length = u64::try_from(message.data_len()).unwrap_or(0);
        if length == 0 {
            return;
        }
        let at = u64::try_from(tapped.at.since(self.start).as_millis()).unwrap_or(u64::MAX);
        let number = at / SAMPLE_MS;
        let held_ms = self.held_ms();
        let mut samples = lock(&self.samples);
        let sample = samples.entry(number).or_default();
        sample.at_ms = number.saturating_mul(SAMPLE_MS);
        sample.held_ms = held_ms;
        match tapped.way {
            Way::Out => sample.up = sample.up.saturating_add(length),
            Way::In => sample.down = sample.down.saturating_add(length),
        }
    }
}

impl Samples {
    /// Begins, at an instant of rule time.
    pub(crate) fn start(carried: Arc<Totals>, start: Tick) -> Self {
        let (sender, mut taken) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared {
            samples: Mutex::default(),
            carried: Mutex::new((carried, 0)),
            start,
        });
        let tasks = Tasks::new();
        let counter = Arc::clone(&shared);
        tasks.spawn("samples", async move {
            while let Some(tapped) = taken.recv().await {
                counter.count(&tapped);
            }
        });
        Self {
            shared,
            taps: Taps::to(sender),
            _tasks: tasks,
        }
    }

    /// What a client's frames go to.
    pub(crate) fn tap(&self) -> Tap {
        let label = Label {
            name: "client".to_owned(),
            is_shared: true,
            ..Label::default()
        };
        self.taps.tap(label, true)
    }

    /// Goes on with a relay that was started again.
    pub(crate) fn go_on(&self, carried: Arc<Totals>) {
        let mut known = lock(&self.shared.carried);
        let before = held_ms(&known.0).saturating_add(known.1);
        *known = (carried, before);
    }

    /// What there is.
    pub(crate) fn all(&self) -> Vec<Sample> {
        lock(&self.shared.samples).values().copied().collect()
    }
}

fn held_ms(totals: &Totals) -> u64 {
    let both = totals.held(Direction::Up) + totals.held(Direction::Down);
    u64::try_from(both.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
