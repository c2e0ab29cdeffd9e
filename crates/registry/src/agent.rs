//! Instances come, change and go; their agents come online and go offline.

use axt_proto::{EventKind, InstanceId, Reason, Tick};

use crate::{
    AgentInfo, Changes, Instance, InstancePatch, InstanceSpec, Presence, Registered, Registry, Row,
    RowKey, Trouble, UnknownInstance,
    index::members,
    registry::{Step, Subject},
};

impl Registry {
    /// Declares an instance, or declares it anew: the spec replaces the old one, what its agent
    /// told and its sessions stay.
    pub fn declare_instance(&mut self, now: Tick, spec: InstanceSpec) -> Changes {
        let declare = |registry: &mut Self, step: &mut Step| {
            let id = spec.id.clone();
            if registry.instances.contains_key(&id) {
                registry.respecify(step, spec);
            } else {
                registry.insert_instance(step, spec, None);
            }
        };
        self.step(now, declare).1
    }

    /// Changes an instance. One that leaves `Running` loses its live connections
    /// (`InstanceUnavailable`) and the commands that are not over; its sessions stay.
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn change_instance(
        &mut self,
        now: Tick,
        id: &InstanceId,
        patch: InstancePatch,
    ) -> (Result<(), UnknownInstance>, Changes) {
        self.step(now, |registry, step| {
            let instance = registry.instances.get(id);
            let mut spec = instance
                .map(|one| one.spec.clone())
                .ok_or_else(|| UnknownInstance(id.clone()))?;
            patch.apply(&mut spec);
            registry.respecify(step, spec);
            Ok(())
        })
    }

    /// Removes or deregisters an instance: its sessions end for good, its live connections are
    /// closed as `InstanceUnavailable`, and its commands are over.
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn remove_instance(
        &mut self,
        now: Tick,
        id: &InstanceId,
    ) -> (Result<(), UnknownInstance>, Changes) {
        self.step(now, |registry, step| {
            if !registry.instances.contains_key(id) {
                return Err(UnknownInstance(id.clone()));
            }
            for session in members(&registry.index.unsettled_on, id) {
                registry.end_session(step, &session, Reason::InstanceUnavailable);
            }
            let why = Trouble::new(
                "InstanceReleased",
                "the instance has released when create task.",
            );
            registry.interrupt_runs(step, id, &why);
            registry.emit_instance(step, id, EventKind::InstanceRemoved);
            if let Some(instance) = registry.instances.remove(id)
                && let Some(registered) = instance.registered
                && let Some(activation) = registry.activations.get_mut(&registered.activation)
            {
                activation.deregistered = activation.deregistered.saturating_add(1);
                step.put(Row::Activation(Box::new(activation.clone())));
            }
            step.delete(RowKey::Instance(id.clone()));
            Ok(())
        })
    }

    /// InstallCloudAssistant was called for the instance (ecs-api 3.5).
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn ask_install(
        &mut self,
        now: Tick,
        id: &InstanceId,
    ) -> (Result<(), UnknownInstance>, Changes) {
        self.step(now, |registry, step| {
            let instance = registry.instances.get_mut(id);
            let instance = instance.ok_or_else(|| UnknownInstance(id.clone()))?;
            instance.install_asked = true;
            registry.put_instance(step, id);
            registry.emit_instance(step, id, EventKind::InstanceChanged);
            Ok(())
        })
    }

    /// The instance's agent counts as online, by its notify channel or a heart-beat. Nothing
    /// changes for an instance that is not there.
    pub fn agent_online(&mut self, now: Tick, id: &InstanceId, agent: AgentInfo) -> Changes {
        let online = |registry: &mut Self, step: &mut Step| {
            let Some(instance) = registry.instances.get_mut(id) else {
                return;
            };
            let was_online = instance.presence.is_online;
            instance.presence.is_online = true;
            instance.presence.last_heart_beat = Some(step.now);
            if instance.agent.as_ref() != Some(&agent) {
                instance.agent = Some(agent);
                registry.put_instance(step, id);
            }
            if !was_online {
                registry.emit_instance(step, id, EventKind::AgentOnline);
            }
        };
        self.step(now, online).1
    }

    /// The instance's agent no longer counts as online: its notify channel is closed and its last
    /// heart-beat too old, on link time. Live connections go on; they have timers of their own.
    pub fn agent_offline(&mut self, now: Tick, id: &InstanceId) -> Changes {
        let offline = |registry: &mut Self, step: &mut Step| {
            if let Some(instance) = registry.instances.get_mut(id)
                && instance.presence.is_online
            {
                instance.presence.is_online = false;
                registry.emit_instance(step, id, EventKind::AgentOffline);
            }
        };
        self.step(now, offline).1
    }

    /// The instance's agent sent a heart-beat: noted for views, neither event nor row.
    pub fn heart_beat(&mut self, now: Tick, id: &InstanceId) {
        if let Some(instance) = self.instances.get_mut(id) {
            instance.presence.last_heart_beat = Some(now);
        }
    }

    pub(crate) fn insert_instance(
        &mut self,
        step: &mut Step,
        spec: InstanceSpec,
        registered: Option<Registered>,
    ) {
        let id = spec.id.clone();
        let instance = Instance {
            spec,
            declared: step.now,
            agent: None,
            registered,
            install_asked: false,
            invocations: 0,
            last_invoked: None,
            presence: Presence::default(),
        };
        self.instances.insert(id.clone(), instance);
        self.put_instance(step, &id);
        self.emit_instance(step, &id, EventKind::InstanceDeclared);
    }

    fn respecify(&mut self, step: &mut Step, spec: InstanceSpec) {
        let id = spec.id.clone();
        let Some(instance) = self.instances.get_mut(&id) else {
            return;
        };
        if instance.spec == spec {
            return;
        }
        instance.spec = spec;
        let is_running = instance.is_running();
        self.put_instance(step, &id);
        self.emit_instance(step, &id, EventKind::InstanceChanged);
        if !is_running {
            self.ask_to_close_all(step, &id, Reason::InstanceUnavailable);
            let why = Trouble::new(
                "InstanceNotRunning",
                "the instance is not running when create task.",
            );
            self.interrupt_runs(step, &id, &why);
        }
    }

    fn emit_instance(&mut self, step: &mut Step, id: &InstanceId, kind: EventKind) {
        if let Some(region) = self.instances.get(id).map(|one| one.spec.region.clone()) {
            let subject = Subject {
                instance: Some(id.clone()),
                ..Subject::default()
            };
            self.emit(step, &region, subject, kind);
        }
    }
}
