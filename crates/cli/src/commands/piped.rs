//! One connection on stdin and stdout: `axt portforward --stdio` and `axt ssh --stdio`.

use std::process::ExitCode;

use axt_client::{
    forward::{Piped, PipedEnd, Remote},
    instance,
    terminal::{
        signals::{Stop, Stops},
        stdio,
    },
};
use axt_net::tasks::Tasks;
use axt_proto::InstanceId;

use crate::{
    failure::Failure,
    flags::{given::GivenSession, target::ApiTarget},
    settings::{Settings, client},
    target::{ForwardClients, Given},
};

/// What to carry where.
pub(super) struct Wanted {
    pub(super) given: GivenSession,
    pub(super) target: ApiTarget,
    pub(super) no_extensions: Option<bool>,
    pub(super) keepalive: Option<u32>,
    pub(super) instance: Option<InstanceId>,
    /// Where to; a session that somebody else has started leads somewhere already.
    pub(super) remote: Option<Remote>,
    /// Whether SIGINT ends it. A ProxyCommand shares its terminal with ssh, whose key Ctrl-C is.
    pub(super) is_interrupted: bool,
}

pub(super) async fn run(wanted: Wanted, settings: &Settings) -> Result<ExitCode, Failure> {
    if wanted.given.reads_stdin() {
        return Err(Failure::usage(
            "with `--stdio`, stdin is the connection: the URL cannot come from there",
        )
        .hint("`--wss-url env` takes it from AXT_WSS_URL"));
    }
    let clients =
        ForwardClients::find(&wanted.given, wanted.target, wanted.no_extensions, settings)?;
    // From here on a signal ends what has been started, instead of the process.
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let is_interrupted = wanted.is_interrupted;
    let piped = match clients {
        ForwardClients::Given(Given {
            network,
            extensions,
            started,
        }) => Piped::attach(network, extensions, started),
        ForwardClients::Own(own) => {
            let instance =
                instance::choose(client::instance(wanted.instance, settings), &own.instances)?;
            let remote = wanted
                .remote
                .ok_or_else(|| Failure::usage("nothing is said of what to connect to"))?;
            let starting = Piped::start(own.route, &instance, &remote);
            let started = tokio::select! {
                biased;
                stop = stop(&mut stops, is_interrupted) => return Err(Failure::stopped(stop)),
                started = starting => started?,
            };
            started.finding_by(own.finder)
        }
    };
    let piped = match client::keepalive(wanted.keepalive, settings) {
        Some(every) => piped.kept_alive(every),
        None => piped,
    };
    let tasks = Tasks::new();
    let input = stdio::input(&tasks).map_err(Failure::failed)?;
    let (output, flushed) = stdio::last_output(&tasks).map_err(Failure::failed)?;
    let ended = piped
        .run(input, output, stop(&mut stops, is_interrupted))
        .await;
    // A stdout that is slow gets all that came for it, as long as nobody asks to end.
    tokio::select! {
        biased;
        _ = stop(&mut stops, is_interrupted) => {}
        _ = flushed.wait() => {}
    }
    match ended {
        PipedEnd::Done(_) | PipedEnd::InputEnded(_) | PipedEnd::OutputClosed(_) => {
            Ok(ExitCode::SUCCESS)
        }
        PipedEnd::Reset(_) => Err(Failure::failed("the other end reset the connection")),
        PipedEnd::Failed(_, trouble) => Err(Failure::failed(trouble.problem).hint(trouble.hint)),
        // So ssh lets go of its ProxyCommand when it is done.
        PipedEnd::Stopped(Stop::Hangup) if !is_interrupted => Ok(ExitCode::SUCCESS),
        PipedEnd::Stopped(stop) => Err(Failure::stopped(stop)),
    }
}

async fn stop(stops: &mut Stops, is_interrupted: bool) -> Stop {
    if is_interrupted {
        stops.next().await
    } else {
        stops.next_while_raw().await
    }
}
