//! The heart-beat (wire-protocol 10.5), and what else comes by and by.

use std::{sync::Arc, time::Duration};

use axt_control::luban::beat::HeartBeat;
use axt_net::link;
use rustix::time::{ClockId, clock_gettime};

use crate::{calls::Relay, commands::Commands};

/// The intervals that an agent takes from the relay, in milliseconds; others it draws itself.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 55_000..=65_000;
/// How often requests are signed ahead anew, so that none is ever stale.
const SIGN_EVERY: Duration = Duration::from_secs(50);
/// How soon after one was used the next is signed: when what it was used for is done.
const SIGN_AFTER: Duration = Duration::from_millis(20);

/// Signs in, then beats for ever. What fails is tried again at the next beat: presence is the
/// notify channel's, and these calls only say so once more.
pub(crate) async fn keep(relay: Arc<Relay>, commands: Arc<Commands>) {
    let started = link::now();
    let mut beat = HeartBeat {
        pid: std::process::id(),
        ..HeartBeat::default()
    };
    loop {
        beat.uptime = uptime_ms();
        beat.timestamp = relay.now_ms();
        beat.process_uptime = millis(link::now().duration_since(started));
        beat.seq_no += 1;
        let mut interval = None;
        match relay.heart_beat(&beat).await {
            Ok(reply) => {
                beat.index += 1;
                interval = INTERVAL_MS
                    .contains(&reply.next_interval)
                    .then_some(reply.next_interval);
            }
            Err(error) => tracing::debug!(instance = %relay.instance(), %error, "no heart-beat"),
        }
        if !commands.has_begun() {
            match relay.task_list("startup", None).await {
                Ok(list) => commands.begin(list),
                Err(error) => {
                    tracing::debug!(instance = %relay.instance(), %error, "no task list");
                }
            }
        }
        let width = INTERVAL_MS.end() - INTERVAL_MS.start() + 1;
        let drawn = INTERVAL_MS.start() + relay.random() % width;
        link::sleep(Duration::from_millis(interval.unwrap_or(drawn))).await;
    }
}

/// Keeps requests signed ahead, for ever.
pub(crate) async fn keep_signed(relay: Arc<Relay>) {
    if relay.config().signed_ahead == 0 {
        return;
    }
    loop {
        while relay.sign_one_ahead() {
            // Others have their turn between two signatures.
            tokio::task::yield_now().await;
        }
        tokio::select! {
            biased;
            // Not while the channel that took some is being opened.
            () = relay.signature_taken() => link::sleep(SIGN_AFTER).await,
            () = link::sleep(SIGN_EVERY) => {}
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// How long the machine has been up.
fn uptime_ms() -> u64 {
    let up = clock_gettime(ClockId::Boottime);
    u64::try_from(up.tv_sec).unwrap_or_default() * 1_000
}
