//! The commands that an agent runs at the moment: its run-command tasks (wire-protocol 10.7).
//!
//! What lives here: which tasks there are, from the task list; one runner for each, which has the
//! script run and reports on it. What never does: a decision about who may run what.

mod check;
mod execute;
mod report;
mod script;
mod unsent;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axt_control::luban::{
    SessionList, TaskEnd, TaskNews,
    notify::TaskId,
    task::{Reason, Task},
};
use axt_net::{link, tasks::Tasks};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::{
    report::{Reporter, TRIES, TRY_AGAIN},
    unsent::Piece,
};
use crate::calls::Relay;

/// How many tasks are remembered that are over, so that a list that still has one starts it only
/// once.
const REMEMBERED: usize = 1_024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Commands {
    relay: Arc<Relay>,
    tasks: Tasks,
    known: Arc<Mutex<Known>>,
    /// Whether the first task list has come. What the agent is kicked for waits until then, for that
    /// list says what ended with an earlier process.
    is_begun: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Known {
    live: BTreeMap<TaskId, CancellationToken>,
    over: VecDeque<TaskId>,
}

impl Known {
    /// The task is not to be started any more.
    fn set_over(&mut self, id: TaskId) {
        if self.over.contains(&id) {
            return;
        }
        self.over.push_back(id);
        if self.over.len() > REMEMBERED {
            self.over.pop_front();
        }
    }
}

impl Commands {
    /// Commands whose tasks belong to `tasks`; when its token is cancelled, each is stopped as if
    /// the relay had said so.
    pub(crate) fn new(relay: Arc<Relay>, tasks: Tasks) -> Self {
        Self {
            relay,
            tasks,
            known: Arc::default(),
            is_begun: watch::Sender::new(false),
        }
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The first task list has come.
    pub(crate) fn begin(&self, list: SessionList) {
        self.take(list);
        self.is_begun.send_replace(true);
    }

    /// There is something to run or to stop: all that there is, or one task.
    pub(crate) fn fetch(self: &Arc<Self>, task: Option<TaskId>) {
        let commands = Arc::clone(self);
        self.tasks.spawn("agent task list", async move {
            let stop = commands.tasks.token().clone();
            stop.run_until_cancelled(commands.fetched(task)).await;
        });
    }

    async fn fetched(&self, task: Option<TaskId>) {
        // The sender lives as long as this.
        let _ = self
            .is_begun
            .subscribe()
            .wait_for(|is_begun| *is_begun)
            .await;
        for number in 1..=TRIES {
            match self.relay.task_list(Reason::Kickoff(task.clone())).await {
                Ok(list) => return self.take(list),
                Err(error) => tracing::debug!(?task, %error, "no task list"),
            }
            if number < TRIES {
                link::sleep(TRY_AGAIN).await;
            }
        }
        tracing::warn!(?task, "the relay lists no task");
    }

    fn take(&self, list: SessionList) {
        for task in list.stop {
            self.stop(task);
        }
        for task in list.run {
            self.run(task);
        }
    }

    fn stop(&self, task: Task) {
        let Ok(id) = task.task.task_id.parse::<TaskId>() else {
            return;
        };
        let mut known = lock(&self.known);
        if let Some(stop) = known.live.get(&id) {
            return stop.cancel();
        }
        // It is over, or it ended with an earlier process: that is for the relay to know. A list that was
        // made before and comes later may still have it to run.
        known.set_over(id);
        drop(known);
        let reporter = Reporter::new(&self.relay, &task);
        self.tasks.spawn("agent task report", async move {
            let news = TaskNews::Stopped {
                end: TaskEnd::default(),
                was_killed: true,
            };
            reporter.post(news, Piece::default()).await;
        });
    }

    fn run(&self, task: Task) {
        let Ok(id) = task.task.task_id.parse::<TaskId>() else {
            tracing::warn!(instance = %self.relay.instance(), "a task without a usable id");
            return;
        };
        let Some((place, stop)) = self.take_place(id) else {
            return;
        };
        let relay = Arc::clone(&self.relay);
        self.tasks.spawn("agent command", async move {
            let _place = place;
            execute::run(&relay, &task, stop).await;
        });
    }

    /// A task's place among the live ones; `None` when it has or had one.
    fn take_place(&self, id: TaskId) -> Option<(Place, CancellationToken)> {
        let mut known = lock(&self.known);
        if known.live.contains_key(&id) || known.over.contains(&id) {
            return None;
        }
        let stop = self.tasks.token().child_token();
        known.live.insert(id.clone(), stop.clone());
        let place = Place {
            id,
            known: Arc::clone(&self.known),
        };
        Some((place, stop))
    }
}

/// Given back when the command is over, however it ended.
struct Place {
    id: TaskId,
    known: Arc<Mutex<Known>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut known = lock(&self.known);
        known.live.remove(&self.id);
        known.set_over(self.id.clone());
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
