//! Headers that were signed ahead, so that opening a session does not wait for a signature.

use std::{collections::VecDeque, time::Duration};

use super::Identity;

/// How old headers may be when they are used (design, "Nonces and agents' request ids").
pub const SIGNED_AHEAD_MAX_AGE: Duration = Duration::from_secs(60);

/// A few identities, oldest first. Each is handed out once; those older than
/// [`SIGNED_AHEAD_MAX_AGE`] never are.
#[derive(Debug)]
pub struct SignedAhead {
    ready: VecDeque<Identity>,
    capacity: usize,
}

impl SignedAhead {
    /// A pool that wants `capacity` identities in it.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            ready: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    /// Takes one out, if a fresh one is there. `now_ms` is wall time in Unix milliseconds, from
    /// the same clock as the signatures' timestamps.
    pub fn take(&mut self, now_ms: u64) -> Option<Identity> {
        self.drop_stale(now_ms);
        self.ready.pop_front()
    }

    /// How many are missing: what its filler should sign now.
    pub fn missing(&mut self, now_ms: u64) -> usize {
        self.drop_stale(now_ms);
        self.capacity.saturating_sub(self.ready.len())
    }

    /// Puts a newly signed one in; beyond the capacity it is dropped.
    pub fn put(&mut self, identity: Identity) {
        if self.ready.len() < self.capacity {
            self.ready.push_back(identity);
        }
    }

    /// Puts one back that was taken and never sent. It is the next to be taken.
    pub fn put_back(&mut self, identity: Identity) {
        self.ready.push_front(identity);
    }

    fn drop_stale(&mut self, now_ms: u64) {
        let is_stale = |identity: &Identity| {
            // A clock that was set back makes headers from the future: as useless as old ones.
            u128::from(now_ms.abs_diff(identity.timestamp_ms)) > SIGNED_AHEAD_MAX_AGE.as_millis()
        };
        self.ready.retain(|identity| !is_stale(identity));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(timestamp_ms: u64) -> Identity {
        Identity {
            instance: "i-1".parse().expect("valid"),
            timestamp_ms,
            request_id: timestamp_ms.to_string(),
            signature: String::new(),
        }
    }

    #[test]
    fn what_was_not_sent_is_taken_again_until_it_is_stale_also_where_nothing_is_signed_ahead() {
        let mut pool = SignedAhead::new(0);

        pool.put_back(identity(1_000));
        let again = pool.take(2_000).map(|identity| identity.timestamp_ms);
        pool.put_back(identity(1_000));
        let stale = pool.take(62_000);

        assert_eq!(again, Some(1_000));
        assert!(stale.is_none());
    }

    #[test]
    fn the_oldest_is_used_first_and_only_once() {
        let mut pool = SignedAhead::new(2);
        pool.put(identity(1_000));
        pool.put(identity(2_000));
        pool.put(identity(3_000));

        assert_eq!(pool.take(3_000), Some(identity(1_000)));
        assert_eq!(pool.missing(3_000), 1);
        assert_eq!(pool.take(3_000), Some(identity(2_000)));
        assert_eq!(pool.take(3_000), None);
    }

    #[test]
    fn what_is_older_than_a_minute_is_signed_anew() {
        let mut pool = SignedAhead::new(1);
        pool.put(identity(1_000));

        assert_eq!(pool.missing(61_000), 0);
        assert_eq!(pool.missing(61_001), 1);
        assert_eq!(pool.take(61_001), None);
    }
}
