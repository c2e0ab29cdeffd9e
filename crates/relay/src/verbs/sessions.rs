//! Starting and ending sessions (ecs-api 3.1, 3.2).

use axt_openapi::{
    Answer, ApiError, Caller, ErrorCode, Idempotency,
    action::{ConnectionType, EndTerminalSession, StartTerminalSession},
    answer,
};
use axt_proto::{InstanceId, SessionId};
use axt_registry::{
    ClientToken, EndRefusal, Fingerprint, SessionTarget, StartRefusal, StartRequest, Starter,
    TokenRefusal,
};

use super::{CallFrom, refused, urls};
use crate::{desk::NotDone, relay::Shared};

/// An id that no instance has. A malformed one is an unknown instance, but only after the
/// ClientToken was looked up (limits-and-semantics 3, steps 6 and 7).
const NOBODY: &str = "i--";

pub(super) async fn start(
    shared: &Shared,
    caller: &Caller,
    request: StartTerminalSession,
    idempotency: Option<Idempotency>,
    from: &CallFrom,
) -> Result<Answer, ApiError> {
    let named = request.instance_id().to_owned();
    let parsed = named.parse::<InstanceId>().or_else(|_| NOBODY.parse());
    let instance = parsed.map_err(|_| ErrorCode::InvalidInstanceNotFound)?;
    let connection_type = match request.connection_type {
        ConnectionType::Internet => axt_registry::ConnectionType::Internet,
        ConnectionType::Intranet => axt_registry::ConnectionType::Intranet,
    };
    let base_url = urls::base_url(
        &shared.urls,
        &from.host,
        &request.region_id,
        connection_type,
        shared.axt_port,
    );
    let target = match request.port_number {
        Some(port) => SessionTarget::Port {
            port,
            target_server: request.target_server,
        },
        None => SessionTarget::Shell {
            command_line: request.command_line,
        },
    };
    let request = StartRequest {
        account: caller.account.clone(),
        region: request.region_id,
        instance,
        target,
        username: request.username,
        password_name: request.password_name,
        connection_type,
        encryption: request.encryption_options.enabled,
        client_token: idempotency.map(|idempotency| ClientToken {
            token: idempotency.token,
            fingerprint: Fingerprint(idempotency.fingerprint.as_bytes().to_vec()),
        }),
        starter: Starter {
            identity_type: caller.identity.kind().to_owned(),
            principal_id: caller.identity.principal().to_owned(),
            client_ip: from.client_ip.clone().unwrap_or_default(),
        },
        base_url,
    };
    let started = shared
        .desk
        .ask_later(move |desk, reply| desk.start(&request, reply))
        .await?
        .map_err(|failure| refused(failure, |refusal| not_started(refusal, &named)))?;
    let url = answer::session_url(&started.base_url, &started.session, &started.token);
    Ok(answer::StartTerminalSession {
        session_id: started.session,
        security_token: started.token,
        web_socket_url: url,
    }
    .into())
}

fn not_started(refusal: StartRefusal, instance: &str) -> ApiError {
    let code = match refusal {
        StartRefusal::RegionUnsupported => ErrorCode::RegionIdApiNotSupported,
        StartRefusal::SessionManagerDisabled => ErrorCode::UserBehaviorSessionManagerDisabled,
        StartRefusal::Token(TokenRefusal::Mismatch) => ErrorCode::IdempotentParameterMismatch,
        StartRefusal::Token(TokenRefusal::Processing) => ErrorCode::IdempotentProcessing,
        StartRefusal::InstanceNotFound => ErrorCode::InvalidInstanceNotFound,
        StartRefusal::NotRunning | StartRefusal::AgentOffline => ErrorCode::OperationForbidden,
        StartRefusal::EncryptionUnsupported => {
            return ApiError::new(ErrorCode::UnsupportedAgentVersionEncryption)
                .with(instance.to_owned());
        }
        StartRefusal::ForwardingUnsupported => ErrorCode::PortForwardingNotSupported,
        StartRefusal::ConnectionTypeUnsupported => {
            ErrorCode::InvalidOperationConnectionTypeUnsupported
        }
        StartRefusal::PortDenied => ErrorCode::InvalidOperationSecurityGroupRuleDenied,
        StartRefusal::ConnectionsFull | StartRefusal::SessionsFull => {
            ErrorCode::SessionCountExceedLimit
        }
        StartRefusal::DispatchFailure => ErrorCode::InternalErrorDispatch,
    };
    code.into()
}

pub(super) async fn end(
    shared: &Shared,
    caller: &Caller,
    request: EndTerminalSession,
) -> Result<Answer, ApiError> {
    let session: SessionId = request
        .session_id
        .parse()
        .map_err(|_| ErrorCode::InvalidSessionIdNotFound)?;
    let (account, region) = (caller.account.clone(), request.region_id);
    let caller = caller.clone();
    shared
        .desk
        .ask_later(move |desk, reply| {
            let found = desk.registry.session(&session);
            let instance = found
                .filter(|session| session.account == account && session.region == region)
                .map(|session| session.instance.clone());
            let is_denied = instance.is_some_and(|instance| {
                !caller.may(
                    axt_openapi::ActionName::EndTerminalSession,
                    &region,
                    &instance,
                )
            });
            if is_denied {
                let _ = reply.send(Err(EndFailure::Denied));
                return;
            }
            desk.end(&account, &region, &session, move |result| {
                let _ = reply.send(result.map_err(EndFailure::Failed));
            });
        })
        .await?
        .map_err(|failure| match failure {
            EndFailure::Denied => ErrorCode::OperationForbidden.into(),
            EndFailure::Failed(failure) => refused(failure, |refusal| match refusal {
                EndRefusal::RegionUnsupported => ErrorCode::RegionIdApiNotSupported.into(),
                EndRefusal::NotFound => ErrorCode::InvalidSessionIdNotFound.into(),
            }),
        })?;
    Ok(answer::EndTerminalSession {}.into())
}

enum EndFailure {
    /// The caller's policy does not reach the session's instance (ecs-api 3.2).
    Denied,
    Failed(NotDone<EndRefusal>),
}
