//! The switches of accounts and regions.

use axt_proto::{AccountId, RegionId, Tick};

use crate::{Changes, RegionPatch, Registry};

impl Registry {
    /// Turns the session manager on or off for an account, in all regions. Live sessions go on
    /// (limits-and-semantics 7).
    pub fn set_session_manager(
        &mut self,
        _now: Tick,
        _account: &AccountId,
        _is_on: bool,
    ) -> Changes {
        Changes::default()
    }

    /// Stores one of the account's Cloud Assistant settings, to be given back as it came
    /// (ecs-api 3.13).
    pub fn store_setting(
        &mut self,
        _now: Tick,
        _account: &AccountId,
        _kind: &str,
        _text: &str,
    ) -> Changes {
        Changes::default()
    }

    /// Changes switches of a region.
    pub fn change_region(&mut self, _now: Tick, _id: &RegionId, _patch: RegionPatch) -> Changes {
        Changes::default()
    }
}
