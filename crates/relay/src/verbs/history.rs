//! The record of sessions (ecs-api 3.3).

use axt_openapi::{Answer, ApiError, Caller, action::DescribeTerminalSessions, answer};
use axt_registry::{Connection, ConnectionStatus, Registry, Session, SessionTarget};

use super::{page, times::seconds};
use crate::relay::Shared;

/// The newest first. A filter that fits nothing makes an empty list.
pub(super) async fn list(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeTerminalSessions,
) -> Result<Answer, ApiError> {
    let (account, wanted) = (caller.account.clone(), request.clone());
    let found: Vec<answer::Session> = shared
        .desk
        .ask(move |desk| {
            let fits = |filter: &Option<String>, id: &str| {
                filter.as_ref().is_none_or(|filter| filter == id)
            };
            let all = desk.registry.sessions().into_iter();
            let ours = all.filter(|one| one.account == account && one.region == wanted.region_id);
            ours.filter(|one| {
                fits(&wanted.session_id, one.id.as_str())
                    && fits(&wanted.instance_id, one.instance.as_str())
            })
            .map(|one| described(&desk.registry, one))
            .collect()
        })
        .await?;
    let page = page(shared, caller, (request, &request.page), found, |one| {
        &one.session_id
    })?;
    Ok(answer::DescribeTerminalSessions {
        next_token: page.next_token,
        sessions: page.items.into(),
    }
    .into())
}

fn described(registry: &Registry, session: &Session) -> answer::Session {
    let target_server = match &session.target {
        SessionTarget::Port { target_server, .. } => target_server.clone(),
        SessionTarget::Shell { .. } => None,
    };
    let connections: Vec<_> = registry
        .connections_of(&session.id)
        .map(connection)
        .collect();
    answer::Session {
        session_id: session.id.to_string(),
        creation_time: seconds(session.created),
        port_number: session.target.port(),
        target_server,
        identity_type: session.starter.identity_type.clone(),
        principal_id: session.starter.principal_id.clone(),
        client_ip: Some(session.starter.client_ip.clone()).filter(|address| !address.is_empty()),
        username: session.username.clone(),
        connections: connections.into(),
    }
}

fn connection(connection: &Connection) -> answer::Connection {
    let end = connection.end.as_ref();
    let has_failed = connection.status == ConnectionStatus::Failed;
    answer::Connection {
        instance_id: connection.instance.to_string(),
        status: match connection.status {
            ConnectionStatus::Connecting => "Connecting",
            ConnectionStatus::Connected => "Connected",
            ConnectionStatus::Terminated => "Terminated",
            ConnectionStatus::Failed => "Failed",
        },
        start_time: seconds(connection.opened),
        end_time: end.map(|end| seconds(end.at)),
        closed_reason: end
            .and_then(|end| end.reason)
            .map(|reason| reason.word().to_owned()),
        failed_detail: end.and_then(|end| end.detail.clone().filter(|_| has_failed)),
    }
}
