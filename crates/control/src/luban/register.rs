//! Registration of a managed instance and its end (wire-protocol 10.2).

use axt_proto::{InstanceId, RegionId, Secret};
use serde::{Deserialize, Serialize};

/// The body of a registration. The members stand in the official agent's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterRequest {
    /// The secret half of an activation.
    pub activation_code: Secret,
    /// Signed in each later request, and never sent again.
    pub machine_id: String,
    /// Where to.
    pub region_id: RegionId,
    /// What the instance is to be called, before the activation's number is added.
    pub instance_name: String,
    /// The machine's own name.
    pub hostname: String,
    /// The first address that is not loopback, or `<nil>`.
    pub intranet_ip: String,
    /// Such as `Linux_#1 SMP …_x86_64`.
    pub os_version: String,
    /// `linux`, `windows` or `freebsd`.
    pub os_type: String,
    /// Four numbers with dots.
    pub agent_version: String,
    /// Base64 of a PEM text: see [`PublicKey`](super::PublicKey).
    pub public_key: String,
    /// The public half of the activation.
    pub activation_id: String,
    /// Tags from the command line.
    #[serde(default)]
    pub tag: Vec<Tag>,
}

/// A tag of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// The answer to a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterReply {
    /// [`CODE_OK`](super::CODE_OK), or anything else for a refusal.
    pub code: i64,
    /// The instance that was made; absent in a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    /// Why it was refused, for people: the official agent prints the whole reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// An answer that is a code and nothing more: to deregistration and to every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeReply {
    /// [`CODE_OK`](super::CODE_OK) for success.
    pub code: i64,
}
