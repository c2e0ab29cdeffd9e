//! The client's side, against a live relay and whatever agent it has.

use std::process::ExitCode;

use axt_client::{
    instance,
    session::{self, Started},
};
use axt_control::luban::header;
use axt_net::{wall::Wall, ws};
use axt_trace::{
    read::Trace,
    record::{Dir, Hop, What},
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{judge, script};
use crate::{
    commands::unless_stopped,
    failure::{Failure, say},
    flags::trace::ReplayClientFlags,
    settings::{Settings, client},
    target::Clients,
};

pub(super) async fn run(
    flags: ReplayClientFlags,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    let (traces, script) = script(&flags.replay, Hop::Client, Dir::Up)?;
    let clients = Clients::find(flags.target, settings)?;
    let instance = instance::choose(
        client::instance(flags.instance, settings),
        &clients.target.instances,
    )?;
    let port = flags.port.map(|port| port.to_string());
    let mut parameters = vec![("InstanceId.1", instance.as_str())];
    parameters.extend(port.as_deref().map(|port| ("PortNumber", port)));
    parameters.extend(flags.command.as_deref().map(|line| ("CommandLine", line)));
    let started = clients
        .api
        .call("StartTerminalSession", &parameters)
        .await?;
    let started: Started = serde_json::from_value(started)
        .map_err(|_| Failure::failed("the answer to StartTerminalSession is not usable"))?;
    say(&format!("playing the client's side on {}", started.id));
    let network = &clients.network;
    let connecting = ws::connect(
        &network.dialer,
        &network.tls,
        started.url.expose(),
        announced(&traces, flags.replay.session.as_deref()),
    );
    let played = async {
        let (socket, _) = connecting.await.map_err(Failure::unreachable)?;
        let wall = Wall::system();
        let now_ms = || u64::try_from(wall.now().as_millisecond()).unwrap_or(1);
        Ok::<_, Failure>(script.play(socket, None, now_ms, async {}).await)
    };
    let seen = unless_stopped(played).await;
    session::end(&clients.api, &started.id).await;
    judge(&script, &seen??, &flags.replay)
}

/// What the client of the trace announced on its upgrade, which the control plane's file tells. Without
/// one it is the base protocol.
fn announced(traces: &[Trace], session: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let records = traces.iter().flat_map(|trace| &trace.records);
    let upgrade = records.filter_map(|record| match &record.what {
        What::Call(call) if call.path == "/session" && call.status == Some(101) => {
            let is_it = session.is_none() || record.ids.session.as_deref() == session;
            is_it.then_some(call)
        }
        _ => None,
    });
    for call in upgrade.take(1) {
        for name in [header::EXTENSIONS, header::SIZE] {
            let value = call.headers.get(name).and_then(|value| value.as_str());
            if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
    headers
}
