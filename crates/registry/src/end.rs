//! EndTerminalSession, and the reset of everything.

use axt_proto::{AccountId, Carried, EventKind, Reason, RegionId, SessionId, Tick};

use crate::{Changes, Effect, Phase, Registry, connection::Ending, index::members, registry::Step};

/// Why EndTerminalSession ends nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndRefusal {
    /// `RegionId.ApiNotSupported`.
    #[error("the region has no session API")]
    RegionUnsupported,
    /// `InvalidSessionId.NotFound`: unknown, another account's or another region's.
    #[error("the account has no such session in this region")]
    NotFound,
}

impl Registry {
    /// EndTerminalSession (limits-and-semantics R10): the URL is dead at once and the session no
    /// longer counts; its live connections are closed by effects. Answer when the changes are
    /// committed. There is no way back: when the commit fails the session has ended all the same,
    /// and a retry, which succeeds on an ended session too, commits again.
    ///
    /// # Errors
    /// See [`EndRefusal`].
    pub fn end(
        &mut self,
        now: Tick,
        account: &AccountId,
        region: &RegionId,
        session: &SessionId,
    ) -> (Result<(), EndRefusal>, Changes) {
        self.step(now, |registry, step| {
            if !registry.switches(region).api_supported {
                return Err(EndRefusal::RegionUnsupported);
            }
            registry
                .session(session)
                .filter(|one| one.account == *account && one.region == *region)
                .ok_or(EndRefusal::NotFound)?;
            registry.end_session(step, session, Reason::EndTerminalSession);
            Ok(())
        })
    }

    /// Ends a session for good and asks for the end of its live connections.
    pub(crate) fn end_session(&mut self, step: &mut Step, id: &SessionId, reason: Reason) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let was = session.phase;
        session.phase = Phase::Ended;
        if was == Phase::Open {
            session.closed_at = Some(step.now);
        }
        self.put_session(step, id);
        if was == Phase::Ended {
            return;
        }
        self.emit_session(step, id, None, EventKind::SessionEnded);
        for connection in members(&self.index.live_of_session, id) {
            self.ask_to_close(step, connection, reason);
        }
        self.refresh(step, id);
    }

    /// Ends every live connection as EndTerminalSession does, then forgets sessions, history,
    /// ClientTokens and commands, of which those that run are stopped. Instances, activations, switches and the counters stay, and so do sessions
    /// that wait for their commit. The relay's later reports of these ends change nothing.
    pub fn reset(&mut self, now: Tick) -> Changes {
        let reset = |registry: &mut Self, step: &mut Step| {
            let reason = Reason::EndTerminalSession;
            let live: Vec<_> = registry.live_connections().map(|one| one.id).collect();
            for connection in live {
                step.effect(Effect::Close { connection, reason });
                registry.finish(step, connection, Ending::closed(reason, Carried::default()));
            }
            let sessions = registry.sessions.values();
            let committed: Vec<_> = sessions
                .filter(|one| one.is_committed)
                .map(|one| one.id.clone())
                .collect();
            for session in committed {
                registry.end_session(step, &session, reason);
                registry.forget(step, &session);
            }
            registry.forget_tokens(step);
            registry.forget_commands(step);
        };
        self.step(now, reset).1
    }
}
