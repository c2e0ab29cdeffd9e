//! The settings of the Cloud Assistant service (ecs-api 3.13).

mod config;

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

pub use self::config::{
    AgentUpgradeConfig, OssDeliveryConfig, ResourceUsageConfig, SessionManagerConfig,
    SlsDeliveryConfig,
};
use super::Request;
use crate::description::{Description, Form, Parameter, Rule};

/// Which settings are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SettingType {
    /// Where records of sessions go.
    SessionManagerDelivery,
    /// Where records of commands go.
    InvocationDelivery,
    /// When agents may be upgraded, and what they may use.
    AgentUpgradeConfig,
    /// The switch of the session manager. The only one that has an effect here.
    SessionManagerConfig,
}

const TYPES: &[&str] = &[
    "SessionManagerDelivery",
    "InvocationDelivery",
    "AgentUpgradeConfig",
    "SessionManagerConfig",
];

const DELIVERIES: &[&str] = &["OssDeliveryConfig", "SlsDeliveryConfig"];

/// Changes settings of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyCloudAssistantSettings {
    /// The region. The session manager's switch holds for all of them.
    pub region_id: RegionId,
    /// Which settings.
    pub setting_type: SettingType,
    /// For [`SettingType::SessionManagerConfig`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_manager_config: Option<SessionManagerConfig>,
    /// For the two deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oss_delivery_config: Option<OssDeliveryConfig>,
    /// For the two deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sls_delivery_config: Option<SlsDeliveryConfig>,
    /// For [`SettingType::AgentUpgradeConfig`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_upgrade_config: Option<AgentUpgradeConfig>,
    /// For [`SettingType::AgentUpgradeConfig`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_usage_config: Option<ResourceUsageConfig>,
}

impl Request for ModifyCloudAssistantSettings {
    const DESCRIPTION: Description = Description {
        parameters: &[
            Parameter::choice("SettingType", TYPES)
                .required()
                .help("Which settings."),
            config::SESSION_MANAGER,
            config::OSS_DELIVERY,
            config::SLS_DELIVERY,
            config::AGENT_UPGRADE,
            config::RESOURCE_USAGE,
        ],
        rules: &[
            Rule::Needs(
                "SettingType",
                "SessionManagerConfig",
                &["SessionManagerConfig"],
            ),
            Rule::Needs("SettingType", "SessionManagerDelivery", DELIVERIES),
            Rule::Needs("SettingType", "InvocationDelivery", DELIVERIES),
            Rule::Needs(
                "SettingType",
                "AgentUpgradeConfig",
                &["AgentUpgradeConfig", "ResourceUsageConfig"],
            ),
        ],
        ..Description::new(
            "ModifyCloudAssistantSettings",
            "Change settings of one type.",
        )
    };
}

/// Reads settings of some types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCloudAssistantSettings {
    /// The region.
    pub region_id: RegionId,
    /// Which settings.
    pub setting_type: Vec<SettingType>,
}

impl Request for DescribeCloudAssistantSettings {
    const DESCRIPTION: Description = Description {
        parameters: &[Parameter::forms("SettingType", 4, Form::Words(TYPES))
            .required()
            .help("Which settings.")],
        ..Description::new(
            "DescribeCloudAssistantSettings",
            "Read settings of some types.",
        )
    };
}
