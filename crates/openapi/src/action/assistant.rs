//! The agents of instances (ecs-api 3.4, 3.5).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ErrorCode,
    description::{Description, Parameter, Resource},
    paging::{self, PageRequest},
};

/// Tells of each instance whether its agent is there (ecs-api 3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCloudAssistantStatus {
    /// The region.
    pub region_id: RegionId,
    /// Only these; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_id: Vec<String>,
    /// Only those of that system.
    #[serde(rename = "OSType", skip_serializing_if = "Option::is_none")]
    pub os_type: Option<String>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

impl Request for DescribeCloudAssistantStatus {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::list("InstanceId", 50)
                .or_too_long(ErrorCode::InstanceIdsExceedLimit)
                .help("Only these."),
            Parameter::choice("OSType", &["Windows", "Linux", "FreeBSD"])
                .help("Only those of that system."),
            paging::max_results(50),
            paging::NEXT_TOKEN,
            paging::PAGE_NUMBER,
            paging::page_size(50),
        ],
        errors: &[ErrorCode::InvalidInstanceNotFound],
        ..Description::new(
            "DescribeCloudAssistantStatus",
            "Tell of each instance whether its agent is there.",
        )
    };
}

/// Asks for an agent to be installed (ecs-api 3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstallCloudAssistant {
    /// The region.
    pub region_id: RegionId,
    /// The instances, 1 to 50.
    pub instance_id: Vec<String>,
}

impl Request for InstallCloudAssistant {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[Parameter::list("InstanceId", 50)
            .required()
            .or_too_long(ErrorCode::InstanceIdsExceedLimit)
            .help("The instances.")],
        errors: &[ErrorCode::InvalidInstanceNotFound],
        ..Description::new("InstallCloudAssistant", "Ask for agents to be installed.")
    };
}
