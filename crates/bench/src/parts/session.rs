//! From the call to the first byte of a plain `sh`, and what the shell takes by itself.

use std::{
    fs,
    io::Read,
    os::fd::OwnedFd,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use axt_client::{
    Api,
    api::permanent,
    session::{self, Announce, EndOfInput, Ends, Network, Open},
    terminal::signals::{Sizes, Stop},
};
use axt_net::{
    clock::Clock, frames::Tap, http::HttpClient, link, tasks::Tasks, tls::ClientTls,
    transport::Dialer, wall::Wall,
};
use axt_proto::{InstanceId, RegionId, Size, Tick};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::{io::AsyncReadExt, sync::oneshot};

use super::Context;
use crate::{
    report::Figure,
    rounds::{Measure, Round, Value, take_turns},
    spread::Spread,
    ways::axt::{NO_LIMITS, Parts},
};

/// What is run: by the user's shell, as the agent does it.
const COMMAND: &str = "sh";

pub(super) async fn run(context: &Context<'_>) -> anyhow::Result<Vec<Figure>> {
    let parts = Parts::start(context.binary, NO_LIMITS).await?;
    let mut measures: Vec<Box<dyn Measure>> = vec![
        Box::new(Session::of(&parts)?),
        Box::new(Shell {
            tasks: Tasks::new(),
        }),
    ];
    take_turns(context.plan, &mut measures, context.progress).await
}

fn values(what: &str, times: Vec<Duration>) -> Vec<Value> {
    let spread = Spread::of(times);
    let of = |percent| {
        let heading = format!("session to its first byte, p{percent}");
        Value::new(heading, what, "ms", spread.percentile(percent) * 1e3)
    };
    [50, 99].map(of).into()
}

/// Sessions, opened as `axt session` opens them.
#[derive(Debug)]
struct Session {
    api: Api,
    network: Network,
    wanted: Open,
}

impl Session {
    fn of(parts: &Parts) -> anyhow::Result<Self> {
        let ready = &parts.ready;
        let ca = fs::read_to_string(&ready.ca_cert)?;
        let (dialer, tls) = (Dialer::tcp(), ClientTls::with_ca_pem(&ca)?);
        let http = HttpClient::new(dialer.clone(), tls.clone());
        let key = permanent(ready.access_key_id.clone(), ready.access_key_secret.clone());
        let region: RegionId = ready.region.clone();
        let api = Api::new(http, &ready.api_https, region, key, Wall::system())?;
        let instance: InstanceId = parts.instance.parse()?;
        Ok(Self {
            api,
            network: Network {
                dialer,
                tls,
                clock: Clock::running(Tick::default()),
                tap: Tap::none(),
            },
            wanted: Open {
                instance,
                command_line: Some(COMMAND.to_owned()),
                username: None,
            },
        })
    }

    async fn once(&self) -> anyhow::Result<Duration> {
        let start = link::now();
        let started = session::start(&self.api, &self.wanted).await?;
        let announce = Announce {
            extensions: EndOfInput::Closes.extensions(),
            size: Some(Size { rows: 24, cols: 80 }),
        };
        let link = session::connect(&self.network, &started, announce).await?;
        let (mut screen, output) = tokio::io::duplex(64 * 1024);
        let (_keyboard, input) = tokio::io::duplex(1);
        let ends = Ends {
            input,
            at_end_of_input: EndOfInput::Closes,
            output,
            sizes: Sizes::None,
            tape: None,
        };
        let (stop, stopped) = oneshot::channel();
        let first = async {
            let first = screen.read_u8().await;
            let took = link::now() - start;
            let _ = stop.send(());
            first.map(|_| took)
        };
        let stopped = async {
            let _ = stopped.await;
            Stop::Interrupt
        };
        let (took, _) = tokio::join!(first, session::run(link, ends, stopped));
        session::end(&self.api, &started.id).await;
        took.context("the session ended without a byte")
    }
}

impl Measure for Session {
    fn name(&self) -> String {
        "session: axt".to_owned()
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let mut times = Vec::new();
            let end = link::now() + span;
            while times.is_empty() || link::now() < end {
                times.push(self.once().await?);
            }
            Ok(values("axt: call, websocket, shell", times))
        })
    }
}

/// The same shell on a terminal of its own.
#[derive(Debug)]
struct Shell {
    tasks: Tasks,
}

impl Measure for Shell {
    fn name(&self) -> String {
        "session: the shell alone".to_owned()
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let shell = users_shell();
            let started = move || {
                let mut times = Vec::new();
                let end = link::now() + span;
                while times.is_empty() || link::now() < end {
                    times.push(shell_once(&shell)?);
                }
                anyhow::Ok(times)
            };
            let times = self.tasks.blocking("shell", started).await??;
            Ok(values("the shell alone", times))
        })
    }
}

/// Starts a shell on a new terminal; how long it takes to say something. Blocks.
fn shell_once(shell: &str) -> anyhow::Result<Duration> {
    let start = link::now();
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&terminal)?;
    unlockpt(&terminal)?;
    let name = ptsname(&terminal, Vec::new())?;
    let slave = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str()?)?;
    let slave = OwnedFd::from(slave);
    let mut child = Command::new(shell)
        .args(["-c", COMMAND])
        .stdin(Stdio::from(slave.try_clone()?))
        .stdout(Stdio::from(slave.try_clone()?))
        .stderr(Stdio::from(slave))
        .spawn()?;
    let mut screen = fs::File::from(terminal);
    let first = screen.read_exact(&mut [0]);
    let took = link::now() - start;
    child.kill()?;
    child.wait()?;
    first?;
    Ok(took)
}

/// The shell of the user that this runs as, by which the agent starts a command line too.
fn users_shell() -> String {
    let id = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let shell = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&id.as_str())).then(|| fields.get(6).map(ToString::to_string))?
    });
    shell
        .filter(|shell| !shell.is_empty())
        .unwrap_or_else(|| "/bin/sh".to_owned())
}
