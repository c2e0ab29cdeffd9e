//! The ring of events, and those who follow it.

use std::{collections::VecDeque, sync::Arc};

use axt_proto::Event;
use tokio::sync::broadcast;

/// How many events the ring holds (design, "Events").
pub(crate) const RING: usize = 4_096;

/// The latest events, and a way to wait for the next.
#[derive(Debug)]
pub(crate) struct Ring {
    latest: VecDeque<Arc<Event>>,
    sender: broadcast::Sender<Arc<Event>>,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Self {
            latest: VecDeque::with_capacity(RING),
            sender: broadcast::Sender::new(RING),
        }
    }

    /// Adds an event and wakes the followers.
    pub(crate) fn publish(&mut self, event: Event) {
        let event = Arc::new(event);
        if self.latest.len() == RING {
            self.latest.pop_front();
        }
        self.latest.push_back(Arc::clone(&event));
        // Nobody may be following.
        let _ = self.sender.send(event);
    }

    /// Shows something to the followers alone.
    pub(crate) fn pass(&self, event: Event) {
        let _ = self.sender.send(Arc::new(event));
    }

    /// The `seq` of the latest event; 0 when there was none.
    pub(crate) fn last(&self) -> u64 {
        self.latest.back().map_or(0, |event| event.seq)
    }

    /// The latest events after `since`, and a follower that goes on from there without a gap.
    pub(crate) fn follow(&self, since: u64) -> (Vec<Arc<Event>>, Follower) {
        let latest = self.latest.iter();
        let past = latest.filter(|event| event.seq > since).cloned().collect();
        (past, Follower(self.sender.subscribe()))
    }
}

/// Follows the events of a relay from the moment on at which it was made.
#[derive(Debug)]
pub struct Follower(broadcast::Receiver<Arc<Event>>);

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Something happened.
    Event(Arc<Event>),
    /// The follower was too slow: so many events are gone.
    Lagged(u64),
}

impl Follower {
    /// The next event; `None` when the relay has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Followed> {
        match self.0.recv().await {
            Ok(event) => Some(Followed::Event(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Followed::Lagged(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axt_proto::{EventKind, Tick};

    use super::*;

    fn event(seq: u64) -> Event {
        Event {
            seq,
            at: Tick::EPOCH,
            kind: EventKind::AgentOnline,
            region: "cn-hangzhou".parse().expect("valid"),
            instance: None,
            session: None,
            connection: None,
        }
    }

    #[tokio::test]
    async fn a_follower_sees_the_past_it_asked_for_and_then_the_future() {
        let mut ring = Ring::new();
        ring.publish(event(1));
        ring.publish(event(2));

        let (past, mut follower) = ring.follow(1);
        ring.publish(event(3));
        drop(ring);

        assert_eq!(past, [Arc::new(event(2))]);
        assert_eq!(
            follower.next().await,
            Some(Followed::Event(Arc::new(event(3))))
        );
        assert_eq!(follower.next().await, None);
    }

    #[tokio::test]
    async fn what_is_only_passed_on_is_seen_by_followers_and_not_kept() {
        let mut ring = Ring::new();
        let (_, mut follower) = ring.follow(0);

        ring.publish(event(1));
        ring.pass(event(1));

        for _ in 0..2 {
            let seen = follower.next().await;
            assert_eq!(seen, Some(Followed::Event(Arc::new(event(1)))));
        }
        assert_eq!(ring.follow(0).0.len(), 1);
        assert_eq!(ring.last(), 1);
    }

    #[tokio::test]
    async fn a_slow_follower_is_told_how_much_it_missed() {
        let mut ring = Ring::new();
        let (_, mut follower) = ring.follow(0);

        for seq in 1..=4_100 {
            ring.publish(event(seq));
        }

        assert_eq!(follower.next().await, Some(Followed::Lagged(4)));
    }
}
