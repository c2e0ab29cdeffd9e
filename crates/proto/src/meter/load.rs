//! How near something metered is to its limit: for people, and never for the meter itself.

use std::time::Duration;

use crate::Tick;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What has passed lately, be it bytes or calls.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    rate: u32,
    /// In nanoseconds.
    period: u128,
    /// The second that is being counted, since the epoch.
    second: u64,
    passed: u64,
    /// What the second before it carried.
    before: u64,
    /// How much of the burst was spent at `at`, each a period's worth.
    spent: u128,
    at: Tick,
}

impl Load {
    /// Nothing has passed where `rate` may, in each `period`.
    #[must_use]
    pub const fn new(rate: u32, period: Duration) -> Self {
        Self {
            rate,
            period: period.as_nanos(),
            second: 0,
            passed: 0,
            before: 0,
            spent: 0,
            at: Tick::EPOCH,
        }
    }

    /// So many pass.
    pub fn count(&mut self, now: Tick, many: usize) {
        let many = u64::try_from(many).unwrap_or(u64::MAX);
        self.turn_to(now);
        self.passed = self.passed.saturating_add(many);
        self.spent = self.still_spent(now) + u128::from(many) * self.period;
        self.at = self.at.max(now);
    }

    /// How many passed in the last whole second before `now`, or in the one that is not over yet
    /// where those are more.
    #[must_use]
    pub fn last_second(mut self, now: Tick) -> u64 {
        self.turn_to(now);
        self.before.max(self.passed)
    }

    /// How much of the burst is spent, and not yet given back by the rate.
    #[must_use]
    pub fn spent(&self, now: Tick) -> u64 {
        let spent = self.still_spent(now).div_ceil(self.period.max(1));
        u64::try_from(spent).unwrap_or(u64::MAX)
    }

    fn turn_to(&mut self, now: Tick) {
        let second = now.as_nanos() / NANOS_PER_SECOND;
        let passed = second.saturating_sub(self.second);
        if passed > 0 {
            self.before = if passed == 1 { self.passed } else { 0 };
            (self.passed, self.second) = (0, second);
        }
    }

    fn still_spent(&self, now: Tick) -> u128 {
        let given_back = now.since(self.at).as_nanos() * u128::from(self.rate);
        self.spent.saturating_sub(given_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Tick = Tick::from_millis(1_795_587_061_000);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_second_is_told_once_it_is_over_and_forgotten_one_later() {
        let mut load = Load::new(204_800, SECOND);
        let after = |millis| START + Duration::from_millis(millis);

        load.count(after(0), 1_000);
        load.count(after(999), 500);
        load.count(after(1_000), 7);

        assert_eq!(load.last_second(after(1_000)), 1_500);
        assert_eq!(load.last_second(after(2_500)), 7);
        assert_eq!(load.last_second(after(3_000)), 0);
    }

    #[test]
    fn the_rate_gives_the_burst_back() {
        let mut load = Load::new(204_800, SECOND);

        load.count(START, 20_480);

        assert_eq!(load.spent(START), 20_480);
        assert_eq!(load.spent(START + Duration::from_millis(50)), 10_240);
        assert_eq!(load.spent(START + Duration::from_millis(100)), 0);
    }
}
