//! What happens by time alone: URLs expire, ClientTokens and history are forgotten.

use axt_proto::{EventKind, InvocationId, SessionId, Tick};

use crate::{
    Changes, Phase, Registry, RowKey, TokenKey,
    index::{Scope, count, members},
    registry::Step,
};

/// Something that happens by time alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// A session's URL is too old.
    Expire(SessionId),
    /// A session's record is too old.
    Forget(SessionId),
    /// A ClientToken is too old.
    Token(TokenKey),
    /// The results of a command are too old.
    Results(InvocationId),
}

impl Registry {
    /// When [`tick`](Self::tick) has something to do next. Every command looks at the deadlines
    /// too, so a late tick delays events but bends no rule.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Tick> {
        self.index.deadlines.first().map(|(at, _)| *at)
    }

    /// Runs every deadline up to and including `now`, in order.
    pub fn tick(&mut self, now: Tick) -> Changes {
        self.step(now, |_, _| ()).1
    }

    pub(crate) fn run_deadlines(&mut self, step: &mut Step) {
        while let Some((at, _)) = self.index.deadlines.first()
            && *at <= step.now
            && let Some((_, deadline)) = self.index.deadlines.pop_first()
        {
            match deadline {
                Deadline::Expire(session) => self.expire(step, &session),
                Deadline::Forget(session) => self.forget(step, &session),
                Deadline::Token(key) => self.forget_token(step, &key),
                Deadline::Results(invocation) => self.forget_invocation(step, &invocation),
            }
        }
    }

    /// The URL opens no new connection; live ones go on (limits-and-semantics R4).
    fn expire(&mut self, step: &mut Step, id: &SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.phase = Phase::Expired;
        session.closed_at = Some(step.now);
        self.put_session(step, id);
        self.emit_session(step, id, None, EventKind::SessionExpired);
        self.refresh(step, id);
    }

    /// Drops a session's record with its connections.
    pub(crate) fn forget(&mut self, step: &mut Step, id: &SessionId) {
        for connection in members(&self.index.of_session, id) {
            self.forget_connection(step, connection);
        }
        if let Some(session) = self.sessions.remove(id)
            && session.is_committed
        {
            step.delete(RowKey::Session(id.clone()));
        }
        self.reindex(id);
    }

    /// Keeps the newest records of a region and account (limits-and-semantics 5): as many failed
    /// ones, and as many others, of which those that are not settled count but never go.
    pub(crate) fn trim_history(&mut self, step: &mut Step, scope: &Scope) {
        let limit = usize::try_from(self.limits.history_records).unwrap_or(usize::MAX);
        for failed in [false, true] {
            let pool = (scope.clone(), failed);
            let unsettled = match failed {
                true => 0,
                false => count(&self.index.unsettled, scope),
            };
            while count(&self.index.history, &pool) + unsettled > limit
                && let Some((_, oldest)) = self.index.history.get(&pool).and_then(|it| it.first())
            {
                let oldest = oldest.clone();
                self.forget(step, &oldest);
            }
        }
    }
}
