//! The limits, where they were set, and how near anyone is to them.

use std::{collections::BTreeMap, sync::Arc};

use axt_control::admin::{LimitState, LimitsAnswer};
use axt_registry::Nearest;
use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use serde_json::Value;

use crate::{
    desk::{Desk, Stopping},
    relay::Shared,
    respond,
};

/// Every limit.
pub(super) async fn limits(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match states(&shared).await {
        Ok(states) => respond::json(StatusCode::OK, &states),
        Err(end) => super::stopping(end),
    }
}

/// The same, for whoever shows it otherwise.
pub(super) async fn states(shared: &Shared) -> Result<LimitsAnswer, Stopping> {
    let mut nearest = shared.desk.ask(|desk| nearest(desk)).await?;
    nearest.extend(shared.surroundings.rates.nearest(shared.clock.now()));
    let values = match serde_json::to_value(&shared.limits) {
        Ok(Value::Object(values)) => values,
        _ => serde_json::Map::new(),
    };
    let states = values.into_iter().filter_map(|(name, value)| {
        let source = shared.limit_sources.get(&name).cloned();
        let nearest = nearest.remove(name.as_str());
        let state = LimitState {
            value: value.as_u64()?,
            source: source.unwrap_or_else(|| "default".to_owned()),
            used: nearest.as_ref().map(|nearest| nearest.used),
            used_by: nearest.and_then(|nearest| nearest.who),
        };
        Some((name, state))
    });
    Ok(states.collect())
}

/// What the registry knows, and what only the connections do.
fn nearest(desk: &Desk) -> BTreeMap<&'static str, Nearest> {
    let now = desk.now();
    let mut nearest = desk.registry.nearest(now);
    let idle = desk.registry.live_connections().filter_map(|one| {
        let last = desk.traffic.get(&one.id)?.last();
        let idle = now.since(one.connected?.max(last)).as_secs();
        Some((idle, format!("{} of {}", one.id, one.session)))
    });
    nearest.insert("idle_timeout_s", Nearest::of(idle));
    let paces = || {
        let live = desk.paces.iter();
        let live = live.filter_map(|(session, paces)| Some((session, paces.upgrade()?)));
        live.flat_map(|(session, paces)| {
            let each = [("up", paces.up.load()), ("down", paces.down.load())];
            each.map(|(way, load)| (load, format!("{session}, {way}")))
        })
        .filter_map(|(load, who)| Some((load?, who)))
    };
    let per_second = paces().map(|(load, who)| (load.last_second(now), who));
    nearest.insert("bandwidth_bytes_per_s", Nearest::of(per_second));
    let burst = paces().map(|(load, who)| (load.spent(now), who));
    nearest.insert("burst_bytes", Nearest::of(burst));
    nearest
}
