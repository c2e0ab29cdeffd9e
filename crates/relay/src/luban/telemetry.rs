//! What agents tell of themselves: looked at in the log, and forgotten (wire-protocol 10.5).

use axt_control::luban::telemetry::{ClientReport, MetricsEvent};
use axt_net::link;
use axt_proto::InstanceId;
use axum::{
    body::{Body, Bytes},
    http::{Request, Response, StatusCode},
};
use http_body_util::{BodyExt, Limited};

use crate::relay::Shared;

/// Bytes that a report may have; official ones stay below 2,000, a panic's with its stack excepted.
const MAX_BYTES: usize = 64 * 1024;

/// Characters of one text that are logged at most.
const LOGGED: usize = 200;

/// A metrics event. `instance` is absent for an agent that has not registered yet, or has just left
/// and reports that.
pub(super) async fn metrics(
    shared: &Shared,
    instance: Option<InstanceId>,
    request: Request<Body>,
) -> Response<Body> {
    let body = match whole(shared, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let who = instance.as_ref().map_or("a stranger", InstanceId::as_str);
    match serde_json::from_slice::<MetricsEvent>(&body) {
        Ok(event) => tracing::debug!(
            instance = who,
            event = short(&event.event_id),
            level = short(&event.event_level),
            keywords = short(&event.keywords),
            "a metrics event"
        ),
        Err(error) => tracing::debug!(instance = who, %error, "a metrics event that is none"),
    }
    super::calm()
}

/// A client report: that the agent lost its notify channel, panicked, or could not be updated.
pub(super) async fn client_report(
    shared: &Shared,
    instance: &InstanceId,
    request: Request<Body>,
) -> Response<Body> {
    let body = match whole(shared, request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    match serde_json::from_slice::<ClientReport>(&body) {
        Ok(report) => tracing::debug!(
            %instance,
            kind = short(&report.kind),
            info = short(&report.info),
            "a client report"
        ),
        Err(error) => tracing::debug!(%instance, %error, "a client report that is none"),
    }
    super::calm()
}

/// The whole body of a request, if it is not too large and comes in time.
async fn whole(shared: &Shared, request: Request<Body>) -> Result<Bytes, Response<Body>> {
    let body = Limited::new(request.into_body(), MAX_BYTES).collect();
    match link::timeout(link::REQUEST, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(super::refuse(
            shared,
            StatusCode::PAYLOAD_TOO_LARGE,
            "TooLarge",
            "A report has 65,536 bytes at most.",
        )),
        Err(_) => Err(super::refuse(
            shared,
            StatusCode::REQUEST_TIMEOUT,
            "TooSlow",
            "The report did not come within 30 seconds.",
        )),
    }
}

fn short(text: &str) -> String {
    text.chars()
        .take(LOGGED)
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect()
}
