//! `axt session`.

use std::{future::Future, process::ExitCode};

use axt_client::{
    instance,
    session::{self, Announce, EndOfInput, Ended, Ends, Open, Started},
    terminal::{
        self, RawMode,
        signals::{Sizes, Stops},
        stdio,
    },
};
use axt_net::tasks::Tasks;

use crate::{
    failure::{self, Failure},
    flags::session::SessionFlags,
    settings::{Settings, client},
    target::Clients,
};

pub(super) async fn run(flags: SessionFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    let clients = Clients::find(flags.target, settings)?;
    let api = &clients.api;
    let wanted = Open {
        instance: instance::choose(
            client::instance(flags.instance, settings),
            &clients.target.instances,
        )?,
        command_line: flags.command,
        username: flags.username,
    };
    // From here on a signal ends what has been started, instead of the process.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let started = unless_stopped(&mut stops, session::start(api, &wanted)).await??;

    let outcome = attach(
        &clients,
        &started,
        client::no_extensions(flags.no_extensions, settings),
        &mut stops,
    )
    .await;
    session::end(api, &started.id).await;

    let ended = outcome?;
    if let Some((line, hint)) = ended.message() {
        failure::tell(&line, hint);
    }
    Ok(ExitCode::from(ended.exit_code()))
}

/// Connects this process's stdin and stdout to the session until one side ends it.
async fn attach(
    clients: &Clients,
    started: &Started,
    no_extensions: bool,
    stops: &mut Stops,
) -> Result<Ended, Failure> {
    let is_interactive = terminal::is_interactive();
    let at_end_of_input = if is_interactive {
        EndOfInput::Closes
    } else {
        EndOfInput::IsTyped
    };
    let announce = if no_extensions {
        Announce::default()
    } else {
        Announce {
            extensions: at_end_of_input.extensions(),
            size: is_interactive.then(terminal::size).flatten(),
        }
    };
    let connecting = session::connect(&clients.network, started, announce);
    let link = unless_stopped(stops, connecting).await??;

    let tasks = Tasks::new();
    let (output, flushed) = stdio::output(&tasks).map_err(Failure::failed)?;
    let ends = Ends {
        input: stdio::input(&tasks).map_err(Failure::failed)?,
        at_end_of_input,
        output,
        sizes: if is_interactive {
            Sizes::of_terminal()
        } else {
            Sizes::None
        },
    };
    // Only now: an error before this should be read on a terminal that works.
    let raw = if is_interactive {
        Some(RawMode::enter().map_err(Failure::failed)?)
    } else {
        None
    };
    let stop = async {
        if raw.is_some() {
            stops.next_while_raw().await
        } else {
            stops.next().await
        }
    };
    let ended = session::run(link, ends, stop).await;
    // A stdout that is slow gets all that came for it, as long as nobody asks to end.
    let flushed = unless_stopped(stops, flushed.wait()).await;
    drop(raw);
    if let Ok(Err(error)) = flushed
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(Failure::failed(format!("cannot write to stdout: {error}")));
    }
    Ok(ended)
}

/// As [`super::unless_stopped`], for signals that are listened for already.
async fn unless_stopped<F: Future>(stops: &mut Stops, work: F) -> Result<F::Output, Failure> {
    tokio::select! {
        biased;
        stop = stops.next() => Err(Failure::stopped(stop)),
        done = work => Ok(done),
    }
}
