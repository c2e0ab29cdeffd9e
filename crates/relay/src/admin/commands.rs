//! Stopping commands: the API's own way is not built (ecs-api 3.17).

use std::sync::Arc;

use axt_proto::InvocationId;
use axt_registry::UnknownInvocation;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode},
};
use serde_json::json;

use crate::{desk::NotDone, relay::Shared, respond};

/// Stops a command wherever it is not over; answers once that is durable.
pub(super) async fn stop(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Response<Body> {
    let id: InvocationId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let stopped = shared
        .desk
        .ask_later(move |desk, reply| {
            desk.stop_invocation(&id, |result| {
                // Who asked may have gone.
                let _ = reply.send(result);
            });
        })
        .await;
    match stopped {
        Ok(Ok(())) => respond::json(StatusCode::OK, &json!({})),
        Ok(Err(NotDone::Refused(unknown @ UnknownInvocation(_)))) => super::error(
            StatusCode::NOT_FOUND,
            unknown.to_string(),
            Some("DescribeInvocationResults lists them"),
        ),
        Ok(Err(NotDone::Token(_) | NotDone::Journal)) => super::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the journal did not take the stop",
            Some("see the log"),
        ),
        Err(end) => super::stopping(end),
    }
}
