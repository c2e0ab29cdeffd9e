//! Tracing one session, from now on or no longer.

use std::sync::Arc;

use axt_control::admin::{TraceAnswer, TraceRequest};
use axt_proto::SessionId;
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Response, StatusCode},
};

use crate::{relay::Shared, respond, traces::Detail};

pub(super) async fn set(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let id: SessionId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let request: TraceRequest = match super::read(&body) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let Some(folder) = shared.traces.folder().cloned() else {
        return super::error(StatusCode::CONFLICT, "this relay cannot write traces", None);
    };
    let detail = match (request.on, request.payload) {
        (false, _) => None,
        (true, false) => Some(Detail::Fields),
        (true, true) => Some(Detail::Payload),
    };
    let (asked, relay) = (id.clone(), Arc::clone(&shared));
    let set = move |desk: &mut crate::desk::Desk| {
        let registry = &desk.registry;
        registry.session(&asked)?;
        relay
            .traces
            .keep(|session| registry.session(session).is_some());
        relay.traces.set(&asked, detail);
        Some(relay.traces.detail(&asked))
    };
    match shared.desk.ask(set).await {
        Ok(Some(detail)) => respond::json(
            StatusCode::OK,
            &TraceAnswer {
                session: id,
                on: detail.is_some(),
                payload: detail == Some(Detail::Payload),
                folder: folder.display().to_string(),
            },
        ),
        Ok(None) => super::error(
            StatusCode::NOT_FOUND,
            format!("there is no session {id}"),
            Some("it may have been forgotten: see the history limits"),
        ),
        Err(end) => super::stopping(end),
    }
}
