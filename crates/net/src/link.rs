//! Link time: what waits for a peer or for the kernel. It is tokio's monotonic clock, so it is
//! never frozen by [`crate::clock`], and runs in jumps when a simulation pauses the runtime.
//!
//! The spans below are no documented limits, only how long one program waits for another. What
//! the documentation states is in [`axt_proto::Limits`].

pub mod backoff;

use std::{future::Future, time::Duration};

pub use backoff::Backoff;
pub use tokio::time::{Instant, Interval};

/// How often each websocket is pinged.
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// How long a websocket may be without a single byte before its peer counts as dead.
pub const DEAD_AFTER: Duration = Duration::from_secs(30);
/// How long it may be so while the peer keeps a message of ours waiting: a peer that holds back
/// cannot read our pings, so it is given longer to answer one.
pub const STALLED_AFTER: Duration = Duration::from_secs(60);
/// How long an official agent may be silent on a data channel: it answers no ping while what is behind
/// it takes nothing, but goes on sending its own, one a minute (wire-protocol 7, 8).
pub const OFFICIAL_DEAD_AFTER: Duration = Duration::from_secs(130);
/// How long an agent has from the kick until its data channel is dialled (wire-protocol 12.19).
pub const KICK_WINDOW: Duration = Duration::from_secs(20);
/// How long an agent has to dial a lost data channel again (wire-protocol 8: its tries take 13 s).
pub const REDIAL_WINDOW: Duration = Duration::from_secs(15);
/// How often an official agent is sent a keep-alive status (wire-protocol 9.4).
pub const KEEP_ALIVE: Duration = Duration::from_secs(50);
/// How long the two ends of a connection have to finish closing it.
pub const DRAIN: Duration = Duration::from_secs(1);
/// How long what came over a connection that broke may stand still until it is given up: nobody who
/// does not read it can learn of the break otherwise.
pub const STUCK: Duration = Duration::from_millis(500);
/// How long a program takes at most to stop.
pub const SHUTDOWN: Duration = Duration::from_secs(2);
/// How long a dial, a TLS handshake or a websocket handshake may take, each.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long an HTTP connection may idle, or take to send a request's headers, at our servers.
/// Longer than [`POOLED`], so that our clients never send on a connection about to be closed.
pub const HEADERS: Duration = Duration::from_secs(60);
/// How long our clients keep an idle HTTP connection.
pub const POOLED: Duration = Duration::from_secs(40);
/// How long an HTTP request may take unless its caller says otherwise.
pub const REQUEST: Duration = Duration::from_secs(30);
/// How long the owner of a rule-time timer has to act before [`crate::clock::Clock::advance`]
/// gives up on it.
pub const TIMER_BACK: Duration = Duration::from_secs(5);

/// Something took longer than it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs_f64())]
pub struct TimedOut(pub Duration);

/// The instant it is now.
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits for `span`.
pub async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}

/// Waits until `at`; not at all when that has passed.
pub async fn sleep_until(at: Instant) {
    tokio::time::sleep_until(at).await;
}

/// Gives `future` at most `span`, then drops it.
///
/// # Errors
///
/// [`TimedOut`] when the time is over first.
pub async fn timeout<F: Future>(span: Duration, future: F) -> Result<F::Output, TimedOut> {
    tokio::time::timeout(span, future)
        .await
        .map_err(|_| TimedOut(span))
}

/// Ticks every `period`, the first time one period from now. Ticks that were missed are left out,
/// so a task that was held up does not catch up in a burst. `period` must not be zero.
#[must_use]
pub fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
