//! The channels that an agent serves at the moment.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axt_control::luban::Notify;
use axt_net::tasks::Tasks;
use axt_proto::ChannelId;
use tokio_util::sync::CancellationToken;

use crate::{calls::Relay, channel, commands::Commands};

/// Who is served, and how each is told to stop.
#[derive(Debug)]
pub(crate) struct Channels {
    relay: Arc<Relay>,
    commands: Arc<Commands>,
    tasks: Tasks,
    live: Arc<Live>,
    /// How many notify channels there have been.
    notify_channel: AtomicU64,
    /// Cancelled when the agent is no agent of this relay any more.
    deregistered: CancellationToken,
}

type Live = Mutex<BTreeMap<ChannelId, Served>>;

/// One that is served.
#[derive(Debug)]
struct Served {
    stop: CancellationToken,
    /// Whether the relay has told what it is to open.
    has_begun: bool,
    /// The notify channel over which it was kicked for last.
    kicked_over: u64,
}

/// What becomes of a kick.
enum Kick {
    Serve(Place, CancellationToken),
    /// The channel is asked for, and the kick came again with another notify channel: its relay did not
    /// know whether the first one had arrived.
    AskedFor,
    /// A second start of the channel (wire-protocol 9.5).
    Duplicate,
}

impl Channels {
    /// Channels whose tasks belong to `tasks`; when its token is cancelled, each is stopped as if
    /// the relay had said so.
    pub(crate) fn new(relay: Arc<Relay>, commands: Arc<Commands>, tasks: Tasks) -> Self {
        Self {
            relay,
            commands,
            tasks,
            live: Arc::default(),
            notify_channel: AtomicU64::new(0),
            deregistered: CancellationToken::new(),
        }
    }

    /// Waits until the agent has been told to deregister, and has.
    pub(crate) async fn deregistered(&self) {
        self.deregistered.cancelled().await;
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// What is obeyed from now on comes over another notify channel.
    pub(crate) fn notify_dialled(&self) {
        self.notify_channel.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn obey(&self, command: Notify) {
        match command {
            Notify::SessionStart(id) => self.start(id),
            Notify::SessionStop(_) if self.relay.config().behaviour.ignores_stop => {}
            Notify::SessionStop(id) => {
                if let Some(served) = lock(&self.live).get(&id) {
                    served.stop.cancel();
                }
            }
            Notify::Fetch => self.commands.fetch(None),
            Notify::TaskRun(id) | Notify::TaskStop(id) => self.commands.fetch(Some(id)),
            Notify::AgentDeregister => self.deregister(),
            // A probe wants nothing but its answer.
            Notify::Noop => {}
        }
    }

    /// Takes the registration back, as it was told to. A relay that refuses keeps its agent.
    fn deregister(&self) {
        let (relay, deregistered) = (Arc::clone(&self.relay), self.deregistered.clone());
        self.tasks.spawn("agent deregistration", async move {
            match relay.deregister().await {
                Ok(()) => deregistered.cancel(),
                Err(error) => {
                    tracing::warn!(instance = %relay.instance(), %error, "still registered");
                }
            }
        });
    }

    fn start(&self, id: ChannelId) {
        let relay = Arc::clone(&self.relay);
        let (place, stop) = match self.take_place(&id) {
            Kick::Serve(place, stop) => (place, stop),
            Kick::AskedFor => return,
            Kick::Duplicate => {
                self.tasks
                    .spawn("agent refusal", channel::refuse_duplicate(relay, id));
                return;
            }
        };
        let tasks = self.tasks.child();
        self.tasks.spawn("agent channel", async move {
            channel::serve(relay, id, stop, tasks, || place.begins()).await;
        });
    }

    /// A channel's place among the live ones, unless it is taken.
    fn take_place(&self, id: &ChannelId) -> Kick {
        let mut live = lock(&self.live);
        let kicked_over = self.notify_channel.load(Ordering::Relaxed);
        if let Some(served) = live.get_mut(id) {
            let is_new = std::mem::replace(&mut served.kicked_over, kicked_over) != kicked_over;
            return match is_new && !served.has_begun {
                true => Kick::AskedFor,
                false => Kick::Duplicate,
            };
        }
        let stop = self.tasks.token().child_token();
        let served = Served {
            stop: stop.clone(),
            has_begun: false,
            kicked_over,
        };
        live.insert(id.clone(), served);
        let place = Place {
            id: id.clone(),
            live: Arc::clone(&self.live),
        };
        Kick::Serve(place, stop)
    }
}

/// Given back when the channel is over, however it ended.
struct Place {
    id: ChannelId,
    live: Arc<Live>,
}

impl Place {
    /// The relay has told what the channel is to open.
    fn begins(&self) {
        if let Some(served) = lock(&self.live).get_mut(&self.id) {
            served.has_begun = true;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.live).remove(&self.id);
    }
}

fn lock(live: &Live) -> MutexGuard<'_, BTreeMap<ChannelId, Served>> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}
