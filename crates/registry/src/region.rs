//! Regions and accounts: the switches that a whole region or account obeys.

use std::collections::BTreeMap;

use axt_proto::{AccountId, RegionId};
use serde::{Deserialize, Serialize};

/// A region and its switches. One that was never changed has the default switches; which regions
/// exist at all is settled before the registry is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its id.
    pub id: RegionId,
    /// Its switches.
    pub switches: RegionSwitches,
}

/// What a region allows, and how it misbehaves when a test asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegionSwitches {
    /// Whether the session API exists there (`RegionId.ApiNotSupported` otherwise). On.
    pub api_supported: bool,
    /// Whether ports can be forwarded (`PortForwarding.NotSupported` otherwise). On.
    pub port_forwarding: bool,
    /// Whether `ConnectionType=Intranet` has an address (`InvalidOperation.ConnectionTypeUnsupported`
    /// otherwise, limits-and-semantics R16). Off.
    pub intranet: bool,
    /// Makes StartTerminalSession fail as `InternalError.Dispatch` after all checks. Off.
    pub dispatch_failure: bool,
    /// Asks the relay to keep each StartTerminalSession between admission and commit, so that its
    /// retry meets `IdempotentProcessing`. The registry only holds the switch. Off.
    pub hold_commit: bool,
    /// The older editions' reading of an absent agent: the session is made and its connections
    /// fail (limits-and-semantics R2). Off.
    pub start_without_agent: bool,
    /// Tells a second live connection of a shell session `SessionIdDuplicated`
    /// (limits-and-semantics 2, `shell_connections = "one"`). Off.
    pub one_shell_connection: bool,
}

impl Default for RegionSwitches {
    fn default() -> Self {
        Self {
            api_supported: true,
            port_forwarding: true,
            intranet: false,
            dispatch_failure: false,
            hold_commit: false,
            start_without_agent: false,
            one_shell_connection: false,
        }
    }
}

/// Which switches of a region to change; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegionPatch {
    /// See [`RegionSwitches::api_supported`].
    pub api_supported: Option<bool>,
    /// See [`RegionSwitches::port_forwarding`].
    pub port_forwarding: Option<bool>,
    /// See [`RegionSwitches::intranet`].
    pub intranet: Option<bool>,
    /// See [`RegionSwitches::dispatch_failure`].
    pub dispatch_failure: Option<bool>,
    /// See [`RegionSwitches::hold_commit`].
    pub hold_commit: Option<bool>,
    /// See [`RegionSwitches::start_without_agent`].
    pub start_without_agent: Option<bool>,
    /// See [`RegionSwitches::one_shell_connection`].
    pub one_shell_connection: Option<bool>,
}

impl RegionPatch {
    /// The switches after this patch.
    #[must_use]
    pub fn apply(self, old: RegionSwitches) -> RegionSwitches {
        RegionSwitches {
            api_supported: self.api_supported.unwrap_or(old.api_supported),
            port_forwarding: self.port_forwarding.unwrap_or(old.port_forwarding),
            intranet: self.intranet.unwrap_or(old.intranet),
            dispatch_failure: self.dispatch_failure.unwrap_or(old.dispatch_failure),
            hold_commit: self.hold_commit.unwrap_or(old.hold_commit),
            start_without_agent: self.start_without_agent.unwrap_or(old.start_without_agent),
            one_shell_connection: self
                .one_shell_connection
                .unwrap_or(old.one_shell_connection),
        }
    }
}

/// What is kept for an account. One that was never changed has all defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whether the session manager is on, for all regions (`UserBehavior.SessionManagerDisabled`
    /// otherwise). On by default, unlike in the cloud (limits-and-semantics 7).
    pub session_manager: bool,
    /// Cloud Assistant settings that are only stored and given back (ecs-api 3.13): kind → text.
    pub settings: BTreeMap<String, String>,
}

impl Account {
    /// An account as it is before anything was changed.
    #[must_use]
    pub const fn new(id: AccountId) -> Self {
        Self {
            id,
            session_manager: true,
            settings: BTreeMap::new(),
        }
    }
}
