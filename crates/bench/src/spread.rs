//! Times, and how they are spread.

use std::time::Duration;

/// Times in order of length.
#[derive(Debug)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The time within which so many of a hundred were done, in seconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let time = self.0.get(last * percent / 100);
        time.map_or(f64::NAN, Duration::as_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_met() {
        let spread = Spread::of((0..=100).rev().map(Duration::from_secs).collect());

        assert_eq!(
            [50, 90, 99].map(|p| spread.percentile(p)),
            [50.0, 90.0, 99.0]
        );
        assert!(Spread::of(Vec::new()).percentile(50).is_nan());
    }
}
