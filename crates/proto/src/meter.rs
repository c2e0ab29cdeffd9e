//! The bandwidth of one direction (limits-and-semantics R8).
//!
//! A [`Meter`] is told how many payload bytes would go and answers whether they may, or when to
//! ask again. The bytes themselves never come here: they wait in the pump, and their sender with
//! them.

mod bucket;
mod calls;
mod load;

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use self::bucket::Bucket;
pub use self::calls::CallRate;
pub use self::load::Load;
use crate::{Limits, Tick};

/// Which way payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the agent.
    Up,
    /// From the agent to the client.
    Down,
}

/// A meter's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send the bytes now; they have been counted.
    Forward,
    /// Keep the bytes and ask again at that instant; nothing has been counted. If nobody else
    /// was let through by then, the answer will be [`Verdict::Forward`].
    WaitUntil(Tick),
}

/// How many bytes may go in one direction: at most `rate·w + burst` in any window `w`, and at least
/// `rate·w − burst` when there is always something waiting to go.
///
/// The upper bound holds to the byte. The lower one does for every rate that can be counted
/// exactly, the documented one among them; others are kept up to 0.1 % too low. (It also takes a
/// burst of at least what the rate brings in ten microseconds, for a wait ends on a whole
/// nanosecond.)
#[derive(Debug)]
pub struct Meter {
    bucket: Option<Bucket>,
}

impl Meter {
    /// A meter that lets `rate` bytes a second through, and `burst` bytes (at least 1) at once.
    /// A `rate` of 0 is no limit.
    #[must_use]
    pub fn new(rate: u32, burst: u32, now: Tick) -> Self {
        Self {
            bucket: NonZeroU32::new(rate).map(|rate| Bucket::new(rate, burst, now)),
        }
    }

    /// Asks to send `len` payload bytes now. No bytes may always go.
    ///
    /// More than [`Meter::largest`] at once will never be let through: the answer is to wait for
    /// the end of time, so split first.
    pub fn ask(&mut self, now: Tick, len: usize) -> Verdict {
        match &mut self.bucket {
            Some(bucket) => bucket.ask(now, len),
            None => Verdict::Forward,
        }
    }

    /// The most bytes that one [`Meter::ask`] may carry: the burst.
    #[must_use]
    pub fn largest(&self) -> usize {
        match &self.bucket {
            Some(bucket) => usize::try_from(bucket.burst().get()).unwrap_or(usize::MAX),
            None => usize::MAX,
        }
    }

    /// How long one connection's turn on the bandwidth may be, in bytes: [`Limits::TURN_BYTES`],
    /// or less where the burst is less.
    #[must_use]
    pub fn turn(&self) -> usize {
        self.largest().min(Limits::TURN_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const START: Tick = Tick::from_millis(1_795_587_061_027);
    const SECOND: u128 = 1_000_000_000;

    /// The rule as one would write it down: a bucket with `rate` bytes falling in each second.
    /// Levels are billionths of a byte, so that nothing is ever rounded.
    struct NaiveMeter {
        rate: u128,
        full: u128,
        level: u128,
        at: Tick,
    }

    impl NaiveMeter {
        fn new(rate: u32, burst: u32) -> Self {
            let full = u128::from(burst) * SECOND;
            Self {
                rate: rate.into(),
                full,
                level: full,
                at: START,
            }
        }

        fn ask(&mut self, now: Tick, len: usize) -> Verdict {
            let refill = self.rate * now.since(self.at).as_nanos();
            self.level = self.full.min(self.level + refill);
            self.at = now;
            let price = billionths(len);
            if price <= self.level {
                self.level -= price;
                return Verdict::Forward;
            }
            let wait = (price - self.level).div_ceil(self.rate);
            Verdict::WaitUntil(now + Duration::from_nanos(wait.try_into().expect("short")))
        }
    }

    fn billionths(len: usize) -> u128 {
        u128::try_from(len).expect("fits") * SECOND
    }

    /// Sends chunks of the given lengths one after the other, each as early as the meter lets it
    /// and not before its own instant; says when each went.
    fn send(meter: &mut Meter, chunks: &[(Duration, usize)]) -> Vec<(Tick, usize)> {
        let mut now = START;
        let mut sent = Vec::new();
        for (pause, len) in chunks {
            now = now + *pause;
            if let Verdict::WaitUntil(then) = meter.ask(now, *len) {
                assert!(then > now);
                assert_eq!(
                    meter.ask(then, *len),
                    Verdict::Forward,
                    "the promised instant"
                );
                now = then;
            }
            sent.push((now, *len));
        }
        sent
    }

    /// Rates that a unit can express, small and large.
    fn exact_rate() -> impl Strategy<Value = u32> {
        prop_oneof![
            Just(204_800),
            2_048..=8_192_u32,
            (1..=8_192_u32).prop_map(|count| count * 12_800),
        ]
    }

    /// Any rate, with a burst that is worth at least ten microseconds of it.
    fn rate_and_burst() -> impl Strategy<Value = (u32, u32)> {
        let rate = prop_oneof![
            Just(204_800),
            Just(204_801),
            2_048..1_000_000_u32,
            2_048..=u32::MAX
        ];
        rate.prop_flat_map(|rate| {
            let least = rate.div_ceil(100_000);
            (Just(rate), least..=least + 40_960)
        })
    }

    /// Lengths from one byte to the whole of the burst.
    fn len(burst: u32) -> impl Strategy<Value = usize> {
        let burst = usize::try_from(burst).expect("fits");
        prop_oneof![Just(1), 1..=burst.min(64), 1..=burst, Just(burst)]
    }

    #[test]
    fn the_whole_burst_goes_at_once_and_a_second_one_a_tenth_of_a_second_later() {
        let mut meter = Meter::new(204_800, 20_480, START);

        for _ in 0..5 {
            assert_eq!(meter.ask(START, 4_096), Verdict::Forward);
        }

        assert_eq!(
            meter.ask(START, 1),
            Verdict::WaitUntil(START + Duration::from_nanos(4_883))
        );
        assert_eq!(
            meter.ask(START, 20_480),
            Verdict::WaitUntil(START + Duration::from_millis(100))
        );
    }

    #[test]
    fn a_bandwidth_of_zero_is_no_limit() {
        let mut meter = Meter::new(0, 1, START);

        assert_eq!(meter.ask(START, usize::MAX), Verdict::Forward);
        assert_eq!(meter.largest(), usize::MAX);
        assert_eq!(meter.turn(), Limits::TURN_BYTES);
    }

    #[test]
    fn more_than_the_burst_at_once_never_goes() {
        let mut meter = Meter::new(204_800, 100, START);

        assert_eq!(meter.turn(), 100);
        assert_eq!(
            meter.ask(START, 101),
            Verdict::WaitUntil(Tick::from_nanos(u64::MAX))
        );
        assert_eq!(meter.ask(START, 100), Verdict::Forward);
    }

    #[test]
    fn an_ask_that_has_to_wait_costs_nothing() {
        let mut meter = Meter::new(204_800, 20_480, START);
        assert_eq!(meter.ask(START, 20_479), Verdict::Forward);

        for _ in 0..100 {
            assert!(matches!(meter.ask(START, 4_096), Verdict::WaitUntil(_)));
        }

        assert_eq!(meter.ask(START, 1), Verdict::Forward);
    }

    proptest! {
        #[test]
        fn an_exact_rate_is_kept_as_the_naive_meter_keeps_it(
            rate in exact_rate(),
            (burst, asks) in (1..=40_960_u32).prop_flat_map(|burst| {
                let ask = (0..200_000_000_u64, len(burst));
                (Just(burst), proptest::collection::vec(ask, 1..60))
            }),
        ) {
            let mut meter = Meter::new(rate, burst, START);
            let mut naive = NaiveMeter::new(rate, burst);
            let mut now = START;

            for (pause, len) in asks {
                now = now + Duration::from_nanos(pause);

                prop_assert_eq!(meter.ask(now, len), naive.ask(now, len));
            }
        }

        #[test]
        fn no_window_carries_more_than_the_rate_and_a_burst(
            (rate, burst, chunks) in rate_and_burst().prop_flat_map(|(rate, burst)| {
                let pause = prop_oneof![4 => Just(0), 1 => 0..300_000_000_u64];
                let chunk = (pause.prop_map(Duration::from_nanos), len(burst));
                (Just(rate), Just(burst), proptest::collection::vec(chunk, 1..80))
            }),
        ) {
            let mut meter = Meter::new(rate, burst, START);

            let sent = send(&mut meter, &chunks);

            for (first, (from, _)) in sent.iter().enumerate() {
                let mut carried = 0;
                for (to, len) in &sent[first..] {
                    carried += billionths(*len);
                    let most = u128::from(rate) * to.since(*from).as_nanos()
                        + u128::from(burst) * SECOND;
                    prop_assert!(carried <= most);
                }
            }
        }

        #[test]
        fn a_saturated_window_carries_the_rate_but_for_a_burst(
            (rate, burst, chunks) in rate_and_burst().prop_flat_map(|(rate, burst)| {
                let chunk = (Just(Duration::ZERO), len(burst));
                (Just(rate), Just(burst), proptest::collection::vec(chunk, 1..80))
            }),
        ) {
            let mut meter = Meter::new(rate, burst, START);

            let sent = send(&mut meter, &chunks);

            for (first, (from, _)) in sent.iter().enumerate() {
                let mut carried = 0;
                for (to, len) in &sent[first + 1..] {
                    // The window ends on the last instant at which this chunk still had to wait.
                    let window = to.since(*from).as_nanos().saturating_sub(1);
                    let due = u128::from(rate) * window;
                    let least = (due - due / 1_000).saturating_sub(u128::from(burst) * SECOND);
                    prop_assert!(carried >= least);
                    carried += billionths(*len);
                }
            }
        }
    }
}
