//! The answer about settings (ecs-api 3.13). The objects are those that were set, but for the names
//! of lists and what they were set for.

use serde::Serialize;

use super::wrapped;
use crate::action::{
    self, OssDeliveryConfig, ResourceUsageConfig, SessionManagerConfig, SlsDeliveryConfig,
};

/// The answer of DescribeCloudAssistantSettings: only what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCloudAssistantSettings {
    /// The switch of the session manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_manager_config: Option<SessionManagerConfig>,
    /// Deliveries to OSS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oss_delivery_configs: Option<OssDeliveryConfigs>,
    /// Deliveries to SLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sls_delivery_configs: Option<SlsDeliveryConfigs>,
    /// When agents may be upgraded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_upgrade_config: Option<AgentUpgradeConfig>,
    /// What agents may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_usage_config: Option<ResourceUsageConfig>,
}

wrapped! {
    /// `OssDeliveryConfigs.OssDeliveryConfig[]`
    OssDeliveryConfigs { "OssDeliveryConfig": OssDelivery }
    /// `SlsDeliveryConfigs.SlsDeliveryConfig[]`
    SlsDeliveryConfigs { "SlsDeliveryConfig": SlsDelivery }
    /// `AllowedUpgradeWindows.AllowedUpgradeWindow[]`
    UpgradeWindows { "AllowedUpgradeWindow": String }
}

/// A delivery to OSS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OssDelivery {
    /// `SessionManager` or `Invocation`.
    pub delivery_type: &'static str,
    /// As it was set.
    #[serde(flatten)]
    pub config: OssDeliveryConfig,
}

/// A delivery to SLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SlsDelivery {
    /// `SessionManager` or `Invocation`.
    pub delivery_type: &'static str,
    /// As it was set.
    #[serde(flatten)]
    pub config: SlsDeliveryConfig,
}

/// `AgentUpgradeConfig`, whose list is called otherwise than where it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentUpgradeConfig {
    /// Whether the rest holds.
    pub enabled: bool,
    /// When agents may be upgraded.
    pub allowed_upgrade_windows: UpgradeWindows,
    /// The time zone of the windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether an agent may be upgraded when it starts.
    pub bootstrap_upgrade: bool,
    /// Whether agents are never upgraded.
    pub disable_upgrade: bool,
}

impl From<action::AgentUpgradeConfig> for AgentUpgradeConfig {
    fn from(set: action::AgentUpgradeConfig) -> Self {
        Self {
            enabled: set.enabled,
            allowed_upgrade_windows: set.allowed_upgrade_window.into(),
            time_zone: set.time_zone,
            bootstrap_upgrade: set.bootstrap_upgrade,
            disable_upgrade: set.disable_upgrade,
        }
    }
}
