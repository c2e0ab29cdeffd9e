//! Ending and listing sessions (ecs-api 3.2, 3.3).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ErrorCode,
    description::{Description, Parameter, Resource},
    paging::{self, PageRequest},
};

/// Ends a session for good (ecs-api 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EndTerminalSession {
    /// The region that the session is in.
    pub region_id: RegionId,
    /// The session. It need not be well formed.
    pub session_id: String,
}

impl Request for EndTerminalSession {
    const DESCRIPTION: Description = Description {
        https_only: true,
        resource: Resource::Session,
        parameters: &[Parameter::any("SessionId")
            .required()
            .help("The session to end.")],
        errors: &[
            ErrorCode::InvalidSessionIdNotFound,
            ErrorCode::OperationForbidden,
        ],
        ..Description::new(
            "EndTerminalSession",
            "End a session and close its connections.",
        )
    };
}

/// Lists the sessions of a region, the newest first (ecs-api 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeTerminalSessions {
    /// The region.
    pub region_id: RegionId,
    /// Only those to this instance; an unknown one has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Only this one; an unknown one is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

impl Request for DescribeTerminalSessions {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::any("InstanceId").help("Only sessions to this instance."),
            Parameter::any("SessionId").help("Only this session."),
            paging::max_results(100),
            paging::NEXT_TOKEN,
        ],
        ..Description::new(
            "DescribeTerminalSessions",
            "List sessions and their connections.",
        )
    };
}
