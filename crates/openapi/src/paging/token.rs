//! NextToken: a place in a list, sealed so that nobody can make one up (ecs-api 3).

use std::{fmt, time::Duration};

use axt_proto::Tick;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Scope;

/// How long a token is good for, in rule time (limits-and-semantics 5).
const LIFE: Duration = Duration::from_secs(60 * 60);

/// The length of a token's seal in bytes.
const SEAL: usize = 32;

/// The key that tokens are sealed with. Tokens of another key are foreign.
#[derive(Clone)]
pub struct Seal([u8; 32]);

impl Seal {
    /// A seal from random bytes.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Makes a token of a place.
    pub(super) fn close(&self, place: &Place, scope: Scope<'_>, now: Tick) -> String {
        let mut token = Vec::with_capacity(16 + place.last.len() + SEAL);
        token.extend((now + LIFE).as_nanos().to_be_bytes());
        token.extend(place.count.to_be_bytes());
        token.extend(place.last.as_bytes());
        let seal = self
            .over(&token, scope)
            .map(|mac| mac.finalize().into_bytes());
        token.extend(seal.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The place that a token stands for, if it is ours, this list's, and young enough.
    pub(super) fn open(&self, token: &str, scope: Scope<'_>, now: Tick) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (sealed, seal) = bytes.split_last_chunk::<SEAL>()?;
        self.over(sealed, scope)?.verify_slice(seal).ok()?;
        let (expires, rest) = sealed.split_first_chunk()?;
        let (count, last) = rest.split_first_chunk()?;
        if now >= Tick::from_nanos(u64::from_be_bytes(*expires)) {
            return None;
        }
        Some(Place {
            count: u64::from_be_bytes(*count),
            last: String::from_utf8(last.to_vec()).ok()?,
        })
    }

    fn over(&self, sealed: &[u8], scope: Scope<'_>) -> Option<Hmac<Sha256>> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).ok()?;
        mac.update(scope.filters.as_bytes());
        mac.update(scope.account.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(sealed);
        Some(mac)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// Where a page ended: after so many items, the last of which had that id.
pub(super) struct Place {
    count: u64,
    last: String,
}

impl Place {
    pub(super) fn after(count: usize, last: &str) -> Self {
        Self {
            count: u64::try_from(count).unwrap_or(u64::MAX),
            last: last.to_owned(),
        }
    }

    /// The index to go on at: after the last item, wherever it is now, so that what was added or
    /// removed before it neither repeats nor hides anything; at the same count if it is gone.
    pub(super) fn resume<T>(&self, list: &[T], id: impl Fn(&T) -> &str) -> usize {
        match list.iter().position(|item| id(item) == self.last) {
            Some(index) => index.saturating_add(1),
            None => usize::try_from(self.count).unwrap_or(usize::MAX),
        }
    }
}
