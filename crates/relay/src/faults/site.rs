//! The websockets that faults can be put on.

use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc, time::Duration};

use axt_control::admin::fault::{Fault, FaultKind, Link, Stream};
use axt_net::fault::{Applied, Ground, Hook, Toxic, Way};
use axt_proto::{ConnectionId, InstanceId};
use axt_registry::Struck as Whom;
use rand::Rng;

use super::{
    Armed, Strike,
    mangling::{Extra, FrameFault, Mangling, Rule},
};

/// Which websocket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SiteId {
    /// A client's.
    Client(ConnectionId),
    /// An agent's for a connection: its latest data channel.
    Agent(ConnectionId),
    /// An agent's notify channel.
    Notify(InstanceId),
}

impl SiteId {
    const fn link(&self) -> Link {
        match self {
            Self::Client(_) => Link::Client,
            Self::Agent(_) => Link::Agent,
            Self::Notify(_) => Link::Notify,
        }
    }
}

#[derive(Debug)]
struct Site {
    whom: Whom,
    /// Absent while the agent has not dialled.
    hook: Option<Hook>,
    frames: Option<Arc<Mangling>>,
    /// Which faults have thrown their dice for this websocket, and whether they hit.
    thrown: BTreeMap<u64, bool>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Sites {
    ground: Ground,
    sites: BTreeMap<SiteId, Site>,
}

impl Sites {
    pub(super) const fn new(ground: Ground) -> Self {
        Self {
            ground,
            sites: BTreeMap::new(),
        }
    }

    /// A connection waits: its client is there, and its agent is to come.
    pub(crate) fn open(
        &mut self,
        connection: ConnectionId,
        whom: &Whom,
        seed: u64,
        [client, agent]: [&Arc<Mangling>; 2],
    ) -> Hook {
        let hook = self.ground.hook(seed);
        let site = |hook, frames: &Arc<Mangling>| Site {
            whom: whom.clone(),
            hook,
            frames: Some(Arc::clone(frames)),
            thrown: BTreeMap::new(),
        };
        let of_client = site(Some(hook.clone()), client);
        self.sites.insert(SiteId::Client(connection), of_client);
        self.sites
            .insert(SiteId::Agent(connection), site(None, agent));
        hook
    }

    /// An agent has dialled a connection's data channel, for the first time or again.
    pub(crate) fn dialled(&mut self, connection: ConnectionId, seed: u64) -> Hook {
        let hook = self.ground.hook(seed);
        if let Some(site) = self.sites.get_mut(&SiteId::Agent(connection)) {
            site.hook = Some(hook.clone());
            site.thrown.clear();
        }
        hook
    }

    /// An agent has a notify channel, in the place of an older one.
    pub(crate) fn notified(&mut self, instance: &InstanceId, seed: u64) -> Hook {
        let hook = self.ground.hook(seed);
        let site = Site {
            whom: Whom {
                instance: Some(instance.clone()),
                ..Whom::default()
            },
            hook: Some(hook.clone()),
            frames: None,
            thrown: BTreeMap::new(),
        };
        self.sites.insert(SiteId::Notify(instance.clone()), site);
        hook
    }

    /// A connection is over.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.sites.remove(&SiteId::Client(connection));
        self.sites.remove(&SiteId::Agent(connection));
    }

    /// An instance has no notify channel any more.
    pub(crate) fn unnotified(&mut self, instance: &InstanceId) {
        self.sites.remove(&SiteId::Notify(instance.clone()));
    }

    /// Connections that have something to send that nothing called for.
    pub(crate) fn with_extras(&self) -> Vec<ConnectionId> {
        let sites = self.sites.iter().filter(|(_, site)| {
            let frames = site.frames.as_ref();
            frames.is_some_and(|frames| frames.has_extra())
        });
        let mut connections: Vec<_> = sites
            .filter_map(|(id, _)| match id {
                SiteId::Client(connection) | SiteId::Agent(connection) => Some(*connection),
                SiteId::Notify(_) => None,
            })
            .collect();
        connections.sort_unstable();
        connections.dedup();
        connections
    }

    pub(super) fn refresh(&mut self, armed: &[Armed], random: &mut impl Rng) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for (id, site) in &mut self.sites {
            site.refresh(id.link(), armed, random, &mut strikes);
        }
        strikes
    }

    pub(super) fn refresh_one(
        &mut self,
        id: &SiteId,
        armed: &[Armed],
        random: &mut impl Rng,
    ) -> Vec<Strike> {
        let mut strikes = Vec::new();
        if let Some(site) = self.sites.get_mut(id) {
            site.refresh(id.link(), armed, random, &mut strikes);
        }
        strikes
    }
}

impl Site {
    fn refresh(
        &mut self,
        link: Link,
        armed: &[Armed],
        random: &mut impl Rng,
        strikes: &mut Vec<Strike>,
    ) {
        let Some(hook) = self.hook.clone() else {
            return;
        };
        let mut on_wire = Vec::new();
        let mut rules = Vec::new();
        let on_link = |armed: &&Armed| match armed.fault.kind {
            FaultKind::CutDataChannel { .. } => link == Link::Agent,
            _ => armed.fault.link == link,
        };
        for armed in armed.iter().filter(on_link) {
            if !armed.is_for(&self.whom) {
                continue;
            }
            if let Some((way, toxic)) = toxic(&armed.fault) {
                if self.throw(armed, random, strikes) {
                    on_wire.push(Applied {
                        number: armed.number,
                        way,
                        toxic,
                    });
                }
            } else if let Some(frames) = self.frames.clone() {
                if let Some(extra) = Extra::of(&armed.fault.kind) {
                    let is_first = !self.thrown.contains_key(&armed.number);
                    if self.throw(armed, random, strikes) && is_first {
                        frames.push(extra);
                    }
                } else if let Some(what) = FrameFault::of(&armed.fault.kind) {
                    rules.push(Rule::new(
                        armed,
                        what,
                        armed.strike(&self.whom),
                        random.next_u64(),
                    ));
                }
            }
        }
        hook.set(on_wire);
        if let Some(frames) = &self.frames {
            frames.set(rules);
        }
    }

    /// Whether the fault is on this websocket: thrown for once.
    fn throw(&mut self, armed: &Armed, random: &mut impl Rng, strikes: &mut Vec<Strike>) -> bool {
        let (whom, thrown) = (&self.whom, &mut self.thrown);
        *thrown.entry(armed.number).or_insert_with(|| {
            let hits = armed.hits(random);
            if hits {
                strikes.push(armed.strike(whom));
            }
            hits
        })
    }
}

/// What a fault of the wire does to the relay's end of the websocket.
fn toxic(fault: &Fault) -> Option<(Way, Toxic)> {
    let way = match fault.stream {
        Stream::Upstream => Way::In,
        Stream::Downstream => Way::Out,
    };
    let ms = Duration::from_millis;
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let toxic = match fault.kind {
        FaultKind::Latency { latency, jitter } => Toxic::Latency {
            latency: ms(latency),
            jitter: ms(jitter),
        },
        FaultKind::Bandwidth { rate } => Toxic::Bandwidth {
            bytes_per_s: rate.saturating_mul(1_000),
        },
        FaultKind::SlowClose { delay } => Toxic::SlowClose { delay: ms(delay) },
        FaultKind::Timeout { timeout } => Toxic::Timeout {
            after: NonZeroU64::new(timeout).map(|after| ms(after.get())),
        },
        FaultKind::ResetPeer { timeout } => Toxic::ResetPeer { after: ms(timeout) },
        FaultKind::Slicer {
            average_size,
            size_variation,
            delay,
        } => Toxic::Slicer {
            average: size(average_size),
            variation: size(size_variation),
            delay: Duration::from_micros(delay),
        },
        FaultKind::LimitData { bytes } => Toxic::LimitData { bytes },
        FaultKind::CutDataChannel { delay } => Toxic::Cut { after: ms(delay) },
        _ => return None,
    };
    Some((way, toxic))
}
