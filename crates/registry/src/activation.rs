//! Activation codes, with which machines outside the cloud register (ecs-api 3.6–3.8, 3.10).

use std::{collections::BTreeMap, fmt};

use axt_proto::{AccountId, RegionId, Secret, Tick};
use serde::{Deserialize, Serialize};

/// An activation's id, an upper-case UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivationId(pub String);

impl fmt::Display for ActivationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What CreateActivation asks for; ranges are checked before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationSpec {
    /// For whom.
    pub account: AccountId,
    /// Where.
    pub region: RegionId,
    /// The prefix of the instances' names, possibly empty.
    pub instance_name: String,
    /// In words.
    pub description: String,
    /// How many instances may register, 1 to 1000.
    pub instance_count: u32,
    /// For how long, 1 to 4 hours.
    pub time_to_live_hours: u32,
    /// From where: an address or a CIDR, judged by the relay.
    pub ip_address_range: String,
    /// Given back.
    pub resource_group_id: String,
    /// Given to its instances.
    pub tags: BTreeMap<String, String>,
}

/// An activation code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// Its id.
    pub id: ActivationId,
    /// The secret half.
    pub code: Secret,
    /// What was asked for.
    pub spec: ActivationSpec,
    /// When it was made.
    pub created: Tick,
    /// Whether it was switched off.
    pub is_disabled: bool,
    /// How many instances have registered with it, ever.
    pub registered: u32,
    /// How many of them were deregistered again.
    pub deregistered: u32,
}
