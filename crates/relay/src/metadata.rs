//! The metadata service, which the cloud has at 100.100.100.200: how an agent that is not registered
//! learns its region and who it is (wire-protocol 10, 10.1).
//!
//! An answer is a text without a line's end, for agents take it as it is. It tells nothing but what
//! the instance was declared with, and no credentials: no instance here has a RAM role.

use std::{net::IpAddr, sync::Arc};

use axt_net::accept::Peer;
use axt_registry::InstanceSpec;
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{Response, StatusCode},
    routing::get,
};

use crate::{relay::Shared, respond, verbs};

/// One value of an instance.
type Value = fn(&InstanceSpec) -> String;

/// What there is below `/latest/meta-data/`.
const VALUES: [(&str, Value); 7] = [
    ("hostname", |spec| spec.host_name.clone()),
    ("instance-id", |spec| spec.id.to_string()),
    ("instance/instance-name", |spec| spec.name.clone()),
    ("owner-account-id", |spec| spec.account.to_string()),
    ("private-ipv4", |spec| spec.intranet_ip.clone()),
    ("region-id", |spec| spec.region.to_string()),
    ("zone-id", |spec| verbs::zone(&spec.region)),
];

/// All that a listener of its own serves.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    routes(shared).fallback(async || unknown("There is nothing but /latest/meta-data/ here."))
}

/// What can stand beside the API.
pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/latest/meta-data", get(list))
        .route("/latest/meta-data/", get(list))
        .route("/latest/meta-data/{*key}", get(value))
        .with_state(Arc::clone(shared))
}

async fn list() -> Response<Body> {
    let names: Vec<&str> = VALUES.iter().map(|(name, _)| *name).collect();
    respond::text(StatusCode::OK, TEXT, names.join("\n"))
}

async fn value(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    request: Request,
) -> Response<Body> {
    let known = VALUES
        .iter()
        .find(|(name, _)| *name == key.trim_end_matches('/'));
    let Some((_, value)) = known else {
        return unknown("No instance has that.");
    };
    let peer = request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.addr.ip());
    match of_caller(&shared, peer, *value).await {
        // What an instance does not have, the cloud does not list either.
        Some(text) if !text.is_empty() => respond::text(StatusCode::OK, TEXT, text),
        Some(_) => unknown("The instance has none."),
        None => {
            tracing::warn!(?peer, "nobody knows which instance asks for its metadata");
            unknown(
                "No instance has your address: give one an intranet_ip, or set metadata_instance.",
            )
        }
    }
}

/// The caller's instance is the one with his address, else the one of the settings, else the only
/// one that there is.
async fn of_caller(shared: &Shared, peer: Option<IpAddr>, value: Value) -> Option<String> {
    let named = shared.metadata_instance.clone();
    let found = shared.desk.ask(move |desk| {
        let spec = peer.and_then(|peer| desk.instance_at(peer));
        let spec = spec.or_else(|| match &named {
            Some(named) => desk.registry.instance(named).map(|instance| &instance.spec),
            None => desk.only_instance(),
        });
        spec.map(value)
    });
    // A relay that is stopping knows nobody any more.
    found.await.ok().flatten()
}

/// Above 400, for the official agent takes anything else for its answer.
fn unknown(why: &'static str) -> Response<Body> {
    respond::text(StatusCode::NOT_FOUND, TEXT, why)
}

const TEXT: &str = "text/plain;charset=utf-8";
