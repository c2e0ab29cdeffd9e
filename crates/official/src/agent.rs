//! The official agent: its calls at start, its notify channel, and its sessions (wire-protocol 8 to
//! 10).

mod calls;
mod notify;
mod port;
mod pty;
mod session;
mod shell;
mod task;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axt_control::luban::Signer;
use axt_net::{tasks::Tasks, transport::Dialer, wall::Wall};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{Complaints, Network};

/// Who an agent says it is (wire-protocol 10.1).
#[derive(Clone, Debug)]
pub enum Who {
    /// A registered one, which signs.
    Registered(Box<Signer>),
    /// One that has the instance's id from the metadata service.
    Named(String),
    /// One that never registered and was given its host: it says nothing at all.
    Nobody,
}

/// What an agent is started with.
#[derive(Clone, Debug)]
pub struct AgentSetup {
    /// The relay's root: `https://HOST[:PORT]` or `http://…`.
    pub server: String,
    /// Who it is.
    pub who: Who,
    /// What it signs beside, and tells in its first heart-beat.
    pub machine_id: String,
    /// Four numbers with dots.
    pub version: String,
    /// How it reaches the targets of forwards.
    pub targets: Dialer,
    /// The users that this machine knows, beside `root`, as whom no session is opened.
    pub users: Vec<String>,
    /// Whether its shells are real ones on terminals of this machine, instead of a script.
    pub has_terminals: bool,
    /// Wall time.
    pub wall: Wall,
    /// How long it takes from its notify channel to its first heart-beat.
    pub slow_start: Duration,
}

impl AgentSetup {
    /// An agent on this machine's own network.
    #[must_use]
    pub fn new(server: impl Into<String>, who: Who) -> Self {
        Self {
            server: server.into(),
            who,
            machine_id: "3d1219c7c4c5404aaa1f6d2a48adfda4".to_owned(),
            version: "2.2.3.500".to_owned(),
            targets: Dialer::tcp(),
            users: vec!["dev".to_owned()],
            has_terminals: false,
            wall: Wall::system(),
            slow_start: Duration::ZERO,
        }
    }
}

/// A running agent. Its drop is its process's end: sockets just drop, and nothing is posted. Whatever
/// it would have choked on fails the test then.
#[derive(Debug)]
pub struct OfficialAgent {
    agent: Arc<Agent>,
    is_ready: watch::Receiver<bool>,
    _tasks: Tasks,
}

impl OfficialAgent {
    /// Starts it.
    #[must_use]
    pub fn start(setup: AgentSetup, network: Network) -> Self {
        let tasks = Tasks::new();
        let (ready, is_ready) = watch::channel(false);
        let agent = Arc::new(Agent {
            setup,
            network,
            complaints: Complaints::default(),
            process: CancellationToken::new(),
            tasks: tasks.child(),
            live: Mutex::default(),
            running: Mutex::default(),
            cut: Notify::new(),
            cut_off: Notify::new(),
            calls: Mutex::default(),
            ready,
        });
        agent.spawn(calls::start_up(Arc::clone(&agent)));
        Self {
            agent,
            is_ready,
            _tasks: tasks,
        }
    }

    /// Waits until its notify channel is open and its start-up is complete.
    pub async fn online(&mut self) {
        let online = self.is_ready.wait_for(|is_ready| *is_ready).await;
        online.expect("the agent's process goes on");
    }

    /// What it has called, in order: method, path and query.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        lock(&self.agent.calls).clone()
    }

    /// How many sessions it runs.
    #[must_use]
    pub fn sessions(&self) -> usize {
        lock(&self.agent.live).len()
    }

    /// Loses its data channels on the way, as a network does; it dials them again.
    pub fn lose_data_channels(&self) {
        self.agent.cut.notify_waiters();
    }

    /// Loses all its websockets at once, as when something on the way to the relay is started anew. Its
    /// data channels are dialled again at once, and its notify channel 6 s later.
    pub fn lose_network(&self) {
        self.agent.cut_off.notify_waiters();
        self.agent.cut.notify_waiters();
    }

    /// Whether it has crashed, as it does on a division by zero.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.agent.process.is_cancelled()
    }

    /// What it would have choked on so far.
    #[must_use]
    pub fn complaints(&self) -> &Complaints {
        &self.agent.complaints
    }
}

impl Drop for OfficialAgent {
    fn drop(&mut self) {
        self.agent.process.cancel();
        self.agent.complaints.settle("agent");
    }
}

/// The process.
#[derive(Debug)]
struct Agent {
    setup: AgentSetup,
    network: Network,
    complaints: Complaints,
    /// Cancelled when it crashes, or is ended.
    process: CancellationToken,
    tasks: Tasks,
    /// Channels that run, and how each is stopped: `None` once a second start has spoilt that
    /// (wire-protocol 9.5).
    live: Mutex<HashMap<String, Option<CancellationToken>>>,
    /// Tasks that run.
    running: Mutex<task::Tasks>,
    /// Told when its data channels are lost.
    cut: Notify,
    /// Told when its notify channel is lost.
    cut_off: Notify,
    calls: Mutex<Vec<String>>,
    ready: watch::Sender<bool>,
}

impl Agent {
    fn spawn(self: &Arc<Self>, thread: impl Future<Output = ()> + Send + 'static) {
        let process = self.process.clone();
        self.tasks.spawn("official agent", async move {
            process.run_until_cancelled(thread).await;
        });
    }

    /// A division by zero outside of a session's reader ends the process.
    fn crash(&self, why: String) {
        self.complaints.file(format!("crashed: {why}"));
        self.process.cancel();
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.setup.wall.now().as_millisecond()).unwrap_or_default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
