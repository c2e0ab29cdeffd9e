//! The switches of accounts and regions.

use axt_proto::{AccountId, RegionId, Tick};

use crate::{Account, Changes, Region, RegionPatch, Registry, Row, registry::Step};

impl Registry {
    /// Turns the session manager on or off for an account, in all regions. Live sessions go on
    /// (limits-and-semantics 7).
    pub fn set_session_manager(&mut self, now: Tick, id: &AccountId, is_on: bool) -> Changes {
        self.change_account(now, id, |account| account.session_manager = is_on)
    }

    /// Stores one of the account's Cloud Assistant settings, to be given back as it came
    /// (ecs-api 3.13).
    pub fn store_setting(&mut self, now: Tick, id: &AccountId, kind: &str, text: &str) -> Changes {
        self.change_account(now, id, |account| {
            account.settings.insert(kind.to_owned(), text.to_owned());
        })
    }

    /// Changes switches of a region.
    pub fn change_region(&mut self, now: Tick, id: &RegionId, patch: RegionPatch) -> Changes {
        let change = |registry: &mut Self, step: &mut Step| {
            let region = Region {
                id: id.clone(),
                switches: patch.apply(registry.switches(id)),
            };
            registry.regions.insert(id.clone(), region.clone());
            step.put(Row::Region(region));
        };
        self.step(now, change).1
    }

    pub(crate) fn has_session_manager(&self, id: &AccountId) -> bool {
        self.accounts.get(id).is_none_or(|one| one.session_manager)
    }

    fn change_account(
        &mut self,
        now: Tick,
        id: &AccountId,
        change: impl FnOnce(&mut Account),
    ) -> Changes {
        let change = |registry: &mut Self, step: &mut Step| {
            let account = registry.accounts.entry(id.clone());
            let account = account.or_insert_with(|| Account::new(id.clone()));
            change(account);
            step.put(Row::Account(account.clone()));
        };
        self.step(now, change).1
    }
}
