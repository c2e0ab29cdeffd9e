//! Instances and their state (ecs-api 3.14).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ErrorCode,
    description::{Description, Parameter, RegionRule, Resource},
    paging::{self, PageRequest},
};

/// Lists instances (ecs-api 3.14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInstances {
    /// The region.
    pub region_id: RegionId,
    /// Only these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ids: Option<Vec<String>>,
    /// Only those of that name, in which `*` stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// Only those in that state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those with one of these addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_addresses: Option<Vec<String>>,
    /// Only those with all these tags.
    #[serde(rename = "Tag", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

/// A tag of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1 to 64 characters.
    pub key: String,
    /// Up to 128 characters.
    pub value: String,
}

impl Request for DescribeInstances {
    const DESCRIPTION: Description = Description {
        region: RegionRule::Known,
        resource: Resource::Instances("InstanceIds"),
        parameters: &[
            Parameter::json_list("InstanceIds", 100).help("Only these, as JSON: [\"i-…\"]."),
            Parameter::any("InstanceName").help("Only those of that name; * is any text."),
            Parameter::choice(
                "Status",
                &["Pending", "Running", "Starting", "Stopping", "Stopped"],
            )
            .or(ErrorCode::InvalidStatusNotFound)
            .help("Only those in that state."),
            Parameter::json_list("PrivateIpAddresses", 100)
                .help("Only those with one of these addresses, as JSON."),
            Parameter::TAGS,
            paging::max_results(100),
            paging::NEXT_TOKEN,
            paging::PAGE_NUMBER,
            paging::page_size(100),
        ],
        ..Description::new("DescribeInstances", "List instances.")
    };
}

/// Tells the state of instances (ecs-api 3.14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInstanceStatus {
    /// The region.
    pub region_id: RegionId,
    /// Only these; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_id: Vec<String>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

impl Request for DescribeInstanceStatus {
    const DESCRIPTION: Description = Description {
        region: RegionRule::Known,
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::list("InstanceId", 100)
                .or_too_long(ErrorCode::InstanceIdsExceedLimit)
                .help("Only these."),
            // There is no scheme with tokens that could stand in for the old one.
            paging::PAGE_NUMBER.unless(&[]),
            paging::page_size(50).unless(&[]),
        ],
        ..Description::new("DescribeInstanceStatus", "Tell the state of instances.")
    };
}
