//! ClientTokens: the same call, repeated, is one call (limits-and-semantics 4).

use std::fmt;

use axt_proto::{AccountId, RegionId, Secret, SessionId, Tick};
use serde::{Deserialize, Serialize};

/// The actions that take a ClientToken. Different actions never collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TokenAction {
    /// ecs-api 3.1.
    StartTerminalSession,
    /// ecs-api 3.6.
    CreateActivation,
    /// ecs-api 3.10.
    DeregisterManagedInstance,
    /// ecs-api 3.16.
    RunCommand,
    /// ecs-api 3.16.
    InvokeCommand,
}

/// What a ClientToken is unique within.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenKey {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: RegionId,
    /// For which action.
    pub action: TokenAction,
    /// The token: 1 to 64 printable ASCII characters, case-sensitive, no space.
    pub token: String,
}

/// The parts with spaces between, of which none contains one.
impl fmt::Display for TokenKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            account,
            region,
            action,
            token,
        } = self;
        write!(out, "{account} {region} {action:?} {token}")
    }
}

/// What a call's business parameters come to after parsing: equal exactly when a retry is the same
/// call. Made by the caller, opaque here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Vec<u8>);

/// A ClientToken with the fingerprint of the call that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientToken {
    /// The token itself.
    pub token: String,
    /// What it was sent with.
    pub fingerprint: Fingerprint,
}

/// The answer of a call that succeeded, to be given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// StartTerminalSession's.
    Session {
        /// Which session.
        session: SessionId,
        /// Its token.
        token: Secret,
        /// The base of its URL.
        base_url: String,
    },
    /// Another action's, as its caller wrote it down.
    Text(Secret),
}

/// A ClientToken whose action succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedToken {
    /// What it is unique within.
    pub key: TokenKey,
    /// What the first call was.
    pub fingerprint: Fingerprint,
    /// What the first call was answered.
    pub answer: Answer,
    /// When the first call was admitted.
    pub at: Tick,
    /// The first instant at which it is forgotten.
    pub expires: Tick,
}

/// Why a call with a ClientToken is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// `IdempotentParameterMismatch`.
    #[error("the client token was used with other parameters")]
    Mismatch,
    /// `IdempotentProcessing`.
    #[error("the first call with this client token is still under way")]
    Processing,
}
