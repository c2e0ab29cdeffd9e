//! What is derived from sessions and connections, kept at hand so that a count costs no search.
//!
//! Nothing here is stored, and nothing here is a rule's own state: [`Standing`] says what a session
//! counts as, and the sets hold the same for all sessions. Rebuilding them from nothing gives the
//! same sets ([`Registry::invariants`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axt_proto::{AccountId, ConnectionId, EventKind, InstanceId, RegionId, SessionId, Tick};

use crate::{
    ConnectionStatus, Phase, Registry, Session, deadline::Deadline, invocations::RunIndex,
    registry::Step,
};

/// What sessions are counted within.
pub(crate) type Scope = (AccountId, RegionId);

/// Where a session's record lies in history: apart when all its connections failed
/// (limits-and-semantics 5).
pub(crate) type Pool = (Scope, bool);

/// What a session counts as, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    scope: Scope,
    created: Tick,
    instance: InstanceId,
    is_committed: bool,
    /// Against the quota of its region (limits-and-semantics 2).
    is_active: bool,
    /// Over, with nothing left to tear down; `Some(true)` when all its connections failed.
    settled: Option<bool>,
    deadline: Option<(Tick, Deadline)>,
}

/// The derived sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    standing: BTreeMap<SessionId, Standing>,
    /// Active sessions.
    pub(crate) active: BTreeMap<Scope, BTreeSet<SessionId>>,
    /// Committed sessions that are not settled.
    pub(crate) unsettled: BTreeMap<Scope, BTreeSet<SessionId>>,
    /// Sessions that are not settled, committed or not, by instance.
    pub(crate) unsettled_on: BTreeMap<InstanceId, BTreeSet<SessionId>>,
    /// Settled sessions, oldest first.
    pub(crate) history: BTreeMap<Pool, BTreeSet<(Tick, SessionId)>>,
    /// All connections of a session.
    pub(crate) of_session: BTreeMap<SessionId, BTreeSet<ConnectionId>>,
    /// Those that are live.
    pub(crate) live_of_session: BTreeMap<SessionId, BTreeSet<ConnectionId>>,
    /// Those that hold a slot of an instance.
    pub(crate) live_on: BTreeMap<InstanceId, BTreeSet<ConnectionId>>,
    /// The same of commands.
    pub(crate) runs: RunIndex,
    /// What happens by time alone, in order.
    pub(crate) deadlines: BTreeSet<(Tick, Deadline)>,
}

/// The size of one of the index's sets.
pub(crate) fn count<K: Ord, V>(sets: &BTreeMap<K, BTreeSet<V>>, key: &K) -> usize {
    sets.get(key).map_or(0, BTreeSet::len)
}

/// The members of one of the index's sets, to be changed while they are walked.
pub(crate) fn members<K: Ord, V: Clone>(sets: &BTreeMap<K, BTreeSet<V>>, key: &K) -> Vec<V> {
    sets.get(key).into_iter().flatten().cloned().collect()
}

/// Puts a value into one of the index's sets, or takes it out.
pub(crate) fn place<K: Ord, V: Ord>(
    sets: &mut BTreeMap<K, BTreeSet<V>>,
    key: K,
    value: V,
    is_in: bool,
) {
    if is_in {
        sets.entry(key).or_default().insert(value);
    } else if let Some(set) = sets.get_mut(&key) {
        set.remove(&value);
        if set.is_empty() {
            sets.remove(&key);
        }
    }
}

impl Index {
    fn place_session(&mut self, id: &SessionId, standing: &Standing, is_in: bool) {
        let scope = &standing.scope;
        if standing.is_active {
            place(&mut self.active, scope.clone(), id.clone(), is_in);
        }
        match standing.settled {
            Some(failed) => {
                let pool = (scope.clone(), failed);
                place(
                    &mut self.history,
                    pool,
                    (standing.created, id.clone()),
                    is_in,
                );
            }
            None => {
                if standing.is_committed {
                    place(&mut self.unsettled, scope.clone(), id.clone(), is_in);
                }
                let instance = standing.instance.clone();
                place(&mut self.unsettled_on, instance, id.clone(), is_in);
            }
        }
        if let Some(deadline) = &standing.deadline {
            if is_in {
                self.deadlines.insert(deadline.clone());
            } else {
                self.deadlines.remove(deadline);
            }
        }
    }
}

impl Registry {
    /// What the session counts as: the one home of "active", "released" and "settled".
    fn standing(&self, session: &Session) -> Standing {
        let has_live = self.index.live_of_session.contains_key(&session.id);
        let is_active = match session.phase {
            Phase::Open => true,
            Phase::Expired => has_live,
            Phase::Ended => false,
        };
        // A session that nobody was told of is no record yet, even when its instance has gone.
        let is_over = session.is_committed && !is_active && !has_live;
        let settled = is_over.then(|| self.all_failed(&session.id));
        let deadline = if settled.is_some() {
            let kept = Duration::from_secs(86_400) * self.limits.history_days;
            Some((session.created + kept, Deadline::Forget(session.id.clone())))
        } else if session.phase == Phase::Open && session.is_committed {
            Some((session.expires, Deadline::Expire(session.id.clone())))
        } else {
            None
        };
        Standing {
            scope: session.scope(),
            created: session.created,
            instance: session.instance.clone(),
            is_committed: session.is_committed,
            is_active,
            settled,
            deadline,
        }
    }

    fn all_failed(&self, id: &SessionId) -> bool {
        let mut statuses = self.connections_of(id).map(|one| one.status).peekable();
        statuses.peek().is_some() && statuses.all(|status| status == ConnectionStatus::Failed)
    }

    /// Brings the index up to date after a session or one of its connections changed. A session
    /// that stops being active is released: by construction once, for none becomes active again.
    pub(crate) fn refresh(&mut self, step: &mut Step, id: &SessionId) {
        let was = self.reindex(id);
        let is = self.index.standing.get(id).cloned();
        if let (Some(was), Some(is)) = (was, is) {
            if was.is_active && !is.is_active {
                self.emit_session(step, id, None, EventKind::SessionReleased);
            }
            if is.settled.is_some() {
                self.trim_history(step, &is.scope);
            }
        }
    }

    /// Recomputes a session's standing and its places in the sets; returns the old standing.
    pub(crate) fn reindex(&mut self, id: &SessionId) -> Option<Standing> {
        let was = self.index.standing.remove(id);
        if let Some(was) = &was {
            self.index.place_session(id, was, false);
        }
        if let Some(session) = self.sessions.get(id) {
            let standing = self.standing(session);
            self.index.place_session(id, &standing, true);
            self.index.standing.insert(id.clone(), standing);
        }
        was
    }

    /// Puts a connection into the sets, or takes one that is forgotten out of them.
    pub(crate) fn reindex_connection(
        &mut self,
        id: ConnectionId,
        session: &SessionId,
        instance: &InstanceId,
    ) {
        let connection = self.connections.get(&id);
        let exists = connection.is_some();
        let is_live = connection.is_some_and(|one| one.status.is_live());
        let index = &mut self.index;
        place(&mut index.of_session, session.clone(), id, exists);
        place(&mut index.live_of_session, session.clone(), id, is_live);
        place(&mut index.live_on, instance.clone(), id, is_live);
    }

    /// The index from nothing.
    pub(crate) fn rebuild_index(&mut self) {
        self.index = Index::default();
        let connections: Vec<_> = self
            .connections
            .values()
            .map(|one| (one.id, one.session.clone(), one.instance.clone()))
            .collect();
        for (id, session, instance) in connections {
            self.reindex_connection(id, &session, &instance);
        }
        let sessions: Vec<_> = self.sessions.keys().cloned().collect();
        for id in sessions {
            self.reindex(&id);
        }
        self.rebuild_run_index();
        for token in self.ledger.remembered() {
            let deadline = Deadline::Token(token.key.clone());
            self.index.deadlines.insert((token.expires, deadline));
        }
    }
}
