//! How often something may be called (limits-and-semantics 6).

use std::{num::NonZeroU32, time::Duration};

use super::{Load, Verdict, bucket::Bucket};
use crate::Tick;

/// So many calls in a minute of rule time: all of them at once if none came before, and from then on
/// one whenever its share of the minute has passed.
#[derive(Debug)]
pub struct CallRate {
    bucket: Bucket,
    load: Load,
}

impl CallRate {
    /// A rate of which nothing is used yet.
    #[must_use]
    pub fn per_minute(calls: NonZeroU32, now: Tick) -> Self {
        Self {
            bucket: Bucket::per_minute(calls, now),
            load: Load::new(calls.get(), Duration::from_secs(60)),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// How long until there is room for one; the call has not been counted.
    pub fn take(&mut self, now: Tick) -> Result<(), Duration> {
        match self.bucket.ask(now, 1) {
            Verdict::Forward => {
                self.load.count(now, 1);
                Ok(())
            }
            Verdict::WaitUntil(then) => Err(then.since(now)),
        }
    }

    /// How many calls of the minute's are used, and not yet given back.
    #[must_use]
    pub fn used(&self, now: Tick) -> u64 {
        self.load.spent(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(calls: u32) -> CallRate {
        CallRate::per_minute(NonZeroU32::new(calls).expect("not zero"), Tick::EPOCH)
    }

    fn at(millis: u64) -> Tick {
        Tick::from_millis(millis)
    }

    #[test]
    fn the_documented_thousand_may_come_at_once_and_one_more_every_sixty_milliseconds() {
        let mut rate = rate(1_000);

        assert!((0..1_000).all(|_| rate.take(at(0)).is_ok()));
        assert_eq!(rate.take(at(0)), Err(Duration::from_millis(60)));
        assert_eq!((rate.used(at(0)), rate.used(at(30_000))), (1_000, 500));
        assert_eq!(rate.take(at(59)), Err(Duration::from_millis(1)));
        assert_eq!(rate.take(at(60)), Ok(()));
        assert_eq!(rate.take(at(60)), Err(Duration::from_millis(60)));
    }

    #[test]
    fn a_call_a_minute_waits_for_the_minute() {
        let mut rate = rate(1);

        assert_eq!(rate.take(at(5)), Ok(()));
        assert_eq!(rate.take(at(5)), Err(Duration::from_secs(60)));
        assert_eq!(rate.take(at(60_005)), Ok(()));
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_two_minutes_worth_and_whoever_waits_gets_in(
            calls in 1..2_000_u32,
            steps in proptest::collection::vec(0..10_000_u64, 1..200),
        ) {
            let mut rate = rate(calls);
            let mut now = 0;
            let mut taken = Vec::new();

            for step in steps {
                now += step;
                match rate.take(at(now)) {
                    Ok(()) => taken.push(now),
                    Err(wait) => {
                        let then = at(now) + wait;
                        prop_assert_eq!(rate.take(then), Ok(()));
                        now = then.as_millis() + 1;
                        taken.push(now);
                    }
                }
                let minute = taken.iter().filter(|time| **time + 60_000 > now).count();
                prop_assert!(minute <= 2 * calls as usize);
            }
        }
    }
}
