//! What exists now.

use std::{collections::BTreeSet, sync::Arc};

use axt_control::admin::{
    ConnectionState, EventLine, InstanceState, InstanceStatus, LimitState, LimitsAnswer, OsType,
    SessionAnswer, SessionState, State as Whole, UsageState,
};
use axt_proto::{ConnectionId, SessionId};
use axt_registry::{Connection, ConnectionStatus, Instance, Phase, Registry, Session};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode},
};
use serde_json::Value;

use crate::{relay::Shared, respond};

pub(super) async fn state(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let clock = shared.clock.status();
    let answer = shared.desk.ask(move |desk| {
        let registry = &desk.registry;
        let sessions = registry.sessions();
        let counted: BTreeSet<_> = sessions
            .iter()
            .map(|session| (session.region.clone(), session.account.clone()))
            .collect();
        let mut connections: Vec<_> = registry.live_connections().map(connection).collect();
        connections.sort_by_key(|connection| connection.id);
        Whole {
            now_ms: clock.now.as_millis(),
            frozen: clock.frozen,
            instances: registry
                .instances()
                .map(|one| instance(registry, one))
                .collect(),
            sessions: sessions
                .iter()
                .map(|session| describe(registry, session))
                .collect(),
            connections,
            usage: counted
                .into_iter()
                .map(|(region, account)| {
                    let usage = registry.sessions_usage(&account, &region);
                    UsageState {
                        region,
                        account,
                        sessions: usage.used,
                        sessions_limit: usage.limit,
                    }
                })
                .collect(),
        }
    });
    match answer.await {
        Ok(state) => respond::json(StatusCode::OK, &state),
        Err(end) => super::stopping(end),
    }
}

/// Every limit, where it was set, and how near anyone is to it.
pub(super) async fn limits(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let used = shared.desk.ask(|desk| {
        let registry = &desk.registry;
        let sessions = registry
            .sessions()
            .into_iter()
            .map(|session| registry.sessions_usage(&session.account, &session.region))
            .map(|usage| usage.used)
            .max();
        let connections = registry
            .instances()
            .map(|instance| registry.connections_usage(&instance.spec.id).used)
            .max();
        (sessions.unwrap_or(0), connections.unwrap_or(0))
    });
    let (sessions, connections) = match used.await {
        Ok(used) => used,
        Err(end) => return super::stopping(end),
    };
    let Ok(Value::Object(values)) = serde_json::to_value(&shared.limits) else {
        return respond::json(StatusCode::OK, &LimitsAnswer::new());
    };
    let answer: LimitsAnswer = values
        .into_iter()
        .filter_map(|(name, value)| {
            let state = LimitState {
                value: value.as_u64()?,
                source: shared
                    .limit_sources
                    .get(&name)
                    .cloned()
                    .unwrap_or_else(|| "default".to_owned()),
                used: match name.as_str() {
                    "sessions_per_region" => Some(u64::from(sessions)),
                    "connections_per_instance" => Some(u64::from(connections)),
                    _ => None,
                },
            };
            Some((name, state))
        })
        .collect();
    respond::json(StatusCode::OK, &answer)
}

/// One session with its history.
pub(super) async fn session(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Response<Body> {
    let id: SessionId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let asked = id.clone();
    let found = shared.desk.ask(move |desk| {
        let session = desk.registry.session(&asked)?;
        Some(describe(&desk.registry, session))
    });
    let session = match found.await {
        Ok(Some(session)) => session,
        Ok(None) => {
            return super::error(
                StatusCode::NOT_FOUND,
                format!("there is no session {id}"),
                Some("it may have been forgotten: see the history limits"),
            );
        }
        Err(end) => return super::stopping(end),
    };
    let journal = shared.journal.clone();
    let events = shared
        .tasks
        .blocking("events of a session", move || journal.events_of(&id))
        .await;
    match events {
        Ok(Ok(events)) => respond::json(
            StatusCode::OK,
            &SessionAnswer {
                session,
                events: events.into_iter().map(EventLine::from).collect(),
            },
        ),
        Ok(Err(error)) => super::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            error.to_string(),
            Some("see the log"),
        ),
        Err(panic) => super::error(StatusCode::INTERNAL_SERVER_ERROR, panic.to_string(), None),
    }
}

fn instance(registry: &Registry, instance: &Instance) -> InstanceState {
    let spec = &instance.spec;
    let usage = registry.connections_usage(&spec.id);
    InstanceState {
        id: spec.id.clone(),
        name: spec.name.clone(),
        region: spec.region.clone(),
        account: spec.account.clone(),
        status: match spec.status {
            axt_registry::InstanceStatus::Pending => InstanceStatus::Pending,
            axt_registry::InstanceStatus::Starting => InstanceStatus::Starting,
            axt_registry::InstanceStatus::Running => InstanceStatus::Running,
            axt_registry::InstanceStatus::Stopping => InstanceStatus::Stopping,
            axt_registry::InstanceStatus::Stopped => InstanceStatus::Stopped,
        },
        os_type: match spec.os_type {
            axt_registry::OsType::Linux => OsType::Linux,
            axt_registry::OsType::Windows => OsType::Windows,
            axt_registry::OsType::FreeBsd => OsType::FreeBsd,
        },
        agent_online: instance.presence.is_online,
        agent_version: instance.agent_version().map(str::to_owned),
        connections: usage.used,
        connections_limit: usage.limit,
    }
}

fn describe(registry: &Registry, session: &Session) -> SessionState {
    let live = registry
        .connections_of(&session.id)
        .filter(|connection| connection.status.is_live())
        .count();
    let state = match session.phase {
        Phase::Open if live > 0 => "in_use",
        Phase::Open => "issued",
        Phase::Expired => "expired",
        Phase::Ended => "ended",
    };
    SessionState {
        id: session.id.clone(),
        instance: session.instance.clone(),
        region: session.region.clone(),
        account: session.account.clone(),
        state: state.to_owned(),
        created_ms: session.created.as_millis(),
        url_expires_ms: session.expires.as_millis(),
        port: session.target.port(),
        connections: u32::try_from(live).unwrap_or(u32::MAX),
    }
}

fn connection(connection: &Connection) -> ConnectionState {
    let state = match connection.status {
        ConnectionStatus::Connecting => "kicked",
        ConnectionStatus::Connected => "live",
        ConnectionStatus::Terminated => "closed",
        ConnectionStatus::Failed => "failed",
    };
    let id: ConnectionId = connection.id;
    ConnectionState {
        id,
        session: connection.session.clone(),
        instance: connection.instance.clone(),
        state: state.to_owned(),
        opened_ms: connection.opened.as_millis(),
        client_ip: connection.client_ip.clone(),
    }
}
