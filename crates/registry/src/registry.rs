//! The registry's state.

use std::collections::BTreeMap;

use axt_proto::{AccountId, ConnectionId, InstanceId, Limits, RegionId, SessionId};

use crate::{Account, Connection, Instance, Region, Session};

/// All that exists, and every rule that needs to know it. See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) limits: Limits,
    pub(crate) regions: BTreeMap<RegionId, Region>,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
}

/// No instance has that id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no instance `{0}`")]
pub struct UnknownInstance(pub InstanceId);

impl Registry {
    /// An empty registry with these limits, which the caller has checked.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            regions: BTreeMap::new(),
            accounts: BTreeMap::new(),
            instances: BTreeMap::new(),
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
        }
    }

    /// The limits that it keeps.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }
}
