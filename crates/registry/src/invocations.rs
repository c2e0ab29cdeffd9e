//! Invocations as a whole: what is derived from their runs, and how long they are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axt_proto::{InstanceId, InvocationId, Tick};

use crate::{
    Command, Effect, Invocation, Registry, RowKey, Run,
    deadline::Deadline,
    index::{Scope, count, place},
    registry::Step,
    run::RunKey,
};

/// What is derived from invocations and runs, a part of the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunIndex {
    /// The runs of an invocation.
    of_invocation: BTreeMap<InvocationId, BTreeSet<InstanceId>>,
    /// Runs that are not over.
    pub(crate) unfinished_on: BTreeMap<InstanceId, BTreeSet<InvocationId>>,
    /// Those of an invocation.
    unfinished_of: BTreeMap<InvocationId, BTreeSet<InstanceId>>,
    /// All runs.
    pub(crate) results: BTreeMap<Scope, BTreeSet<RunKey>>,
    /// Invocations with nothing left to run, oldest first.
    settled: BTreeMap<Scope, BTreeSet<(Tick, InvocationId)>>,
}

impl Registry {
    /// All invocations of all regions and accounts, newest first. Sorted at each call.
    #[must_use]
    pub fn invocations(&self) -> Vec<&Invocation> {
        let mut all: Vec<_> = self.invocations.values().collect();
        all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        all
    }

    /// An invocation.
    #[must_use]
    pub fn invocation(&self, id: &InvocationId) -> Option<&Invocation> {
        self.invocations.get(id)
    }

    /// The runs of an invocation, by instance.
    pub fn runs_of<'a>(&'a self, id: &'a InvocationId) -> impl Iterator<Item = &'a Run> {
        let instances = self.index.runs.of_invocation.get(id).into_iter().flatten();
        instances.filter_map(move |instance| self.runs.get(&(id.clone(), instance.clone())))
    }

    /// All commands that are kept, by id.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// How many commands wait or run on an instance.
    #[must_use]
    pub fn tasks_of(&self, instance: &InstanceId) -> usize {
        count(&self.index.runs.unfinished_on, instance)
    }

    pub(crate) fn keys_of(&self, id: &InvocationId) -> Vec<RunKey> {
        let runs = self.runs_of(id);
        runs.map(|run| (run.invocation.clone(), run.instance.clone()))
            .collect()
    }

    /// Puts a run into the sets where it belongs, or takes one that is forgotten out of them.
    pub(crate) fn reindex_run(&mut self, key: &RunKey) {
        let run = self.runs.get(key);
        let (exists, is_open) = (run.is_some(), run.is_some_and(|run| !run.status.is_over()));
        let (invocation, instance) = key;
        let runs = &mut self.index.runs;
        place(
            &mut runs.of_invocation,
            invocation.clone(),
            instance.clone(),
            exists,
        );
        place(
            &mut runs.unfinished_on,
            instance.clone(),
            invocation.clone(),
            is_open,
        );
        place(
            &mut runs.unfinished_of,
            invocation.clone(),
            instance.clone(),
            is_open,
        );
        if let Some(scope) = self.invocations.get(invocation).map(Invocation::scope) {
            place(&mut runs.results, scope, key.clone(), exists);
        }
    }

    /// A run of the invocation is over, or it is new: then it is not trimmed itself, for its caller
    /// has not heard of it.
    pub(crate) fn refresh_invocation(&mut self, step: &mut Step, id: &InvocationId, is_new: bool) {
        self.reindex_invocation(id);
        if let Some(scope) = self.invocations.get(id).map(Invocation::scope) {
            self.trim_results(step, &scope, is_new.then_some(id));
        }
    }

    pub(crate) fn reindex_invocation(&mut self, id: &InvocationId) {
        let Some(invocation) = self.invocations.get(id) else {
            return;
        };
        let is_settled = !self.index.runs.unfinished_of.contains_key(id);
        let entry = (invocation.created, id.clone());
        let kept = Duration::from_secs(86_400) * self.limits.command_days;
        let deadline = (invocation.created + kept, Deadline::Results(id.clone()));
        let scope = invocation.scope();
        place(&mut self.index.runs.settled, scope, entry, is_settled);
        if is_settled {
            self.index.deadlines.insert(deadline);
        } else {
            self.index.deadlines.remove(&deadline);
        }
    }

    /// Keeps the newest results of a region and account (limits-and-semantics 5). A call's results
    /// go together, and those of one that is not over never go, nor those of `latest`.
    fn trim_results(&mut self, step: &mut Step, scope: &Scope, latest: Option<&InvocationId>) {
        let limit = usize::try_from(self.limits.command_results).unwrap_or(usize::MAX);
        while count(&self.index.runs.results, scope) > limit
            && let Some((_, oldest)) = self.index.runs.settled.get(scope).and_then(|it| it.first())
            && Some(oldest) != latest
        {
            let oldest = oldest.clone();
            self.forget_invocation(step, &oldest);
        }
    }

    /// Drops a call's record with its results.
    pub(crate) fn forget_invocation(&mut self, step: &mut Step, id: &InvocationId) {
        let Some(invocation) = self.invocations.get(id) else {
            return;
        };
        let (scope, created) = (invocation.scope(), invocation.created);
        let kept = Duration::from_secs(86_400) * self.limits.command_days;
        for key in self.keys_of(id) {
            self.runs.remove(&key);
            self.reindex_run(&key);
            step.delete(RowKey::Run(key.0, key.1));
        }
        place(
            &mut self.index.runs.settled,
            scope,
            (created, id.clone()),
            false,
        );
        let deadline = (created + kept, Deadline::Results(id.clone()));
        self.index.deadlines.remove(&deadline);
        self.invocations.remove(id);
        step.delete(RowKey::Invocation(id.clone()));
    }

    /// Stops every command and forgets them all, those that were kept too.
    pub(crate) fn forget_commands(&mut self, step: &mut Step) {
        let open = self.runs.values().filter(|run| !run.status.is_over());
        for run in open {
            let (instance, invocation) = (run.instance.clone(), run.invocation.clone());
            step.effect(Effect::StopTask {
                instance: instance.clone(),
                invocation: invocation.clone(),
            });
            step.effect(Effect::Watch {
                instance,
                invocation,
                within: None,
            });
        }
        let all: Vec<_> = self.invocations.keys().cloned().collect();
        for id in all {
            self.forget_invocation(step, &id);
        }
        for id in std::mem::take(&mut self.commands).into_keys() {
            step.delete(RowKey::Command(id));
        }
    }

    /// The sets from nothing.
    pub(crate) fn rebuild_run_index(&mut self) {
        let keys: Vec<_> = self.runs.keys().cloned().collect();
        for key in keys {
            self.reindex_run(&key);
        }
        let all: Vec<_> = self.invocations.keys().cloned().collect();
        for id in all {
            self.reindex_invocation(&id);
        }
    }
}
