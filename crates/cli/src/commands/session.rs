//! `axt session`.

mod behind;
mod words;

use std::{future::Future, path::Path, process::ExitCode, time::Duration};

use axt_client::{
    discover::process_environment,
    instance,
    recording::{Header, Tape},
    session::{
        self, Announce, EndOfInput, Ended, Ends, Keyboard, Link, Network, Open, Progress, Started,
        Why,
        escape::{Command, EscapeKey, Escapes},
    },
    terminal::{
        self, RawMode,
        signals::{Sizes, Stop, Stops},
        stdio,
    },
};
use axt_net::{link, tasks::Tasks, wall::Wall};
use axt_proto::Extensions;
use tokio::{io::AsyncRead, net::unix::pipe::Receiver};

use crate::{
    failure::{self, Failure},
    flags::session::SessionFlags,
    settings::{Settings, client},
    target::{Clients, Given},
};

/// How long output that a terminal does not take may hold up an end by escape.
const AT_ONCE: Duration = Duration::from_millis(15);

/// How a session is to be attached to this process.
struct Manner {
    no_extensions: bool,
    escape: EscapeKey,
    tape: Option<Tape>,
}

pub(super) async fn run(flags: SessionFlags, settings: &Settings) -> Result<ExitCode, Failure> {
    if let Some(session) = behind::left() {
        return behind::end(&session, &Clients::find(flags.target, settings)?.api).await;
    }
    let manner = Manner {
        no_extensions: client::no_extensions(flags.base.no_extensions, settings),
        escape: client::escape_char(flags.escape_char, settings),
        tape: flags
            .record
            .as_deref()
            .map(|file| record(file, flags.overwrite, flags.record_input))
            .transpose()?,
    };
    let outcome = match &flags.given.wss_url {
        Some(place) => {
            let given = Given::find(place, flags.target, Extensions::NONE, settings)?;
            let mut stops = Stops::listen().map_err(Failure::failed)?;
            match open(&given.network, &given.started, &manner, &mut stops).await {
                Ok(link) => attach(link, &given.started, "?", &manner, &mut stops).await,
                Err(failure) => Err(failure),
            }
        }
        None => {
            let clients = Clients::find(flags.target, settings)?;
            let wanted = Open {
                instance: instance::choose(
                    client::instance(flags.instance, settings),
                    &clients.target.instances,
                )?,
                command_line: flags.command,
                username: flags.username,
            };
            start_and_attach(&clients, &wanted, &manner).await
        }
    };
    if let Some(Err(error)) = manner.tape.as_ref().map(Tape::finish) {
        failure::tell(&format!("the recording is not whole: {error}"), None);
    }

    let ended = outcome?;
    if let Some((line, hint)) = ended.message() {
        if terminal::is_interactive() {
            // The other side has left the cursor wherever it was.
            failure::say("");
        }
        if ended.why == Why::Stopped(Stop::Escape) {
            failure::say(&line);
        } else {
            failure::tell(&line, hint);
        }
    }
    Ok(ExitCode::from(ended.exit_code()))
}

/// Begins a recording.
fn record(file: &Path, replaces: bool, records_input: bool) -> Result<Tape, Failure> {
    let size = terminal::is_interactive().then(terminal::size).flatten();
    let header = Header::new(size, Wall::system().now().as_second(), process_environment);
    Tape::create(file, replaces, &header, records_input).map_err(|error| {
        let failure = Failure::failed(format!("cannot record to {}: {error}", file.display()));
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => failure.hint("`--overwrite` replaces it"),
            _ => failure,
        }
    })
}

/// A session of our own, from its start to its end.
async fn start_and_attach(
    clients: &Clients,
    wanted: &Open,
    manner: &Manner,
) -> Result<Ended, Failure> {
    let api = &clients.api;
    // From here on a signal ends what has been started, instead of the process.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let started = unless_stopped(&mut stops, session::start(api, wanted)).await??;
    let place = wanted.instance.as_str();
    let outcome = async {
        let link = open(&clients.network, &started, manner, &mut stops).await?;
        attach(link, &started, place, manner, &mut stops).await
    }
    .await;
    match &outcome {
        Ok(ended) if ended.why == Why::Stopped(Stop::Escape) => {
            behind::leave(&started.id, api).await;
        }
        _ => session::end(api, &started.id).await,
    }
    outcome
}

/// Opens the session's websocket.
async fn open(
    network: &Network,
    started: &Started,
    manner: &Manner,
    stops: &mut Stops,
) -> Result<Link, Failure> {
    let is_interactive = terminal::is_interactive();
    let announce = if manner.no_extensions {
        Announce::default()
    } else {
        Announce {
            extensions: at_end_of_input(is_interactive).extensions(),
            size: is_interactive.then(terminal::size).flatten(),
        }
    };
    let connecting = session::connect(network, started, announce);
    Ok(unless_stopped(stops, connecting).await??)
}

fn at_end_of_input(is_interactive: bool) -> EndOfInput {
    if is_interactive {
        EndOfInput::Closes
    } else {
        EndOfInput::IsTyped
    }
}

/// Connects this process's stdin and stdout to the session until one side ends it.
async fn attach(
    link: Link,
    started: &Started,
    instance: &str,
    manner: &Manner,
    stops: &mut Stops,
) -> Result<Ended, Failure> {
    let is_interactive = terminal::is_interactive();
    let tasks = Tasks::new();
    let (output, flushed) = stdio::output(&tasks).map_err(Failure::failed)?;
    let input = stdio::input(&tasks).map_err(Failure::failed)?;
    let (keyboard, input) = listen(input, manner.escape.byte().filter(|_| is_interactive));
    let ends = Ends {
        input,
        at_end_of_input: at_end_of_input(is_interactive),
        output,
        sizes: if is_interactive {
            Sizes::of_terminal()
        } else {
            Sizes::None
        },
        tape: manner.tape.clone(),
    };
    // Only now: an error before this should be read on a terminal that works.
    let raw = if is_interactive {
        Some(RawMode::enter().map_err(Failure::failed)?)
    } else {
        None
    };
    let escapes = Attached {
        instance,
        session: &started.id,
        escape: manner.escape,
        progress: link.progress(),
    };
    let stop = async {
        match (&raw, keyboard) {
            (Some(raw), Some(keyboard)) => escapes.obey(keyboard, raw, stops).await,
            (Some(_), None) => stops.next_while_raw().await,
            (None, _) => stops.next().await,
        }
    };
    let ended = session::run(link, ends, stop).await;
    if ended.why == Why::Stopped(Stop::Escape) {
        let _ = link::timeout(AT_ONCE, flushed.wait()).await;
        drop(raw);
        return Ok(ended);
    }
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

/// Any input of a session.
type Input = Box<dyn AsyncRead + Send + Unpin>;

/// Hears escapes in what is typed, where there is a key for them.
fn listen(input: Receiver, key: Option<u8>) -> (Option<Keyboard<Receiver>>, Input) {
    match key {
        Some(key) => {
            let (keyboard, typed) = Keyboard::listen(input, Escapes::new(key));
            (Some(keyboard), Box::new(typed))
        }
        None => (None, Box::new(input)),
    }
}

/// A session that a person has before them.
struct Attached<'a> {
    instance: &'a str,
    session: &'a str,
    escape: EscapeKey,
    progress: Progress,
}

impl Attached<'_> {
    /// Does what escapes ask for until one, or a signal, asks to end.
    async fn obey(
        &self,
        mut keyboard: Keyboard<Receiver>,
        raw: &RawMode,
        stops: &mut Stops,
    ) -> Stop {
        loop {
            let command = tokio::select! {
                biased;
                stop = stops.next_while_raw() => return stop,
                command = keyboard.next() => command,
            };
            match command {
                Command::End => return Stop::Escape,
                Command::Help => words::show(&words::help(self.escape)),
                Command::Status => {
                    let moved = self.progress.moved();
                    words::show(&words::status(self.instance, self.session, &moved));
                }
                Command::Suspend => {
                    if let Err(error) = raw.suspend().await {
                        words::show(&format!("cannot suspend: {error}"));
                    }
                }
            }
        }
    }
}

/// As [`super::unless_stopped`], for signals that are listened for already.
async fn unless_stopped<F: Future>(stops: &mut Stops, work: F) -> Result<F::Output, Failure> {
    tokio::select! {
        biased;
        stop = stops.next() => Err(Failure::stopped(stop)),
        done = work => Ok(done),
    }
}
