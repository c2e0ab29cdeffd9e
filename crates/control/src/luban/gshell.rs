//! What an agent asks that has a shell through the hypervisor's guest port (wire-protocol 10.5).

use axt_proto::InstanceId;
use serde::{Deserialize, Serialize};

/// The answer: there is no such shell here, so the agent keeps to its notify channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GshellReply {
    code: i64,
    /// `true` or `false`, **as text**.
    gshell_support: String,
    instance_id: String,
    request_id: String,
    retry: i64,
    throttling_config: Throttling,
}

/// How the agent holds itself back. Zeros would stand for "never" and "for ever".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    /// Kicks through the guest port.
    max_kick_vm_count: u32,
    /// Within how many seconds.
    max_kick_vm_period: u32,
    /// Dials of the notify channel before a cool-down.
    wss_cool_down_count: u32,
    /// Seconds that it lasts. Short: an agent that lost its relay is soon back (10.3).
    wss_cool_down_time: u32,
}

impl GshellReply {
    /// "Not supported", to `instance`.
    #[must_use]
    pub fn none(instance: &InstanceId, request_id: String) -> Self {
        Self {
            code: super::CODE_OK,
            gshell_support: "false".to_owned(),
            instance_id: instance.to_string(),
            request_id,
            retry: 0,
            throttling_config: Throttling {
                max_kick_vm_count: 30,
                max_kick_vm_period: 60,
                wss_cool_down_count: 10,
                wss_cool_down_time: 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_documented_members() {
        let reply = GshellReply::none(&"i-1".parse().expect("valid"), "r".to_owned());

        assert_eq!(
            serde_json::to_string(&reply).expect("serialises"),
            concat!(
                r#"{"code":200,"gshellSupport":"false","instanceId":"i-1","requestId":"r","#,
                r#""retry":0,"throttlingConfig":{"maxKickVmCount":30,"maxKickVmPeriod":60,"#,
                r#""wssCoolDownCount":10,"wssCoolDownTime":1}}"#
            )
        );
    }
}
