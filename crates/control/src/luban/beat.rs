//! The heart-beat, and the answers that keep an official agent calm (wire-protocol 10.5).

use serde::{Deserialize, Serialize};

/// The interval that a relay asks for, in milliseconds: the middle of what the official agent
/// accepts.
pub const HEART_BEAT_MS: u64 = 60_000;

/// A heart-beat's query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartBeat {
    /// The machine's, in milliseconds.
    pub uptime: u64,
    /// Unix milliseconds on the agent's clock.
    pub timestamp: u64,
    /// The agent's process id.
    pub pid: u32,
    /// The agent's, in milliseconds.
    pub process_uptime: u64,
    /// How many beats were acknowledged.
    pub index: u64,
    /// How many beats were sent.
    pub seq_no: u64,
}

impl HeartBeat {
    /// The query string.
    #[must_use]
    pub fn to_query(&self) -> String {
        let Self {
            uptime,
            timestamp,
            pid,
            process_uptime,
            index,
            seq_no,
        } = self;
        format!(
            "uptime={uptime}&timestamp={timestamp}&pid={pid}&process_uptime={process_uptime}\
             &index={index}&seq_no={seq_no}"
        )
    }
}

/// The answer to a heart-beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartBeatReply {
    /// Milliseconds to the next one; the official agent takes 55,000 to 65,000 and else draws its
    /// own.
    pub next_interval: u64,
}

impl Default for HeartBeatReply {
    fn default() -> Self {
        Self {
            next_interval: HEART_BEAT_MS,
        }
    }
}

/// The answer to an update check: never anything to update, for an official agent would download
/// and run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateReply {
    flag: u8,
    need_update: u8,
    /// Seconds to the next check.
    next_interval: u64,
    #[serde(rename = "instanceId")]
    instance_id: String,
    update_info: UpdateInfo,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct UpdateInfo {
    file_name: String,
    md5: String,
    url: String,
}

impl Default for UpdateReply {
    fn default() -> Self {
        Self {
            flag: 0,
            need_update: 0,
            next_interval: 1_800,
            instance_id: String::new(),
            update_info: UpdateInfo::default(),
        }
    }
}

/// The answer to a request for state configurations, after which the official agent asks only once
/// a day.
pub const NO_STATE_CONFIGURATIONS: &str = r#"{"errCode":"ServiceNotSupported","errMsg":""}"#;

/// The answer to a request for the virtio shell's settings: there is none. The cool-down is short
/// so that an agent which lost its relay is soon back (10.3).
pub const NO_GSHELL: &str = concat!(
    r#"{"code":200,"gshellSupport":"false","instanceId":"","requestId":"","retry":0,"#,
    r#""throttlingConfig":{"maxKickVmCount":30,"maxKickVmPeriod":60,"#,
    r#""wssCoolDownCount":10,"wssCoolDownTime":1}}"#
);
