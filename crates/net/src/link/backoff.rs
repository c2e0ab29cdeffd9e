//! How long to wait before the next try.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The least wait.
const LEAST: Duration = Duration::from_millis(200);
/// The most that the first wait may be; doubled for each further one.
const FIRST: Duration = Duration::from_secs(2);
/// The most that any wait may be.
const MOST: Duration = Duration::from_secs(30);
/// The most where nobody listens: there is nobody to be spared, and whoever comes is wanted soon.
const MOST_ALONE: Duration = Duration::from_secs(5);

/// Waits between tries: each drawn evenly between 0.2 s and a ceiling that starts at 2 s and
/// doubles up to 30 s. Drawing from the whole range ("full jitter") is what keeps hundreds of
/// agents from coming back in step.
#[derive(Debug)]
pub struct Backoff {
    random: StdRng,
    ceiling: Duration,
}

impl Backoff {
    /// Waits that differ from those of every other `Backoff`.
    #[must_use]
    pub fn new() -> Self {
        Self::seeded(rand::random())
    }

    /// Waits that depend on `seed` alone.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            ceiling: FIRST,
        }
    }

    /// How long to wait before the next try.
    pub fn next_wait(&mut self) -> Duration {
        self.next_wait_within(MOST)
    }

    /// The same after a try that reached nobody: 5 s at most. How often there was none counts all the
    /// same for those who are reached and refuse.
    pub fn next_wait_alone(&mut self) -> Duration {
        self.next_wait_within(MOST_ALONE)
    }

    fn next_wait_within(&mut self, most: Duration) -> Duration {
        let wait = self.random.random_range(LEAST..=self.ceiling.min(most));
        self.ceiling = (self.ceiling * 2).min(MOST);
        wait
    }

    /// Starts anew, after a try that succeeded.
    pub fn reset(&mut self) {
        self.ceiling = FIRST;
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_between_their_least_and_a_ceiling_that_doubles() {
        let mut backoff = Backoff::seeded(7);

        for ceiling in [2, 4, 8, 16, 30, 30, 30] {
            let wait = backoff.next_wait();
            assert!(wait >= LEAST && wait <= Duration::from_secs(ceiling));
        }
    }

    #[test]
    fn where_nobody_is_reached_waits_stay_short() {
        let mut backoff = Backoff::seeded(7);

        for ceiling in [2, 4, 5, 5, 5, 5] {
            let wait = backoff.next_wait_alone();
            assert!(wait >= LEAST && wait <= Duration::from_secs(ceiling));
        }
        let of_many = (0..50).map(|_| backoff.next_wait()).max();

        assert!(of_many > Some(Duration::from_secs(20)), "{of_many:?}");
    }

    #[test]
    fn after_a_success_the_first_wait_is_short_again() {
        let mut backoff = Backoff::seeded(7);
        for _ in 0..10 {
            backoff.next_wait();
        }

        backoff.reset();

        assert!(backoff.next_wait() <= FIRST);
    }

    #[test]
    fn the_same_seed_waits_the_same() {
        let waits = |seed| {
            let mut backoff = Backoff::seeded(seed);
            [(); 6].map(|()| backoff.next_wait())
        };

        assert_eq!(waits(3), waits(3));
        assert_ne!(waits(3), waits(4));
    }
}
