//! Answers that say little: of the account's switches, and of what was only asked for
//! (ecs-api 3.5, 3.12, 3.13).

use serde::Serialize;

/// The answer of DescribeUserBusinessBehavior.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeUserBusinessBehavior {
    /// `enabled` or `disabled`; empty for a key that means nothing.
    pub status_value: &'static str,
}

/// The answer of ModifyUserBusinessBehavior.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModifyUserBusinessBehavior {}

/// The answer of ModifyCloudAssistantSettings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModifyCloudAssistantSettings {}

/// The answer of InstallCloudAssistant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InstallCloudAssistant {}
