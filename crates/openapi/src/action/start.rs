//! Starting a session (ecs-api 3.1).

use axt_proto::RegionId;
use serde::{Deserialize, Serialize};

use super::Request;
use crate::{
    ApiError, Caller, ErrorCode, World,
    description::{Description, Form, Parameter, RegionRule, Resource, Rule},
};

/// Starts a session on an instance (ecs-api 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartTerminalSession {
    /// The region that the instance is in.
    pub region_id: RegionId,
    /// Exactly one id, checked for nothing but its presence: a malformed one is an unknown instance.
    /// See [`StartTerminalSession::instance_id`].
    instance_id: Vec<String>,
    /// The port to forward to; a shell without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_number: Option<u16>,
    /// Which of the two URLs is wanted.
    pub connection_type: ConnectionType,
    /// Makes repeated calls one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// The user whose shell it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What to run instead of a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
    /// The host, as the instance sees it, on which the port is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_server: Option<String>,
    /// The name of a Windows password; accepted, and of no effect on Linux.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_name: Option<String>,
    /// Whether and how the session is to be encrypted.
    pub encryption_options: EncryptionOptions,
}

/// `ConnectionType` (limits-and-semantics 1, R16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionType {
    /// The public URL.
    #[default]
    Internet,
    /// The URL within the VPC.
    Intranet,
}

/// `EncryptionOptions` (limits-and-semantics 1, R18).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptionOptions {
    /// Whether to encrypt at all.
    pub enabled: bool,
    /// With whose key; always there when enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<EncryptionMode>,
    /// The key, with [`EncryptionMode::Kms`] only and always.
    #[serde(rename = "KMSKeyId", skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
}

/// `EncryptionOptions.Mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EncryptionMode {
    /// With a key of the service's own.
    Auto,
    /// With a key of the caller's, which has to be named.
    Kms,
}

impl StartTerminalSession {
    /// The instance, as the caller names it. It need not be well formed.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        self.instance_id.first().map_or("", String::as_str)
    }
}

impl EncryptionOptions {
    /// R18, and the conflict with forwarding between its parts, as step 5 orders them.
    fn settle(
        &mut self,
        is_forwarding: bool,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<(), ErrorCode> {
        if !self.enabled && self.mode.is_some() {
            return Err(ErrorCode::InvalidEncryptionOptionsModeEncryptionDisabled);
        }
        if self.enabled && is_forwarding {
            return Err(ErrorCode::InvalidEncryptionOptionsConflict);
        }
        if self.enabled && self.mode.is_none() {
            self.mode = Some(EncryptionMode::Auto);
        }
        match (self.mode, &self.kms_key_id) {
            (Some(EncryptionMode::Kms), None) => {
                Err(ErrorCode::MissingParameterEncryptionOptionsKmsKeyId)
            }
            (Some(EncryptionMode::Kms), Some(key)) if !Form::Key.accepts(key) || !is_known(key) => {
                Err(ErrorCode::InvalidParameterEncryptionOptionsKmsKeyId)
            }
            (None | Some(EncryptionMode::Auto), Some(_)) => {
                Err(ErrorCode::InvalidParameterEncryptionOptionsKmsKeyId)
            }
            _ => Ok(()),
        }
    }
}

impl Request for StartTerminalSession {
    const DESCRIPTION: Description = Description {
        region: RegionRule::WithSessionManager,
        resource: Resource::Instances("InstanceId"),
        // The order is that of limits-and-semantics 3, step 4.
        parameters: &[
            Parameter::list("InstanceId", 1)
                .required()
                .or_too_long(ErrorCode::InstanceIdsExceedLimit)
                .help("The instance; exactly one."),
            Parameter::integer("PortNumber", 1, 65_535)
                .or(ErrorCode::PortNumberInvalid)
                .help("The port to forward to; a shell without it."),
            Parameter::choice("ConnectionType", &["Internet", "Intranet"])
                .default("Internet")
                .or(ErrorCode::InvalidParameterConnectionType)
                .help("Which host name the URL gets."),
            Parameter::CLIENT_TOKEN,
            Parameter::text("Username", 255)
                .or(ErrorCode::UsernameExceedLimit)
                .help("The user whose shell it is."),
            Parameter::text("CommandLine", 512)
                .or(ErrorCode::InvalidCommandLineLengthLimitExceeded)
                .help("What to run instead of a shell."),
            Parameter::formed("TargetServer", 1, 128, Form::Host)
                .or(ErrorCode::OperationForbidden)
                .or_too_long(ErrorCode::InvalidTargetServerLengthLimitExceeded)
                .help("The host, as the instance sees it, whose port is forwarded."),
            Parameter::text("PasswordName", 255)
                .or(ErrorCode::InvalidPasswordNameLengthLimitExceeded)
                .help("The name of a Windows user's password."),
            Parameter::object(
                "EncryptionOptions",
                &[
                    Parameter::boolean("Enabled")
                        .default("false")
                        .or(ErrorCode::InvalidParameter)
                        .help("Whether to encrypt."),
                    Parameter::choice("Mode", &["Auto", "Kms"])
                        .or(ErrorCode::InvalidParameterEncryptionOptionsMode)
                        .help("With whose key; Auto when enabled."),
                    // Its form is a matter of step 5, for which `EncryptionOptions::settle` is there.
                    Parameter::text("KMSKeyId", 256)
                        .or(ErrorCode::InvalidParameterEncryptionOptionsKmsKeyId)
                        .help("The key, with Mode Kms only and always."),
                ],
            )
            .default("{}")
            .help("Encryption of the session, as JSON."),
        ],
        rules: &[
            Rule::Requires(
                "TargetServer",
                "PortNumber",
                ErrorCode::InvalidTargetServerMissingPortNumber,
            ),
            Rule::Excludes(
                "CommandLine",
                &["PortNumber", "TargetServer"],
                ErrorCode::InvalidCommandLineConflict,
            ),
        ],
        errors: &[
            ErrorCode::UserBehaviorSessionManagerDisabled,
            ErrorCode::InvalidEncryptionOptionsModeEncryptionDisabled,
            ErrorCode::InvalidEncryptionOptionsConflict,
            ErrorCode::MissingParameterEncryptionOptionsKmsKeyId,
            ErrorCode::InvalidInstanceIdsCountLimitExceeded,
            ErrorCode::IdempotentParameterMismatch,
            ErrorCode::IdempotentProcessing,
            ErrorCode::InvalidInstanceNotFound,
            ErrorCode::UnsupportedAgentVersionEncryption,
            ErrorCode::PortForwardingNotSupported,
            ErrorCode::InvalidOperationConnectionTypeUnsupported,
            ErrorCode::InvalidOperationSecurityGroupRuleDenied,
            ErrorCode::SessionCountExceedLimit,
        ],
        ..Description::new("StartTerminalSession", "Start a session on an instance.")
    };

    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }

    fn settle(&mut self, caller: &Caller, world: &dyn World) -> Result<(), ApiError> {
        let is_forwarding = self.port_number.is_some() || self.target_server.is_some();
        self.encryption_options
            .settle(is_forwarding, |key| world.has_kms_key(&caller.account, key))?;
        let is_single = self.target_server.is_some() || self.command_line.is_some();
        if self.instance_id.len() > 1 && is_single {
            return Err(ErrorCode::InvalidInstanceIdsCountLimitExceeded.into());
        }
        Ok(())
    }
}
