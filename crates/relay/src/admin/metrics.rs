//! Prometheus text.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use super::{limits, state};
use crate::{
    desk::Desk,
    metrics::{CONTENT_TYPE, Now},
    relay::Shared,
    respond,
};

/// All counters since the start, and gauges over what exists now.
pub(super) async fn text(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let is_clock_frozen = shared.clock.status().frozen;
    let there_is = shared.desk.ask(|desk| look(desk)).await;
    let (there_is, limits) = match (there_is, limits::states(&shared).await) {
        (Ok(there_is), Ok(limits)) => (there_is, limits),
        (Err(end), _) | (_, Err(end)) => return super::stopping(end),
    };
    let now = Now {
        is_clock_frozen,
        limits,
        ..there_is
    };
    respond::text(StatusCode::OK, CONTENT_TYPE, shared.metrics.text(now))
}

fn look(desk: &Desk) -> Now {
    let registry = &desk.registry;
    let mut sessions = BTreeMap::from(["issued", "in_use", "expired", "ended"].map(|it| (it, 0)));
    for session in registry.sessions() {
        *sessions.entry(state::phase(registry, session)).or_default() += 1;
    }
    let mut connections = BTreeMap::from([("kicked", 0), ("live", 0)]);
    for connection in registry.live_connections() {
        *connections.entry(state::status(connection)).or_default() += 1;
    }
    let online = |instance: &&axt_registry::Instance| instance.presence.is_online;
    Now {
        instances: registry.instances().count(),
        agents_online: registry.instances().filter(online).count(),
        sessions: sessions.into_iter().collect(),
        connections: connections.into_iter().collect(),
        ..Now::default()
    }
}
