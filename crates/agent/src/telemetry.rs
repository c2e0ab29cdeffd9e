//! What an agent tells of itself beside its heart-beat, and nobody has to act on: events, reports on
//! what went wrong with it, and what it asks for every half an hour (wire-protocol 10.5).
//!
//! What lives here: the queue of what is to be told and the one loop that tells it, in order and each
//! thing once, so that nothing that an agent does waits for it. What never does: anything that a
//! session or a command needs.

mod news;
mod rounds;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axt_control::luban::{
    path,
    telemetry::{ClientReport, MetricsEvent},
};
use axt_net::link;
use tokio::sync::Notify;

use self::rounds::Rounds;
pub(crate) use self::rounds::check_for_update;
use crate::calls::{CallError, Relay};

/// How much may wait to be told; beyond it the newest is dropped.
const WAITING: usize = 32;
/// How many events are reported in [`WINDOW`] at most.
const EVENTS: u32 = 100;
const WINDOW: Duration = Duration::from_secs(600);
/// How often a report is tried; an event is once.
const TRIES: u32 = 4;
/// The most that a report waits before its first try, and then double each time: those of hundreds
/// of agents which lost the same relay must not come in step. (A lost notify channel is not dialled
/// sooner, [`link::Backoff`].)
const SPREAD: Duration = Duration::from_millis(200);
/// The least that it waits before its second try.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What is to be told. See the module.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    news: VecDeque<News>,
    /// Events of the window that began at this instant.
    events: Option<(link::Instant, u32)>,
}

#[derive(Debug)]
enum News {
    Event(MetricsEvent),
    Report(ClientReport),
}

impl Telemetry {
    fn event(&self, event: MetricsEvent) {
        let now = link::now();
        let mut waiting = lock(&self.waiting);
        let (since, count) = waiting
            .events
            .filter(|(since, _)| now.duration_since(*since) <= WINDOW)
            .unwrap_or((now, 0));
        if count >= EVENTS {
            return;
        }
        waiting.events = Some((since, count + 1));
        self.put(waiting, News::Event(event));
    }

    fn report(&self, report: ClientReport) {
        self.put(lock(&self.waiting), News::Report(report));
    }

    fn put(&self, mut waiting: MutexGuard<'_, Waiting>, news: News) {
        if waiting.news.len() < WAITING {
            waiting.news.push_back(news);
            self.more.notify_one();
        }
    }

    async fn next(&self) -> News {
        loop {
            let more = self.more.notified();
            if let Some(news) = lock(&self.waiting).news.pop_front() {
                return news;
            }
            more.await;
        }
    }
}

/// Tells what there is to tell, for ever.
pub(crate) async fn keep(relay: Arc<Relay>) {
    let mut rounds = Rounds::new(&relay);
    loop {
        // Boxed, so that an idle agent pays for none of it.
        tokio::select! {
            biased;
            news = relay.telemetry().next() => Box::pin(tell(&relay, news)).await,
            () = link::sleep_until(rounds.due()) => Box::pin(rounds.go(&relay)).await,
        }
    }
}

async fn tell(relay: &Relay, news: News) {
    match news {
        News::Event(event) => {
            if let Err(error) = relay.post_json(path::METRICS, &event).await {
                tracing::debug!(event = event.event_id, %error, "an event was not taken");
            }
        }
        News::Report(report) => {
            link::sleep(spread(relay, SPREAD)).await;
            for number in 1..=TRIES {
                let told = relay.post_json(path::CLIENT_REPORT, &report).await;
                let Err(error) = told else { return };
                tracing::debug!(kind = report.kind, number, %error, "a report was not taken");
                if number < TRIES {
                    let least = TRY_AGAIN * 2_u32.pow(number - 1);
                    link::sleep(least + spread(relay, least)).await;
                }
            }
        }
    }
}

/// A span of chance, below `most`.
fn spread(relay: &Relay, most: Duration) -> Duration {
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(relay.random() % most)
}

impl Relay {
    /// Calls with a JSON body; the answer, which hardly ever matters.
    async fn post_json(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<bytes::Bytes, CallError> {
        let body = serde_json::to_vec(body)?;
        self.post_body(path, body.into()).await
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
