//! Reading and moving rule time.

use std::{sync::Arc, time::Duration};

use axt_control::admin::{ClockAnswer, ClockRequest};
use axt_net::clock::ClockStatus;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{Response, StatusCode},
};

use crate::{relay::Shared, respond};

pub(super) async fn get(State(shared): State<Arc<Shared>>) -> Response<Body> {
    answer(shared.clock.status())
}

pub(super) async fn post(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let request = match super::read(&body) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let moved = match request {
        ClockRequest::Freeze => Ok(shared.clock.freeze()),
        ClockRequest::Release => Ok(shared.clock.release()),
        ClockRequest::Advance { by_ms } => shared.clock.advance(Duration::from_millis(by_ms)).await,
    };
    // Kept at once, so that rule time does not go back even when the relay is killed.
    let offset = shared.clock.offset_from(&shared.wall);
    if let Err(error) = shared.journal.store_clock_offset(offset).await {
        tracing::error!(%error, "the clock's offset could not be kept");
    }
    match moved {
        Ok(status) => answer(status),
        Err(late) => super::error(
            StatusCode::GATEWAY_TIMEOUT,
            late.to_string(),
            Some("the clock stands where it was when it waited for that timer"),
        ),
    }
}

fn answer(status: ClockStatus) -> Response<Body> {
    respond::json(
        StatusCode::OK,
        &ClockAnswer {
            now_ms: status.now.as_millis(),
            frozen: status.frozen,
        },
    )
}
