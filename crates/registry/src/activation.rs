//! Activation codes, with which machines outside the cloud register (ecs-api 3.6–3.8, 3.10).

use std::{collections::BTreeMap, fmt, time::Duration};

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

impl Activation {
    /// The first instant at which nothing registers with it any more.
    #[must_use]
    pub fn expires(&self) -> Tick {
        let lives = Duration::from_secs(3_600) * self.spec.time_to_live_hours;
        self.created + lives
    }

    /// Whether it is neither expired nor switched off: such ones count against the limit of their
    /// region (limits-and-semantics 5).
    #[must_use]
    pub fn is_alive(&self, now: Tick) -> bool {
        !self.is_disabled && now < self.expires()
    }

    /// The name of the instance that registers as its `number`-th: `NAME-001`, with as many digits
    /// as the instance count has (ecs-api 3.6). `None` when no name was given.
    pub(crate) fn name_of(&self, number: u32) -> Option<String> {
        let digits = self.spec.instance_count.to_string().len();
        let prefix = Some(&self.spec.instance_name).filter(|name| !name.is_empty())?;
        Some(format!("{prefix}-{number:0digits$}"))
    }
}
