//! What goes wrong in a history: an agent, the relay or a websocket is lost, at moments that the seed
//! picks, and in the middle of a call.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use axt_client::session::{self, Why};
use axt_control::admin::fault::{Fault, FaultKind, Link};
use axt_net::link;
use axt_proto::{Reason, Tick};
use rand::RngExt;

use super::{Known, Live, Simulation, expect_end};

/// How often a call is looked at, at most, until the relay is lost under it. Fewer than this are
/// needed to answer one.
const LOOKS: usize = 12;

/// How long an agent may take to come back: twice its longest wait between two tries.
const GUARD: Duration = Duration::from_secs(60);

impl Simulation {
    /// The agent dies, or is started again.
    pub(super) async fn lose_or_start_agent(&mut self) -> String {
        let instance = self.sandbox.instance().clone();
        if !self.has_agent {
            assert!(self.sandbox.start_agent(&instance));
            self.has_agent = true;
            self.agent_is_back().await;
            return "start the agent".to_owned();
        }
        assert!(self.sandbox.lose_agent(&instance));
        self.has_agent = false;
        for live in self.take(|_| true) {
            expect_end(live, Reason::AgentTimeout).await;
        }
        link::sleep(Duration::from_millis(1)).await;
        "lose the agent".to_owned()
    }

    /// The relay dies, and is started again on its journal.
    pub(super) async fn restart_relay(&mut self) -> String {
        self.sandbox.lose_relay();
        self.relay_is_back().await;
        "restart the relay".to_owned()
    }

    /// The relay dies while it is asked something. Nobody knows by then whether it was done; what was
    /// answered has to stand.
    pub(super) async fn crash(&mut self) -> String {
        let looks = self.random.random_range(0..LOOKS);
        let at = self.pick(self.sessions.len());
        let did = match (self.random.random_range(0..3), at) {
            (0, Some(at)) => {
                let id = self.sessions[at].id.clone();
                let ending = cut_short(looks, session::end(self.sandbox.api(), &id)).await;
                self.sandbox.lose_relay();
                self.relay_is_back().await;
                let is_ended = self
                    .remembered()
                    .await
                    .iter()
                    .any(|(known, is_ended, _)| *known == id && *is_ended);
                let was_ended = self.sessions[at].is_ended || ending.is_some();
                assert!(is_ended || !was_ended, "{id} is back");
                self.sessions[at].is_ended = is_ended;
                format!("crash at the end of {id}")
            }
            (1, Some(at)) if self.sessions[at].started.is_some() => {
                let started = self.sessions[at].started.clone().expect("looked at");
                let connected = cut_short(looks, self.sandbox.terminal(&started)).await;
                self.sandbox.lose_relay();
                self.relay_is_back().await;
                drop(connected);
                format!("crash at a connection to {}", started.id)
            }
            _ => {
                let answered = cut_short(looks, self.sandbox.start_session()).await;
                let now = self.now();
                if let Some(Ok(started)) = answered {
                    self.sessions.push(Known {
                        id: started.id.clone(),
                        started: Some(started),
                        created: now,
                        is_ended: false,
                    });
                }
                self.sandbox.lose_relay();
                self.relay_is_back().await;
                "crash at a start".to_owned()
            }
        };
        // What nobody was answered may be there all the same.
        for (id, is_ended, created) in self.remembered().await {
            if !self.sessions.iter().any(|known| known.id == id) {
                self.sessions.push(Known {
                    id,
                    started: None,
                    created,
                    is_ended,
                });
            }
        }
        did
    }

    /// Websockets are reset: those of clients end their connections, an agent dials its own again.
    pub(super) async fn cut(&mut self) -> String {
        let live = u32::try_from(self.live.len()).expect("few");
        let (link, times) = match self.random.random_range(0..3) {
            0 => (Link::Client, live),
            1 => (Link::Agent, live),
            _ => (Link::Notify, u32::from(self.has_agent)),
        };
        if times == 0 {
            return "nothing to cut".to_owned();
        }
        let fault = Fault::new(FaultKind::ResetPeer { timeout: 0 });
        let fault = fault.on(link).times(times);
        let adding = self.sandbox.admin().add_fault(&fault);
        let name = adding.await.expect("a fault");
        match link {
            Link::Client => {
                for Live { terminal, .. } in self.take(|_| true) {
                    let (ended, _) = terminal.end().await.expect("an end");
                    assert!(matches!(ended.why, Why::Lost(_)), "{:?}", ended.why);
                }
            }
            Link::Agent => {
                for at in 0..self.live.len() {
                    self.talk_to(at).await;
                }
            }
            Link::Notify => self.agent_is_back().await,
        }
        let removing = self.sandbox.admin().remove_fault(Some(&name));
        removing.await.expect("removed");
        format!("cut {link:?}")
    }

    /// Waits until the relay is there again, with all that it had answered, and its agent with it.
    async fn relay_is_back(&mut self) {
        self.sandbox.restart_relay().await.expect("it starts again");
        for Live { terminal, .. } in self.take(|_| true) {
            let (ended, _) = terminal.end().await.expect("an end");
            // One whose session was just being ended may have been told.
            let is_told = matches!(
                ended.why,
                Why::Lost(_) | Why::Told(Reason::EndTerminalSession)
            );
            assert!(is_told, "{:?}", ended.why);
        }
        let remembered = self.remembered().await;
        for Known { id, is_ended, .. } in &self.sessions {
            let found = remembered.iter().find(|(known, ..)| known == id);
            let (_, is_still_ended, _) = found.unwrap_or_else(|| panic!("{id} is forgotten"));
            assert!(*is_still_ended || !is_ended, "{id} is back");
        }
        if self.has_agent {
            self.agent_is_back().await;
        }
    }

    /// Waits until the agent has its notify channel.
    async fn agent_is_back(&mut self) {
        // By then everybody has noticed what was lost.
        link::sleep(Duration::from_millis(1)).await;
        let instance = self.sandbox.instance().clone();
        let back = self.sandbox.agent_online(&instance);
        let is_there = link::timeout(GUARD, back).await;
        assert!(is_there.expect("it comes back"), "there is none");
        link::sleep(Duration::from_millis(1)).await;
    }

    /// The sessions that the relay knows: id, whether it was ended, and when it was made.
    async fn remembered(&self) -> Vec<(String, bool, Tick)> {
        let state = self.sandbox.admin().state().await.expect("an answer");
        let one = |session: axt_control::admin::SessionState| {
            let created = Tick::from_millis(session.created_ms);
            (session.id.to_string(), session.state == "ended", created)
        };
        state.sessions.into_iter().map(one).collect()
    }
}

/// Looks at a call so often and no more; `None`: it was not answered by then.
async fn cut_short<F: Future>(looks: usize, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = looks;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        call.as_mut().poll(context).map(Some)
    })
    .await
}
