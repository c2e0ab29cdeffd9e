//! How a run goes on: its agent's reports, its agent's silence, and its end.

use std::time::Duration;

use axt_proto::{EventKind, InstanceId, InvocationId, Tick};

use crate::{
    Changes, Effect, Invocation, Registry, Row, Run, RunStatus, Trouble,
    index::members,
    invoke::DELIVERY,
    registry::{Step, Subject},
};

/// What a run is found by.
pub(crate) type RunKey = (InvocationId, InstanceId);

/// How much longer than its time-out a command is waited for, and how long its stop: the agent ends
/// what the command has started and repeats a report that fails. Link time.
const SILENCE: Duration = Duration::from_secs(60);

/// An agent's report on a task (wire-protocol 10.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// What it says.
    pub news: RunNews,
    /// Output that earlier reports have not told.
    pub output: Vec<u8>,
    /// How many bytes of output came before it, where the agent says so.
    pub position: Option<u64>,
    /// How many bytes of output the agent has cut so far, where it says so.
    pub dropped: Option<u64>,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunNews {
    /// It runs.
    Running,
    /// It ended by itself, with that exit code.
    Finished(i32),
    /// It was over its time and was ended.
    TimedOut,
    /// It was stopped; the exit code that it had then.
    Stopped(Option<i32>),
    /// It could not be run: a code and a description of the agent's.
    Error(String, String),
    /// A check failed: which, and the value.
    Invalid(String, String),
}

/// No invocation has that id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no invocation `{0}`")]
pub struct UnknownInvocation(pub InvocationId);

impl Registry {
    /// An agent reports on a task. One that the instance does not have is nobody's; a command that
    /// still runs although it is over here is to be stopped.
    pub fn run_reported(
        &mut self,
        now: Tick,
        instance: &InstanceId,
        invocation: &InvocationId,
        report: RunReport,
    ) -> Changes {
        let key = (invocation.clone(), instance.clone());
        let reported = |registry: &mut Self, step: &mut Step| {
            let Some(run) = registry.runs.get_mut(&key) else {
                return;
            };
            if run.status.is_over() {
                if report.news == RunNews::Running {
                    step.effect(stop(&key));
                }
                return;
            }
            run.output
                .join(&report.output, report.position, report.dropped);
            run.started.get_or_insert(step.now);
            registry.take_news(step, &key, report.news);
        };
        self.step(now, reported).1
    }

    fn take_news(&mut self, step: &mut Step, key: &RunKey, news: RunNews) {
        let (status, exit_code, trouble) = match news {
            RunNews::Running => return self.run_goes_on(step, key),
            RunNews::Finished(0) => (RunStatus::Success, Some(0), None),
            RunNews::Finished(code) => (
                RunStatus::Failed,
                Some(code),
                Some(Trouble::new(
                    "ExitCodeNonzero",
                    "the command execution exit code is not zero.",
                )),
            ),
            RunNews::TimedOut => (
                RunStatus::Timeout,
                None,
                Some(Trouble::new(
                    "ExecutionTimeout",
                    "the command execution has been timeout.",
                )),
            ),
            RunNews::Stopped(code) => (RunStatus::Terminated, code, Some(interrupted())),
            RunNews::Error(code, info) => (
                RunStatus::Error,
                None,
                Some(Trouble::new("ExecutionException", exception(&code, &info))),
            ),
            RunNews::Invalid(which, value) => {
                (RunStatus::Invalid, None, Some(invalid(&which, &value)))
            }
        };
        if let Some(run) = self.runs.get_mut(key) {
            run.exit_code = exit_code;
        }
        self.end_run(step, key, status, trouble);
    }

    fn run_goes_on(&mut self, step: &mut Step, key: &RunKey) {
        let Some(run) = self.runs.get_mut(key) else {
            return;
        };
        let is_first = run.status == RunStatus::Pending;
        if is_first {
            run.status = RunStatus::Running;
            let kind = EventKind::RunStarted {
                invocation: key.0.clone(),
            };
            self.emit_run(step, key, kind);
            let within = self.run_time(key);
            self.watch(step, key, Some(within));
        }
        self.put_run(step, key);
    }

    /// How long a command is waited for that has begun.
    fn run_time(&self, key: &RunKey) -> Duration {
        let timeout = self.invocations.get(&key.0).map(|it| it.spec.timeout_s);
        Duration::from_secs(u64::from(timeout.unwrap_or_default())) + SILENCE
    }

    /// What was waited for has not come in the time that [`Effect::Watch`] gave.
    pub fn run_overdue(
        &mut self,
        now: Tick,
        instance: &InstanceId,
        invocation: &InvocationId,
    ) -> Changes {
        let key = (invocation.clone(), instance.clone());
        let overdue = |registry: &mut Self, step: &mut Step| {
            let agent = registry.instances.get(instance);
            let is_online = agent.is_some_and(|agent| agent.presence.is_online);
            let (status, trouble) = match registry.runs.get(&key).map(|run| run.status) {
                Some(RunStatus::Pending) if is_online => (
                    RunStatus::Aborted,
                    Trouble::new("DeliveryTimeout", "the command delivery has been timeout."),
                ),
                Some(RunStatus::Pending) => (
                    RunStatus::Aborted,
                    Trouble::new(
                        "ClientNotRunning",
                        "the aliyun service is not running on the instance.",
                    ),
                ),
                Some(RunStatus::Stopping) => (RunStatus::Terminated, interrupted()),
                Some(RunStatus::Running) => (
                    RunStatus::Error,
                    Trouble::new(
                        "ClientNotResponse",
                        "the aliyun service in the instance does not response.",
                    ),
                ),
                _ => return,
            };
            step.effect(stop(&key));
            registry.end_run(step, &key, status, Some(trouble));
        };
        self.step(now, overdue).1
    }

    /// The instance's agent is a new process: what ran under the old one has ended with it.
    pub fn agent_restarted(&mut self, now: Tick, instance: &InstanceId) -> Changes {
        let restarted = |registry: &mut Self, step: &mut Step| {
            for invocation in members(&registry.index.runs.unfinished_on, instance) {
                let key = (invocation, instance.clone());
                match registry.runs.get(&key).map(|run| run.status) {
                    Some(RunStatus::Running) => {
                        registry.end_run(step, &key, RunStatus::Error, Some(interrupted()));
                    }
                    Some(RunStatus::Stopping) => {
                        registry.end_run(step, &key, RunStatus::Terminated, Some(interrupted()));
                    }
                    _ => {}
                }
            }
        };
        self.step(now, restarted).1
    }

    /// Stops a command wherever it is not over.
    ///
    /// # Errors
    /// [`UnknownInvocation`].
    pub fn stop_invocation(
        &mut self,
        now: Tick,
        invocation: &InvocationId,
    ) -> (Result<(), UnknownInvocation>, Changes) {
        self.step(now, |registry, step| {
            if !registry.invocations.contains_key(invocation) {
                return Err(UnknownInvocation(invocation.clone()));
            }
            for key in registry.keys_of(invocation) {
                registry.stop_run(step, &key);
            }
            Ok(())
        })
    }

    fn stop_run(&mut self, step: &mut Step, key: &RunKey) {
        let Some(run) = self.runs.get_mut(key) else {
            return;
        };
        match run.status {
            RunStatus::Pending => {
                run.stop_asked = Some(step.now);
                step.effect(stop(key));
                self.end_run(step, key, RunStatus::Cancelled, None);
            }
            RunStatus::Running => {
                run.stop_asked = Some(step.now);
                run.status = RunStatus::Stopping;
                step.effect(stop(key));
                self.watch(step, key, Some(SILENCE));
                self.put_run(step, key);
            }
            _ => {}
        }
    }

    /// The instance is stopped or gone: nothing more is expected of its agent.
    pub(crate) fn interrupt_runs(&mut self, step: &mut Step, instance: &InstanceId, why: &Trouble) {
        for invocation in members(&self.index.runs.unfinished_on, instance) {
            let key = (invocation, instance.clone());
            let status = match self.runs.get(&key).map(|run| run.status) {
                Some(RunStatus::Pending) => RunStatus::Aborted,
                Some(RunStatus::Stopping) => RunStatus::Terminated,
                _ => RunStatus::Error,
            };
            step.effect(stop(&key));
            self.end_run(step, &key, status, Some(why.clone()));
        }
    }

    pub(crate) fn end_run(
        &mut self,
        step: &mut Step,
        key: &RunKey,
        status: RunStatus,
        trouble: Option<Trouble>,
    ) {
        let Some(run) = self.runs.get_mut(key) else {
            return;
        };
        run.status = status;
        run.trouble = trouble;
        run.finished = Some(step.now);
        let kind = EventKind::RunEnded {
            invocation: key.0.clone(),
            status: status.word().to_owned(),
            exit_code: run.exit_code,
        };
        self.put_run(step, key);
        self.emit_run(step, key, kind);
        self.watch(step, key, None);
        self.reindex_run(key);
        self.refresh_invocation(step, &key.0, false);
    }

    pub(crate) fn watch(&self, step: &mut Step, key: &RunKey, within: Option<Duration>) {
        let (invocation, instance) = key.clone();
        step.effect(Effect::Watch {
            instance,
            invocation,
            within,
        });
    }

    /// After a restart everything that is waited for is waited for anew.
    pub(crate) fn watch_all(&mut self, step: &mut Step) {
        for run in self.runs.values().filter(|run| !run.status.is_over()) {
            let key = (run.invocation.clone(), run.instance.clone());
            let within = match run.status {
                RunStatus::Running => self.run_time(&key),
                RunStatus::Stopping => SILENCE,
                _ => DELIVERY,
            };
            self.watch(step, &key, Some(within));
        }
    }

    pub(crate) fn put_run(&self, step: &mut Step, key: &RunKey) {
        if let Some(run) = self.runs.get(key) {
            step.put(Row::Run(Box::new(run.clone())));
        }
    }

    pub(crate) fn emit_run(&mut self, step: &mut Step, key: &RunKey, kind: EventKind) {
        let invocation = self.invocations.get(&key.0);
        let Some(region) = invocation.map(|one| one.region.clone()) else {
            return;
        };
        let subject = Subject {
            instance: Some(key.1.clone()),
            ..Subject::default()
        };
        self.emit(step, &region, subject, kind);
    }

    /// The tasks that the instance's agent is to run, or with their ids to stop, oldest call first.
    #[must_use]
    pub fn tasks(&self, instance: &InstanceId) -> Vec<(&Invocation, &Run)> {
        let ids = self.index.runs.unfinished_on.get(instance);
        let found = ids.into_iter().flatten().filter_map(|id| {
            let run = self.runs.get(&(id.clone(), instance.clone()))?;
            Some((self.invocations.get(id)?, run))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(invocation, _)| (invocation.created, &invocation.id));
        found
    }
}

fn stop((invocation, instance): &RunKey) -> Effect {
    Effect::StopTask {
        instance: instance.clone(),
        invocation: invocation.clone(),
    }
}

fn interrupted() -> Trouble {
    Trouble::new(
        "ExecutionInterrupted",
        "the command execution has been interrupted.",
    )
}

fn exception(code: &str, info: &str) -> String {
    format!("the command execution got an exception: {code} {info}")
        .trim_end()
        .to_owned()
}

/// The agents' words for failed checks as the API's (wire-protocol 10.7, ecs-api 3.16).
fn invalid(which: &str, value: &str) -> Trouble {
    let (code, info) = match which {
        "TypeInvalid" => ("CommandNotApplicable", "the command is not applicable"),
        "workingDirectory" => (
            "DirectoryNotExists",
            "the specified directory does not exists",
        ),
        "UsernameOrPasswordInvalid" => {
            ("AccountNotExists", "the specified account does not exists")
        }
        other => (other, "the command is not valid"),
    };
    let info = match value {
        "" => format!("{info}."),
        value => format!("{info}: {value}"),
    };
    Trouble::new(code, info)
}
