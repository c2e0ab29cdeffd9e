//! Faults, where the desk does what they say.

use std::sync::Arc;

use axt_control::admin::fault::{Fault, FaultKind};
use axt_control::luban::Notify;
use axt_net::fault::Hook;
use axt_openapi::{ActionName, ApiError, ErrorCode};
use axt_proto::{ChannelId, ConnectionId, InstanceId, SessionId};
use axt_registry::Struck as Whom;
use std::time::Duration;

use super::Desk;
use crate::{
    faults::{NameTaken, SiteId, Strike, api, mangling::Mangling},
    pairing::Door,
};

/// Where an agent's data channel leads.
pub(crate) struct Dialled {
    pub(crate) door: Door,
    /// By which faults are put on it.
    pub(crate) hook: Hook,
    /// How much later it is to be paired, in rule time.
    pub(crate) held: Option<Duration>,
}

/// Why an agent's dial is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDialled {
    /// Nobody waits for that channel.
    Unknown,
    /// A fault says so.
    Fault(u16),
}

impl Desk {
    /// Adds a fault, and puts it on whom it is for already.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> Result<String, NameTaken> {
        let name = self.faults.add(fault)?;
        self.put_faults();
        Ok(name)
    }

    /// Takes one fault away, or all; whether there was one.
    pub(crate) fn remove_fault(&mut self, name: Option<&str>) -> bool {
        let was_there = match name {
            Some(name) => self.faults.remove(name),
            None => {
                self.faults.clear();
                true
            }
        };
        self.put_faults();
        was_there
    }

    fn put_faults(&mut self) {
        let strikes = self.faults.put_on_all();
        self.note(&strikes);
        for connection in self.faults.sites.with_extras() {
            self.pairing.wake(connection);
        }
    }

    /// Notes that faults have struck.
    pub(crate) fn note(&mut self, strikes: &[Strike]) {
        for Strike { whom, name, word } in strikes {
            let region = self.region.clone();
            let now = self.now();
            let changes = self
                .registry
                .fault_injected(now, &region, whom, (name, word));
            self.apply(changes);
        }
    }

    /// What a fault says to those, if one strikes them.
    pub(super) fn struck<T>(
        &mut self,
        whom: &Whom,
        pick: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<T> {
        let (what, strike) = self.faults.strike(whom, pick)?;
        self.note(&[strike]);
        Some(what)
    }

    /// Whom a fault of a session's next connection would strike.
    pub(super) fn whom(&self, session: &SessionId) -> Whom {
        let known = self.registry.session(session);
        Whom {
            instance: known.map(|session| session.instance.clone()),
            session: Some(session.clone()),
            connection: None,
        }
    }

    /// Tells the agent of a channel, or does with it what a fault says.
    pub(super) fn kick(
        &mut self,
        instance: &InstanceId,
        connection: ConnectionId,
        channel: &ChannelId,
    ) {
        let whom = self.whom_of(instance, connection);
        let pick = |kind: &FaultKind| match kind {
            FaultKind::DropKick | FaultKind::DelayKick { .. } | FaultKind::DoubleKick => {
                Some(kind.clone())
            }
            _ => None,
        };
        match self.struck(&whom, pick) {
            Some(FaultKind::DropKick) => {}
            Some(FaultKind::DelayKick { delay }) => {
                let until = self.now() + Duration::from_millis(delay);
                let kick = (instance.clone(), channel.clone());
                self.faults.delay(until, connection, kick);
            }
            Some(FaultKind::DoubleKick) => {
                self.send_kick(instance, connection, channel);
                self.send_kick(instance, connection, channel);
            }
            _ => self.send_kick(instance, connection, channel),
        }
    }

    fn send_kick(&mut self, instance: &InstanceId, connection: ConnectionId, channel: &ChannelId) {
        if self
            .links
            .send(instance, Notify::SessionStart(channel.clone()))
        {
            let changes = self.registry.kicked(self.now(), connection);
            self.apply(changes);
        }
    }

    /// Sends the kicks that were late and are due.
    pub(super) fn kick_late(&mut self) {
        while let Some((connection, (instance, channel))) = self.faults.take_late(self.now()) {
            self.send_kick(&instance, connection, &channel);
        }
    }

    fn whom_of(&self, instance: &InstanceId, connection: ConnectionId) -> Whom {
        let known = self.registry.connection(connection);
        Whom {
            instance: Some(instance.clone()),
            session: known.map(|connection| connection.session.clone()),
            connection: Some(connection),
        }
    }

    /// An agent dials a data channel, for the first time or again.
    pub(crate) fn dial(
        &mut self,
        instance: &InstanceId,
        channel: &ChannelId,
    ) -> Result<Dialled, NotDialled> {
        let (connection, door) = self
            .pairing
            .dial(instance, channel)
            .map_err(|_| NotDialled::Unknown)?;
        let whom = self.whom_of(instance, connection);
        let refusal = |kind: &FaultKind| match kind {
            FaultKind::RefuseDataChannel { status } => Some(*status),
            _ => None,
        };
        if let Some(status) = self.struck(&whom, refusal) {
            return Err(NotDialled::Fault(status));
        }
        let seed = self.faults.seed();
        let hook = self.faults.sites.dialled(connection, seed);
        let strikes = self.faults.put_on(&SiteId::Agent(connection));
        self.note(&strikes);
        let held = self.struck(&whom, |kind| match kind {
            FaultKind::HoldPairing { delay } => Some(Duration::from_millis(*delay)),
            _ => None,
        });
        Ok(Dialled { door, hook, held })
    }

    /// The channel id that a session's next connection gets by a fault.
    pub(super) fn repeated_channel(&mut self, whom: &Whom) -> Option<ChannelId> {
        let instance = whom.instance.as_ref()?;
        let former = self.pairing.latest(instance)?.clone();
        self.struck(whom, |kind| {
            matches!(kind, FaultKind::RepeatChannel).then_some(())
        })?;
        Some(former)
    }

    /// Makes the websockets of a connection ready for faults, and puts those on that are there.
    pub(super) fn open_sites(
        &mut self,
        connection: ConnectionId,
        whom: &Whom,
    ) -> (Hook, [Arc<Mangling>; 2]) {
        let frames = [(); 2].map(|()| Mangling::none(self.own.clone()));
        let [client, agent] = &frames;
        let seed = self.faults.seed();
        let hook = self
            .faults
            .sites
            .open(connection, whom, seed, [client, agent]);
        (hook, frames)
    }

    /// Puts on a client's websocket what is for it.
    pub(super) fn put_on_client(&mut self, connection: ConnectionId) {
        let strikes = self.faults.put_on(&SiteId::Client(connection));
        self.note(&strikes);
    }

    /// What a call of the API is answered with by a fault.
    pub(crate) fn api_fault(&mut self, action: ActionName) -> Option<ApiError> {
        self.struck(&Whom::default(), |kind| match kind {
            FaultKind::ApiError { code, action: only } => {
                let is_meant = only.as_ref().is_none_or(|only| only == action.as_str());
                is_meant.then(|| api::error(code)).flatten()
            }
            FaultKind::SessionsFull if action == ActionName::StartTerminalSession => {
                Some(ErrorCode::SessionCountExceedLimit.into())
            }
            _ => None,
        })
    }
}
