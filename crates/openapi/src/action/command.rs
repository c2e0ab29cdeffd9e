//! Commands that instances run, and their results (ecs-api 3.16).

use std::collections::BTreeMap;

use axt_proto::{Limits, RegionId};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ApiError, Caller, ErrorCode, World,
    description::{Description, Parameter, Resource},
    paging::{self, PageRequest},
};

/// How a text stands in a parameter or an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentEncoding {
    /// As it is.
    PlainText,
    /// In Base64.
    #[default]
    Base64,
}

const ENCODINGS: &[&str] = &["PlainText", "Base64"];

/// Has a command run on instances (ecs-api 3.16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunCommand {
    /// The region.
    pub region_id: RegionId,
    /// `RunShellScript`, `RunBatScript` or `RunPowerShellScript`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The script.
    pub command_content: String,
    /// How the script stands there.
    pub content_encoding: ContentEncoding,
    /// The instances, 1 to 50.
    pub instance_id: Vec<String>,
    /// How many seconds it may run.
    pub timeout: u32,
    /// Where it runs; absent for the user's home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// As whom it runs; absent for the agent's own user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name of a stored Windows password, handed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows_password_name: Option<String>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether InvokeCommand may run it again.
    pub keep_command: bool,
    /// Whether `{{name}}` in it stands for a parameter.
    pub enable_parameter: bool,
    /// What those names stand for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// When it runs: `Once` is all that there is here.
    pub repeat_mode: String,
    /// Whether it is to run at other times: `false` is all that there is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed: Option<String>,
    /// Makes repeated calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

const INSTANCES: Parameter = Parameter::list("InstanceId", 50)
    .required()
    .or_too_long(ErrorCode::InstanceIdsExceedLimit)
    .help("The instances.");

const TIMEOUT: Parameter = Parameter::integer("Timeout", 1, Limits::COMMAND_TIMEOUT_MAX_S)
    .help("How many seconds it may run.");

const WORKING_DIR: Parameter =
    Parameter::text("WorkingDir", 200).help("Where it runs; the user's home by default.");

const USERNAME: Parameter = Parameter::text("Username", 255)
    .or_too_long(ErrorCode::UsernameExceedLimit)
    .help("As whom it runs; the agent's own user by default.");

const PASSWORD_NAME: Parameter =
    Parameter::text("WindowsPasswordName", 255).help("The name of a stored Windows password.");

const PARAMETERS: Parameter =
    Parameter::map("Parameters").help("What {{name}} in the command stands for.");

/// What would run a command at another time or in another place than here and now.
const REPEAT_MODE: Parameter = Parameter::choice("RepeatMode", &["Once"])
    .default("Once")
    .or(ErrorCode::OperationForbidden)
    .help("Once: commands are not scheduled here.");
const TIMED: Parameter = elsewhere("Timed", &["false"]);
const FREQUENCY: Parameter = elsewhere("Frequency", &[]);
const CONTAINER_ID: Parameter = elsewhere("ContainerId", &[]);
const CONTAINER_NAME: Parameter = elsewhere("ContainerName", &[]);
const OSS_DELIVERY: Parameter = elsewhere("OssOutputDelivery", &[]);

const fn elsewhere(name: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter::word(name, words)
        .or(ErrorCode::OperationForbidden)
        .help("Not built here: refused.")
}

impl Request for RunCommand {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::choice(
                "Type",
                &["RunShellScript", "RunBatScript", "RunPowerShellScript"],
            )
            .required()
            .or(ErrorCode::InvalidCmdTypeNotFound)
            .help("What the command is written in."),
            Parameter::text("CommandContent", Limits::COMMAND_BYTES)
                .required()
                .or_too_long(ErrorCode::CmdContentExceedLimit)
                .help("The script."),
            INSTANCES,
            Parameter::word("ContentEncoding", ENCODINGS)
                .default("PlainText")
                .help("How the script stands in CommandContent."),
            TIMEOUT.default("60"),
            WORKING_DIR,
            USERNAME,
            PASSWORD_NAME,
            Parameter::text("Name", 128)
                .or_too_long(ErrorCode::CmdNameExceedLimit)
                .help("What it is called."),
            Parameter::text("Description", 512)
                .or_too_long(ErrorCode::CmdDescExceedLimit)
                .help("What it is for."),
            Parameter::boolean("KeepCommand")
                .default("false")
                .help("Whether InvokeCommand may run it again."),
            Parameter::boolean("EnableParameter")
                .default("false")
                .help("Whether {{name}} in it stands for a parameter."),
            PARAMETERS,
            REPEAT_MODE,
            TIMED,
            FREQUENCY,
            CONTAINER_ID,
            CONTAINER_NAME,
            OSS_DELIVERY,
            Parameter::CLIENT_TOKEN,
        ],
        errors: &[
            ErrorCode::CmdContentDecodeError,
            ErrorCode::ParameterDisabled,
            ErrorCode::IdempotentParameterMismatch,
            ErrorCode::IdempotentProcessing,
            ErrorCode::InvalidInstanceNotFound,
            ErrorCode::InvalidInstanceNotMatch,
            ErrorCode::CmdCountExceedQuota,
        ],
        ..Description::new("RunCommand", "Have a command run on instances.")
    };

    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }

    fn settle(&mut self, _: &Caller, _: &dyn World) -> Result<(), ApiError> {
        if self.script_base64()?.len() > Limits::COMMAND_BYTES {
            return Err(ErrorCode::CmdContentExceedLimit.into());
        }
        if !self.parameters.is_empty() && !self.enable_parameter {
            return Err(ErrorCode::ParameterDisabled.into());
        }
        Ok(())
    }
}

impl RunCommand {
    /// The script in Base64, whichever way it came.
    ///
    /// # Errors
    /// `CmdContent.DecodeError` when it is no Base64 although it says so.
    pub fn script_base64(&self) -> Result<String, ApiError> {
        match self.content_encoding {
            ContentEncoding::PlainText => Ok(STANDARD.encode(&self.command_content)),
            ContentEncoding::Base64 => match STANDARD.decode(&self.command_content) {
                Ok(_) => Ok(self.command_content.clone()),
                Err(_) => Err(ErrorCode::CmdContentDecodeError.into()),
            },
        }
    }
}

/// Has a command run that is kept, or always there (ecs-api 3.16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InvokeCommand {
    /// The region.
    pub region_id: RegionId,
    /// The command. It need not be well formed.
    pub command_id: String,
    /// The instances, 1 to 50.
    pub instance_id: Vec<String>,
    /// What `{{name}}` in the command stands for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// How many seconds it may run; absent for the command's own time-out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Where it runs; absent for the command's own folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// As whom it runs; absent for the command's own user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name of a stored Windows password, handed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows_password_name: Option<String>,
    /// When it runs: `Once` is all that there is here.
    pub repeat_mode: String,
    /// Whether it is to run at other times: `false` is all that there is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed: Option<String>,
    /// Makes repeated calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

impl Request for InvokeCommand {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::any("CommandId").required().help("The command."),
            INSTANCES,
            PARAMETERS,
            TIMEOUT,
            WORKING_DIR,
            USERNAME,
            PASSWORD_NAME,
            REPEAT_MODE,
            TIMED,
            FREQUENCY,
            CONTAINER_ID,
            CONTAINER_NAME,
            OSS_DELIVERY,
            Parameter::CLIENT_TOKEN,
        ],
        errors: &[
            ErrorCode::IdempotentParameterMismatch,
            ErrorCode::IdempotentProcessing,
            ErrorCode::InvalidCmdIdNotFound,
            ErrorCode::ParameterDisabled,
            ErrorCode::InvalidParameterValue,
            ErrorCode::CmdContentExceedLimit,
            ErrorCode::InvalidInstanceNotFound,
            ErrorCode::InvalidInstanceNotMatch,
        ],
        ..Description::new(
            "InvokeCommand",
            "Have a command run that was kept, or is always there.",
        )
    };

    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}

/// Tells how commands went on instances (ecs-api 3.16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInvocationResults {
    /// The region.
    pub region_id: RegionId,
    /// Only those of that call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoke_id: Option<String>,
    /// Only those on that instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Only those of that command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// Only those that stand so: `Running`, `Finished`, `Failed` or `Stopped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoke_record_status: Option<String>,
    /// How the output stands in the answer.
    pub content_encoding: ContentEncoding,
    /// Whether earlier runs of scheduled commands are shown; there are none here.
    pub include_history: bool,
    /// Which page.
    #[serde(flatten)]
    pub page: PageRequest,
}

impl Request for DescribeInvocationResults {
    const DESCRIPTION: Description = Description {
        resource: Resource::Instances("InstanceId"),
        parameters: &[
            Parameter::any("InvokeId").help("Only those of that call."),
            Parameter::any("InstanceId").help("Only those on that instance."),
            Parameter::any("CommandId").help("Only those of that command."),
            Parameter::choice(
                "InvokeRecordStatus",
                &["Running", "Finished", "Failed", "Stopped"],
            )
            .help("Only those that stand so."),
            Parameter::word("ContentEncoding", ENCODINGS)
                .default("Base64")
                .help("How the output stands in the answer."),
            Parameter::boolean("IncludeHistory")
                .default("false")
                .help("Whether earlier runs of scheduled commands are shown; there are none."),
            paging::max_results(50),
            paging::NEXT_TOKEN,
            paging::PAGE_NUMBER,
            paging::page_size(50),
        ],
        ..Description::new(
            "DescribeInvocationResults",
            "Tell how commands went on instances.",
        )
    };
}
