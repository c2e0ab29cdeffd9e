//! Rule time, for an agent in a process of its own that follows it.

use std::time::Duration;

use axt_control::luban::{ClockState, clock::SEEN_QUERY};
use axt_net::link;
use axum::{
    body::Body,
    http::{Response, StatusCode},
};

use crate::{relay::Shared, respond};

/// How long an agent that has seen how the clock stands waits for news. Two clocks that run by
/// themselves are compared so often.
const NEWS: Duration = Duration::from_secs(10);

/// Answers at once to whoever has not seen the present version, else when there is a new one.
pub(super) async fn state(shared: &Shared, query: &str) -> Response<Body> {
    let mut versions = shared.clock.versions();
    let version = *versions.borrow_and_update();
    if seen(query) == Some(version) {
        tokio::select! {
            biased;
            () = shared.tasks.token().cancelled() => return super::stopping(shared),
            // The clock lives as long as the relay.
            _ = versions.changed() => {}
            () = link::sleep(NEWS) => {}
        }
    }
    // Looked at first: a change in between makes the next call answer at once.
    let version = *versions.borrow_and_update();
    let status = shared.clock.status();
    let state = ClockState {
        now_ns: status.now.as_nanos(),
        frozen: status.frozen,
        version,
    };
    respond::json(StatusCode::OK, &state)
}

fn seen(query: &str) -> Option<u64> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == SEEN_QUERY)
        .and_then(|(_, value)| value.parse().ok())
}
