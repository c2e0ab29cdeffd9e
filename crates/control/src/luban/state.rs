//! State configurations, which an agent would apply to its machine by itself (wire-protocol 10.5).
//! There are none here.

use serde::{Deserialize, Serialize};

/// A request for the configurations of a machine, its members in the order of the official agent's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateRequest {
    /// [`AGENT_NAME`].
    pub agent_name: String,
    /// Four numbers with dots.
    pub agent_version: String,
    /// The machine's name.
    pub computer_name: String,
    /// Its first address.
    pub ip_address: String,
    /// What the last answer said, sent from the second request on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_checkpoint: Option<String>,
    /// Such as `debian`.
    pub platform_name: String,
    /// `linux`, `windows` or `freebsd`.
    pub platform_type: String,
    /// Such as `12`.
    pub platform_version: String,
    /// The role that the metadata service told, often empty.
    pub ram_role: String,
}

/// What the agent is called in a request.
pub const AGENT_NAME: &str = "aliyunAssist";

/// An answer to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateReply {
    /// Empty, or why there is no result.
    pub err_code: String,
    /// For people.
    pub err_msg: String,
    /// What there is.
    pub result: Option<StateResult>,
}

/// See [`StateReply`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StateResult {
    /// Seconds to the next request.
    pub interval: u64,
    /// Whether anything is other than at the last checkpoint.
    pub changed: bool,
    /// To be told in the next request.
    pub checkpoint: String,
    /// What is to be applied.
    pub state_configurations: Vec<serde_json::Value>,
}

impl StateReply {
    /// Whether the server has no such service, and is to be asked again only a day later.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.err_code == "ServiceNotSupported"
    }
}

/// The answer to a request for them or for a template. The official agent asks again only a day
/// later; an empty list would send it every half an hour, and an unchanged one into a panic.
pub const UNSUPPORTED: &str = r#"{"errCode":"ServiceNotSupported","errMsg":""}"#;

/// The answer to reports on states and to an inventory: they are taken, and forgotten.
pub const TAKEN: &str = r#"{"errCode":"","errMsg":"","result":{}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_answer_says_that_there_is_no_such_service() {
        let reply: StateReply = serde_json::from_str(UNSUPPORTED).expect("reads");

        assert!(reply.is_unsupported());
        assert_eq!(reply.result, None);
    }
}
