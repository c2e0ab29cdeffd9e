//! The desk: the one task that owns the registry, its journal, and the tables of who is connected.
//!
//! Everything that changes anything is a job for it, one after the other, so that a check and what
//! follows from it are one step. What it does with a [`Changes`]: events to the ring, effects to the
//! tables, rows to the journal, in that order and without waiting for the disk. Who must know that
//! a row is durable waits for it elsewhere; the desk goes on.

mod activations;
mod agents;
mod calls;
mod commit;
mod connections;
mod faults;
mod samples;
mod starts;
mod tasks;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use axt_control::luban::Notify;
use axt_journal::Journal;
use axt_net::{
    clock::{Clock, Timer},
    link,
    pump::{Pace, Totals, Traffic},
};
use axt_proto::{ConnectionId, Limits, Reason, RegionId, SessionId, Tick};
use axt_registry::{Changes, Effect, Registry, Row, RowChange, RowKey};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::{agents::Fading, commit::Outgoing, samples::Samples, tasks::Watches};
pub(crate) use self::{
    calls::{NotDone, Token},
    connections::{Ended, Fate, Opened, Upgrade, Who},
    faults::NotDialled,
};
use crate::{
    config::RegionSettings,
    events::{Follower, Ring},
    faults::Faults,
    ids::Ids,
    metrics::Metrics,
    notify::Links,
    pairing::Pairing,
    traces::Traces,
    world::Snapshot,
};

/// How many jobs may wait: beyond it, whoever asks waits too.
const JOBS: usize = 1_024;

/// How long connections have to end before the desk ends without them.
const LAST_CONNECTIONS: Duration = Duration::from_millis(1_500);

type Job = Box<dyn FnOnce(&mut Desk) + Send>;

/// The relay is stopping and does no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay is stopping")]
pub(crate) struct Stopping;

/// What a desk is set up with.
pub(crate) struct Setup {
    pub(crate) registry: Registry,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) letters: BTreeMap<RegionId, RegionSettings>,
    pub(crate) ids: Ids,
    pub(crate) snapshot: watch::Sender<Snapshot>,
    pub(crate) totals: Arc<Totals>,
    pub(crate) metrics: Metrics,
    pub(crate) faults: Faults,
    /// The region of what belongs to none.
    pub(crate) region: RegionId,
    /// Its own.
    pub(crate) handle: WeakDesk,
    pub(crate) traces: Arc<Traces>,
}

/// See the module.
pub(crate) struct Desk {
    pub(crate) registry: Registry,
    pub(crate) pairing: Pairing,
    pub(crate) links: Links,
    pub(crate) ids: Ids,
    pub(crate) faults: Faults,
    region: RegionId,
    own: WeakDesk,
    clock: Clock,
    limits: Limits,
    letters: BTreeMap<RegionId, RegionSettings>,
    journal: Journal,
    ring: Ring,
    snapshot: watch::Sender<Snapshot>,
    fading: Fading,
    watches: Watches,
    pub(crate) paces: HashMap<SessionId, Weak<Paces>>,
    /// What goes through each connection that has not ended.
    pub(crate) traffic: HashMap<ConnectionId, Arc<Traffic>>,
    pub(crate) totals: Arc<Totals>,
    samples: Samples,
    metrics: Metrics,
    traces: Arc<Traces>,
    outbox: VecDeque<Outgoing>,
    commits: FuturesUnordered<BoxFuture<'static, commit::Settled>>,
    reports: FuturesUnordered<BoxFuture<'static, (ConnectionId, Option<Ended>)>>,
    held: Vec<(RegionId, Job)>,
}

/// The bandwidth of one session, each way.
#[derive(Debug)]
pub(crate) struct Paces {
    pub(crate) up: Pace,
    pub(crate) down: Pace,
}

/// Gives jobs to the desk. The desk lives until the relay stops.
#[derive(Clone)]
pub(crate) struct DeskHandle(mpsc::Sender<Job>);

impl DeskHandle {
    pub(crate) fn downgrade(&self) -> WeakDesk {
        WeakDesk(self.0.downgrade())
    }

    /// Has something done, and waits for the answer.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Desk) -> R + Send + 'static,
    ) -> Result<R, Stopping> {
        self.ask_later(|desk, reply| {
            // Who asked may have gone.
            let _ = reply.send(job(desk));
        })
        .await
    }

    /// The same, when the answer comes later than the job.
    pub(crate) async fn ask_later<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Desk, oneshot::Sender<R>) + Send + 'static,
    ) -> Result<R, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.0
            .send(Box::new(move |desk| job(desk, reply)))
            .await
            .map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }
}

/// Gives jobs to the desk as long as somebody else wants it.
#[derive(Clone)]
pub(crate) struct WeakDesk(mpsc::WeakSender<Job>);

impl WeakDesk {
    /// Has something done, if there is room for it. For what may be left out.
    pub(crate) fn tell(&self, job: impl FnOnce(&mut Desk) + Send + 'static) {
        let sent = self.0.upgrade().map(|jobs| jobs.try_send(Box::new(job)));
        if let Some(Err(_)) = sent {
            tracing::debug!("the desk has too much to do, or is gone");
        }
    }
}

impl Desk {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            registry: setup.registry,
            pairing: Pairing::new(),
            links: Links::default(),
            ids: setup.ids,
            faults: setup.faults,
            region: setup.region,
            own: setup.handle,
            clock: setup.clock,
            limits: setup.limits,
            letters: setup.letters,
            journal: setup.journal,
            ring: Ring::new(),
            snapshot: setup.snapshot,
            fading: Fading::default(),
            watches: Watches::default(),
            paces: HashMap::new(),
            traffic: HashMap::new(),
            totals: setup.totals,
            samples: Samples::new(),
            metrics: setup.metrics,
            traces: setup.traces,
            outbox: VecDeque::new(),
            commits: FuturesUnordered::new(),
            reports: FuturesUnordered::new(),
            held: Vec::new(),
        }
    }

    /// A handle, and what the desk takes its jobs from.
    pub(crate) fn jobs() -> (DeskHandle, mpsc::Receiver<Job>) {
        let (handle, jobs) = mpsc::channel(JOBS);
        (DeskHandle(handle), jobs)
    }

    /// Works until `stop` is cancelled and the last connection has ended.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
        let mut timer = self.clock.timer("registry");
        self.flush(&mut timer).await;
        while !stop.is_cancelled() {
            self.work(&mut timer, &mut jobs, stop.cancelled()).await;
        }
        self.pairing
            .end_all(Reason::RelayStopping, "the relay is stopping");
        let last = async {
            while !self.pairing.is_empty() {
                self.work(&mut timer, &mut jobs, std::future::pending())
                    .await;
            }
        };
        if link::timeout(LAST_CONNECTIONS, last).await.is_err() {
            tracing::warn!("connections were left when the relay stopped");
        }
        self.flush(&mut timer).await;
        while let Some(settled) = self.commits.next().await {
            self.settle(settled);
        }
    }

    /// Does the next thing that is to do, unless it has to stop first.
    async fn work(
        &mut self,
        timer: &mut Timer,
        jobs: &mut mpsc::Receiver<Job>,
        stop: impl Future<Output = ()>,
    ) {
        let fading = self.fading.next();
        let overdue = self.watches.next();
        let sample = self.next_sample();
        tokio::select! {
            biased;
            () = stop => {}
            fired = timer.fired() => {
                let changes = self.registry.tick(self.clock.now());
                self.apply(changes);
                self.kick_late();
                self.flush(timer).await;
                // Only now the clock may move on: see `net::clock`.
                drop(fired);
            }
            Some((connection, ended)) = self.reports.next() => self.ended(connection, ended),
            Some(settled) = self.commits.next() => self.settle(settled),
            () = until(fading) => self.faded(),
            () = until(overdue) => self.tasks_overdue(),
            () = until(sample) => self.sample(),
            Some(job) = jobs.recv() => job(self),
        }
        self.flush(timer).await;
    }

    /// Hands over to the journal what waits for it, and arms the registry's next deadline.
    async fn flush(&mut self, timer: &mut Timer) {
        while let Some(outgoing) = self.outbox.pop_front() {
            self.write(outgoing).await;
        }
        let deadlines = [self.registry.next_deadline(), self.faults.next_late()];
        timer.set(deadlines.into_iter().flatten().min());
    }

    /// Rule time.
    pub(crate) fn now(&self) -> Tick {
        self.clock.now()
    }

    /// See [`Ring::follow`].
    pub(crate) fn follow(&self, since: u64) -> (Vec<Arc<axt_proto::Event>>, Follower) {
        self.ring.follow(since)
    }

    /// Does what follows from a change: publishes, carries out, and has it journalled.
    pub(crate) fn apply(&mut self, changes: Changes) {
        let batch = axt_journal::Batch::from(&changes);
        self.publish(changes);
        if !batch.rows.is_empty() || !batch.events.is_empty() {
            self.outbox.push_back(Outgoing::append(batch));
        }
    }

    fn publish(&mut self, changes: Changes) {
        for event in changes.events {
            log(&event);
            self.metrics.see(&event);
            self.ring.publish(event);
        }
        if changes.rows.iter().any(is_switch) {
            let registry = &self.registry;
            self.snapshot
                .send_modify(|snapshot| snapshot.take(registry.rows()));
        }
        for effect in changes.effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Kick {
                instance,
                connection,
                channel,
            } => self.kick(&instance, connection, &channel),
            Effect::Stop { instance, channel } => {
                self.links.send(&instance, Notify::SessionStop(channel));
            }
            Effect::Close { connection, reason } => self.pairing.end(connection, reason, ""),
            Effect::KickTask {
                instance,
                invocation,
            } => self.tell_task(&instance, &invocation, Notify::TaskRun),
            Effect::StopTask {
                instance,
                invocation,
            } => self.tell_task(&instance, &invocation, Notify::TaskStop),
            Effect::Watch {
                instance,
                invocation,
                within,
            } => self.watches.set((invocation, instance), within),
        }
    }
}

/// Whether a row is one that [`Snapshot`] shows. Showing it costs a look at all rows, which no session
/// may cost.
fn is_switch(row: &RowChange) -> bool {
    matches!(
        row,
        RowChange::Put(Row::Region(_) | Row::Account(_))
            | RowChange::Delete(RowKey::Region(_) | RowKey::Account(_))
    )
}

/// The log is a view of the events, like everything else.
fn log(event: &axt_proto::Event) {
    tracing::info!(
        seq = event.seq,
        region = %event.region,
        instance = event.instance.as_ref().map(tracing::field::display),
        session = event.session.as_ref().map(tracing::field::display),
        connection = event.connection.as_ref().map(tracing::field::display),
        "{:?}",
        event.kind
    );
}

async fn until(at: Option<link::Instant>) {
    match at {
        Some(at) => link::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_shown_anew_for_regions_and_accounts_and_never_for_sessions() {
        let region = RowKey::Region("cn-hangzhou".parse().expect("a region"));
        let account = RowKey::Account("1000000000000001".parse().expect("an account"));
        let session = RowKey::Session("s-hz0000".parse().expect("a session"));

        assert!(is_switch(&RowChange::Delete(region)));
        assert!(is_switch(&RowChange::Delete(account)));
        assert!(!is_switch(&RowChange::Delete(session)));
    }
}
