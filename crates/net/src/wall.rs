//! Wall time: what signatures, nonces and certificates are judged by, since peers stamp them with
//! clocks of their own.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A source of wall time. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Wall(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Wall {
    /// The machine's own clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `at` until it is moved: for tests and simulations.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(Mutex::new(at))))
    }

    /// The instant it is now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Sets a fixed clock, and every clone of it, to `at`. The system's clock is left alone.
    pub fn set(&self, at: Timestamp) {
        if let Source::Fixed(now) = &self.0 {
            *now.lock().unwrap_or_else(PoisonError::into_inner) = at;
        }
    }

    /// Moves a fixed clock, and every clone of it, by `span` (backwards when negative), as far as
    /// a timestamp reaches. The system's clock is left alone.
    pub fn shift(&self, span: SignedDuration) {
        if let Source::Fixed(now) = &self.0 {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = now.saturating_add(span).unwrap_or(*now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_fixed_clock_move_together() {
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        let wall = Wall::fixed(start);
        let clone = wall.clone();

        wall.shift(SignedDuration::from_secs(90));

        assert_eq!(clone.now().duration_since(start).as_secs(), 90);
    }
}
