//! StartTerminalSession and EndTerminalSession, beside what they cannot be faster than.
//!
//! The relay is the whole of it, on real sockets and with its journal on disk; the callers, in the same
//! process, sign each call as the SDKs do and keep their connections. The baseline commits what the relay
//! has journalled for such sessions again, by as many callers, straight into a journal.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use axt_client::{Api, api::permanent};
use axt_net::{http::HttpClient, link, wall::Wall};
use axt_proto::{InstanceId, Limits};
use axt_sandbox::{Sandbox, SandboxConfig, State};
use clap::Args;

use crate::{
    callers::{Done, go_around},
    journal::Commits,
    progress::Progress,
    report::Figure,
    rounds::{Measure, Plan, Round, Value, take_turns},
};

/// How many callers there are unless told otherwise.
const CALLERS: usize = 64;

#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// How many callers there are at the same time, each with a connection of its own.
    #[arg(long, value_name = "N", default_value_t = CALLERS)]
    callers: usize,
    /// Call over TLS, as the cloud is called.
    #[arg(long)]
    tls: bool,
    /// Where the journals are; a temporary folder without. What counts is the disk.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            callers: CALLERS,
            tls: false,
            folder: None,
        }
    }
}

impl Flags {
    /// What is measured, in a line.
    pub(crate) fn title(&self) -> String {
        let scheme = if self.tls { "HTTPS" } else { "HTTP" };
        format!(
            "StartTerminalSession/EndTerminalSession, {} callers over {scheme}",
            self.callers
        )
    }
}

/// Measures, and stops what it has started.
pub(crate) async fn figures(
    flags: &Flags,
    plan: Plan,
    progress: &Progress,
) -> anyhow::Result<Vec<Figure>> {
    let folder = match &flags.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.context("no folder for the journals")?;
    let state = folder.path().join("state");

    // What the baseline commits is what these sessions leave behind.
    let sandbox = start(state.clone()).await?;
    let warm_up = Pairs::of(&sandbox, flags)?.round(plan.span).await;
    sandbox.shutdown().await;
    warm_up.context("the first round")?;
    let bare = folder.path().join("bare.redb");
    let commits = Commits::of(&state.join(axt_sandbox::JOURNAL), &bare, flags.callers)?;

    let sandbox = start(state).await?;
    let pairs = Pairs::of(&sandbox, flags)?;
    let mut measures: Vec<Box<dyn Measure>> = vec![Box::new(pairs), Box::new(commits)];
    let figures = take_turns(plan, &mut measures, progress).await;
    drop(measures);
    sandbox.shutdown().await;
    figures
}

/// A sandbox whose region has room for a session of every caller.
async fn start(state: PathBuf) -> anyhow::Result<Sandbox> {
    let config = SandboxConfig {
        state: State::Kept(state),
        limits: Limits {
            sessions_per_region: u32::MAX,
            ..Limits::default()
        },
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.context("no sandbox")
}

/// The pairs of calls.
#[derive(Debug)]
struct Pairs {
    callers: Vec<Caller>,
}

#[derive(Clone, Debug)]
struct Caller {
    api: Api,
    instance: InstanceId,
}

impl Pairs {
    fn of(sandbox: &Sandbox, flags: &Flags) -> anyhow::Result<Self> {
        let (network, ready) = (sandbox.network(), sandbox.ready());
        let endpoint = if flags.tls {
            &ready.api_https
        } else {
            &ready.api_http
        };
        let caller = |_| {
            // A client of its own is a connection of its own.
            let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
            let key = permanent(ready.access_key_id.clone(), ready.access_key_secret.clone());
            let api = Api::new(http, endpoint, ready.region.clone(), key, Wall::system())?;
            let instance = sandbox.instance().clone();
            anyhow::Ok(Caller { api, instance })
        };
        let callers = (0..flags.callers.max(1))
            .map(caller)
            .collect::<Result<_, _>>()?;
        Ok(Self { callers })
    }

    async fn round(&self, span: Duration) -> anyhow::Result<Done> {
        go_around(self.callers.clone(), span, Caller::pair).await
    }
}

impl Caller {
    /// Starts a session and ends it; how long each call took.
    async fn pair(self) -> anyhow::Result<(Self, Vec<Duration>)> {
        let start = link::now();
        let wanted = [("InstanceId.1", self.instance.as_str())];
        let started = self.api.call("StartTerminalSession", &wanted).await?;
        let between = link::now();
        let session = started.get("SessionId").and_then(|id| id.as_str());
        let session = session.context("an answer without SessionId")?;
        self.api
            .call("EndTerminalSession", &[("SessionId", session)])
            .await?;
        let end = link::now();
        Ok((self, vec![between - start, end - between]))
    }
}

impl Measure for Pairs {
    fn name(&self) -> String {
        "API".to_owned()
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        Box::pin(async move {
            let done = Pairs::round(self, span).await?;
            let value = |what, unit, value| Value::new("API", what, unit, value);
            Ok(vec![
                value("pairs", "1/s", done.rate()),
                value("a call, p50", "ms", done.steps.percentile(50) * 1e3),
                value("a call, p99", "ms", done.steps.percentile(99) * 1e3),
            ])
        })
    }
}
