//! What happens to a session between its admission and its commit.

use axt_proto::{EventKind, SessionId, Tick};

use crate::{
    Changes, Fingerprint, Fresh, Phase, Registry, Row, RowKey, Session, StartRequest, Started,
    TokenKey, registry::Step,
};

impl Registry {
    /// Makes a session whose checks have passed. It counts from now on.
    pub(crate) fn admit(
        &mut self,
        now: Tick,
        request: &StartRequest,
        fresh: Fresh,
        token: Option<(TokenKey, Fingerprint)>,
    ) -> Started {
        // A step of its own: these rows reach the journal apart from all others.
        let mut commit = Step::new(now);
        let id = fresh.session.clone();
        let session = Session {
            id: fresh.session,
            token: fresh.token.clone(),
            account: request.account.clone(),
            region: request.region.clone(),
            instance: request.instance.clone(),
            target: request.target.clone(),
            username: request.username.clone(),
            password_name: request.password_name.clone(),
            connection_type: request.connection_type,
            base_url: request.base_url.clone(),
            starter: request.starter.clone(),
            created: now,
            expires: now + self.limits.url_validity(),
            phase: Phase::Open,
            closed_at: None,
            is_committed: false,
        };
        commit.put(Row::Session(Box::new(session.clone())));
        if let Some((key, fingerprint)) = &token {
            let remembered = self.remembered(now, key, fingerprint, session.answer());
            commit.put(Row::Token(Box::new(remembered)));
        }
        self.ledger.admit(&id, token);
        self.sessions.insert(id.clone(), session);
        self.reindex(&id);
        let account = request.account.clone();
        self.emit_session(
            &mut commit,
            &id,
            None,
            EventKind::SessionStarted { account },
        );
        Started {
            session: id,
            token: fresh.token,
            base_url: request.base_url.clone(),
            commit: Some(commit.changes),
        }
    }

    /// The journal has the session: from now on it can be seen, connected to, and replayed.
    pub fn committed(&mut self, now: Tick, id: &SessionId) -> Changes {
        let committed = |registry: &mut Self, step: &mut Step| {
            let Some(session) = registry
                .sessions
                .get_mut(id)
                .filter(|one| !one.is_committed)
            else {
                return;
            };
            session.is_committed = true;
            let (answer, created) = (session.answer(), session.created);
            // Its instance may have been removed meanwhile; the row in the journal is older.
            if session.phase != Phase::Open {
                registry.put_session(step, id);
            }
            if let Some((key, fingerprint)) = registry.ledger.settle(id) {
                let token = registry.remembered(created, &key, &fingerprint, answer);
                registry.remember(step, token);
            }
            registry.refresh(step, id);
            let scope = registry.sessions.get(id).map(Session::scope);
            if let Some(scope) = scope {
                registry.trim_history(step, &scope);
            }
        };
        self.step(now, committed).1
    }

    /// The journal did not take the session: it never existed, and its ClientToken is free. The
    /// rows undo what a write that only seemed to fail may have left.
    pub fn rolled_back(&mut self, now: Tick, id: &SessionId) -> Changes {
        let rolled_back = |registry: &mut Self, step: &mut Step| {
            if registry.sessions.get(id).is_none_or(|one| one.is_committed) {
                return;
            }
            if let Some((key, _)) = registry.ledger.settle(id) {
                step.delete(RowKey::Token(key));
            }
            registry.emit_session(step, id, None, EventKind::SessionRolledBack);
            registry.sessions.remove(id);
            registry.reindex(id);
            step.delete(RowKey::Session(id.clone()));
        };
        self.step(now, rolled_back).1
    }
}
