//! Commands that instances run (ecs-api 3.16).

mod built_in;
mod results;

use std::collections::BTreeMap;

use axt_openapi::{
    Answer, ApiError, Caller, ErrorCode, Idempotency,
    action::{InvokeCommand, RunCommand},
    answer,
};
use axt_proto::{AccountId, CommandId, InstanceId, Limits, Secret};
use axt_registry::{Changes, CommandKind, CommandSpec, InvokeRefusal, InvokeRequest, TokenAction};

pub(super) use self::results::results;
use super::{refused, token};
use crate::{content, desk::Desk, relay::Shared};

/// Why a command is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum NotRun {
    #[error(transparent)]
    Refused(#[from] InvokeRefusal),
    #[error("there is no such command in this region and account")]
    UnknownCommand,
    #[error("the command takes no parameters")]
    Disabled,
    #[error("the parameters are not those that the command has")]
    Parameters,
    #[error("the command is too long with its parameters filled in")]
    TooLong,
}

impl NotRun {
    fn code(self) -> ApiError {
        match self {
            Self::Refused(InvokeRefusal::InstanceNotFound) => ErrorCode::InvalidInstanceNotFound,
            Self::Refused(InvokeRefusal::NotApplicable) => ErrorCode::InvalidInstanceNotMatch,
            Self::Refused(InvokeRefusal::CommandsFull) => ErrorCode::CmdCountExceedQuota,
            Self::Refused(InvokeRefusal::IdTaken) => ErrorCode::InternalErrorDispatch,
            Self::UnknownCommand => ErrorCode::InvalidCmdIdNotFound,
            Self::Disabled => ErrorCode::ParameterDisabled,
            Self::Parameters => return ApiError::invalid("Parameters"),
            Self::TooLong => ErrorCode::CmdContentExceedLimit,
        }
        .into()
    }
}

/// RunCommand.
pub(super) async fn run(
    shared: &Shared,
    caller: &Caller,
    request: RunCommand,
    idempotency: Option<Idempotency>,
) -> Result<Answer, ApiError> {
    let (account, region) = (caller.account.clone(), request.region_id.clone());
    let token = token(caller, &region, TokenAction::RunCommand, idempotency);
    let spec = CommandSpec {
        kind: kind(&request.kind),
        content: Secret::new(built_in::stand_in(request.script_base64()?)),
        name: request.name.unwrap_or_default(),
        description: request.description.unwrap_or_default(),
        timeout_s: request.timeout,
        working_directory: request.working_dir.unwrap_or_default(),
        username: request.username.unwrap_or_default(),
        password_name: request.windows_password_name.unwrap_or_default(),
        has_parameters: request.enable_parameter,
    };
    let made = shared
        .desk
        .ask_later(move |desk, reply| {
            let run = move |desk: &mut Desk| {
                let keep = request.keep_command.then(|| spec.clone());
                let filled = match fill(spec, &request.parameters) {
                    Ok(filled) => filled,
                    Err(refusal) => return (Err(refusal), Changes::default()),
                };
                let Ok(command) = desk.command_id(&region) else {
                    return (Err(InvokeRefusal::IdTaken.into()), Changes::default());
                };
                let invoke = InvokeRequest {
                    account,
                    region,
                    spec: filled,
                    command: command.clone(),
                    keep,
                    instances: Vec::new(),
                };
                let (invoked, changes) = on(desk, invoke, &request.instance_id);
                let invoked = invoked.map(|invoke_id| answer::RunCommand {
                    command_id: command.to_string(),
                    invoke_id,
                });
                (invoked, changes)
            };
            // Who asked may have gone.
            desk.once(token, run, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, NotRun::code))?;
    Ok(made.into())
}

/// InvokeCommand.
pub(super) async fn invoke(
    shared: &Shared,
    caller: &Caller,
    request: InvokeCommand,
    idempotency: Option<Idempotency>,
) -> Result<Answer, ApiError> {
    let (account, region) = (caller.account.clone(), request.region_id.clone());
    let token = token(caller, &region, TokenAction::InvokeCommand, idempotency);
    let made = shared
        .desk
        .ask_later(move |desk, reply| {
            let invoke = move |desk: &mut Desk| {
                let (command, spec) = match wanted(desk, &account, &request) {
                    Ok(wanted) => wanted,
                    Err(refusal) => return (Err(refusal), Changes::default()),
                };
                let invoke = InvokeRequest {
                    account,
                    region,
                    spec,
                    command,
                    keep: None,
                    instances: Vec::new(),
                };
                let (invoked, changes) = on(desk, invoke, &request.instance_id);
                let invoked = invoked.map(|invoke_id| answer::InvokeCommand { invoke_id });
                (invoked, changes)
            };
            // Who asked may have gone.
            desk.once(token, invoke, |result| drop(reply.send(result)));
        })
        .await?
        .map_err(|failure| refused(failure, NotRun::code))?;
    Ok(made.into())
}

/// What InvokeCommand is to run: one that is always there, or one that was kept, as the call
/// changes it.
fn wanted(
    desk: &Desk,
    account: &AccountId,
    request: &InvokeCommand,
) -> Result<(CommandId, CommandSpec), NotRun> {
    let id: CommandId = request
        .command_id
        .parse()
        .map_err(|_| NotRun::UnknownCommand)?;
    if id.as_str() == built_in::SEND_SSH_PUBLIC_KEY {
        let spec = built_in::send_ssh_public_key(&request.parameters).ok_or(NotRun::Parameters)?;
        return Ok((id, spec));
    }
    let command = desk.registry.command(account, &request.region_id, &id);
    let mut spec = command.ok_or(NotRun::UnknownCommand)?.spec.clone();
    if !request.parameters.is_empty() && !spec.has_parameters {
        return Err(NotRun::Disabled);
    }
    let replace = |text: &mut String, given: &Option<String>| {
        if let Some(given) = given {
            text.clone_from(given);
        }
    };
    spec.timeout_s = request.timeout.unwrap_or(spec.timeout_s);
    replace(&mut spec.working_directory, &request.working_dir);
    replace(&mut spec.username, &request.username);
    replace(&mut spec.password_name, &request.windows_password_name);
    Ok((id, fill(spec, &request.parameters)?))
}

/// The command with its parameters filled in.
fn fill(
    mut spec: CommandSpec,
    parameters: &BTreeMap<String, String>,
) -> Result<CommandSpec, NotRun> {
    if spec.has_parameters {
        let filled = content::fill(spec.content.expose(), parameters);
        spec.content = Secret::new(filled.map_err(|_| NotRun::Parameters)?);
    }
    if spec.content.expose().len() > Limits::COMMAND_BYTES {
        return Err(NotRun::TooLong);
    }
    Ok(spec)
}

/// Runs it on the instances of these ids; one that is malformed names nobody.
fn on(
    desk: &mut Desk,
    mut request: InvokeRequest,
    instances: &[String],
) -> (Result<String, NotRun>, Changes) {
    let ids: Result<Vec<InstanceId>, _> = instances.iter().map(|id| id.parse()).collect();
    let Ok(ids) = ids else {
        let refusal = InvokeRefusal::InstanceNotFound.into();
        return (Err(refusal), Changes::default());
    };
    request.instances = ids;
    let (invoked, changes) = desk.invoke(&request);
    let invoked = invoked.map(|id| id.to_string());
    (invoked.map_err(NotRun::from), changes)
}

fn kind(word: &str) -> CommandKind {
    match word {
        "RunBatScript" => CommandKind::RunBatScript,
        "RunPowerShellScript" => CommandKind::RunPowerShellScript,
        _ => CommandKind::RunShellScript,
    }
}
