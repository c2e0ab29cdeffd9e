//! Agents' websockets: the notify channel and the data channels.

use std::{collections::BTreeSet, sync::Arc};

use axt_control::luban::header::EXTENSIONS;
use axt_net::ws;
use axt_proto::{ChannelId, Extensions, InstanceId};
use axt_registry::AgentInfo;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
};

use crate::{desk::NotDialled, notify, relay::Shared};

/// The notify channel (wire-protocol 10.3).
pub(super) fn notify(
    shared: &Arc<Shared>,
    instance: InstanceId,
    mut request: Request<Body>,
) -> Response<Body> {
    let announced = request
        .headers()
        .get(EXTENSIONS)
        .and_then(|value| value.to_str().ok())
        .map(|value| Extensions::from(value.to_owned()));
    let version = super::version(request.headers()).to_owned();
    let mut known = HeaderMap::new();
    if announced.is_some()
        && let Ok(value) = HeaderValue::from_str(&Extensions::ALL.to_string())
    {
        known.insert(EXTENSIONS, value);
    }
    let (response, upgrading) = match ws::upgrade(&mut request, known) {
        Ok(upgraded) => upgraded,
        Err(error) => return not_an_upgrade(shared, &error),
    };
    let info = AgentInfo {
        extensions: names(announced.unwrap_or_default()),
        ..AgentInfo::new(version)
    };
    let relay = Arc::clone(shared);
    shared.tasks.spawn("notify channel", async move {
        let websocket = match upgrading.finish().await {
            Ok(websocket) => websocket,
            Err(error) => {
                tracing::debug!(%instance, %error, "an agent left during its upgrade");
                return;
            }
        };
        let asked = instance.clone();
        let up = relay.desk.ask(move |desk| desk.agent_up(&asked, info));
        let Ok(link) = up.await else { return };
        let number = link.number;
        notify::serve(
            websocket,
            link,
            &instance,
            &relay.traces,
            relay.tasks.token(),
        )
        .await;
        // A relay that is stopping has nobody online anyway.
        let _ = relay
            .desk
            .ask(move |desk| desk.agent_down(&instance, number))
            .await;
    });
    response.map(|()| Body::empty())
}

/// A data channel: the first one of its connection, or one that takes the place of the last
/// (wire-protocol 9.1).
pub(super) async fn data(
    shared: &Arc<Shared>,
    instance: InstanceId,
    channel: ChannelId,
    mut request: Request<Body>,
) -> Response<Body> {
    let asked = instance.clone();
    let door = shared
        .desk
        .ask(move |desk| desk.dial(&asked, &channel))
        .await;
    let dialled = match door {
        Ok(Ok(dialled)) => dialled,
        Ok(Err(NotDialled::Unknown)) => return super::unknown_channel(shared),
        Ok(Err(NotDialled::Fault(status))) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let message = "A fault that was asked for: `axt fault list` shows it.";
            return super::refuse(shared, status, "FaultInjected", message);
        }
        Err(_) => return super::stopping(shared),
    };
    let (response, upgrading) = match ws::upgrade(&mut request, HeaderMap::new()) {
        Ok(upgraded) => upgraded,
        Err(error) => return not_an_upgrade(shared, &error),
    };
    let clock = shared.clock.clone();
    shared.tasks.spawn("data channel", async move {
        match upgrading.finish().await {
            Ok(mut websocket) => {
                websocket.put_hook(dialled.hook);
                let mut timer = clock.timer("held pairing");
                timer.set(dialled.held.map(|held| clock.now() + held));
                let _fired = match dialled.held {
                    Some(_) => Some(timer.fired().await),
                    None => None,
                };
                dialled.door.enter(Box::new(websocket)).await;
            }
            Err(error) => tracing::debug!(%instance, %error, "an agent left during its upgrade"),
        }
    });
    response.map(|()| Body::empty())
}

fn not_an_upgrade(shared: &Shared, error: &ws::NotAnUpgrade) -> Response<Body> {
    super::refuse(
        shared,
        StatusCode::UPGRADE_REQUIRED,
        "UpgradeRequired",
        &error.to_string(),
    )
}

fn names(extensions: Extensions) -> BTreeSet<String> {
    let names = extensions.to_string();
    let names = names.split(", ").filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}
