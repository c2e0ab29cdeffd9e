//! What the relay says has happened, from the start on, over restarts too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axt_control::admin::EventLine;
use axt_net::tasks::Tasks;
use axt_proto::Event;
use axt_sandbox::{Followed, Follower, Sandbox};
use tokio::sync::watch;

/// See the module.
pub(crate) struct Events {
    shared: Arc<Shared>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Shared {
    all: Mutex<Vec<EventLine>>,
    count: watch::Sender<usize>,
}

impl Shared {
    fn all(&self) -> MutexGuard<'_, Vec<EventLine>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, event: &Event) {
        let count = {
            let mut all = self.all();
            all.push(event.clone().into());
            all.len()
        };
        self.count.send_replace(count);
    }
}

impl Events {
    /// Follows a sandbox's relay from its first event on.
    pub(crate) async fn follow(sandbox: &Sandbox) -> Self {
        let shared = Arc::new(Shared {
            all: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let events = Self {
            shared,
            tasks: Tasks::new(),
        };
        events.follow_again(sandbox).await;
        events
    }

    /// Follows a relay that was started again.
    pub(crate) async fn follow_again(&self, sandbox: &Sandbox) {
        let Some((past, follower)) = sandbox.follow(0).await else {
            return;
        };
        for event in past {
            self.shared.add(&event);
        }
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn("events", keep(follower, shared));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.shared.all().len()
    }

    /// Those from that one on.
    pub(crate) fn since(&self, index: usize) -> Vec<EventLine> {
        self.shared.all().get(index..).unwrap_or_default().to_vec()
    }

    /// A way to wait for more.
    pub(crate) fn more(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }
}

async fn keep(mut follower: Follower, shared: Arc<Shared>) {
    while let Some(followed) = follower.next().await {
        match followed {
            Followed::Event(event) => shared.add(&event),
            Followed::Lagged(missed) => tracing::warn!(missed, "events were missed"),
        }
    }
}
