//! Ways from a port of this machine to the [`Target`](crate::target::Target), each by programs of their
//! own: axt, the baselines, and what people would use instead.

pub(crate) mod axt;
mod peers;
pub(crate) mod process;
pub(crate) mod segments;

use std::{fmt, net::SocketAddr, time::Duration};

use axt_net::link;
use tempfile::TempDir;

pub(crate) use self::peers::Peer;
use self::{axt::Binary, process::Process};
use crate::target::{self, Asked};

/// How long a program may take until it works.
pub(crate) const STARTED_IN: Duration = Duration::from_secs(30);

/// A way that can be started, again and again.
#[derive(Clone)]
pub(crate) enum Way {
    /// Client, relay and agent; limits are off.
    Axt(Binary),
    /// A baseline: TLS from one process to another.
    OneSegment,
    /// A baseline in the shape of axt: two segments of TLS, and a relay that decrypts and encrypts.
    TwoSegments,
    /// Somebody else's.
    Peer(Peer),
}

/// What the figures of axt are called.
pub(crate) const AXT: &str = "axt";
/// What those of the baselines are called.
pub(crate) const ONE: &str = "one TLS segment";
pub(crate) const TWO: &str = "two TLS segments";

impl Way {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Axt(_) => AXT,
            Self::OneSegment => ONE,
            Self::TwoSegments => TWO,
            Self::Peer(peer) => peer.name(),
        }
    }

    /// Starts its processes, and sees a byte go there and back.
    ///
    /// # Errors
    /// What went wrong, with the last words of the process that it went wrong with.
    pub(crate) async fn start(&self, target: u16) -> anyhow::Result<Running> {
        let started = async {
            let running = match self {
                Self::Axt(binary) => {
                    let parts = axt::Parts::start(binary, axt::NO_LIMITS).await?;
                    parts.forward(target).await?
                }
                Self::OneSegment => segments::one(target).await?,
                Self::TwoSegments => segments::two(target).await?,
                Self::Peer(peer) => peer.start(target).await?,
            };
            running.works().await?;
            anyhow::Ok(running)
        };
        started.await.map_err(|error| error.context(self.name()))
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A way that is there. Its processes are killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) name: &'static str,
    /// Where it begins.
    pub(crate) at: SocketAddr,
    pub(crate) processes: Vec<Process>,
    /// Their files.
    pub(crate) _folder: TempDir,
}

impl Running {
    /// Waits until a byte comes back.
    async fn works(&self) -> anyhow::Result<()> {
        let probe = async {
            loop {
                let attempt = async {
                    let mut stream = target::ask(self.at, Asked::Echo).await?;
                    target::echo_once(&mut stream).await
                };
                match link::timeout(Duration::from_secs(2), attempt).await {
                    Ok(Ok(())) => return,
                    // Not yet.
                    _ => link::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let Err(late) = link::timeout(STARTED_IN, probe).await else {
            return Ok(());
        };
        let words: Vec<_> = self.processes.iter().map(Process::last_words).collect();
        anyhow::bail!(
            "nothing comes back from {}: {late}; {}",
            self.at,
            words.join("; ")
        )
    }

    /// The processor time that all its processes have used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Ends its processes, and waits until they are gone.
    pub(crate) async fn stop(mut self) {
        for process in &mut self.processes {
            process.kill().await;
        }
    }
}
