//! Faults that were asked for (docs/faults.md): which there are, whom they strike, and how often.
//!
//! What lives here: the table of faults, that of the websockets which they can be put on, and the dice.
//! The desk owns them; it asks where something is about to be done, and does what they say. What never
//! does: what a fault does to bytes, which is `net::fault`, and to frames, which is [`mangling`].
//!
//! What makes official programs crash is made here and nowhere else: who wants it has to ask for it.

pub(crate) mod api;
pub(crate) mod mangling;
mod site;
mod used;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axt_control::admin::fault::{Fault, FaultKind, FaultState, Scope};
use axt_net::fault::Ground;
use axt_proto::{ChannelId, ConnectionId, InstanceId, Tick};
use axt_registry::Struck as Whom;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

pub(crate) use self::site::SiteId;
use self::{site::Sites, used::Used};

/// The dice's own seed beside those that ids are made from.
const SALT: u64 = 0xfa17;

/// A fault of the table.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    /// Never used twice.
    number: u64,
    /// With its name.
    fault: Fault,
    used: Arc<Used>,
}

/// That a fault has struck somebody: its name and its kind's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) whom: Whom,
    pub(crate) name: String,
    pub(crate) word: &'static str,
}

/// A fault of that name is there already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is a fault `{0}` already: remove it, or choose another name")]
pub(crate) struct NameTaken(String);

/// See the module.
pub(crate) struct Faults {
    armed: Vec<Armed>,
    pub(crate) sites: Sites,
    random: StdRng,
    next: u64,
    /// Kicks that are late.
    late: BTreeMap<(Tick, ConnectionId), (InstanceId, ChannelId)>,
    /// Whether any is of the API, for who asks without the desk.
    has_api: Arc<AtomicBool>,
}

impl Faults {
    pub(crate) fn new(seed: Option<u64>, ground: Ground) -> Self {
        Self {
            armed: Vec::new(),
            sites: Sites::new(ground),
            random: match seed {
                Some(seed) => StdRng::seed_from_u64(seed ^ SALT),
                None => StdRng::from_rng(&mut rand::rng()),
            },
            next: 1,
            late: BTreeMap::new(),
            has_api: Arc::default(),
        }
    }

    /// Whether there is any fault of the API.
    pub(crate) fn has_api(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.has_api)
    }

    /// Adds a fault; its name.
    pub(crate) fn add(&mut self, mut fault: Fault) -> Result<String, NameTaken> {
        let taken: BTreeSet<&str> = self.armed.iter().map(Armed::name).collect();
        let name = match fault.name.take() {
            Some(name) if taken.contains(name.as_str()) => return Err(NameTaken(name)),
            Some(name) => name,
            None => {
                let word = fault.kind.word();
                let mut names = (1_u64..).map(|number| format!("{word}-{number}"));
                names
                    .find(|name| !taken.contains(name.as_str()))
                    .unwrap_or_default()
            }
        };
        fault.name = Some(name.clone());
        let used = Arc::new(Used::new(fault.times));
        self.armed.push(Armed {
            number: self.next,
            fault,
            used,
        });
        self.next += 1;
        self.changed();
        Ok(name)
    }

    /// Removes the fault of that name; whether there was one.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.name() != name);
        self.changed();
        self.armed.len() < before
    }

    /// Removes all of them.
    pub(crate) fn clear(&mut self) {
        self.armed.clear();
        self.changed();
    }

    fn changed(&self) {
        let has_api = self.armed.iter().any(|armed| {
            matches!(
                armed.fault.kind,
                FaultKind::ApiError { .. } | FaultKind::SessionsFull
            )
        });
        self.has_api.store(has_api, Ordering::Release);
    }

    /// What there is, in the order in which it was added.
    pub(crate) fn states(&self) -> Vec<FaultState> {
        let state = |armed: &Armed| FaultState {
            acted: armed.used.acted(),
            left: armed.used.left(),
            fault: armed.fault.clone(),
        };
        self.armed.iter().map(state).collect()
    }

    /// The first fault that `pick` wants, and that strikes these. It has struck them then.
    pub(crate) fn strike<T>(
        &mut self,
        whom: &Whom,
        pick: impl Fn(&FaultKind) -> Option<T>,
    ) -> Option<(T, Strike)> {
        for armed in &self.armed {
            let Some(what) = pick(&armed.fault.kind) else {
                continue;
            };
            if armed.is_for(whom) && armed.hits(&mut self.random) {
                return Some((what, armed.strike(whom)));
            }
        }
        None
    }

    /// Puts on every websocket what is for it now, and takes away what is not; what has newly struck.
    pub(crate) fn put_on_all(&mut self) -> Vec<Strike> {
        self.sites.refresh(&self.armed, &mut self.random)
    }

    /// The same for one websocket.
    pub(crate) fn put_on(&mut self, id: &SiteId) -> Vec<Strike> {
        self.sites.refresh_one(id, &self.armed, &mut self.random)
    }

    /// What a hook's dice are seeded with.
    pub(crate) fn seed(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// Remembers a kick for later.
    pub(crate) fn delay(
        &mut self,
        until: Tick,
        connection: ConnectionId,
        kick: (InstanceId, ChannelId),
    ) {
        self.late.insert((until, connection), kick);
    }

    /// When the first late kick is due.
    pub(crate) fn next_late(&self) -> Option<Tick> {
        self.late.keys().next().map(|(at, _)| *at)
    }

    /// A late kick that is due now.
    pub(crate) fn take_late(
        &mut self,
        now: Tick,
    ) -> Option<(ConnectionId, (InstanceId, ChannelId))> {
        let first = self
            .late
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        let ((_, connection), kick) = first.remove_entry();
        Some((connection, kick))
    }
}

impl Armed {
    fn name(&self) -> &str {
        self.fault.name.as_deref().unwrap_or_default()
    }

    fn is_for(&self, whom: &Whom) -> bool {
        let Scope {
            instance,
            session,
            connection,
        } = &self.fault.scope;
        (instance.is_none() || *instance == whom.instance)
            && (session.is_none() || *session == whom.session)
            && (connection.is_none() || *connection == whom.connection)
    }

    /// Throws the dice, and counts if it hits.
    fn hits(&self, random: &mut impl Rng) -> bool {
        hits(self.fault.toxicity, random) && self.used.take()
    }

    fn strike(&self, whom: &Whom) -> Strike {
        Strike {
            whom: whom.clone(),
            name: self.name().to_owned(),
            word: self.fault.kind.word(),
        }
    }
}

fn hits(toxicity: f64, random: &mut impl Rng) -> bool {
    toxicity >= 1.0 || random.random_bool(toxicity.clamp(0.0, 1.0))
}
