//! Instances come, change and go; their agents come online and go offline.

use axt_proto::{InstanceId, Tick};

use crate::{AgentInfo, Changes, InstancePatch, InstanceSpec, Registry, registry::UnknownInstance};

impl Registry {
    /// Declares an instance, or declares it anew: the spec replaces the old one, what its agent
    /// told and its sessions stay.
    pub fn declare_instance(&mut self, _now: Tick, _spec: InstanceSpec) -> Changes {
        Changes::default()
    }

    /// Changes an instance. One that leaves `Running` loses its live connections
    /// (`InstanceUnavailable`); its sessions stay.
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn change_instance(
        &mut self,
        _now: Tick,
        _id: &InstanceId,
        _patch: InstancePatch,
    ) -> (Result<(), UnknownInstance>, Changes) {
        (Ok(()), Changes::default())
    }

    /// Removes or deregisters an instance: its sessions end for good, its live connections are
    /// closed as `InstanceUnavailable`.
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn remove_instance(
        &mut self,
        _now: Tick,
        _id: &InstanceId,
    ) -> (Result<(), UnknownInstance>, Changes) {
        (Ok(()), Changes::default())
    }

    /// InstallCloudAssistant was called for the instance (ecs-api 3.5).
    ///
    /// # Errors
    /// [`UnknownInstance`].
    pub fn ask_install(
        &mut self,
        _now: Tick,
        _id: &InstanceId,
    ) -> (Result<(), UnknownInstance>, Changes) {
        (Ok(()), Changes::default())
    }

    /// The instance's agent counts as online, by its notify channel or a heart-beat.
    pub fn agent_online(&mut self, _now: Tick, _id: &InstanceId, _agent: AgentInfo) -> Changes {
        Changes::default()
    }

    /// The instance's agent no longer counts as online: its notify channel is closed and its last
    /// heart-beat too old, on link time. Live connections go on; they have timers of their own.
    pub fn agent_offline(&mut self, _now: Tick, _id: &InstanceId) -> Changes {
        Changes::default()
    }

    /// The instance's agent sent a heart-beat: noted for views, neither event nor row.
    pub fn heart_beat(&mut self, _now: Tick, _id: &InstanceId) {}
}
