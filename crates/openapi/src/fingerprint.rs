//! What makes two calls with one ClientToken the same (limits-and-semantics 4).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::action::Request;

/// A ClientToken and what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The token; its case counts.
    pub token: String,
    /// What the call asks for.
    pub fingerprint: Fingerprint,
}

/// What is no part of what is asked for: the token itself, and which page of it is wanted.
const APART: &[&str] = &[
    "ClientToken",
    "MaxResults",
    "NextToken",
    "PageNumber",
    "PageSize",
];

/// A hash over everything that an action asks for: all its parameters as they were understood, so
/// that a default is the same as its absence and JSON is compared by value. The ClientToken, the
/// signature, the page and whatever means nothing to the action are not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request.
    #[must_use]
    pub fn of<T: Request>(request: &T) -> Self {
        let mut value = serde_json::to_value(request).unwrap_or(Value::Null);
        if let Value::Object(members) = &mut value {
            members.retain(|name, _| !APART.contains(&name.as_str()));
        }
        let mut hash = Sha256::new();
        hash.update(T::DESCRIPTION.name);
        hash.update([0]);
        hash.update(value.to_string());
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}
