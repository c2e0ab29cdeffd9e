//! Managed instances: machines that have registered with an activation code (ecs-api 3.9 to 3.11).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::{Request, Tag};
use crate::{
    ErrorCode,
    description::{Description, Form, Parameter, Resource},
    paging::{self, PageRequest},
};

/// Lists managed instances (ecs-api 3.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeManagedInstances {
    /// The region.
    pub region_id: RegionId,
    /// Only these; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_id: Vec<String>,
    /// Only those of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_name: Option<String>,
    /// Only those with that address, inside or outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ip: Option<String>,
    /// Only those of that system: `windows`, `linux` or `FreeBSD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_type: Option<String>,
    /// Only those that registered with that activation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation_id: Option<String>,
    /// Only those whose agent is there, or is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// Only that machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
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

impl Request for DescribeManagedInstances {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::list("InstanceId", 50)
                .or_too_long(ErrorCode::InstanceIdsExceedLimit)
                .help("Only these."),
            Parameter::any("InstanceName").help("Only those of that name."),
            Parameter::any("InstanceIp").help("Only those with that address."),
            Parameter::word("OsType", &["windows", "linux", "FreeBSD"])
                .help("Only those of that system."),
            Parameter::any("ActivationId").help("Only those of that activation."),
            Parameter::boolean("Connected").help("Only those whose agent is there, or is not."),
            Parameter::text("MachineId", 36).help("Only that machine."),
            Parameter::RESOURCE_GROUP,
            Parameter::TAGS,
            paging::max_results(50),
            paging::NEXT_TOKEN,
            paging::PAGE_NUMBER,
            paging::page_size(50),
        ],
        ..Description::new("DescribeManagedInstances", "List managed instances.")
    };
}

/// Turns a managed instance away for good (ecs-api 3.10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeregisterManagedInstance {
    /// The region.
    pub region_id: RegionId,
    /// The instance. It need not be well formed.
    pub instance_id: String,
    /// Makes repeated calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

const INSTANCE_ID: Parameter = Parameter::any("InstanceId")
    .required()
    .help("The managed instance.");

impl Request for DeregisterManagedInstance {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[INSTANCE_ID, Parameter::CLIENT_TOKEN],
        errors: &[
            ErrorCode::IdempotentParameterMismatch,
            ErrorCode::IdempotentProcessing,
            ErrorCode::InvalidInstanceNotFound,
        ],
        ..Description::new(
            "DeregisterManagedInstance",
            "Turn a managed instance away for good.",
        )
    };

    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}

/// Renames a managed instance (ecs-api 3.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ModifyManagedInstance {
    /// The region.
    pub region_id: RegionId,
    /// The instance. It need not be well formed.
    pub instance_id: String,
    /// Its new name.
    pub instance_name: String,
}

impl Request for ModifyManagedInstance {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            INSTANCE_ID,
            Parameter::formed("InstanceName", 2, 128, Form::Name)
                .required()
                .or(ErrorCode::InvalidInstanceNameMalformed)
                .help("Its new name."),
        ],
        errors: &[ErrorCode::InvalidInstanceNotFound],
        ..Description::new("ModifyManagedInstance", "Rename a managed instance.")
    };
}
