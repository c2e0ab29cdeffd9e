//! The objects that the settings consist of. All but the switch are only kept and given back.

use serde::{Deserialize, Serialize};

use crate::{
    action::values,
    description::{Form, Parameter},
};

/// `SessionManagerConfig`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionManagerConfig {
    /// Whether the account may start sessions, in every region.
    pub session_manager_enabled: bool,
}

pub(super) const SESSION_MANAGER: Parameter = Parameter::object(
    "SessionManagerConfig",
    &[Parameter::boolean("SessionManagerEnabled")
        .required()
        .help("Whether sessions may start.")],
)
.help("The switch of the session manager, as JSON.");

/// `OssDeliveryConfig`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OssDeliveryConfig {
    /// Whether records go to a bucket.
    pub enabled: bool,
    /// The bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_name: Option<String>,
    /// What object names start with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `Inherit`, `OssManaged` or `KMS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_type: Option<String>,
    /// `AES256` or `SM4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_algorithm: Option<String>,
    /// The key for `KMS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key_id: Option<String>,
}

pub(super) const OSS_DELIVERY: Parameter = Parameter::object(
    "OssDeliveryConfig",
    &[
        Parameter::boolean("Enabled")
            .default("false")
            .help("Whether to deliver."),
        Parameter::text("BucketName", 63).help("The bucket."),
        Parameter::formed("Prefix", 1, 254, Form::Prefix).help("What object names start with."),
        Parameter::choice("EncryptionType", &["Inherit", "OssManaged", "KMS"])
            .help("How objects are encrypted."),
        Parameter::choice("EncryptionAlgorithm", &["AES256", "SM4"]).help("The algorithm."),
        Parameter::text("EncryptionKeyId", 256).help("The key."),
    ],
)
.help("Delivery to OSS, as JSON.");

/// `SlsDeliveryConfig`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SlsDeliveryConfig {
    /// Whether records go to a log store.
    pub enabled: bool,
    /// The project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// The log store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logstore_name: Option<String>,
}

pub(super) const SLS_DELIVERY: Parameter = Parameter::object(
    "SlsDeliveryConfig",
    &[
        Parameter::boolean("Enabled")
            .default("false")
            .help("Whether to deliver."),
        Parameter::text("ProjectName", 128).help("The project."),
        Parameter::text("LogstoreName", 128).help("The log store."),
    ],
)
.help("Delivery to SLS, as JSON.");

/// `AgentUpgradeConfig`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgentUpgradeConfig {
    /// Whether the rest holds.
    pub enabled: bool,
    /// When agents may be upgraded, `HH:mm-HH:mm` each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_upgrade_window: Vec<String>,
    /// The time zone of the windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether an agent may be upgraded when it starts.
    pub bootstrap_upgrade: bool,
    /// Whether agents are never upgraded.
    pub disable_upgrade: bool,
}

const AGENT_UPGRADE_MEMBERS: &[Parameter] = &[
    Parameter::boolean("Enabled")
        .default("false")
        .help("Whether the rest holds."),
    Parameter::forms("AllowedUpgradeWindow", 24, Form::Window)
        .help("When upgrades may be, HH:mm-HH:mm."),
    Parameter::text("TimeZone", 64).help("The time zone of the windows."),
    Parameter::boolean("BootstrapUpgrade")
        .default("true")
        .help("Upgrade at an agent's start."),
    Parameter::boolean("DisableUpgrade")
        .default("false")
        .help("Never upgrade."),
];

pub(super) const AGENT_UPGRADE: Parameter =
    Parameter::object("AgentUpgradeConfig", AGENT_UPGRADE_MEMBERS)
        .help("When agents may be upgraded, as JSON.");

impl AgentUpgradeConfig {
    /// What it is before anything was set: the defaults of the table.
    #[must_use]
    pub fn unset() -> Option<Self> {
        values::unset(AGENT_UPGRADE_MEMBERS)
    }
}

/// `ResourceUsageConfig`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceUsageConfig {
    /// The agent's share of a core in percent, 10 to 95.
    pub cpu_limit: u32,
    /// The agent's memory, `35MB` to `1024MB`.
    pub memory_limit: String,
    /// How often it may be over a limit, from 3.
    pub overload_limit: u32,
    /// How many log files it keeps, 7 to 365.
    pub log_file_count_limit: u32,
    /// How large they are together, `10MB` to `1024MB`.
    pub log_size_limit: String,
    /// Whether scripts are kept after they have run.
    pub keep_script_file: bool,
}

const RESOURCE_USAGE_MEMBERS: &[Parameter] = &[
    Parameter::integer("CpuLimit", 10, 95)
        .default("20")
        .help("Percent of a core."),
    Parameter::formed("MemoryLimit", 1, 8, Form::Megabytes(35, 1_024))
        .default("50MB")
        .help("Memory, such as 50MB."),
    Parameter::integer("OverloadLimit", 3, u32::MAX)
        .default("3")
        .help("How often it may be over a limit."),
    Parameter::integer("LogFileCountLimit", 7, 365)
        .default("30")
        .help("Log files kept."),
    Parameter::formed("LogSizeLimit", 1, 8, Form::Megabytes(10, 1_024))
        .default("100MB")
        .help("Size of the log files, such as 100MB."),
    Parameter::boolean("KeepScriptFile")
        .default("false")
        .help("Whether scripts are kept."),
];

pub(super) const RESOURCE_USAGE: Parameter =
    Parameter::object("ResourceUsageConfig", RESOURCE_USAGE_MEMBERS)
        .help("What agents may use, as JSON.");

impl ResourceUsageConfig {
    /// What it is before anything was set: the defaults of the table.
    #[must_use]
    pub fn unset() -> Option<Self> {
        values::unset(RESOURCE_USAGE_MEMBERS)
    }
}
