//! The table of errors: every code that a call can be answered with.
//!
//! A row has the code, its HTTP status, the message that clients match on, when it comes about
//! here, and what its reader can do. `{0}`, `{1}` stand for arguments. Sources: ecs-api 2.5 and 3.

use super::Entry;

macro_rules! table {
    ($($variant:ident, $status:literal, $code:literal, $message:literal, $when:literal, $hint:literal;)*) => {
        /// A code that a call can be answered with. The rows are in the order of the checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $code, "`, ", stringify!($status), ": ", $when, ".")] $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The row of the table. A few actions word a code in their own way: ask
            /// [`ErrorCode::entry_for`] where the action is known.
            #[must_use]
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry {
                        status: $status, code: $code, message: $message, when: $when, hint: $hint,
                    },)*
                }
            }
        }
    };
}

table! {
    // The gateway, ecs-api 2.5.
    UnsupportedHttpMethod, 403, "UnsupportedHTTPMethod", "This HTTP method is not supported.",
        "the method is neither GET nor POST", "Call with GET or POST.";
    RequestEntityTooLarge, 413, "RequestEntityTooLarge", "The request is too large.",
        "query and body together are over 1 MiB", "Send less.";
    InvalidParameterFormat, 400, "InvalidParameter.Format", "Specified parameter format is not valid.",
        "Format is neither JSON nor XML", "Ask for JSON or XML.";
    MissingAccessKeyId, 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.",
        "the call names no access key", "Sign the call; `axt env` prints a key for an SDK.";
    MissingSignature, 400, "MissingSignature", "Signature is mandatory for this action.",
        "the call is not signed", "Sign the call, with an SDK or `axt api`.";
    MissingTimestamp, 400, "MissingTimestamp", "Timestamp is mandatory for this action.",
        "Timestamp or x-acs-date is missing", "Send the time of the signature in UTC.";
    MissingSignatureNonce, 400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action.",
        "SignatureNonce or x-acs-signature-nonce is missing", "Send a new random text with each call.";
    InvalidParameterNamed, 400, "InvalidParameter", "The specified parameter \"{0}\" is not valid.",
        "the parameter that the message names cannot be read", "Look up its form with `axt api --help`.";
    InvalidTimestampFormat, 400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.",
        "the time is not of the form 2026-11-25T06:00:00Z", "Write the time in UTC, to the second, with T and Z.";
    InvalidTimestampExpired, 400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.",
        "the time is more than 15 minutes off, either way", "Set the clock, and sign in UTC instead of local time.";
    InvalidAccessKeyIdNotFound, 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.",
        "the access key is unknown", "`axt env` prints the key of this sandbox; [[access_keys]] adds more.";
    InvalidAccessKeyIdInactive, 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.",
        "the settings disable the access key", "Enable it in [[access_keys]], or use another.";
    InvalidSecurityTokenMismatch, 400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.",
        "a temporary key without its own token, or a permanent key with one", "Send key and token of one set of credentials.";
    InvalidSecurityTokenExpired, 400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.",
        "the STS token is past its expiry on the sandbox's clock", "Take new temporary credentials, or look at `axt clock`.";
    SignatureDoesNotMatchRpc, 400, "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation. server string to sign is:{0}",
        "the RPC signature is wrong", "Equal strings to sign mean a wrong secret; else compare them to see what differs.";
    SignatureDoesNotMatchAcs3, 400, "SignatureDoesNotMatch",
        "Specified signature does not match our calculation. server StringToSign is [{0}] server CanonicalRequest is [{1}]",
        "the ACS3 signature is wrong", "Equal strings to sign mean a wrong secret; else compare them to see what differs.";
    SignatureNonceUsed, 400, "SignatureNonceUsed", "Specified signature nonce was used already.",
        "the same key has sent this nonce within 30 minutes", "Make a new nonce for each call, also when repeating one.";
    MissingVersion, 400, "MissingVersion", "Version is mandatory for this action.",
        "the version is missing", "Send Version=2014-05-26.";
    InvalidVersion, 400, "InvalidVersion", "Specified parameter Version is not valid.",
        "the version is not 2014-05-26", "Send Version=2014-05-26.";
    MissingAction, 400, "MissingAction", "Action is mandatory for this action.",
        "the action is missing", "Send Action, or x-acs-action with ACS3.";
    InvalidActionNotFound, 404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.",
        "there is no such action here, or the path is not `/`", "`axt api --help` lists the actions; their names have a case.";
    InvalidProtocolNeedSsl, 400, "InvalidProtocol.NeedSsl", "Your request is denied as lack of ssl protect.",
        "an HTTPS-only action came over HTTP and the settings enforce it", "Call the https:// endpoint.";
    ThrottlingUser, 400, "Throttling.User", "Request was denied due to user flow control.",
        "the account calls too often", "Wait as long as x-acs-retry-after says, in milliseconds.";
    ThrottlingApi, 400, "Throttling.Api", "Request was denied due to api flow control.",
        "the action is called too often", "Wait as long as x-acs-retry-after says, in milliseconds.";
    Throttling, 400, "Throttling", "Request was denied due to request throttling.",
        "the service is called too often", "Wait as long as x-acs-retry-after says, in milliseconds.";
    ForbiddenRam, 403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM.",
        "the access key's policy does not allow it", "Allow the action on the resource in the key's policy.";

    // Common to all actions, ecs-api 3.
    InvalidParameter, 400, "InvalidParameter", "The specified parameter is not valid.",
        "a parameter is given twice with different values, or its JSON cannot be read", "Send each parameter once, and objects as JSON text.";
    MissingParameter, 400, "MissingParameter.{0}", "The input parameter \"{0}\" that is mandatory for processing this request is not supplied.",
        "the parameter that the code names is missing or empty", "Send it.";
    InvalidParameterValue, 400, "InvalidParameter.{0}", "The specified parameter {0} is not valid.",
        "the value of the parameter that the code names is out of range or malformed", "Look up its range with `axt api --help`.";
    InvalidRegionIdNotFound, 404, "InvalidRegionId.NotFound", "The RegionId provided does not exist in our records.",
        "the region is unknown", "DescribeRegions lists the regions; [[regions]] adds to them.";
    RegionIdApiNotSupported, 400, "RegionId.ApiNotSupported", "The api is not supported in this region.",
        "the region is declared without the session manager", "Call another region, or set api_supported for this one.";
    InvalidParamPageNumber, 400, "InvalidParam.PageNumber", "The specified parameter is invalid.",
        "PageNumber is no number from 1 on", "Count pages from 1.";
    InvalidParamPageSize, 400, "InvalidParam.PageSize", "The specified parameter is invalid.",
        "PageSize is out of the action's range", "Look up the range with `axt api --help`.";
    InternalErrorDispatch, 500, "InternalError.Dispatch", "An error occurred when you dispatched the request.",
        "the journal could not commit, or the settings make dispatch fail", "Look at the relay's log, by the request id.";

    // StartTerminalSession, ecs-api 3.1.
    UserBehaviorSessionManagerDisabled, 403, "UserBehavior.SessionManagerDisabled", "The api is disabled by user behavior.",
        "the account has the session manager switched off", "Enable it with ModifyCloudAssistantSettings.";
    PortNumberInvalid, 400, "PortNumber.Invalid", "The port number is invalid.",
        "PortNumber is no integer from 1 to 65535", "Send a port, or leave it out for a shell.";
    InvalidParameterConnectionType, 400, "InvalidParameter.ConnectionType", "The specified parameter ConnectionType is not valid.",
        "ConnectionType is neither Internet nor Intranet", "Mind the case: Internet or Intranet.";
    InvalidClientTokenMalformed, 400, "InvalidClientToken.Malformed", "The specified parameter clientToken is not valid.",
        "ClientToken is over 64 characters or not printable ASCII", "Use a UUID.";
    UsernameExceedLimit, 403, "Username.ExceedLimit", "The length of the username exceeds the upper limit.",
        "Username is over 255 characters", "Use the name of a user of the instance.";
    InvalidCommandLineLengthLimitExceeded, 403, "InvalidCommandLine.LengthLimitExceeded", "The length of the parameter CommandLine exceeded the limit of 512 characters.",
        "CommandLine is over 512 characters", "Put the commands into a script on the instance.";
    InvalidTargetServerLengthLimitExceeded, 403, "InvalidTargetServer.LengthLimitExceeded", "The length of the parameter TargetServer exceeded the limit of 128 characters.",
        "TargetServer is over 128 characters", "Use its address.";
    OperationForbidden, 403, "Operation.Forbidden", "The operation is not permitted.",
        "the instance is not Running, its agent is absent, TargetServer is neither address nor name, or the caller may not touch the session",
        "DescribeInstanceStatus and DescribeCloudAssistantStatus tell which.";
    InvalidPasswordNameLengthLimitExceeded, 403, "InvalidPasswordName.LengthLimitExceeded", "The length of the parameter PasswordName exceeds the limit of 255 characters.",
        "PasswordName is over 255 characters", "Use a shorter name.";
    InvalidParameterEncryptionOptionsMode, 403, "InvalidParameter.EncryptionOptionsMode", "The specified parameter EncryptionOptions.Mode is not valid.",
        "the encryption mode is neither Auto nor Kms", "Mind the case: Auto or Kms.";
    InvalidTargetServerMissingPortNumber, 403, "InvalidTargetServer.MissingPortNumber", "The parameter PortNumber must be specified with parameter TargetServer.",
        "TargetServer comes without PortNumber", "Add the port on that server.";
    InvalidCommandLineConflict, 403, "InvalidCommandLine.Conflict", "The parameter PortNumber or TargetServer cannot be specified with parameter CommandLine.",
        "CommandLine comes with PortNumber or TargetServer", "Run a command or forward a port, each in a session of its own.";
    InvalidEncryptionOptionsModeEncryptionDisabled, 403, "InvalidEncryptionOptionsMode.EncryptionDisabled", "EncryptionOptions.Mode cannot be specified when encryption is disabled.",
        "a mode is given although Enabled is not true", "Set Enabled to true, or leave the mode out.";
    InvalidEncryptionOptionsConflict, 403, "InvalidEncryptionOptions.Conflict", "The parameter PortNumber or TargetServer cannot be specified with parameter EncryptionOptions.",
        "encryption is enabled for port forwarding", "Encryption is for shells only.";
    InvalidParameterEncryptionOptionsKmsKeyId, 403, "InvalidParameter.EncryptionOptionsKMSKeyId", "The specified parameter EncryptionOptions.KMSKeyId is not valid.",
        "a key is given although the mode is not Kms, or the key is malformed or unknown", "Set Mode to Kms and name a key of kms_keys.";
    MissingParameterEncryptionOptionsKmsKeyId, 403, "MissingParameter.EncryptionOptionsKMSKeyId", "The input parameter EncryptionOptions.KMSKeyId that is mandatory for processing this request is not supplied.",
        "the mode is Kms and no key is given", "Name a key, or set Mode to Auto.";
    InvalidInstanceIdsCountLimitExceeded, 403, "InvalidInstanceIds.CountLimitExceeded", "The count of Instances exceeded the maximum limit of 1 when TargetServer or CommandLine parameter was specified.",
        "there is more than one instance id beside TargetServer or CommandLine", "Start a session for each instance.";
    InstanceIdsExceedLimit, 403, "InstanceIds.ExceedLimit", "The number of instance IDs exceeds the upper limit.",
        "there are more instance ids than the action takes", "StartTerminalSession takes 1, other actions 50.";
    IdempotentParameterMismatch, 403, "IdempotentParameterMismatch", "The specified parameter has changed while using an already used clientToken.",
        "the ClientToken was used with other parameters", "Use a new token for a new request.";
    IdempotentProcessing, 403, "IdempotentProcessing", "The previous idempotent request(s) is still processing.",
        "the first call with this ClientToken is under way", "Repeat it in a moment.";
    InvalidInstanceNotFound, 404, "InvalidInstance.NotFound", "The specified instance does not exist.",
        "there is no such instance in this region and account", "DescribeInstances lists the instances of a region.";
    UnsupportedAgentVersionEncryption, 403, "UnsupportedAgentVersion.Encryption", "The cloud assistant agent version on instance {0} do not support encryption.",
        "encryption is enabled and the agent has not announced it", "Leave EncryptionOptions out.";
    PortForwardingNotSupported, 403, "PortForwarding.NotSupported", "Port forwarding is not supported currently.",
        "forwarding is off in the region, or the agent cannot do it", "Set port_forwarding for the region.";
    InvalidOperationConnectionTypeUnsupported, 403, "InvalidOperation.ConnectionTypeUnsupported", "The operation is not supported for the parameter ConnectionType.",
        "Intranet for a managed instance, or no intranet URL is configured", "Use Internet, or set intranet_url.";
    InvalidOperationSecurityGroupRuleDenied, 403, "InvalidOperation.SecurityGroupRuleDenied", "The operation is not allowed by the security group inbound rules of the specified instance.",
        "the port is among the instance's denied_ports", "Take it off denied_ports.";
    SessionCountExceedLimit, 403, "SessionCount.ExceedLimit", "The number of sessions exceeds the upper limit.",
        "the region has as many active sessions, or the instance as many connections, as it may", "End sessions with EndTerminalSession, or raise the limit.";

    // The other actions, ecs-api 3.2 to 3.16.
    InvalidSessionIdNotFound, 404, "InvalidSessionId.NotFound", "The specified SessionId does not exist.",
        "there is no such session in this region and account", "DescribeTerminalSessions lists the sessions of a region.";
    ActivationCountExceedLimit, 403, "ActivationCount.ExceedLimit", "The number of activations exceeds the upper limit.",
        "the region has as many activation codes that still work as it may", "Disable or delete one.";
    InvalidTagMismatch, 400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match.",
        "a tag has a value and no key", "Send Tag.1.Key with Tag.1.Value.";
    InvalidActivationIdNotFound, 404, "InvalidActivationId.NotFound", "The specified ActivationId does not exist.",
        "there is no such activation in this region and account", "DescribeActivations lists them.";
    ActivationIdInUse, 403, "ActivationId.InUse", "The specified activation id is in use.",
        "instances have been registered with the activation", "Disable it instead of deleting it.";
    InvalidInstanceNameMalformed, 400, "InvalidInstanceName.Malformed", "The specified parameter InstanceName is not valid.",
        "InstanceName is malformed", "2 to 128 letters, digits and . _ - : after a letter.";
    InvalidStatusNotFound, 404, "InvalidStatus.NotFound", "The specified Status is not found",
        "Status is no state of an instance", "Pending, Running, Starting, Stopping or Stopped.";
    InvalidAcceptLanguageNotFound, 404, "InvalidAcceptLanguage.NotFound", "The AcceptLanguage provided does not exist in our records.",
        "AcceptLanguage is not known", "zh-CN, en-US or ja.";
    InvalidResourceTypeNotFound, 404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist in our records.",
        "ResourceType is not known", "instance, disk, reservedinstance or ddosprotect.";
    InvalidCmdTypeNotFound, 403, "InvalidCmdType.NotFound", "The specified command type does not exist.",
        "Type is no kind of command", "RunShellScript, RunBatScript or RunPowerShellScript.";
    CmdContentExceedLimit, 403, "CmdContent.ExceedLimit", "The maximum length of a command is exceeded.",
        "the command is over 16 KB in Base64, parameters filled in", "Put it into a file on the instance and run that.";
    CmdContentDecodeError, 400, "CmdContent.DecodeError", "The CommandContent can not be base64 decoded.",
        "ContentEncoding is Base64 and CommandContent is not", "Encode it, or send ContentEncoding=PlainText.";
    CmdNameExceedLimit, 403, "CmdName.ExceedLimit", "The length of the command name exceeds the upper limit.",
        "Name is over 128 characters", "Use a shorter name.";
    CmdDescExceedLimit, 403, "CmdDesc.ExceedLimit", "The length of the command description exceeds the upper limit.",
        "Description is over 512 characters", "Use a shorter description.";
    ParameterDisabled, 404, "Parameter.Disabled", "Parameters cannot be passed in when the command customization function is disabled.",
        "there are Parameters for a command that was made without EnableParameter", "Send EnableParameter=true with RunCommand.";
    InvalidCmdIdNotFound, 404, "InvalidCmdId.NotFound", "The specified command ID does not exist.",
        "there is no such command in this region and account, or it was not kept", "Send KeepCommand=true with RunCommand.";
    InvalidInstanceNotMatch, 403, "InvalidInstance.NotMatch", "The specified instance type does not match the command.",
        "a shell script is to run on Windows, or a script of Windows elsewhere", "DescribeInstances tells the system of an instance.";
    CmdCountExceedQuota, 403, "CmdCount.ExceedQuota", "The total number of commands in the current region exceeds the quota.",
        "the region keeps as many commands as it may", "Leave KeepCommand out, or raise the limit.";
}
