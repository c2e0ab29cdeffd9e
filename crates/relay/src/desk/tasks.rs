//! Commands: agents are told of them, and waited for on link time (wire-protocol 10.7).

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use axt_control::luban::{Notify, notify::TaskId};
use axt_net::link;
use axt_proto::{CommandId, InstanceId, InvocationId, RegionId, id::MalformedId};
use axt_registry::{
    Changes, Invocation, InvokeRefusal, InvokeRequest, RunReport, RunStatus, UnknownInvocation,
};

use super::Desk;
use crate::ids;

/// What a list may hold at once; the commands behind them have their own kicks.
const LISTED: usize = 32;

type Key = (InvocationId, InstanceId);

/// Which commands are waited for, and until when.
#[derive(Debug, Default)]
pub(super) struct Watches {
    until: HashMap<Key, link::Instant>,
    queue: BTreeSet<(link::Instant, Key)>,
}

impl Watches {
    /// When the first of them is overdue.
    pub(super) fn next(&self) -> Option<link::Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    pub(super) fn set(&mut self, key: Key, within: Option<Duration>) {
        if let Some(at) = self.until.remove(&key) {
            self.queue.remove(&(at, key.clone()));
        }
        if let Some(within) = within {
            let at = link::now() + within;
            self.until.insert(key.clone(), at);
            self.queue.insert((at, key));
        }
    }

    fn take_overdue(&mut self) -> Option<Key> {
        let (at, _) = self.queue.first()?;
        if *at > link::now() {
            return None;
        }
        let (_, key) = self.queue.pop_first()?;
        self.until.remove(&key);
        Some(key)
    }
}

/// What an agent is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskWork {
    pub(crate) run: Vec<Invocation>,
    pub(crate) stop: Vec<InvocationId>,
}

impl Desk {
    /// An id for a command.
    pub(crate) fn command_id(&mut self, region: &RegionId) -> Result<CommandId, MalformedId> {
        let letters = ids::letters(region, &self.letters);
        self.ids.command(letters)
    }

    /// Has a command run.
    pub(crate) fn invoke(
        &mut self,
        request: &InvokeRequest,
    ) -> (Result<InvocationId, InvokeRefusal>, Changes) {
        let letters = ids::letters(&request.region, &self.letters);
        let Ok(fresh) = self.ids.invocation(letters) else {
            tracing::error!(region = %request.region, letters, "no id can have these letters");
            return (Err(InvokeRefusal::IdTaken), Changes::default());
        };
        self.registry.invoke(self.now(), request, fresh)
    }

    /// Stops a command; answers once that is durable.
    pub(crate) fn stop_invocation(
        &mut self,
        id: &InvocationId,
        reply: impl FnOnce(Result<(), super::NotDone<UnknownInvocation>>) + Send + 'static,
    ) {
        let stopped = self.registry.stop_invocation(self.now(), id);
        self.change(stopped, reply);
    }

    /// What the agent is to run and to stop: all that there is, or what it was kicked for. What is
    /// over, or was never heard of, is to be stopped.
    pub(crate) fn task_work(
        &mut self,
        instance: &InstanceId,
        only: Option<&InvocationId>,
    ) -> TaskWork {
        let mut work = TaskWork::default();
        let mut is_known = false;
        for (invocation, run) in self.registry.tasks(instance) {
            if only.is_some_and(|only| *only != invocation.id) {
                continue;
            }
            is_known = true;
            match run.status {
                RunStatus::Pending if work.run.len() < LISTED => work.run.push(invocation.clone()),
                RunStatus::Stopping => work.stop.push(invocation.id.clone()),
                _ => {}
            }
        }
        if let Some(only) = only.filter(|_| !is_known) {
            work.stop.push(only.clone());
        }
        work
    }

    /// The agent is a new process.
    pub(crate) fn agent_restarted(&mut self, instance: &InstanceId) {
        let changes = self.registry.agent_restarted(self.now(), instance);
        self.apply(changes);
    }

    /// An agent reports; answers once its word is durable.
    pub(crate) fn task_reported(
        &mut self,
        instance: &InstanceId,
        invocation: &InvocationId,
        report: RunReport,
        reply: impl FnOnce(bool) + Send + 'static,
    ) {
        let now = self.now();
        let changes = self
            .registry
            .run_reported(now, instance, invocation, report);
        self.apply_and(changes, |_, result| reply(result.is_ok()));
    }

    /// Kicks an agent that has come for all that waits for it.
    pub(super) fn kick_tasks(&mut self, instance: &InstanceId) {
        let waiting = self.registry.tasks(instance).into_iter();
        let commands: Vec<Notify> = waiting
            .filter_map(|(invocation, run)| match run.status {
                RunStatus::Pending => task(&invocation.id).map(Notify::TaskRun),
                RunStatus::Stopping => task(&invocation.id).map(Notify::TaskStop),
                _ => None,
            })
            .collect();
        for command in commands {
            self.links.send(instance, command);
        }
    }

    pub(super) fn tell_task(
        &mut self,
        instance: &InstanceId,
        invocation: &InvocationId,
        command: fn(TaskId) -> Notify,
    ) {
        if let Some(task) = task(invocation) {
            self.links.send(instance, command(task));
        }
    }

    /// Agents have not said in time what they were expected to.
    pub(super) fn tasks_overdue(&mut self) {
        while let Some((invocation, instance)) = self.watches.take_overdue() {
            let changes = self
                .registry
                .run_overdue(self.now(), &instance, &invocation);
            self.apply(changes);
        }
    }
}

/// Every invocation's id is a task's.
fn task(invocation: &InvocationId) -> Option<TaskId> {
    invocation.as_str().parse().ok()
}
