//! Answers about managed instances (ecs-api 3.9 to 3.11).

use serde::{Deserialize, Serialize};

use super::Tag;

/// The answer of DescribeManagedInstances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeManagedInstances {
    /// The page of the old scheme.
    pub page_number: u32,
    /// The size of its pages.
    pub page_size: u32,
    /// How many there are on all pages of the old scheme.
    pub total_count: u32,
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The instances of the page: a plain list.
    pub instances: Vec<ManagedInstance>,
}

/// The answer of DeregisterManagedInstance; without `Connected` and tags. It can be read back, for a
/// repeated ClientToken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeregisterManagedInstance {
    /// The instance as it was.
    pub instance: ManagedInstance,
}

/// The answer of ModifyManagedInstance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyManagedInstance {
    /// The instance under its new name.
    pub instance: RenamedInstance,
}

/// An instance and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RenamedInstance {
    /// `mi-…`
    pub instance_id: String,
    /// Its name.
    pub instance_name: String,
}

/// A machine that has registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManagedInstance {
    /// `mi-…`
    pub instance_id: String,
    /// The name that people gave it.
    pub instance_name: String,
    /// The name that it has for itself.
    pub hostname: String,
    /// `linux`, `windows` or `FreeBSD`.
    pub os_type: String,
    /// Its system, as its agent says.
    pub os_version: String,
    /// Its agent's version.
    pub agent_version: String,
    /// Its own address.
    pub intranet_ip: String,
    /// The address it is seen under.
    pub internet_ip: String,
    /// What it calls its hardware.
    pub machine_id: String,
    /// The activation that it registered with.
    pub activation_id: String,
    /// When it registered, `yyyy-MM-ddTHH:mm:ssZ`.
    pub registration_time: String,
    /// When a command was last sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_invoked_time: Option<String>,
    /// How many commands it was sent.
    pub invocation_count: u64,
    /// Its resource group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group_id: Option<String>,
    /// Whether its agent is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// Its tags: a plain list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}
