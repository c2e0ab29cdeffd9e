//! What reading an API call asks of its surroundings.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axt_net::wall::Wall;
use axt_openapi::{
    AccessKey, ActionName, Caller, NonceState, RateState, RegionState, World, region,
};
use axt_proto::{AccountId, RegionId, Tick};
use axt_registry::Row;
use tokio::sync::watch;

use crate::{
    config::{AccountSettings, RegionSettings},
    nonces::{Nonce, Nonces},
    rates::Rates,
};

/// How long to wait when there is no room for a nonce: by then some will be forgotten.
const NONCES_FULL: Duration = Duration::from_secs(60);

/// The registry's switches, as far as they are asked for without going through the desk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    without_api: BTreeSet<RegionId>,
    without_session_manager: BTreeSet<AccountId>,
}

impl Snapshot {
    /// Takes the switches from all rows.
    pub(crate) fn take(&mut self, rows: Vec<Row>) {
        *self = Self::default();
        for row in rows {
            match row {
                Row::Region(region) if !region.switches.api_supported => {
                    self.without_api.insert(region.id);
                }
                Row::Account(account) if !account.session_manager => {
                    self.without_session_manager.insert(account.id);
                }
                _ => {}
            }
        }
    }
}

/// See the module. What never changes while the relay runs, and what the desk publishes.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) access_keys: BTreeMap<String, AccessKey>,
    pub(crate) no_auth: Option<Caller>,
    /// Regions beside the built-in table, and what is said of those in it.
    pub(crate) regions: BTreeMap<RegionId, RegionSettings>,
    pub(crate) accounts: BTreeMap<AccountId, AccountSettings>,
    pub(crate) enforce_tls: bool,
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) nonces: Nonces,
    pub(crate) rates: Rates,
    pub(crate) wall: Wall,
}

impl Surroundings {
    /// All regions that exist.
    pub(crate) fn region_ids(&self) -> impl Iterator<Item = &str> {
        let own = self.regions.keys().map(RegionId::as_str);
        let own = own.filter(|id| region::find(id).is_none());
        region::REGIONS.iter().map(|region| region.id).chain(own)
    }
}

/// The surroundings of one call.
pub(crate) struct ForCall<'a> {
    pub(crate) all: &'a Surroundings,
    /// Rule time, which judges rates.
    pub(crate) now: Tick,
    /// Whether the call may do without a signature, where the settings allow any to: it names a
    /// loopback host and no browser has sent it (design, "Safety of a laptop").
    pub(crate) may_be_unsigned: bool,
}

impl World for ForCall<'_> {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        self.all.access_keys.get(id).cloned()
    }

    fn remember_nonce(&self, access_key_id: &str, nonce: &str) -> NonceState {
        let now = self.all.wall.now();
        match self.all.nonces.take(access_key_id, nonce, now) {
            Nonce::Fresh => NonceState::Fresh,
            Nonce::Used => NonceState::Used,
            Nonce::Full => NonceState::Full(NONCES_FULL),
        }
    }

    fn region(&self, id: &RegionId) -> RegionState {
        let is_known = region::find(id.as_str()).is_some() || self.all.regions.contains_key(id);
        if !is_known {
            return RegionState::Unknown;
        }
        if self.all.snapshot.borrow().without_api.contains(id) {
            return RegionState::ApiNotSupported;
        }
        RegionState::Available
    }

    fn session_manager_enabled(&self, account: &AccountId) -> bool {
        let snapshot = self.all.snapshot.borrow();
        !snapshot.without_session_manager.contains(account)
    }

    fn has_kms_key(&self, account: &AccountId, key: &str) -> bool {
        let settings = self.all.accounts.get(account);
        let keys = settings.and_then(|settings| settings.kms_keys.as_ref());
        keys.is_none_or(|keys| keys.contains(key))
    }

    fn rate(&self, caller: &Caller, action: ActionName) -> RateState {
        self.all.rates.take(&caller.account, action, self.now)
    }

    fn enforces_tls(&self) -> bool {
        self.all.enforce_tls
    }

    fn unsigned_caller(&self) -> Option<Caller> {
        self.all.no_auth.clone().filter(|_| self.may_be_unsigned)
    }
}
