//! What reading a call has to ask of its surroundings, and who the caller turns out to be.

use std::time::Duration;

use axt_proto::{AccountId, InstanceId, RegionId, Secret, Tick};
use serde::{Deserialize, Serialize};

use crate::{ActionName, policy::Policy};

/// The instants that a call is judged at.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Wall time, which judges signatures: peers sign with their own clocks (ecs-api 2.4).
    pub wall: jiff::Timestamp,
    /// Rule time, which judges the life of STS tokens.
    pub rule: Tick,
}

/// What [`read`](crate::read()) asks while it goes through the documented order of checks. Each
/// method is called at its place in that order, at most once a call, and must not block.
pub trait World {
    /// The access key of that id, disabled ones too (ecs-api 2.5, rows 11 to 14).
    fn access_key(&self, id: &str) -> Option<AccessKey>;

    /// Takes note of a nonce that a valid signature has carried, for 30 minutes of wall time, and
    /// says whether it was new (row 16).
    fn remember_nonce(&self, access_key_id: &str, nonce: &str) -> NonceState;

    /// The state of a region (limits-and-semantics 3, step 1).
    fn region(&self, region: &RegionId) -> RegionState;

    /// Whether the account has the session manager switched on (step 2).
    fn session_manager_enabled(&self, account: &AccountId) -> bool;

    /// Whether the account has a KMS key of that id (step 5). Without a word on it every well-formed
    /// id counts as one.
    fn has_kms_key(&self, account: &AccountId, key: &str) -> bool {
        let _ = (account, key);
        true
    }

    /// Counts the call and says whether it is within the caller's rate (row 21).
    fn rate(&self, caller: &Caller, action: ActionName) -> RateState {
        let _ = (caller, action);
        RateState::Within
    }

    /// Whether actions that are HTTPS-only in the metadata are refused over plain HTTP (row 20).
    fn enforces_tls(&self) -> bool {
        false
    }

    /// Whom an unsigned call is from. `Some` switches rows 4 to 16 off (`--no-auth`).
    fn unsigned_caller(&self) -> Option<Caller> {
        None
    }
}

/// What a region is to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionState {
    /// Known, with the feature.
    Available,
    /// Known, but the API is switched off there: `RegionId.ApiNotSupported`.
    ApiNotSupported,
    /// Not known: `InvalidRegionId.NotFound`.
    Unknown,
}

/// Whether a nonce may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceState {
    /// Never seen within its window, and remembered from now on.
    Fresh,
    /// Used before: `SignatureNonceUsed`.
    Used,
    /// No room to remember it: `Throttling.User`, to be tried again after that long.
    Full(Duration),
}

/// Whether a call is within its rate. The durations say when to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateState {
    /// Go on.
    Within,
    /// Over the caller's rate: `Throttling.User`.
    User(Duration),
    /// Over the action's rate: `Throttling.Api`.
    Api(Duration),
    /// Over the whole service's rate: `Throttling`.
    Service(Duration),
}

/// An access key as the settings declare it.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// What signatures are made with.
    pub secret: Secret,
    /// A disabled key is refused with `InvalidAccessKeyId.Inactive`.
    pub is_enabled: bool,
    /// The STS token without which a temporary key is nothing.
    pub token: Option<StsToken>,
    /// Who signs with it.
    pub caller: Caller,
}

/// The token of a temporary access key (ecs-api 2.3).
#[derive(Clone, Debug)]
pub struct StsToken {
    /// What the caller must send along.
    pub token: Secret,
    /// The first instant of rule time at which it is expired.
    pub expires: Tick,
}

/// Who calls, and what they may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account that everything is done for.
    pub account: AccountId,
    /// The id of the key that signed; empty for an unsigned call.
    pub access_key_id: String,
    /// Who within the account.
    pub identity: Identity,
    /// What they may do; `None` is everything, as for the account itself.
    pub policy: Option<Policy>,
}

impl Caller {
    /// Whether the policy lets the caller do this to this instance: for actions that name a session
    /// instead of an instance, so that it can be judged only when the session has been looked up
    /// (`Operation.Forbidden` otherwise, ecs-api 3.2).
    #[must_use]
    pub fn may(&self, action: ActionName, region: &RegionId, instance: &InstanceId) -> bool {
        let Some(policy) = &self.policy else {
            return true;
        };
        let resource = crate::policy::instance_resource(region, &self.account, instance.as_str());
        policy.judge(action, &resource).is_allowed()
    }
}

/// Who within an account, as DescribeTerminalSessions shows it (ecs-api 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id")]
pub enum Identity {
    /// The account itself; its id is the principal.
    Account(String),
    /// A RAM user; the user's id is the principal.
    #[serde(rename = "RAMUser")]
    RamUser(String),
    /// Someone in a role; the id behind the assumed role is the principal.
    AssumedRoleUser(String),
}

impl Identity {
    /// `IdentityType`: `Account`, `RAMUser` or `AssumedRoleUser`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "Account",
            Self::RamUser(_) => "RAMUser",
            Self::AssumedRoleUser(_) => "AssumedRoleUser",
        }
    }

    /// `PrincipalId`.
    #[must_use]
    pub fn principal(&self) -> &str {
        match self {
            Self::Account(id) | Self::RamUser(id) | Self::AssumedRoleUser(id) => id,
        }
    }
}
