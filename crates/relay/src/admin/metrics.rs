//! Prometheus text.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use crate::{relay::Shared, respond};

/// Gauges over what exists now, without ids in labels.
pub(super) async fn text(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let counted = shared.desk.ask(|desk| {
        let registry = &desk.registry;
        let mut connections = BTreeMap::from([("kicked", 0_u64), ("live", 0)]);
        for connection in registry.live_connections() {
            let state = if connection.connected.is_some() {
                "live"
            } else {
                "kicked"
            };
            *connections.entry(state).or_default() += 1;
        }
        let online = registry
            .instances()
            .filter(|instance| instance.presence.is_online)
            .count();
        let instances = registry.instances().count();
        (connections, online, instances, registry.sessions().len())
    });
    let (connections, online, instances, sessions) = match counted.await {
        Ok(counted) => counted,
        Err(end) => return super::stopping(end),
    };
    let mut text = String::new();
    gauge(
        &mut text,
        "axt_instances",
        "Instances that are declared.",
        &[("", instances.to_string())],
    );
    gauge(
        &mut text,
        "axt_agents_online",
        "Instances whose agent is there.",
        &[("", online.to_string())],
    );
    gauge(
        &mut text,
        "axt_sessions",
        "Sessions that are remembered, ended ones too.",
        &[("", sessions.to_string())],
    );
    let by_state: Vec<(String, String)> = connections
        .into_iter()
        .map(|(state, count)| (format!("{{state=\"{state}\"}}"), count.to_string()))
        .collect();
    let by_state: Vec<(&str, String)> = by_state
        .iter()
        .map(|(label, count)| (label.as_str(), count.clone()))
        .collect();
    gauge(
        &mut text,
        "axt_connections",
        "Connections that hold a slot of their instance.",
        &by_state,
    );
    respond::text(StatusCode::OK, "text/plain; version=0.0.4", text)
}

fn gauge(text: &mut String, name: &str, help: &str, values: &[(&str, String)]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (label, value) in values {
        let _ = writeln!(text, "{name}{label} {value}");
    }
}
