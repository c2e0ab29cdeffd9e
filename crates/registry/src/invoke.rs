//! RunCommand and InvokeCommand: what they check, and what they set going (ecs-api 3.16).

use std::time::Duration;

use axt_proto::{AccountId, CommandId, EventKind, InstanceId, InvocationId, RegionId, Tick};

use crate::{
    Changes, Command, CommandSpec, Effect, Instance, Invocation, Registry, Row, Run, RunStatus,
    Trouble,
    registry::{Step, Subject},
};

/// How long an agent has to say that it runs a command (the page's "within 1 minute"). Link time.
pub(crate) const DELIVERY: Duration = Duration::from_secs(60);

/// A call whose parameters are valid by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvokeRequest {
    /// Whose call.
    pub account: AccountId,
    /// In which region.
    pub region: RegionId,
    /// What to run, the caller's parameters filled in.
    pub spec: CommandSpec,
    /// Which command that is.
    pub command: CommandId,
    /// The command as InvokeCommand shall find it, where it is to be kept (`KeepCommand`).
    pub keep: Option<CommandSpec>,
    /// Where to run it, 1 to 50; one that is named twice counts once.
    pub instances: Vec<InstanceId>,
}

/// Why a command is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeRefusal {
    /// `InvalidInstance.NotFound`: unknown, another account's or another region's.
    #[error("the account has no such instance in this region")]
    InstanceNotFound,
    /// `InvalidInstance.NotMatch`.
    #[error("an instance's system cannot run this kind of command")]
    NotApplicable,
    /// `CmdCount.ExceedQuota`.
    #[error("the account keeps as many commands in the region as it may")]
    CommandsFull,
    /// `InternalError.Dispatch`: the fresh id was none.
    #[error("an id came twice")]
    IdTaken,
}

impl Registry {
    /// A command that is kept, of that account and region.
    #[must_use]
    pub fn command(
        &self,
        account: &AccountId,
        region: &RegionId,
        id: &CommandId,
    ) -> Option<&Command> {
        self.commands
            .get(id)
            .filter(|one| one.account == *account && one.region == *region)
    }

    /// Has a command run on instances. One that is not running, or has too many commands already,
    /// gets a run that is `Aborted` from the first moment.
    ///
    /// # Errors
    /// See [`InvokeRefusal`].
    pub fn invoke(
        &mut self,
        now: Tick,
        request: &InvokeRequest,
        fresh: InvocationId,
    ) -> (Result<InvocationId, InvokeRefusal>, Changes) {
        self.step(now, |registry, step| {
            registry.check_invoke(request, &fresh)?;
            if let Some(spec) = &request.keep {
                registry.keep_command(step, request, spec.clone());
            }
            let invocation = Invocation {
                id: fresh.clone(),
                account: request.account.clone(),
                region: request.region.clone(),
                command: request.command.clone(),
                spec: request.spec.clone(),
                created: step.now,
            };
            step.put(Row::Invocation(Box::new(invocation.clone())));
            registry.invocations.insert(fresh.clone(), invocation);
            let kind = EventKind::InvocationStarted {
                invocation: fresh.clone(),
                command: request.command.clone(),
            };
            registry.emit(step, &request.region, Subject::default(), kind);
            for instance in &request.instances {
                registry.begin_run(step, &fresh, instance);
            }
            registry.refresh_invocation(step, &fresh, true);
            Ok(fresh)
        })
    }

    fn check_invoke(
        &self,
        request: &InvokeRequest,
        fresh: &InvocationId,
    ) -> Result<(), InvokeRefusal> {
        let known = |id: &InstanceId| {
            let instance = self.instances.get(id);
            instance.filter(|one| {
                one.spec.account == request.account && one.spec.region == request.region
            })
        };
        let instances: Option<Vec<&Instance>> = request.instances.iter().map(known).collect();
        let instances = instances.ok_or(InvokeRefusal::InstanceNotFound)?;
        let kind = request.spec.kind;
        if !instances.iter().all(|one| kind.runs_on(one.spec.os_type)) {
            return Err(InvokeRefusal::NotApplicable);
        }
        if request.keep.is_some() {
            let kept = self
                .commands
                .values()
                .filter(|one| one.account == request.account && one.region == request.region);
            let limit = usize::try_from(self.limits.kept_commands).unwrap_or(usize::MAX);
            if kept.count() >= limit {
                return Err(InvokeRefusal::CommandsFull);
            }
        }
        let is_taken = request.keep.is_some() && self.commands.contains_key(&request.command)
            || self.invocations.contains_key(fresh);
        if is_taken {
            return Err(InvokeRefusal::IdTaken);
        }
        Ok(())
    }

    fn keep_command(&mut self, step: &mut Step, request: &InvokeRequest, spec: CommandSpec) {
        let command = Command {
            id: request.command.clone(),
            account: request.account.clone(),
            region: request.region.clone(),
            spec,
            created: step.now,
        };
        step.put(Row::Command(Box::new(command.clone())));
        self.commands.insert(command.id.clone(), command);
    }

    fn begin_run(&mut self, step: &mut Step, invocation: &InvocationId, id: &InstanceId) {
        let key = (invocation.clone(), id.clone());
        let Some(instance) = self.instances.get_mut(id) else {
            return;
        };
        if self.runs.contains_key(&key) {
            return;
        }
        instance.invocations = instance.invocations.saturating_add(1);
        instance.last_invoked = Some(step.now);
        let is_running = instance.is_running();
        self.put_instance(step, id);
        let waiting = u32::try_from(self.tasks_of(id)).unwrap_or(u32::MAX);
        let trouble = match is_running {
            false => Some(Trouble::new(
                "InstanceNotRunning",
                "the instance is not running when create task.",
            )),
            true if waiting >= self.limits.tasks_per_instance => Some(Trouble::new(
                "TaskConcurrencyLimit",
                "the instance has as many commands as it may have at the same time.",
            )),
            true => None,
        };
        let is_aborted = trouble.is_some();
        let mut run = Run::new(invocation.clone(), id.clone());
        if is_aborted {
            run.status = RunStatus::Aborted;
            run.finished = Some(step.now);
            run.trouble = trouble;
        }
        self.runs.insert(key.clone(), run);
        self.reindex_run(&key);
        self.put_run(step, &key);
        if is_aborted {
            let kind = EventKind::RunEnded {
                invocation: invocation.clone(),
                status: RunStatus::Aborted.word().to_owned(),
                exit_code: None,
            };
            return self.emit_run(step, &key, kind);
        }
        step.effect(Effect::KickTask {
            instance: id.clone(),
            invocation: invocation.clone(),
        });
        self.watch(step, &key, Some(DELIVERY));
    }
}
