//! How near a metered direction is to its limit: for people, and never for the meter itself.

use crate::Tick;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What has passed lately in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    rate: u32,
    /// The second that is being counted, since the epoch.
    second: u64,
    bytes: u64,
    /// What the second before it carried.
    before: u64,
    /// How much of the burst was spent at `at`, in billionths of a byte.
    spent: u128,
    at: Tick,
}

impl Load {
    /// Nothing has passed in a direction of `rate` bytes a second.
    #[must_use]
    pub fn new(rate: u32) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }

    /// So many bytes pass.
    pub fn count(&mut self, now: Tick, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.turn_to(now);
        self.bytes = self.bytes.saturating_add(bytes);
        self.spent = self.still_spent(now) + u128::from(bytes) * u128::from(NANOS_PER_SECOND);
        self.at = self.at.max(now);
    }

    /// Bytes in the last whole second before `now`, or in the one that is not over yet where those
    /// are more.
    #[must_use]
    pub fn last_second(mut self, now: Tick) -> u64 {
        self.turn_to(now);
        self.before.max(self.bytes)
    }

    /// How many bytes of the burst are spent, and not yet given back by the rate.
    #[must_use]
    pub fn burst_spent(&self, now: Tick) -> u64 {
        let bytes = self.still_spent(now).div_ceil(NANOS_PER_SECOND.into());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn turn_to(&mut self, now: Tick) {
        let second = now.as_nanos() / NANOS_PER_SECOND;
        let passed = second.saturating_sub(self.second);
        if passed > 0 {
            self.before = if passed == 1 { self.bytes } else { 0 };
            (self.bytes, self.second) = (0, second);
        }
    }

    fn still_spent(&self, now: Tick) -> u128 {
        let given_back = now.since(self.at).as_nanos() * u128::from(self.rate);
        self.spent.saturating_sub(given_back)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Tick = Tick::from_millis(1_795_587_061_000);

    #[test]
    fn a_second_is_told_once_it_is_over_and_forgotten_one_later() {
        let mut load = Load::new(204_800);
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
        let mut load = Load::new(204_800);

        load.count(START, 20_480);

        assert_eq!(load.burst_spent(START), 20_480);
        assert_eq!(load.burst_spent(START + Duration::from_millis(50)), 10_240);
        assert_eq!(load.burst_spent(START + Duration::from_millis(100)), 0);
    }
}
