//! Activation codes, with which machines register as managed instances (ecs-api 3.6 to 3.8).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::{Request, Tag};
use crate::{
    ErrorCode,
    description::{Description, Form, Parameter},
    paging::{self, PageRequest},
};

/// Makes an activation code (ecs-api 3.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateActivation {
    /// The region.
    pub region_id: RegionId,
    /// What instances are called, before `-001`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// What people write about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many machines may register with it, 1 to 1,000.
    pub instance_count: u32,
    /// For how many hours of rule time it is good, 1 to 4.
    pub time_to_live_in_hours: u32,
    /// From where machines may register, an address or a CIDR block.
    pub ip_address_range: String,
    /// Kept and given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group_id: Option<String>,
    /// What its instances are tagged with.
    #[serde(rename = "Tag", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Makes repeated calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

impl Request for CreateActivation {
    const DESCRIPTION: Description = Description {
        parameters: &[
            Parameter::formed("InstanceName", 2, 50, Form::Name)
                .help("What instances are called, before -001."),
            Parameter::text("Description", 100).help("What it is for."),
            Parameter::integer("InstanceCount", 1, 1_000)
                .default("10")
                .help("How many machines may register with it."),
            Parameter::integer("TimeToLiveInHours", 1, 4)
                .default("4")
                .help("For how many hours it is good."),
            Parameter::formed("IpAddressRange", 1, 64, Form::AddressRange)
                .default("0.0.0.0/0")
                .help("From where machines may register."),
            Parameter::RESOURCE_GROUP,
            Parameter::TAGS,
            Parameter::CLIENT_TOKEN,
        ],
        errors: &[
            ErrorCode::IdempotentParameterMismatch,
            ErrorCode::IdempotentProcessing,
            ErrorCode::ActivationCountExceedLimit,
        ],
        ..Description::new("CreateActivation", "Make an activation code.")
    };

    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}

/// Lists activation codes, without the codes (ecs-api 3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeActivations {
    /// The region.
    pub region_id: RegionId,
    /// Only this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_id: Option<String>,
    /// Only those with this prefix of instance names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// Only those of that resource group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group_id: Option<String>,
    /// Only those with all these tags.
    #[serde(rename = "Tag", default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

impl Request for DescribeActivations {
    const DESCRIPTION: Description = Description {
        parameters: &[
            Parameter::any("ActivationId").help("Only this one."),
            Parameter::any("InstanceName").help("Only those with this instance name."),
            Parameter::RESOURCE_GROUP,
            Parameter::TAGS,
            paging::max_results(50),
            paging::NEXT_TOKEN,
            paging::PAGE_NUMBER,
            paging::page_size(50),
        ],
        ..Description::new(
            "DescribeActivations",
            "List activation codes, without the codes.",
        )
    };
}

/// Makes an activation code useless; what has registered stays (ecs-api 3.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DisableActivation {
    /// The region.
    pub region_id: RegionId,
    /// The activation. It need not be well formed.
    pub activation_id: String,
}

const ACTIVATION_ID: Parameter = Parameter::any("ActivationId")
    .required()
    .help("The activation.");

impl Request for DisableActivation {
    const DESCRIPTION: Description = Description {
        parameters: &[ACTIVATION_ID],
        errors: &[
            ErrorCode::InvalidActivationIdNotFound,
            ErrorCode::OperationForbidden,
        ],
        ..Description::new("DisableActivation", "Make an activation code useless.")
    };
}

/// Forgets an activation code that nothing has registered with (ecs-api 3.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteActivation {
    /// The region.
    pub region_id: RegionId,
    /// The activation. It need not be well formed.
    pub activation_id: String,
}

impl Request for DeleteActivation {
    const DESCRIPTION: Description = Description {
        parameters: &[ACTIVATION_ID],
        errors: &[
            ErrorCode::InvalidActivationIdNotFound,
            ErrorCode::ActivationIdInUse,
            ErrorCode::OperationForbidden,
        ],
        ..Description::new(
            "DeleteActivation",
            "Forget an activation code that was never used.",
        )
    };
}
