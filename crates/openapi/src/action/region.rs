//! Listing the regions (ecs-api 3.15).

use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ErrorCode,
    description::{Description, Parameter, RegionRule},
};

/// Lists the regions (ecs-api 3.15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeRegions {
    /// The language of the local names.
    pub accept_language: Language,
    /// Accepted, and of no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_charge_type: Option<String>,
    /// Accepted, and of no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
}

/// `AcceptLanguage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// Chinese, the default.
    #[default]
    #[serde(rename = "zh-CN")]
    Chinese,
    /// English.
    #[serde(rename = "en-US")]
    English,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
}

impl Request for DescribeRegions {
    const DESCRIPTION: Description = Description {
        region: RegionRule::Optional,
        parameters: &[
            Parameter::choice("AcceptLanguage", &["zh-CN", "en-US", "ja"])
                .default("zh-CN")
                .or(ErrorCode::InvalidAcceptLanguageNotFound)
                .help("The language of the names."),
            Parameter::any("InstanceChargeType").help("Accepted, of no effect."),
            Parameter::choice(
                "ResourceType",
                &["instance", "disk", "reservedinstance", "ddosprotect"],
            )
            .or(ErrorCode::InvalidResourceTypeNotFound)
            .help("Accepted, of no effect."),
        ],
        ..Description::new("DescribeRegions", "List the regions.")
    };
}
