//! Adding, showing and removing faults.

use std::sync::Arc;

use axt_control::{
    admin::fault::{Fault, FaultAdded, FaultsAnswer},
    words::nearest,
};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Response, StatusCode},
};
use serde_json::json;

use crate::{faults::api, relay::Shared, respond};

pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match shared.desk.ask(|desk| desk.faults.states()).await {
        Ok(faults) => respond::json(StatusCode::OK, &FaultsAnswer { faults }),
        Err(end) => super::stopping(end),
    }
}

/// Answers when the fault is on whom it is for.
pub(super) async fn add(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let fault: Fault = match super::read(&body) {
        Ok(fault) => fault,
        Err(refusal) => return *refusal,
    };
    if let Err(unknown) = api::check(&fault.kind) {
        return super::error(StatusCode::BAD_REQUEST, unknown, None);
    }
    match shared.desk.ask(move |desk| desk.add_fault(fault)).await {
        Ok(Ok(name)) => respond::json(StatusCode::CREATED, &FaultAdded { name }),
        Ok(Err(taken)) => super::error(StatusCode::CONFLICT, taken.to_string(), None),
        Err(end) => super::stopping(end),
    }
}

pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
) -> Response<Body> {
    let asked = name.clone();
    let removed = shared.desk.ask(move |desk| {
        let names = || {
            desk.faults
                .states()
                .into_iter()
                .filter_map(|it| it.fault.name)
        };
        let names: Vec<String> = names().collect();
        desk.remove_fault(Some(&asked)).then_some(()).ok_or(names)
    });
    match removed.await {
        Ok(Ok(())) => respond::json(StatusCode::OK, &json!({})),
        Ok(Err(names)) => {
            let near = nearest(&name, names.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?"));
            super::error(
                StatusCode::NOT_FOUND,
                format!("there is no fault `{name}`{}", near.unwrap_or_default()),
                Some("`axt fault list` shows them"),
            )
        }
        Err(end) => super::stopping(end),
    }
}

pub(super) async fn clear(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let cleared = shared.desk.ask(|desk| desk.remove_fault(None)).await;
    match cleared {
        Ok(_) => respond::json(StatusCode::OK, &json!({})),
        Err(end) => super::stopping(end),
    }
}
