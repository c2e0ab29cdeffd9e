//! `axt portforward`.

use std::{io, process::ExitCode};

use axt_client::{
    forward::{Bound, EXTENSIONS, Forward, ForwardEvent, ForwardSpec, Route},
    instance,
    terminal::signals::Stops,
};
use axt_net::{link, tasks::Tasks, transport::BindError};
use axt_proto::{Extensions, InstanceId};
use tokio::sync::mpsc;

use super::{end, print};
use crate::{
    failure::{self, Failure, say},
    flags::portforward::PortforwardFlags,
    settings::{Settings, client},
    target::Clients,
};

/// How many events may wait to be printed before connections wait too.
const EVENTS: usize = 64;

pub(super) async fn run(flags: PortforwardFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let clients = Clients::find(flags.target, settings)?;
    let instance = instance::choose(
        client::instance(flags.instance, settings),
        &clients.target.instances,
    )?;
    let extensions = if client::no_extensions(flags.no_extensions, settings) {
        Extensions::NONE
    } else {
        EXTENSIONS
    };
    // All of them first: a port that is taken is told before there is anything to undo.
    let mut bound = Vec::new();
    for spec in &flags.forwards {
        bound.push(bind(spec).await?);
    }
    let route = Route {
        api: clients.api,
        network: clients.network,
        extensions,
    };
    let (sender, events) = mpsc::channel(EVENTS);
    // From here on a signal ends what has been started, instead of the process.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let mut started = Vec::new();
    let starting = start(bound, &route, &instance, &sender, &mut started);
    let outcome = tokio::select! {
        biased;
        stop = stops.next() => Err(Failure::stopped(stop)),
        outcome = starting => outcome,
    };
    if let Err(failure) = outcome {
        for forward in started {
            forward.end().await;
        }
        return Err(failure);
    }

    let tasks = Tasks::new();
    for forward in started {
        tasks.spawn("forward", forward.run(tasks.token().clone()));
    }
    // The last of the forwards takes the last sender with it.
    drop(sender);
    tasks.spawn("events", show(events));
    let stop = stops.next().await;
    let shutdown = async {
        tasks.shutdown(link::SHUTDOWN).await;
    };
    Ok(end(stop, &mut stops, shutdown).await)
}

async fn bind(spec: &ForwardSpec) -> Result<Bound, Failure> {
    let bound = Bound::bind(spec)
        .await
        .map_err(|error| unavailable(&error))?;
    if let Some(warning) = spec.bind.warning() {
        say(&format!("warning: {warning}"));
    }
    Ok(bound)
}

/// A local address that cannot be had.
fn unavailable(error: &BindError) -> Failure {
    let failure = Failure::failed(error);
    match error.source.kind() {
        io::ErrorKind::AddrInUse => {
            failure.hint("another local port, or none for any that is free: `:REMOTE`")
        }
        io::ErrorKind::PermissionDenied => {
            failure.hint("ports below 1024 are for root: choose a higher local port")
        }
        _ => failure,
    }
}

/// Starts a session for each, and leaves those that could be started in `started`.
async fn start(
    bound: Vec<Bound>,
    route: &Route,
    instance: &InstanceId,
    events: &mpsc::Sender<ForwardEvent>,
    started: &mut Vec<Forward>,
) -> Result<(), Failure> {
    for bound in bound {
        let forward = Forward::start(bound, route.clone(), instance, events.clone()).await?;
        started.push(forward);
    }
    Ok(())
}

/// Prints what happens: kubectl's lines on stdout, where kubectl has them, failures on stderr.
async fn show(mut events: mpsc::Receiver<ForwardEvent>) {
    while let Some(event) = events.recv().await {
        match &event {
            ForwardEvent::Listening { .. } | ForwardEvent::Accepted { .. } => {
                if let Err(failure) = print(&event.to_string()) {
                    // A forward does its work unseen as well.
                    failure.report();
                }
            }
            ForwardEvent::Failed { hint, .. } => failure::tell(&event.to_string(), *hint),
            ForwardEvent::Closed { .. } => tracing::debug!("{event}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_port_that_cannot_be_had_names_the_way_round() {
        let taken = BindError {
            address: "127.0.0.1:8080".into(),
            source: io::ErrorKind::AddrInUse.into(),
        };
        let low = BindError {
            address: "127.0.0.1:80".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        };

        insta::assert_debug_snapshot!([unavailable(&taken), unavailable(&low)]);
    }
}
