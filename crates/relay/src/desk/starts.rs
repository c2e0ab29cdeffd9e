//! StartTerminalSession, EndTerminalSession and reset: what is answered only when it is durable.

use axt_proto::{AccountId, RegionId, SessionId};
use axt_registry::{EndRefusal, Fresh, RegionPatch, StartRefusal, StartRequest, Started};
use tokio::sync::oneshot;

use super::{Desk, Job, NotDone};
use crate::ids;

impl Desk {
    /// Starts a session; answers once it is durable.
    pub(crate) fn start(
        &mut self,
        request: &StartRequest,
        reply: oneshot::Sender<Result<Started, NotDone<StartRefusal>>>,
    ) {
        let letters = ids::letters(&request.region, &self.letters);
        let Ok(session) = self.ids.session(letters) else {
            tracing::error!(region = %request.region, letters, "no session id can have these letters");
            let _ = reply.send(Err(NotDone::Journal));
            return;
        };
        let token = self.ids.token();
        let fresh = Fresh { session, token };
        let (answer, due) = self.registry.start(self.now(), request, fresh);
        self.apply(due);
        match answer {
            Err(refusal) => {
                let _ = reply.send(Err(refusal.into()));
            }
            Ok(mut started) => match started.commit.take() {
                // A replay: the first call's answer, which is durable already.
                None => {
                    let _ = reply.send(Ok(started));
                }
                Some(changes) => {
                    let region = request.region.clone();
                    self.apply_and(changes, move |desk, result| {
                        desk.unless_held(region, move |desk| {
                            let answer = if result.is_ok() {
                                let changes = desk.registry.committed(desk.now(), &started.session);
                                desk.apply(changes);
                                Ok(started)
                            } else {
                                let changes =
                                    desk.registry.rolled_back(desk.now(), &started.session);
                                desk.apply(changes);
                                Err(NotDone::Journal)
                            };
                            let _ = reply.send(answer);
                        });
                    });
                }
            },
        }
    }

    /// Ends a session; answers once that is durable.
    pub(crate) fn end(
        &mut self,
        account: &AccountId,
        region: &RegionId,
        session: &SessionId,
        reply: impl FnOnce(Result<(), NotDone<EndRefusal>>) + Send + 'static,
    ) {
        let ended = self.registry.end(self.now(), account, region, session);
        self.change(ended, reply);
    }

    /// Ends and forgets sessions; answers once that is durable.
    pub(crate) fn reset(&mut self, reply: oneshot::Sender<bool>) {
        let changes = self.registry.reset(self.now());
        self.apply_and(changes, |_, result| {
            let _ = reply.send(result.is_ok());
        });
    }

    /// Changes a region's switches, and lets go what `hold_commit` had held.
    pub(crate) fn change_region(&mut self, region: &RegionId, patch: RegionPatch) {
        let changes = self.registry.change_region(self.now(), region, patch);
        self.apply(changes);
        let held = std::mem::take(&mut self.held);
        for (region, job) in held {
            self.unless_held(region, job);
        }
    }

    /// Does `job` now, or when the region no longer holds commits.
    pub(super) fn unless_held(
        &mut self,
        region: RegionId,
        job: impl FnOnce(&mut Self) + Send + 'static,
    ) {
        if self.registry.switches(&region).hold_commit {
            let job: Job = Box::new(job);
            self.held.push((region, job));
        } else {
            job(self);
        }
    }
}
