//! A channel that is going to be left, while what is under way on it still arrives.

use std::{future::pending, time::Duration};

use axt_net::{
    link::{self, Instant},
    pump::Traffic,
    ws::WebSocket,
};
use axt_proto::{Direction, Reason};

use super::{End, live::After};
use crate::pairing::Line;

/// How long a direction has to be quiet until what was sent before an end has surely arrived. An
/// agent of ours closes its channel behind its last output, so that nothing need be guessed.
const QUIET: Duration = Duration::from_millis(500);

/// Why it is left.
pub(super) enum Why {
    /// The agent has said how the session ended: its last output is still to be read.
    Posted(End),
    /// The agent has dialled anew, but the old channel may hold output.
    Replaced(Box<WebSocket>),
    /// The agent's channel takes nothing any more; it may still hold output.
    Deaf,
    /// The client is done: its last input is on its way to the agent.
    ClientDone,
}

impl Why {
    /// Whether it matters no more once `other` has happened too.
    const fn gives_way_to(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Replaced(_)) => self.may_be_replaced(),
            (Self::Deaf, _)
            | (Self::Replaced(_), Self::ClientDone)
            | (Self::ClientDone, Self::Posted(_)) => true,
            _ => false,
        }
    }

    /// Whether a channel that was dialled anew takes its place. What was posted stays so, and is looked
    /// at again on the next channel.
    const fn may_be_replaced(&self) -> bool {
        matches!(self, Self::Posted(_) | Self::Deaf)
    }
}

/// That it is going to be left, and since when that is known.
pub(super) struct Leaving {
    why: Why,
    since: Instant,
    look_at: Instant,
}

/// From now on it is going to be left for `why`, unless another reason matters more.
pub(super) fn leave(leaving: &mut Option<Leaving>, why: Why, traffic: &Traffic) {
    if leaving
        .as_ref()
        .is_some_and(|now| !now.why.gives_way_to(&why))
    {
        return;
    }
    let since = link::now();
    let quiet = match why {
        Why::ClientDone => traffic.quiet_for(Direction::Up).unwrap_or(QUIET),
        _ => Duration::ZERO,
    };
    *leaving = Some(Leaving {
        why,
        since,
        look_at: since + QUIET.saturating_sub(quiet),
    });
}

/// Waits until it is to be asked [whether it is over](Leaving::is_over).
pub(super) async fn due(leaving: Option<&Leaving>) {
    match leaving {
        Some(leaving) => link::sleep_until(leaving.look_at).await,
        None => pending().await,
    }
}

impl Leaving {
    /// Whether a channel that was dialled anew takes its place.
    pub(super) const fn may_be_replaced(&self) -> bool {
        self.why.may_be_replaced()
    }

    /// Whether all that was under way has arrived, or never will. Otherwise it is to be asked again.
    pub(super) fn is_over(&mut self, traffic: &Traffic, is_official: bool, is_port: bool) -> bool {
        let now = link::now();
        self.look_at = now + QUIET;
        // Before it was known to leave, silence meant nothing: what it said last may be on a slow
        // way still, while the report of its end went round by another.
        let waited = now.duration_since(self.since);
        let quiet = traffic
            .quiet_for(Direction::Down)
            .unwrap_or(waited)
            .min(waited);
        // While output waits for the meter or the client, the agent's end is not near.
        let is_reading = traffic.is_reading(Direction::Down);
        match &mut self.why {
            Why::ClientDone => true,
            // Nothing gets past what the client does not read: a connection that was cut off is not
            // to stay for that.
            Why::Posted(end)
                if is_port && end.reason != Reason::Exit && !is_reading && quiet >= link::STUCK =>
            {
                end.is_client_stuck = true;
                true
            }
            Why::Posted(_) if !is_official => is_reading && quiet >= link::DEAD_AFTER,
            Why::Posted(_) | Why::Replaced(_) | Why::Deaf => is_reading && quiet >= QUIET,
        }
    }

    /// What comes after it.
    pub(super) fn after(self, line: &Line) -> After {
        match self.why {
            // Its last words come by another channel.
            Why::Posted(end) if !end.is_client_stuck && line.is_dialled() => After::Lost,
            Why::Posted(end) => After::End(end),
            Why::Replaced(socket) => After::Replaced(socket),
            Why::Deaf => After::Lost,
            Why::ClientDone => After::End(End::new(Reason::ClientClosed, "the client closed")),
        }
    }
}
