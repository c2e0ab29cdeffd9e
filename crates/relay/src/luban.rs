//! The agents' side: everything under `/luban/` (wire-protocol 10).
//!
//! Refusals are 401, 403, 404 or 5xx, never 400: the official agent takes that for success
//! (wire-protocol 12.12).

mod admission;
mod channels;
mod clock;
mod registration;
mod tasks;
mod telemetry;
mod turns;

use std::sync::Arc;

use axt_control::luban::{
    CALM_ANSWER, CHANNEL_QUERY, SessionList, StatusPost,
    beat::{HeartBeat, HeartBeatReply, NoHeartBeat, UpdateReply},
    gshell::GshellReply,
    header::{CLIENT_INSTANCE_ID, INSTANCE_ID},
    path,
    plugin::{PluginList, PluginStatusReply, PluginUpdates},
    state,
};
use axt_net::accept::Peer;
use axt_proto::{ChannelId, InstanceId};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, Response, StatusCode, header},
};

pub(crate) use self::admission::Verifiers;
use crate::{pairing::Posted, relay::Shared, respond};

/// Serves one request of an agent.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Response<Body> {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map(|peer| peer.addr.ip());
    match request.uri().path() {
        // The probes of a host search: from anyone.
        path::CONNECTION_DETECT => respond::text(StatusCode::OK, "text/plain", "ok"),
        path::CLASSIC_REGION => {
            respond::text(StatusCode::OK, "text/plain", shared.region.to_string())
        }
        path::REGISTER => registration::register(&shared, request).await,
        // An agent that does not know yet, or no longer, who it is.
        path::METRICS if is_anonymous(request.headers()) => {
            telemetry::metrics(&shared, None, request).await
        }
        _ => match admission::admit(&shared, request.headers(), peer).await {
            Ok(instance) => admitted(&shared, instance, request).await,
            // What it asks for is so: the API has deregistered it already, and told it.
            Err(admission::Refusal::UnknownInstance(_))
                if request.uri().path() == path::DEREGISTER =>
            {
                calm()
            }
            Err(refusal) => refuse(
                &shared,
                refusal.status(),
                refusal.code(),
                &refusal.to_string(),
            ),
        },
    }
}

fn is_anonymous(headers: &HeaderMap) -> bool {
    !headers.contains_key(INSTANCE_ID) && !headers.contains_key(CLIENT_INSTANCE_ID)
}

async fn admitted(
    shared: &Arc<Shared>,
    instance: InstanceId,
    request: Request<Body>,
) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    match request.uri().path() {
        path::NOTIFY => channels::notify(shared, instance, request),
        path::SESSION_BACKEND => match channel(query) {
            Some(channel) => channels::data(shared, instance, channel, request).await,
            None => unknown_channel(shared),
        },
        path::SESSION_LIST => session_list(shared, instance, channel(query)).await,
        path::SESSION_STATUS => {
            if let Ok(post) = query.parse::<StatusPost>() {
                status(shared, instance, post).await;
            }
            calm()
        }
        path::HEART_BEAT => {
            let version = version(request.headers()).to_owned();
            heart_beat(shared, instance, query.parse(), version).await
        }
        path::CLOCK => clock::state(shared, query).await,
        path::DEREGISTER => registration::deregister(shared, instance).await,
        path::TASK_LIST => tasks::list(shared, instance, query).await,
        report if report.starts_with(path::TASK_REPORT) => {
            tasks::report(shared, instance, request).await
        }
        path::UPDATE_CHECK => respond::json(StatusCode::OK, &UpdateReply::default()),
        path::METRICS => telemetry::metrics(shared, Some(instance), request).await,
        path::CLIENT_REPORT => telemetry::client_report(shared, &instance, request).await,
        path::PLUGIN_LIST => {
            let list = PluginList::empty(&instance, shared.request_id());
            respond::json(StatusCode::OK, &list)
        }
        path::PLUGIN_STATUS => respond::json(StatusCode::OK, &PluginStatusReply::to(&instance)),
        path::PLUGIN_UPDATES => respond::json(StatusCode::OK, &PluginUpdates::none(&instance)),
        path::GSHELL => {
            let reply = GshellReply::none(&instance, shared.request_id());
            respond::json(StatusCode::OK, &reply)
        }
        path::STATE_CONFIGURATIONS | path::STATE_TEMPLATE => json(state::UNSUPPORTED),
        path::STATE_REPORT | path::INVENTORY => json(state::TAKEN),
        _ => calm(),
    }
}

/// What it tells is looked at in the log; one that is malformed says all the same that its agent is
/// there.
async fn heart_beat(
    shared: &Shared,
    instance: InstanceId,
    told: Result<HeartBeat, NoHeartBeat>,
    version: String,
) -> Response<Body> {
    match told {
        Ok(told) => tracing::trace!(%instance, ?told, "a heart-beat"),
        Err(error) => tracing::debug!(%instance, %error, "a heart-beat that tells nothing"),
    }
    let beat = move |desk: &mut crate::desk::Desk| desk.heart_beat(&instance, &version);
    match shared.desk.ask(beat).await {
        Ok(()) => respond::json(StatusCode::OK, &HeartBeatReply::default()),
        Err(_) => stopping(shared),
    }
}

/// One object at most, the same one as often as it is asked for (wire-protocol 9.5, 13).
async fn session_list(
    shared: &Shared,
    instance: InstanceId,
    channel: Option<ChannelId>,
) -> Response<Body> {
    let asked = instance.clone();
    let found = shared
        .desk
        .ask(move |desk| desk.session_list(&asked, channel.as_ref()))
        .await;
    let list = match found {
        Ok(Some(object)) => SessionList::one(instance, object),
        Ok(None) => SessionList::empty(instance),
        Err(_) => return stopping(shared),
    };
    respond::json(StatusCode::OK, &list)
}

/// The reply is ignored, and the agent drops its data channel once it has it: so it waits until the
/// connection has been told (wire-protocol 9.1).
async fn status(shared: &Shared, instance: InstanceId, post: StatusPost) {
    let posted = Posted {
        code: post.code,
        detail: post.detail,
    };
    // A relay that is stopping ends the connection by itself.
    let _ = shared
        .desk
        .ask(move |desk| desk.pairing.posted(&instance, &post.channel, posted))
        .await;
}

fn channel(query: &str) -> Option<ChannelId> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == CHANNEL_QUERY)
        .and_then(|(_, value)| value.parse().ok())
}

/// The agent's version: what stands behind the slash of its User-Agent, `linux_amd64/2.2.3.500`.
fn version(headers: &HeaderMap) -> &str {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once('/'))
        .map_or("", |(_, version)| version)
}

fn calm() -> Response<Body> {
    json(CALM_ANSWER)
}

fn json(body: &'static str) -> Response<Body> {
    respond::text(StatusCode::OK, "application/json;charset=utf-8", body)
}

fn refuse(shared: &Shared, status: StatusCode, code: &str, message: &str) -> Response<Body> {
    respond::refusal(status, code, message, &shared.request_id())
}

fn unknown_channel(shared: &Shared) -> Response<Body> {
    refuse(
        shared,
        StatusCode::FORBIDDEN,
        "UnknownChannel",
        "No connection of this instance waits for that channel.",
    )
}

fn stopping(shared: &Shared) -> Response<Body> {
    refuse(
        shared,
        StatusCode::SERVICE_UNAVAILABLE,
        "RelayStopping",
        "The relay is stopping: try again in a moment.",
    )
}
