//! What agents tell of themselves and nobody has to act on: metrics events and client reports
//! (wire-protocol 10.5).

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
