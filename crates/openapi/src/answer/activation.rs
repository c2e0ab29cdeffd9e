//! Answers about activation codes (ecs-api 3.6 to 3.8).

use axt_proto::Secret;
use serde::{Deserialize, Serialize};

use super::Tag;

/// The answer of CreateActivation: the only one that holds the code. It can be read back, for a
/// repeated ClientToken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateActivation {
    /// The activation, an upper-case UUID.
    pub activation_id: String,
    /// The code that machines register with.
    pub activation_code: Secret,
}

/// The answer of DescribeActivations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeActivations {
    /// The page of the old scheme.
    pub page_number: u32,
    /// The size of its pages.
    pub page_size: u32,
    /// How many there are on all pages of the old scheme.
    pub total_count: u32,
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The activations of the page: a plain list.
    pub activation_list: Vec<Activation>,
}

/// The answer of DisableActivation; without resource group and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableActivation {
    /// The activation as it is now.
    pub activation: Activation,
}

/// The answer of DeleteActivation; without resource group, tags and `Disabled`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteActivation {
    /// The activation as it was.
    pub activation: Activation,
}

/// An activation, without its code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Activation {
    /// The activation.
    pub activation_id: String,
    /// Whether it was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// How many machines may register with it.
    pub instance_count: u32,
    /// How many have.
    pub registered_count: u32,
    /// How many of them were deregistered since.
    pub deregistered_count: u32,
    /// For how many hours it was good when it was made.
    pub time_to_live_in_hours: u32,
    /// When it was made, `yyyy-MM-ddTHH:mm:ssZ`.
    pub creation_time: String,
    /// From where machines may register.
    pub ip_address_range: String,
    /// What instances are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// What people wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its resource group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group_id: Option<String>,
    /// Its tags: a plain list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}
