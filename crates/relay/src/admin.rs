//! The admin API (design, "The ready file and the admin API").

mod change;
mod clock;
mod commands;
mod faults;
mod follow;
mod guard;
mod limits;
mod metrics;
mod sessions;
mod state;
mod traces;

use std::sync::Arc;

use axt_control::admin::{AdminError, path};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, StatusCode},
    middleware,
    routing::{delete, get, patch, post},
};

use crate::{desk::Stopping, relay::Shared, respond};

/// The admin listener's routes.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let below = |path: &str| format!("{path}/{{id}}");
    Router::new()
        .route(path::METRICS, get(metrics::text))
        .route(path::STATE, get(state::state))
        .route(path::EVENTS, get(follow::events))
        .route(path::CLOCK, get(clock::get).post(clock::post))
        .route(path::RESET, post(change::reset))
        .route(path::LIMITS, get(limits::limits))
        .route(
            path::FAULTS,
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route(&below(path::FAULTS), delete(faults::remove))
        .route(&below(path::SESSIONS), get(sessions::session))
        .route(
            &format!("{}/{{id}}/trace", path::SESSIONS),
            post(traces::set),
        )
        .route(path::INSTANCES, post(change::declare))
        .route(
            &below(path::INSTANCES),
            patch(change::instance).delete(change::remove),
        )
        .route(&below(path::REGIONS), patch(change::region))
        .route(
            &format!("{}/{{id}}/stop", path::INVOCATIONS),
            post(commands::stop),
        )
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(
            Arc::clone(shared),
            guard::check,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(shared),
            crate::traces::see,
        ))
        // Whether it works may be asked by anyone who gets here: an orchestrator for instance.
        .route(path::HEALTH, get(health))
        .with_state(Arc::clone(shared))
}

/// 200 when the desk answers and the journal writes.
async fn health(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let unhealthy = |why: &str| {
        respond::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain;charset=utf-8",
            format!("{why}\n"),
        )
    };
    if shared.is_stopping() || shared.desk.ask(|_| ()).await.is_err() {
        return unhealthy("the relay is stopping");
    }
    if !shared.journal.healthy() {
        return unhealthy("the journal does not write: see the log");
    }
    respond::text(StatusCode::OK, "text/plain;charset=utf-8", "ok\n")
}

async fn nothing_here() -> Response<Body> {
    error(
        StatusCode::NOT_FOUND,
        "there is nothing at this path",
        Some("see the admin API in the documentation, or `axt --help`"),
    )
}

/// A refusal.
fn error(status: StatusCode, error: impl Into<String>, hint: Option<&str>) -> Response<Body> {
    respond::json(
        status,
        &AdminError {
            error: error.into(),
            hint: hint.map(str::to_owned),
        },
    )
}

fn stopping(_: Stopping) -> Response<Body> {
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        "the relay is stopping",
        None,
    )
}

/// Reads a JSON body.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response<Body>>> {
    serde_json::from_slice(body).map_err(|cause| {
        Box::new(error(
            StatusCode::BAD_REQUEST,
            format!("the body is not what is expected here: {cause}"),
            None,
        ))
    })
}

/// Reads the id at the end of a path.
fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Box<Response<Body>>> {
    text.parse()
        .map_err(|cause: T::Err| Box::new(error(StatusCode::BAD_REQUEST, cause.to_string(), None)))
}
