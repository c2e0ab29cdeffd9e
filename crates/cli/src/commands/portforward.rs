//! `axt portforward`.

mod json;
mod show;
mod status;

use std::{io, process::ExitCode};

use axt_client::{
    forward::{
        BindTo, Bound, Events, Finder, Forward, ForwardEvent, ForwardSpec, Gauge, LocalSpec,
        Remote, Route, Running,
    },
    instance,
    terminal::signals::Stops,
};
use axt_net::{link, tasks::Tasks, transport::BindError};
use axt_proto::InstanceId;
use tokio::sync::mpsc;

use self::{show::Show, status::StatusLine};
use super::{end, piped};
use crate::{
    failure::{Code, Failure, say},
    flags::{portforward::PortforwardFlags, usage::UsageError},
    settings::{Settings, client},
    target::{ForwardClients, Given},
};

/// How many events may wait to be printed before connections wait too.
const EVENTS: usize = 64;
/// The official client's port, at either end (wire-protocol 9.2).
const OFFICIAL_PORT: u16 = 80;

pub(super) async fn run(flags: PortforwardFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    if flags.stdio {
        return run_on_stdio(flags, settings).await;
    }
    let local = flags.local_port;
    let forwards = if flags.given.wss_url.is_some() {
        Vec::new()
    } else {
        forwards(&flags)?
    };
    let keepalive = client::keepalive(flags.quiet.keepalive, settings);
    let show = Show::new(flags.json, flags.exit_on_failure);
    let clients = ForwardClients::find(
        &flags.given,
        flags.target,
        flags.base.no_extensions,
        settings,
    )?;
    let (sender, events) = mpsc::channel(EVENTS);
    let sender = Events::from(sender);
    // From here on a signal ends what has been started, instead of the process.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let forwards = match clients {
        ForwardClients::Given(Given {
            network,
            extensions,
            started,
        }) => {
            let local = local.unwrap_or(LocalSpec {
                bind: BindTo::Localhost,
                port: 0,
            });
            let listeners = local.listen().await.map_err(|error| unavailable(&error))?;
            warn(local.bind);
            vec![Forward::attach(
                listeners, network, extensions, started, sender,
            )]
        }
        ForwardClients::Own(own) => {
            let instance =
                instance::choose(client::instance(flags.instance, settings), &own.instances)?;
            // All of them first: a port that is taken is told before there is anything to undo.
            let mut bound = Vec::new();
            for spec in &forwards {
                bound.push(bind(spec).await?);
            }
            let mut started = Vec::new();
            let starting = start(bound, &own.route, &instance, &sender, &mut started);
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
            drop(sender);
            let finding = |forward: Forward| forward.finding_by(Finder::clone(&own.finder));
            started.into_iter().map(finding).collect()
        }
    };
    let forwards = match keepalive {
        Some(every) => forwards
            .into_iter()
            .map(|forward| forward.kept_alive(every))
            .collect(),
        None => forwards,
    };
    serve(forwards, events, show, &mut stops).await
}

/// Runs forwards until a signal comes, or a connection fails that was not to.
async fn serve(
    forwards: Vec<Forward>,
    events: mpsc::Receiver<ForwardEvent>,
    show: Show,
    stops: &mut Stops,
) -> Result<ExitCode, Failure> {
    let (gauges, running): (Vec<Gauge>, Vec<Running>) =
        forwards.into_iter().map(Forward::ready).unzip();
    let tasks = Tasks::new();
    for forward in running {
        tasks.spawn("forward", forward.run(tasks.token().clone()));
    }
    let status = StatusLine::for_stderr(gauges);
    if let Some(status) = &status {
        tasks.spawn("status line", status.clone().run(tasks.token().clone()));
    }
    let (failed, mut failure) = tokio::sync::oneshot::channel();
    tasks.spawn("events", show.all(events, status, failed));
    let shutdown = async {
        tasks.shutdown(link::SHUTDOWN).await;
    };
    tokio::select! {
        biased;
        stop = stops.next() => Ok(end(stop, stops, shutdown).await),
        // Without a sender nothing is meant to end here.
        Ok(()) = &mut failure => {
            shutdown.await;
            Ok(ExitCode::from(Code::Failed as u8))
        }
    }
}

/// What is to be forwarded, by all the ways in which it can be said.
fn forwards(flags: &PortforwardFlags) -> Result<Vec<ForwardSpec>, Failure> {
    let mut forwards = flags.forwards.clone();
    if flags.local_port.is_some() || flags.remote_port.is_some() {
        let local = flags.local_port.unwrap_or(LocalSpec {
            bind: BindTo::Localhost,
            port: OFFICIAL_PORT,
        });
        forwards.push(ForwardSpec {
            bind: local.bind,
            local: local.port,
            remote: Remote {
                host: None,
                port: flags.remote_port.unwrap_or(OFFICIAL_PORT),
            },
        });
    }
    if forwards.is_empty() {
        return Err(UsageError::new("nothing is said of what to forward")
            .hint("`axt portforward 8080:80` forwards the instance's port 80 to localhost:8080")
            .into());
    }
    Ok(forwards)
}

async fn run_on_stdio(flags: PortforwardFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let remote = match (flags.forwards.as_slice(), flags.remote_port) {
        (_, _) if flags.given.wss_url.is_some() => None,
        ([], Some(port)) => Some(Remote { host: None, port }),
        ([only], None) if only.local == 0 => Some(only.remote.clone()),
        _ => {
            return Err(
                UsageError::new("`--stdio` carries one connection, and no local port")
                    .hint("`axt portforward --stdio :REMOTE`, or `:TARGET:REMOTE`")
                    .into(),
            );
        }
    };
    let wanted = piped::Wanted {
        given: flags.given,
        target: flags.target,
        no_extensions: flags.base.no_extensions,
        keepalive: flags.quiet.keepalive,
        instance: flags.instance,
        remote,
        is_interrupted: true,
    };
    piped::run(wanted, settings).await
}

async fn bind(spec: &ForwardSpec) -> Result<Bound, Failure> {
    let bound = Bound::bind(spec)
        .await
        .map_err(|error| unavailable(&error))?;
    warn(spec.bind);
    Ok(bound)
}

fn warn(bind: BindTo) {
    if let Some(warning) = bind.warning() {
        say(&format!("warning: {warning}"));
    }
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
    events: &Events,
    started: &mut Vec<Forward>,
) -> Result<(), Failure> {
    for bound in bound {
        let forward = Forward::start(bound, route.clone(), instance, events.clone()).await?;
        started.push(forward);
    }
    Ok(())
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
