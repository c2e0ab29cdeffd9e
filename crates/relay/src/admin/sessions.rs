//! One session, with all that is known of its life.

use std::sync::Arc;

use axt_control::admin::{ConnectionRecord, EventLine, SessionAnswer, StarterState};
use axt_proto::SessionId;
use axt_registry::{Connection, Session, SessionTarget};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode},
};

use super::state;
use crate::{desk::Desk, relay::Shared, respond};

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
        Some(described(desk, session))
    });
    let mut answer = match found.await {
        Ok(Some(answer)) => answer,
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
    let events = match journal.is_inline() {
        // A simulation has one thread, so that everything happens in one order.
        true => Ok(journal.events_of(&id)),
        false => {
            let events = move || journal.events_of(&id);
            shared.tasks.blocking("events of a session", events).await
        }
    };
    match events {
        Ok(Ok(events)) => {
            answer.events = events.into_iter().map(EventLine::from).collect();
            respond::json(StatusCode::OK, &answer)
        }
        Ok(Err(error)) => super::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            error.to_string(),
            Some("see the log"),
        ),
        Err(panic) => super::error(StatusCode::INTERNAL_SERVER_ERROR, panic.to_string(), None),
    }
}

/// All but the events.
fn described(desk: &Desk, session: &Session) -> SessionAnswer {
    let registry = &desk.registry;
    let starter = &session.starter;
    SessionAnswer {
        now_ms: desk.now().as_millis(),
        session: state::describe(registry, session),
        starter: StarterState {
            identity_type: starter.identity_type.clone(),
            principal_id: starter.principal_id.clone(),
            client_ip: starter.client_ip.clone(),
        },
        target_server: match &session.target {
            SessionTarget::Port { target_server, .. } => target_server.clone(),
            SessionTarget::Shell { .. } => None,
        },
        username: session.username.clone(),
        is_active: registry.is_active(&session.id),
        connections: registry
            .connections_of(&session.id)
            .map(|connection| record(desk, connection))
            .collect(),
        events: Vec::new(),
    }
}

fn record(desk: &Desk, connection: &Connection) -> ConnectionRecord {
    let end = connection.end.as_ref();
    let until_now = desk.traffic.get(&connection.id);
    ConnectionRecord {
        id: connection.id,
        state: state::status(connection).to_owned(),
        client_ip: connection.client_ip.clone(),
        opened_ms: connection.opened.as_millis(),
        kicked_ms: connection.kicked.map(|at| at.as_millis()),
        connected_ms: connection.connected.map(|at| at.as_millis()),
        ended_ms: end.map(|end| end.at.as_millis()),
        reason: end
            .and_then(|end| end.reason)
            .map(|reason| reason.word().to_owned()),
        detail: end.and_then(|end| end.detail.clone()),
        carried: end
            .map(|end| end.carried)
            .or_else(|| until_now.map(|traffic| traffic.carried()))
            .unwrap_or_default(),
    }
}
