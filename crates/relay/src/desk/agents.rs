//! Agents: who is there.
//!
//! An agent counts as there while its notify channel is open or its last heart-beat is less than
//! 150 s old, both on link time (ecs-api 3.4).

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use axt_control::luban::SessionObject;
use axt_net::link;
use axt_proto::{ChannelId, ConnectionId, InstanceId};
use axt_registry::{AgentInfo, InstanceSpec, Registration};

use super::Desk;
use crate::{
    faults::SiteId,
    ids,
    notify::{Link, LinkNumber},
};

/// How long a heart-beat says that an agent is there.
const HEART_BEAT_COUNTS: Duration = Duration::from_secs(150);

/// The last heart-beats.
#[derive(Debug, Default)]
pub(super) struct Fading(BTreeMap<InstanceId, Beat>);

#[derive(Clone, Copy, Debug)]
struct Beat {
    counts_until: link::Instant,
    /// Whether nothing else says that the agent is there.
    is_all: bool,
}

impl Fading {
    /// When the first agent is no longer there, if no heart-beat comes before.
    pub(super) fn next(&self) -> Option<link::Instant> {
        let fading = self.0.values().filter(|beat| beat.is_all);
        fading.map(|beat| beat.counts_until).min()
    }
}

impl Desk {
    /// An agent has opened its notify channel.
    pub(crate) fn agent_up(&mut self, instance: &InstanceId, info: AgentInfo) -> Link {
        let seed = self.faults.seed();
        let hook = self.faults.sites.notified(instance, seed);
        let link = self.links.put(instance, hook);
        if let Some(beat) = self.fading.0.get_mut(instance) {
            beat.is_all = false;
        }
        let changes = self.registry.agent_online(self.now(), instance, info);
        self.apply(changes);
        if self.registry.instance(instance).is_none() {
            // It was forgotten between the agent's admission and now.
            self.links.close(instance);
        }
        self.pairing.agent_gone(instance, false);
        if self.announced(instance).is_empty() {
            self.pairing.end_granted(instance);
        }
        self.kick_sessions(instance);
        self.kick_tasks(instance);
        let strikes = self.faults.put_on(&SiteId::Notify(instance.clone()));
        self.note(&strikes);
        link
    }

    /// Kicks an agent for every connection that it has not asked for yet.
    fn kick_sessions(&mut self, instance: &InstanceId) {
        for (connection, channel) in self.pairing.to_kick(instance) {
            self.kick(instance, connection, &channel);
        }
    }

    /// What an agent has been kicked for and has not asked for yet.
    pub(crate) fn kicked(&self, instance: &InstanceId) -> Vec<ConnectionId> {
        let kicked = self.pairing.to_kick(instance).into_iter();
        kicked.map(|(connection, _)| connection).collect()
    }

    /// Kicks an official agent once more for those of `unheard` that it still has not asked for. One of
    /// ours forgets nothing.
    pub(crate) fn kick_again(&mut self, instance: &InstanceId, unheard: &[ConnectionId]) {
        if !self.announced(instance).is_empty() {
            return;
        }
        for (connection, channel) in self.pairing.to_kick(instance) {
            if unheard.contains(&connection) {
                self.kick(instance, connection, &channel);
            }
        }
    }

    /// A notify channel has ended.
    pub(crate) fn agent_down(&mut self, instance: &InstanceId, number: LinkNumber) {
        if !self.links.remove(instance, number) {
            return;
        }
        self.faults.sites.unnotified(instance);
        self.pairing.agent_gone(instance, true);
        match self.fading.0.get_mut(instance) {
            Some(beat) if beat.counts_until > link::now() => beat.is_all = true,
            _ => self.agent_offline(instance),
        }
    }

    /// A heart-beat has come in.
    pub(crate) fn heart_beat(&mut self, instance: &InstanceId, version: &str) {
        let beat = Beat {
            counts_until: link::now() + HEART_BEAT_COUNTS,
            is_all: !self.links.is_up(instance),
        };
        let Some(known) = self.registry.instance(instance) else {
            return;
        };
        self.fading.0.insert(instance.clone(), beat);
        if !known.presence.is_online {
            // What it announced stands: a heart-beat tells less than a notify channel.
            let info = known
                .agent
                .clone()
                .unwrap_or_else(|| AgentInfo::new(version));
            let changes = self.registry.agent_online(self.now(), instance, info);
            self.apply(changes);
        }
        self.registry.heart_beat(self.now(), instance);
    }

    /// Heart-beats have become too old.
    pub(super) fn faded(&mut self) {
        let now = link::now();
        let over = |beat: &Beat| beat.is_all && beat.counts_until <= now;
        let fading = self.fading.0.iter().filter(|(_, beat)| over(beat));
        let mut gone: Vec<_> = fading
            .map(|(instance, beat)| (beat.counts_until, instance.clone()))
            .collect();
        // In one order on every run, whatever many fade at once.
        gone.sort();
        for (_, instance) in gone {
            self.agent_offline(&instance);
        }
    }

    fn agent_offline(&mut self, instance: &InstanceId) {
        self.fading.0.remove(instance);
        let changes = self.registry.agent_offline(self.now(), instance);
        self.apply(changes);
    }

    /// The instance that is told apart by its address, private or public (wire-protocol 12.18). Those
    /// without a key come first, for the others prove who they are; two of a kind are none.
    pub(crate) fn instance_at(&self, address: IpAddr) -> Option<&InstanceSpec> {
        let address = Ok(address.to_canonical());
        let there = || {
            let specs = self.registry.instances().map(|instance| &instance.spec);
            specs.filter(|spec| {
                spec.intranet_ip.parse() == address || spec.internet_ip.parse() == address
            })
        };
        only(there().filter(|spec| spec.public_key.is_none())).or_else(|| only(there()))
    }

    /// The only instance that there is.
    pub(crate) fn only_instance(&self) -> Option<&InstanceSpec> {
        only(self.registry.instances()).map(|instance| &instance.spec)
    }

    /// Registers a machine; answers with its id once that is durable, or with why not.
    pub(crate) fn register(
        &mut self,
        registration: Registration,
        reply: impl FnOnce(Result<InstanceId, String>) + Send + 'static,
    ) {
        let letters = ids::letters(&registration.region, &self.letters);
        let fresh = match self.ids.managed(letters) {
            Ok(fresh) => fresh,
            Err(error) => return reply(Err(error.to_string())),
        };
        let (answer, changes) = self.registry.register(self.now(), registration, fresh);
        match answer {
            Err(refusal) => {
                self.apply(changes);
                reply(Err(refusal.to_string()));
            }
            Ok(instance) => self.apply_and(changes, |_, result| {
                reply(result.map(|()| instance).map_err(|error| error.to_string()));
            }),
        }
    }

    /// Forgets a machine that had registered; answers once that is durable whether it has.
    pub(crate) fn deregister(
        &mut self,
        instance: &InstanceId,
        reply: impl FnOnce(bool) + Send + 'static,
    ) {
        let known = self.registry.instance(instance);
        if known.is_none_or(|known| known.registered.is_none()) {
            return reply(false);
        }
        let (answer, changes) = self.registry.remove_instance(self.now(), instance);
        self.links.close(instance);
        self.apply_and(changes, move |_, result| {
            reply(answer.is_ok() && result.is_ok());
        });
    }

    /// What the agent is to open now: one object at most (wire-protocol 9.5).
    pub(crate) fn session_list(
        &mut self,
        instance: &InstanceId,
        channel: Option<&ChannelId>,
    ) -> Option<SessionObject> {
        self.pairing.object(instance, channel)
    }
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
