//! Plugins of an agent: what it has, and what there would be (wire-protocol 10.5). There are none to
//! have here, and an official agent would download and run whatever it were offered.

use axt_proto::InstanceId;
use serde::{Deserialize, Serialize};

use super::CODE_OK;

/// The answer to a plugin list's request: none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginList {
    code: i64,
    request_id: String,
    instance_id: String,
    plugin_list: [(); 0],
}

impl PluginList {
    /// No plugin, to `instance`.
    #[must_use]
    pub fn empty(instance: &InstanceId, request_id: String) -> Self {
        Self {
            code: CODE_OK,
            request_id,
            instance_id: instance.to_string(),
            plugin_list: [],
        }
    }
}

/// The answer to a report on plugins' states. The intervals are the agent's own defaults, in
/// seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginStatusReply {
    code: i64,
    instance_id: String,
    scan_interval: u32,
    pull_interval: u32,
    refresh_interval: u32,
    /// 0: each time; 1: only what has changed.
    report_type: u8,
}

impl PluginStatusReply {
    /// "Go on as before", to `instance`.
    #[must_use]
    pub fn to(instance: &InstanceId) -> Self {
        Self {
            code: CODE_OK,
            instance_id: instance.to_string(),
            scan_interval: 900,
            pull_interval: 300,
            refresh_interval: 60,
            report_type: 0,
        }
    }
}

/// The answer to a check for newer plugins: none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginUpdates {
    instance_id: String,
    /// Seconds to the next check.
    next_interval: u32,
    plugin: [(); 0],
}

impl PluginUpdates {
    /// Nothing newer, to `instance`.
    #[must_use]
    pub fn none(instance: &InstanceId) -> Self {
        Self {
            instance_id: instance.to_string(),
            next_interval: 1_800,
            plugin: [],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(reply: &impl Serialize) -> String {
        serde_json::to_string(reply).expect("serialises")
    }

    #[test]
    fn there_is_never_a_plugin_to_have() {
        let instance = "i-1".parse().expect("valid");

        assert_eq!(
            json(&PluginList::empty(&instance, "r".to_owned())),
            r#"{"code":200,"requestId":"r","instanceId":"i-1","pluginList":[]}"#
        );
        assert_eq!(
            json(&PluginUpdates::none(&instance)),
            r#"{"instanceId":"i-1","nextInterval":1800,"plugin":[]}"#
        );
    }

    #[test]
    fn no_interval_is_zero_which_an_agent_would_take_for_its_own() {
        assert_eq!(
            json(&PluginStatusReply::to(&"i-1".parse().expect("valid"))),
            concat!(
                r#"{"code":200,"instanceId":"i-1","scanInterval":900,"pullInterval":300,"#,
                r#""refreshInterval":60,"reportType":0}"#
            )
        );
    }
}
