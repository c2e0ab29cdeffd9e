//! Following the relay's rule time, for an agent in a process of its own (design, "Three kinds of
//! time").
//!
//! Such an agent's clock stands at the epoch until the relay has told the time, and until then it
//! serves nobody. From then on each call waits at the relay until its clock is frozen, moved or
//! released; between these the two clocks run by themselves, and are compared every few seconds.

use std::sync::Arc;

use axt_net::link::{self, Backoff};

use crate::calls::Relay;

/// An agent's clock on the heels of its relay's.
pub(crate) struct Follower {
    relay: Arc<Relay>,
    backoff: Backoff,
    /// Which version of the relay's clock it has seen.
    seen: Option<u64>,
    is_told: bool,
}

impl Follower {
    pub(crate) fn new(relay: Arc<Relay>) -> Self {
        Self {
            backoff: Backoff::seeded(relay.random()),
            relay,
            seen: None,
            is_told: false,
        }
    }

    /// Asks until the relay has told how its clock stands, and follows once. An agent that does not
    /// follow is there already.
    pub(crate) async fn once(&mut self) {
        while self.relay.config().follow_clock && !self.step().await {
            link::sleep(self.backoff.next_wait()).await;
        }
    }

    /// Follows for ever; a relay that is away is asked again and again.
    pub(crate) async fn keep(mut self) {
        while self.relay.config().follow_clock {
            self.once().await;
        }
    }

    /// Asks once; whether there was an answer. A clock never goes back: of a relay that is behind,
    /// this one waits to be reached.
    async fn step(&mut self) -> bool {
        match self.relay.clock(self.seen).await {
            Ok(state) => {
                self.backoff.reset();
                (self.seen, self.is_told) = (Some(state.version), false);
                let clock = &self.relay.around().clock;
                if let Err(late) = clock.follow(state.now(), state.frozen).await {
                    tracing::warn!(error = %late, "the clock could not follow the relay's");
                }
                true
            }
            Err(error) => {
                // Another relay may count from elsewhere.
                self.seen = None;
                if !std::mem::replace(&mut self.is_told, true) {
                    tracing::warn!(%error, "the relay does not tell its clock; trying on");
                }
                false
            }
        }
    }
}
