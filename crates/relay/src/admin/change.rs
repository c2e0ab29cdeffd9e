//! Declaring and changing instances and regions, and starting over.

use std::sync::Arc;

use axt_control::admin::{
    InstanceChange, InstanceDeclaration, InstanceStatus, OsType, RegionChange,
};
use axt_proto::{InstanceId, RegionId};
use axt_registry::{InstancePatch, InstanceSpec, RegionPatch, UnknownInstance};
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{Response, StatusCode},
};
use serde_json::json;

use crate::{desk::Desk, relay::Shared, respond};

/// Answers when live connections are told and the rest is forgotten for good.
pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> Response<Body> {
    match shared.desk.ask_later(Desk::reset).await {
        Ok(true) => done(),
        Ok(false) => super::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the journal did not take the reset",
            Some("see the log"),
        ),
        Err(end) => super::stopping(end),
    }
}

pub(super) async fn declare(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let declared: InstanceDeclaration = match super::read(&body) {
        Ok(declared) => declared,
        Err(refusal) => return *refusal,
    };
    let (region, account) = (shared.region.clone(), shared.account.clone());
    let answer = shared
        .desk
        .ask(move |desk| {
            let id = match declared.id.clone() {
                Some(id) => id,
                None => desk.ids.instance()?,
            };
            let spec = spec(id.clone(), declared, region, account);
            let changes = desk.registry.declare_instance(desk.now(), spec);
            desk.apply(changes);
            Ok::<_, axt_proto::id::MalformedId>(id)
        })
        .await;
    match answer {
        Ok(Ok(id)) => respond::json(StatusCode::CREATED, &json!({ "id": id })),
        Ok(Err(error)) => super::error(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), None),
        Err(end) => super::stopping(end),
    }
}

fn spec(
    id: InstanceId,
    declared: InstanceDeclaration,
    region: RegionId,
    account: axt_proto::AccountId,
) -> InstanceSpec {
    let region = declared.region.unwrap_or(region);
    let account = declared.account.unwrap_or(account);
    let mut spec = InstanceSpec::new(id, account, region);
    if let Some(name) = declared.name {
        spec.name = name;
    }
    spec.status = declared.status.map(status).unwrap_or_default();
    spec.os_type = declared.os_type.map(os_type).unwrap_or_default();
    spec.public_key = declared.public_key;
    spec.machine_id = declared.machine_id;
    spec.agent_version = declared.agent_version;
    spec.denied_ports = declared.denied_ports.into_iter().collect();
    spec.intranet_ip = declared.intranet_ip.unwrap_or_default();
    spec.internet_ip = declared.internet_ip.unwrap_or_default();
    spec
}

pub(super) async fn instance(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let id: InstanceId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let change: InstanceChange = match super::read(&body) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    let patch = InstancePatch {
        region: change.region,
        name: change.name,
        host_name: change.host_name,
        status: change.status.map(status),
        os_type: change.os_type.map(os_type),
        agent_version: change.agent_version,
        denied_ports: change.denied_ports.map(|ports| ports.into_iter().collect()),
        tags: change.tags,
    };
    let answer = shared
        .desk
        .ask(move |desk| {
            let (answer, changes) = desk.registry.change_instance(desk.now(), &id, patch);
            desk.apply(changes);
            answer
        })
        .await;
    match answer {
        Ok(answer) => known(answer),
        Err(end) => super::stopping(end),
    }
}

pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Response<Body> {
    let id: InstanceId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let answer = shared
        .desk
        .ask(move |desk| {
            let (answer, changes) = desk.registry.remove_instance(desk.now(), &id);
            desk.apply(changes);
            desk.links.close(&id);
            answer
        })
        .await;
    match answer {
        Ok(answer) => known(answer),
        Err(end) => super::stopping(end),
    }
}

pub(super) async fn region(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let id: RegionId = match super::id(&id) {
        Ok(id) => id,
        Err(refusal) => return *refusal,
    };
    let change: RegionChange = match super::read(&body) {
        Ok(change) => change,
        Err(refusal) => return *refusal,
    };
    let patch = RegionPatch {
        api_supported: change.api_supported,
        port_forwarding: change.port_forwarding,
        intranet: change.intranet,
        dispatch_failure: change.dispatch_failure,
        hold_commit: change.hold_commit,
        start_without_agent: change.start_without_agent,
        one_shell_connection: change.one_shell_connection,
    };
    let changed = shared
        .desk
        .ask(move |desk| desk.change_region(&id, patch))
        .await;
    match changed {
        Ok(()) => done(),
        Err(end) => super::stopping(end),
    }
}

fn known(answer: Result<(), UnknownInstance>) -> Response<Body> {
    match answer {
        Ok(()) => done(),
        Err(unknown) => super::error(
            StatusCode::NOT_FOUND,
            unknown.to_string(),
            Some("`axt instances` lists them"),
        ),
    }
}

fn done() -> Response<Body> {
    respond::json(StatusCode::OK, &json!({}))
}

const fn status(status: InstanceStatus) -> axt_registry::InstanceStatus {
    match status {
        InstanceStatus::Pending => axt_registry::InstanceStatus::Pending,
        InstanceStatus::Starting => axt_registry::InstanceStatus::Starting,
        InstanceStatus::Running => axt_registry::InstanceStatus::Running,
        InstanceStatus::Stopping => axt_registry::InstanceStatus::Stopping,
        InstanceStatus::Stopped => axt_registry::InstanceStatus::Stopped,
    }
}

const fn os_type(os_type: OsType) -> axt_registry::OsType {
    match os_type {
        OsType::Linux => axt_registry::OsType::Linux,
        OsType::Windows => axt_registry::OsType::Windows,
        OsType::FreeBsd => axt_registry::OsType::FreeBsd,
    }
}
