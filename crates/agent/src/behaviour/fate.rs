//! Death and silence: how an agent that misbehaves can end while its process goes on.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axt_net::clock::Clock;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Behaviour;

/// What has become of an agent. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Fate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    carried: AtomicU64,
    dead: CancellationToken,
    silent: CancellationToken,
}

impl Fate {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self(Arc::new(Shared {
            behaviour,
            carried: AtomicU64::new(0),
            dead: CancellationToken::new(),
            silent: CancellationToken::new(),
        }))
    }

    /// Waits for as long as it is slow to start.
    pub(crate) async fn start(&self, clock: &Clock) {
        if let Some(slow) = self.0.behaviour.slow_start {
            let mut timer = clock.timer("agent starts");
            timer.set(Some(clock.now() + slow));
            drop(timer.fired().await);
        }
    }

    /// Dies and falls silent when it is time; never over.
    pub(crate) async fn come(&self, clock: &Clock) {
        let at = |name, after: Option<_>| {
            let mut timer = clock.timer(name);
            timer.set(after.map(|after| clock.now() + after));
            timer
        };
        let mut dies = at("agent dies", self.0.behaviour.dies_after);
        let mut silent = at("agent goes silent", self.0.behaviour.goes_silent);
        loop {
            tokio::select! {
                biased;
                _fired = dies.fired() => self.die(),
                _fired = silent.fired() => {
                    tracing::info!("the agent goes silent");
                    self.0.silent.cancel();
                }
            }
        }
    }

    fn die(&self) {
        tracing::info!("the agent dies");
        self.0.dead.cancel();
    }

    /// Waits for its death.
    pub(crate) async fn death(&self) {
        self.0.dead.cancelled().await;
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.0.silent.is_cancelled()
    }

    /// Waits until it falls silent.
    pub(crate) async fn silence(&self) {
        self.0.silent.cancelled().await;
    }

    /// Does what a silent agent does not.
    pub(crate) async fn unless_silent(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.silence() => pending().await,
            () = work => {}
        }
    }

    /// How much of `data` it still lives to carry.
    pub(crate) fn lives_for(&self, mut data: Bytes) -> Bytes {
        if let Some(most) = self.0.behaviour.dies_after_bytes {
            let left = most.saturating_sub(self.0.carried.load(Ordering::Relaxed));
            data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        data
    }

    /// It has carried so much.
    pub(crate) fn has_carried(&self, bytes: usize) {
        let Some(most) = self.0.behaviour.dies_after_bytes else {
            return;
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.0.carried.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= most {
            self.die();
        }
    }
}
