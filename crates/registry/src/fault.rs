//! Faults that were asked for: nothing changes by them here, and history tells that they struck.

use axt_proto::{ConnectionId, EventKind, InstanceId, RegionId, SessionId, Tick};

use crate::{
    Changes, Registry,
    registry::{Step, Subject},
};

/// Whom a fault has struck, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Struck {
    /// The instance.
    pub instance: Option<InstanceId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The connection.
    pub connection: Option<ConnectionId>,
}

impl Registry {
    /// Notes that a fault of that name and kind has struck. `region` is the region of what belongs to
    /// no instance.
    pub fn fault_injected(
        &mut self,
        now: Tick,
        region: &RegionId,
        whom: &Struck,
        (fault, kind): (&str, &str),
    ) -> Changes {
        let injected = EventKind::FaultInjected {
            fault: fault.to_owned(),
            kind: kind.to_owned(),
        };
        let note = |registry: &mut Self, step: &mut Step| {
            let session = whom
                .session
                .as_ref()
                .and_then(|id| registry.sessions.get(id));
            let instance = whom
                .instance
                .as_ref()
                .and_then(|id| registry.instances.get(id));
            let region = session
                .map(|session| &session.region)
                .or(instance.map(|instance| &instance.spec.region))
                .unwrap_or(region)
                .clone();
            let subject = Subject {
                instance: whom.instance.clone(),
                session: whom.session.clone(),
                connection: whom.connection,
            };
            registry.emit(step, &region, subject, injected);
        };
        self.step(now, note).1
    }
}
