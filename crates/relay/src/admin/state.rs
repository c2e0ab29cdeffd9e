//! What exists now.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axt_control::admin::{
    ConnectionState, InstanceState, InstanceStatus, OsType, SessionState, State as Whole,
    UsageState,
};
use axt_net::pump::Traffic;
use axt_proto::{ConnectionId, IdleTimer};
use axt_registry::{Connection, ConnectionStatus, Instance, Phase, Registry, Session};
use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use crate::{relay::Shared, respond};

pub(super) async fn state(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let clock = shared.clock.status();
    let idle = shared.limits.idle_timeout();
    let answer = shared.desk.ask(move |desk| {
        let registry = &desk.registry;
        let sessions = registry.sessions();
        let counted: BTreeSet<_> = sessions
            .iter()
            .map(|session| (session.region.clone(), session.account.clone()))
            .collect();
        let live = registry.live_connections();
        let mut connections: Vec<_> = live
            .map(|one| connection(one, desk.traffic.get(&one.id).map(Arc::as_ref), idle))
            .collect();
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
        intranet_ip: spec.intranet_ip.clone(),
        denied_ports: spec.denied_ports.iter().copied().collect(),
    }
}

pub(super) fn describe(registry: &Registry, session: &Session) -> SessionState {
    let live = registry
        .connections_of(&session.id)
        .filter(|connection| connection.status.is_live())
        .count();
    SessionState {
        id: session.id.clone(),
        instance: session.instance.clone(),
        region: session.region.clone(),
        account: session.account.clone(),
        state: phase(registry, session).to_owned(),
        created_ms: session.created.as_millis(),
        url_expires_ms: session.expires.as_millis(),
        port: session.target.port(),
        connections: u32::try_from(live).unwrap_or(u32::MAX),
    }
}

fn connection(
    connection: &Connection,
    traffic: Option<&Traffic>,
    idle: Duration,
) -> ConnectionState {
    let id: ConnectionId = connection.id;
    let deadline = connection.connected.map(|since| {
        let mut timer = IdleTimer::new(since, idle);
        timer.data(traffic.map_or(since, Traffic::last));
        timer.deadline()
    });
    ConnectionState {
        id,
        session: connection.session.clone(),
        instance: connection.instance.clone(),
        state: status(connection).to_owned(),
        opened_ms: connection.opened.as_millis(),
        client_ip: connection.client_ip.clone(),
        live_ms: connection.connected.map(|at| at.as_millis()),
        idle_deadline_ms: deadline.map(|at| at.as_millis()),
        carried: traffic.map(Traffic::carried).unwrap_or_default(),
    }
}

/// How far a session's life has come, in one word.
pub(super) fn phase(registry: &Registry, session: &Session) -> &'static str {
    match session.phase {
        Phase::Open if registry.is_in_use(&session.id) => "in_use",
        Phase::Open => "issued",
        Phase::Expired => "expired",
        Phase::Ended => "ended",
    }
}

/// Where a connection stands, in one word.
pub(super) const fn status(connection: &Connection) -> &'static str {
    match connection.status {
        ConnectionStatus::Connecting => "kicked",
        ConnectionStatus::Connected => "live",
        ConnectionStatus::Terminated => "closed",
        ConnectionStatus::Failed => "failed",
    }
}
