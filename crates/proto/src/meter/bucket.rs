//! The meter's bucket: bytes as cells of governor's rate limiter, on a clock of our own.
//!
//! governor counts whole nanoseconds for each cell, and 204,800 B/s are 4,882.8125 ns a byte. But
//! what it takes for a nanosecond is whatever its clock counts. Ours counts units so small that a
//! byte takes a whole number of them: at 204,800 B/s a sixteenth of a nanosecond, and a byte takes
//! 78,125. Every rate whose fraction of 10⁹ has a numerator up to [`FINEST`] is exact in that way;
//! for any other the byte's time is rounded up, by less than 0.1 %.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use super::Verdict;
use crate::Tick;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MINUTE: u64 = 60 * NANOS_PER_SECOND;

/// The finest unit is this fraction of a nanosecond. A byte takes at least 1,907 of them at the
/// highest rate that a `u32` holds, hence the 0.1 %.
const FINEST: u64 = 8_192;

/// Past this many units from its start a bucket starts anew, so that no sum in governor can
/// overflow: a byte takes at most 10⁹ units, a burst has fewer than 2³² bytes, and so nothing ever
/// reaches further ahead than another 2⁶². (Cells that come by the minute take longer, but a burst of
/// them is a minute's worth.)
const FAR: u64 = 1 << 62;

/// Where time ends for a bucket. Everything that can still be waited for comes before.
const END: u64 = 1 << 63;

type Limiter = RateLimiter<NotKeyed, InMemoryState, Units, NoOpMiddleware<Nanos>>;

#[derive(Debug)]
pub(super) struct Bucket {
    limiter: Limiter,
    clock: Units,
    quota: Quota,
    units_per_nano: u64,
    /// Where the units are counted from.
    start: Tick,
}

impl Bucket {
    /// `rate` bytes a second, and `burst` (at least 1) at once.
    pub(super) fn new(rate: NonZeroU32, burst: u32, now: Tick) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        Self::with_units(units(rate, NANOS_PER_SECOND), burst, now)
    }

    /// `count` cells a minute, all of them at once if nobody came before.
    pub(super) fn per_minute(count: NonZeroU32, now: Tick) -> Self {
        Self::with_units(units(count, NANOS_PER_MINUTE), count, now)
    }

    fn with_units(
        (units_per_nano, units_per_cell): (u64, u64),
        burst: NonZeroU32,
        now: Tick,
    ) -> Self {
        let period = Duration::from_nanos(units_per_cell);
        // The period is never zero, which is all that `with_period` asks.
        let quota = Quota::with_period(period)
            .unwrap_or_else(|| Quota::per_second(burst))
            .allow_burst(burst);
        let clock = Units::default();
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            quota,
            units_per_nano,
            start: now,
        }
    }

    pub(super) fn burst(&self) -> NonZeroU32 {
        self.quota.burst_size()
    }

    pub(super) fn ask(&mut self, now: Tick, len: usize) -> Verdict {
        let Ok(len) = u32::try_from(len) else {
            return NEVER;
        };
        let Some(bytes) = NonZeroU32::new(len) else {
            return Verdict::Forward;
        };
        let elapsed = self.elapsed(now);
        self.clock.set(elapsed);
        match self.limiter.check_n(bytes) {
            Ok(Ok(())) => {
                if elapsed >= FAR {
                    self.start_anew(now);
                }
                Verdict::Forward
            }
            Ok(Err(not_until)) => Verdict::WaitUntil(self.instant(not_until.earliest_possible())),
            Err(_) => NEVER,
        }
    }

    fn elapsed(&self, now: Tick) -> u64 {
        let units = now.since(self.start).as_nanos() * u128::from(self.units_per_nano);
        u64::try_from(units).unwrap_or(END).min(END)
    }

    /// The first instant that is not before `units`.
    fn instant(&self, units: Nanos) -> Tick {
        self.start + Duration::from_nanos(units.as_u64().div_ceil(self.units_per_nano))
    }

    /// Counts units from `now`, with nothing in the bucket: rather a burst too little than a byte
    /// too much. It happens after nine years at the documented rate, and after six days without
    /// an end at the finest unit.
    fn start_anew(&mut self, now: Tick) {
        self.start = now;
        self.clock.set(0);
        self.limiter = RateLimiter::direct_with_clock(self.quota, self.clock.clone());
        // A fresh bucket has its burst, so this cannot fail.
        let _ = self.limiter.check_n(self.burst());
    }
}

const NEVER: Verdict = Verdict::WaitUntil(Tick::from_nanos(u64::MAX));

/// Units in a nanosecond, and units that a cell takes of which `count` come in `nanos`.
fn units(count: NonZeroU32, nanos: u64) -> (u64, u64) {
    let count = u64::from(count.get());
    let divisor = greatest_common_divisor(count, nanos);
    if count / divisor <= FINEST {
        return (count / divisor, nanos / divisor);
    }
    (FINEST, (FINEST * nanos).div_ceil(count))
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// The clock that governor reads: moved by hand to the instant of each ask.
#[derive(Clone, Debug, Default)]
struct Units(Arc<AtomicU64>);

impl Units {
    fn set(&self, units: u64) {
        self.0.store(units, Ordering::Relaxed);
    }
}

impl Clock for Units {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(bytes_per_second: u32) -> NonZeroU32 {
        NonZeroU32::new(bytes_per_second).expect("not zero")
    }

    #[test]
    fn the_documented_rate_is_exact() {
        assert_eq!(units(rate(204_800), NANOS_PER_SECOND), (16, 78_125));
    }

    #[test]
    fn rates_without_an_exact_unit_are_rounded_down_by_less_than_a_thousandth() {
        for odd in [204_801, 999_999_937, u32::MAX] {
            let (units_per_nano, units_per_byte) = units(rate(odd), NANOS_PER_SECOND);

            let real = f64::from(u32::try_from(units_per_nano).expect("small")) * 1e9
                / f64::from(u32::try_from(units_per_byte).expect("small"));

            assert!(real <= f64::from(odd));
            assert!(real > f64::from(odd) * 0.999);
        }
    }

    #[test]
    fn a_bucket_outlives_the_range_of_its_units_without_a_byte_too_much() {
        let mut bucket = Bucket::new(rate(204_800), 20_480, Tick::EPOCH);
        let far = Tick::from_nanos(FAR / 16);

        assert_eq!(bucket.ask(far, 20_480), Verdict::Forward);
        let Verdict::WaitUntil(later) = bucket.ask(far, 20_480) else {
            panic!("the burst is spent");
        };

        assert_eq!(later, far + Duration::from_millis(100));
        assert_eq!(bucket.ask(later, 20_480), Verdict::Forward);
    }

    proptest! {
        #[test]
        fn no_instant_and_no_length_panics_or_breaks_a_promise(
            rate in 1..=u32::MAX,
            burst in any::<u32>(),
            asks in proptest::collection::vec((any::<u64>(), any::<u32>()), 1..20),
        ) {
            let mut bucket = Bucket::new(self::rate(rate), burst, Tick::EPOCH);

            for (nanos, len) in asks {
                let len = usize::try_from(len).expect("fits");
                let verdict = bucket.ask(Tick::from_nanos(nanos), len);

                if let Verdict::WaitUntil(then) = verdict
                    && verdict != NEVER
                {
                    prop_assert!(then > Tick::from_nanos(nanos));
                    prop_assert_eq!(bucket.ask(then, len), Verdict::Forward);
                }
            }
        }
    }
}
