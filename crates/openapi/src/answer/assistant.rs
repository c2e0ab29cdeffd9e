//! The answer about agents (ecs-api 3.4).

use serde::Serialize;

use super::wrapped;

wrapped! {
    /// `InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus[]`
    CloudAssistantStatuses { "InstanceCloudAssistantStatus": CloudAssistantStatus }
}

/// The answer of DescribeCloudAssistantStatus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCloudAssistantStatus {
    /// The page of the old scheme.
    pub page_number: u32,
    /// The size of its pages.
    pub page_size: u32,
    /// How many there are on all pages of the old scheme.
    pub total_count: u32,
    /// What leads to the next page; empty on the last.
    pub next_token: String,
    /// The page.
    pub instance_cloud_assistant_status_set: CloudAssistantStatuses,
}

/// The state of an instance's agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CloudAssistantStatus {
    /// The instance.
    pub instance_id: String,
    /// Whether the agent is there: a text, `true` or `false`. See [`CloudAssistantStatus::word`].
    pub cloud_assistant_status: &'static str,
    /// The agent's version; empty when there has never been one.
    pub cloud_assistant_version: String,
    /// `Linux`, `Windows` or `FreeBSD`
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// How many commands it has run.
    pub invocation_count: u64,
    /// How many it is running.
    pub active_task_count: u64,
    /// When the last command was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_invoked_time: Option<String>,
    /// When the agent was last heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_time: Option<String>,
    /// Whether the agent is new enough for sessions.
    pub support_session_manager: bool,
}

impl CloudAssistantStatus {
    /// The text that says whether the agent is there.
    #[must_use]
    pub const fn word(is_online: bool) -> &'static str {
        if is_online { "true" } else { "false" }
    }
}
