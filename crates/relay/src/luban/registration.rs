//! Machines that register with an activation code, and leave again (wire-protocol 10.2).

use std::net::IpAddr;

use axt_control::luban::{
    CALM_ANSWER, CODE_OK, PublicKey,
    register::{RegisterReply, RegisterRequest},
};
use axt_net::accept::Peer;
use axt_proto::{InstanceId, Network};
use axt_registry::{ActivationId, OsType, Registration};
use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use http_body_util::{BodyExt, Limited};

use crate::{relay::Shared, respond};

/// Bytes that a registration may have; an official one has about 1,000.
const MAX_BYTES: usize = 64 * 1024;

/// Registers a machine, durably.
pub(super) async fn register(shared: &Shared, request: Request<Body>) -> Response<Body> {
    let peer = request.extensions().get::<Peer>().copied();
    let peer = peer.map(|peer| peer.addr.ip());
    let Ok(body) = Limited::new(request.into_body(), MAX_BYTES).collect().await else {
        return refused("the registration is too large or broke off");
    };
    let told: RegisterRequest = match serde_json::from_slice(&body.to_bytes()) {
        Ok(told) => told,
        Err(error) => return refused(format!("the registration is malformed: {error}")),
    };
    if let Err(error) = PublicKey::from_registration(&told.public_key) {
        return refused(error.to_string());
    }
    let registered = shared
        .desk
        .ask_later(move |desk, reply| {
            let activation = ActivationId(told.activation_id.clone());
            let range = desk
                .registry
                .activation(&activation)
                .map(|activation| activation.spec.ip_address_range.clone());
            // An activation that does not exist is the registry's to refuse, like a wrong code.
            let is_within = |range: String| match (range.parse::<Network>(), peer) {
                (Ok(range), Some(peer)) => range.includes(peer),
                _ => false,
            };
            if !range.is_none_or(is_within) {
                let _ = reply.send(Err(
                    "the address is outside the activation's range".to_owned()
                ));
                return;
            }
            let registration = registration(told, activation, peer);
            desk.register(registration, move |result| {
                let _ = reply.send(result);
            });
        })
        .await;
    match registered {
        Ok(Ok(instance)) => respond::json(
            StatusCode::OK,
            &RegisterReply {
                code: CODE_OK,
                instance_id: Some(instance),
                message: None,
            },
        ),
        Ok(Err(why)) => refused(why),
        Err(_) => super::stopping(shared),
    }
}

/// Forgets a machine that has registered. A declared instance is not its agent's to remove.
pub(super) async fn deregister(shared: &Shared, instance: InstanceId) -> Response<Body> {
    let is_gone = shared
        .desk
        .ask_later(move |desk, reply| {
            desk.deregister(&instance, move |is_gone| {
                let _ = reply.send(is_gone);
            });
        })
        .await;
    match is_gone {
        Ok(true) => respond::text(
            StatusCode::OK,
            "application/json;charset=utf-8",
            CALM_ANSWER,
        ),
        Ok(false) => refused("the instance was declared, not registered: its settings remove it"),
        Err(_) => super::stopping(shared),
    }
}

fn registration(
    told: RegisterRequest,
    activation: ActivationId,
    peer: Option<IpAddr>,
) -> Registration {
    Registration {
        activation,
        code: told.activation_code,
        region: told.region_id,
        name: told.instance_name,
        host_name: told.hostname,
        machine_id: told.machine_id,
        public_key: told.public_key,
        os_type: match told.os_type.as_str() {
            "windows" => OsType::Windows,
            "freebsd" => OsType::FreeBsd,
            _ => OsType::Linux,
        },
        os_version: told.os_version,
        // The official agent writes `<nil>` when it has none.
        intranet_ip: Some(told.intranet_ip)
            .filter(|address| address.parse::<IpAddr>().is_ok())
            .unwrap_or_default(),
        internet_ip: peer.map(|peer| peer.to_string()).unwrap_or_default(),
        tags: told
            .tag
            .into_iter()
            .map(|tag| (tag.key, tag.value))
            .collect(),
    }
}

/// The official agent prints the whole reply.
fn refused(why: impl Into<String>) -> Response<Body> {
    respond::json(
        StatusCode::FORBIDDEN,
        &RegisterReply {
            code: i64::from(StatusCode::FORBIDDEN.as_u16()),
            instance_id: None,
            message: Some(why.into()),
        },
    )
}
