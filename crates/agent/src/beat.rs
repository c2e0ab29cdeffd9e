//! The heart-beat, and what comes with the first one (wire-protocol 10.5).

use std::{sync::Arc, time::Duration};

use axt_control::luban::{
    beat::{HeartBeat, HeartBeatReply, Machine, Program},
    task::Reason,
};
use axt_net::link::{self, Backoff};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use crate::{
    calls::{CallError, Relay},
    commands::Commands,
    telemetry,
};

/// The intervals that an agent takes from the relay, in milliseconds; others it draws itself.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 55_000..=65_000;
/// How often requests are signed ahead anew, so that none is ever stale.
const SIGN_EVERY: Duration = Duration::from_secs(50);
/// How soon after one was used the next is signed: when what it was used for is done.
const SIGN_AFTER: Duration = Duration::from_millis(20);
/// The zone of a machine that no metadata service has told it.
const ZONE: &str = "unknown";

/// Signs in, then beats for ever: the update check, a heart-beat, the task list of the start, and the
/// event of it, in the official agent's order. A beat that fails is tried again at its next time, for
/// presence is the notify channel's, and this only says so once more; the task list is tried until it
/// is there, for until then nothing is run.
pub(crate) async fn keep(
    relay: Arc<Relay>,
    commands: Arc<Commands>,
    mut online: watch::Receiver<bool>,
) {
    let mut beats = Beats::new();
    if relay.config().is_one_of_many() {
        // All of them are to be online first. The sender is the agent's own, and outlives this.
        let _ = online.wait_for(|is_online| *is_online).await;
    } else {
        Box::pin(telemetry::check_for_update(&relay)).await;
    }
    let mut interval = Box::pin(beats.send(&relay)).await;
    let mut backoff = Backoff::seeded(relay.random());
    let cold_start = relay.config().is_cold_start;
    loop {
        let list = relay.task_list(Reason::Startup { cold_start });
        match Box::pin(list).await {
            Ok(list) => break commands.begin(list),
            Err(error) => tracing::debug!(instance = %relay.instance(), %error, "no task list"),
        }
        link::sleep(backoff.next_wait()).await;
        if beats.acknowledged == 0 {
            interval = Box::pin(beats.send(&relay)).await;
        }
    }
    relay.tell_startup();
    loop {
        link::sleep(interval).await;
        interval = Box::pin(beats.send(&relay)).await;
    }
}

/// How many beats there were.
struct Beats {
    started: link::Instant,
    acknowledged: u64,
    sent: u64,
    /// Whether the relay has asked for it.
    is_long: bool,
}

impl Beats {
    fn new() -> Self {
        Self {
            started: link::now(),
            acknowledged: 0,
            sent: 0,
            is_long: false,
        }
    }

    /// Sends one; when the next one is due.
    async fn send(&mut self, relay: &Relay) -> Duration {
        let beat = self.next(relay);
        self.sent += 1;
        let told = match relay.config().behaviour.loses_heart_beats {
            true => None,
            false => self.acknowledge(relay.heart_beat(&beat).await),
        };
        match told {
            Some(interval) => interval,
            None => {
                let width = INTERVAL_MS.end() - INTERVAL_MS.start() + 1;
                Duration::from_millis(INTERVAL_MS.start() + relay.random() % width)
            }
        }
    }

    fn next(&self, relay: &Relay) -> HeartBeat {
        let is_first = self.acknowledged == 0;
        let config = relay.config();
        let machine = Machine {
            virt_type: "kvm".to_owned(),
            os_version: config.machine.os_version.clone(),
            az: ZONE.to_owned(),
            machine_id: (!self.is_long).then(|| config.signer.machine_id().to_owned()),
            cold_start: is_first.then_some(config.is_cold_start),
            program: self.is_long.then(|| Program {
                lang: "golang".to_owned(),
                os_type: config.machine.os_type.clone(),
                app_version: config.version.clone(),
            }),
        };
        HeartBeat {
            uptime: uptime_ms(),
            timestamp: relay.now_ms(),
            pid: std::process::id(),
            process_uptime: millis(link::now().duration_since(self.started)),
            index: self.acknowledged,
            seq_no: self.sent,
            machine: (is_first || self.is_long).then_some(machine),
        }
    }

    /// What the relay made of it; the interval that it asks for.
    fn acknowledge(&mut self, told: Result<HeartBeatReply, CallError>) -> Option<Duration> {
        let reply = match told {
            Ok(reply) => reply,
            Err(error) => {
                tracing::debug!(%error, "no heart-beat");
                return None;
            }
        };
        if reply.wants_long_form() {
            self.is_long = true;
            return None;
        }
        self.acknowledged += 1;
        let told = Some(reply.next_interval).filter(|told| INTERVAL_MS.contains(told));
        told.map(Duration::from_millis)
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
