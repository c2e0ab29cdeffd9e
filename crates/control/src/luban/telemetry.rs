//! What agents tell of themselves and nobody has to act on: metrics events and client reports
//! (wire-protocol 10.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One metrics event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricsEvent {
    /// Such as `agent.startup`.
    pub event_id: String,
    /// Such as `STARTUP`.
    pub category: String,
    /// Often empty.
    pub sub_category: String,
    /// `INFO`, `WARN` or `ERROR`.
    pub event_level: String,
    /// Unix milliseconds.
    pub event_time: u64,
    /// JSON in a text: the machine.
    pub common: String,
    /// JSON in a text: the event.
    pub keywords: String,
}

/// What an event says of the machine: `common`, in its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Common {
    /// Such as `amd64`.
    pub arch: String,
    /// The instance's id as the metadata service tells it.
    pub instance_id: String,
    /// Such as `Linux_#1 SMP …_x86_64`.
    pub os_version: String,
    /// Such as `kvm`, or `unknown`.
    pub virtual_type: String,
    /// Such as `debian 12`.
    pub distribution: String,
    /// Such as `6.18.44`.
    pub kernel_version: String,
}

/// What an event is about: `keywords`, in their text, by name.
pub type Keywords = BTreeMap<&'static str, String>;

/// The kinds of events that an agent of ours reports too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It has started.
    Startup,
    /// A session has failed.
    SessionFailed,
    /// The task behind a session has: sent with it.
    TaskFailed,
    /// It is registered no longer.
    Unregistered,
}

impl EventKind {
    /// `eventId`, `category`, `subCategory` and `eventLevel`.
    const fn words(self) -> [&'static str; 4] {
        match self {
            Self::Startup => ["agent.startup", "STARTUP", "", "INFO"],
            Self::SessionFailed => ["agent.session.failed", "SESSION", "", "ERROR"],
            Self::TaskFailed => ["agent.task.failed", "TASK", "", "ERROR"],
            Self::Unregistered => ["agent.hybrid.unregister", "HYBRID", "unregister", "INFO"],
        }
    }
}

impl MetricsEvent {
    /// An event of `at` (Unix milliseconds).
    #[must_use]
    pub fn new(kind: EventKind, at: u64, common: &Common, keywords: &Keywords) -> Self {
        let [event_id, category, sub_category, event_level] = kind.words().map(str::to_owned);
        // Texts by name: nothing that could fail.
        let common = serde_json::to_string(common).unwrap_or_default();
        let keywords = serde_json::to_string(keywords).unwrap_or_default();
        Self {
            event_id,
            category,
            sub_category,
            event_level,
            event_time: at,
            common,
            keywords,
        }
    }
}

/// The `type` of a client report on a notify channel that was lost.
pub const CHANNEL_LOST: &str = "switch_channel_in_wsk";

/// One client report, such as that the notify channel was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientReport {
    /// Such as `switch_channel_in_wsk`.
    #[serde(rename = "type")]
    pub kind: String,
    /// For people.
    pub info: String,
}
