//! What was used once and must not be used again: the nonces of API calls and agents' request ids.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// How many are remembered at most (design, "Nonces and agents' request ids").
const MOST: usize = 1_000_000;

/// How long: both sides of the 15-minute window for signatures (ecs-api 2.4).
const KEPT: SignedDuration = SignedDuration::from_mins(30);

/// Nonces of the last 30 minutes as 16-byte hashes, in memory only.
#[derive(Debug)]
pub(crate) struct Nonces {
    most: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    until: HashMap<[u8; 16], Timestamp>,
    /// By the second in which they may be forgotten.
    ends: BTreeMap<i64, Vec<[u8; 16]>>,
}

/// Whether a nonce may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// Not seen before; remembered from now on.
    Fresh,
    /// Used before.
    Used,
    /// There is no room to remember it.
    Full,
}

impl Nonces {
    pub(crate) fn new() -> Self {
        Self {
            most: MOST,
            used: Mutex::default(),
        }
    }

    /// Takes note of `nonce` as used by `who`. `now` is wall time.
    pub(crate) fn take(&self, who: &str, nonce: &str, now: Timestamp) -> Nonce {
        let key = key(who, nonce);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.until.contains_key(&key) {
            return Nonce::Used;
        }
        if used.until.len() >= self.most {
            return Nonce::Full;
        }
        let until = now.saturating_add(KEPT).unwrap_or(Timestamp::MAX);
        used.until.insert(key, until);
        used.ends.entry(until.as_second()).or_default().push(key);
        Nonce::Fresh
    }
}

impl Used {
    fn forget(&mut self, now: Timestamp) {
        while let Some(end) = self.ends.first_entry() {
            if *end.key() >= now.as_second() {
                return;
            }
            for key in end.remove() {
                self.until.remove(&key);
            }
        }
    }
}

/// A stranger chooses both texts, so their lengths are part of what is hashed.
fn key(who: &str, nonce: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(who.len().to_be_bytes());
    hash.update(who);
    hash.update(nonce);
    let hash: [u8; 32] = hash.finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(hash.split_at(16).0);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("in range")
    }

    #[test]
    fn a_nonce_works_once_for_each_key_and_again_after_half_an_hour() {
        let nonces = Nonces::new();

        assert_eq!(nonces.take("key", "n", at(0)), Nonce::Fresh);
        assert_eq!(nonces.take("key", "n", at(1_800)), Nonce::Used);
        assert_eq!(nonces.take("other", "n", at(1)), Nonce::Fresh);
        assert_eq!(nonces.take("key", "n", at(1_802)), Nonce::Fresh);
    }

    #[test]
    fn two_pairs_that_read_alike_are_two() {
        let nonces = Nonces::new();

        assert_eq!(nonces.take("a", "bc", at(0)), Nonce::Fresh);
        assert_eq!(nonces.take("ab", "c", at(0)), Nonce::Fresh);
    }

    #[test]
    fn without_room_nothing_is_let_in_until_something_is_forgotten() {
        let nonces = Nonces {
            most: 1,
            ..Nonces::new()
        };

        assert_eq!(nonces.take("key", "a", at(0)), Nonce::Fresh);
        assert_eq!(nonces.take("key", "b", at(1)), Nonce::Full);
        assert_eq!(nonces.take("key", "b", at(1_802)), Nonce::Fresh);
    }
}
