//! The account's switches as they used to be read and set (ecs-api 3.12).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ErrorCode,
    description::{Description, Parameter, RegionRule},
};

/// The only key that means something; the value of any other is empty.
pub const SESSION_MANAGER_STATUS: &str = "sessionManagerStatus";

const KEY: Parameter = Parameter::any("statusKey")
    .required()
    .help("The switch: sessionManagerStatus.");

/// Reads a switch of the account (ecs-api 3.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeUserBusinessBehavior {
    /// The region, which does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_id: Option<RegionId>,
    /// The switch.
    #[serde(rename = "statusKey")]
    pub status_key: String,
}

impl Request for DescribeUserBusinessBehavior {
    const DESCRIPTION: Description = Description {
        region: RegionRule::Optional,
        parameters: &[KEY],
        ..Description::new(
            "DescribeUserBusinessBehavior",
            "Read a switch of the account.",
        )
    };
}

/// Sets a switch of the account (ecs-api 3.12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyUserBusinessBehavior {
    /// The region, which does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_id: Option<RegionId>,
    /// The switch.
    #[serde(rename = "statusKey")]
    pub status_key: String,
    /// Its new position.
    #[serde(rename = "statusValue")]
    pub status_value: Switch,
}

/// `statusValue`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

impl Request for ModifyUserBusinessBehavior {
    const DESCRIPTION: Description = Description {
        region: RegionRule::Optional,
        parameters: &[
            KEY,
            Parameter::choice("statusValue", &["enabled", "disabled"])
                .required()
                .or(ErrorCode::InvalidParameter)
                .help("Its new position."),
        ],
        ..Description::new("ModifyUserBusinessBehavior", "Set a switch of the account.")
    };
}
