//! The journal alone: what sessions have left in one, committed again to another.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use axt_journal::{Batch, Journal};
use axt_net::link;
use axt_registry::{Row, RowChange};

use crate::{
    callers::go_around,
    rounds::{Measure, Round, Value},
};

/// How many sessions take turns, as many as a region keeps.
const SESSIONS: usize = 1_000;

/// The commits of sessions: what StartTerminalSession writes, then what EndTerminalSession does.
#[derive(Debug)]
pub(crate) struct Commits {
    journal: Journal,
    sessions: Arc<[[Batch; 2]]>,
    next: Arc<AtomicUsize>,
    callers: usize,
}

impl Commits {
    /// The sessions that the journal at `from` has, to be committed to a new one at `to` by so many
    /// callers at a time.
    pub(crate) fn of(from: &Path, to: &Path, callers: usize) -> anyhow::Result<Self> {
        let left = Journal::open(from)?;
        let mut sessions = Vec::new();
        for row in left.replay()? {
            let Row::Session(session) = &row else {
                continue;
            };
            let events = left.events_of(&session.id)?;
            let (first, rest) = events.split_at(events.len().min(1));
            let batch = |events: &[_]| Batch {
                rows: vec![RowChange::Put(row.clone())],
                events: events.to_vec(),
            };
            sessions.push([batch(first), batch(rest)]);
            if sessions.len() == SESSIONS {
                break;
            }
        }
        anyhow::ensure!(!sessions.is_empty(), "the sandbox has left no sessions");
        Ok(Self {
            journal: Journal::open(to)?,
            sessions: sessions.into(),
            next: Arc::default(),
            callers: callers.max(1),
        })
    }
}

/// One of those who commit at the same time.
struct Committer {
    journal: Journal,
    sessions: Arc<[[Batch; 2]]>,
    next: Arc<AtomicUsize>,
}

impl Committer {
    async fn pair(self) -> anyhow::Result<(Self, Vec<Duration>)> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.sessions.len().max(1);
        let pair = self.sessions.get(turn).context("there are sessions")?;
        let mut steps = Vec::with_capacity(pair.len());
        for batch in pair {
            let start = link::now();
            self.journal.commit(batch.clone()).await?;
            steps.push(link::now() - start);
        }
        Ok((self, steps))
    }
}

impl Measure for Commits {
    fn name(&self) -> String {
        "journal alone".to_owned()
    }

    fn round(&mut self, span: Duration) -> Round<'_> {
        let committer = |_| Committer {
            journal: self.journal.clone(),
            sessions: Arc::clone(&self.sessions),
            next: Arc::clone(&self.next),
        };
        let committers = (0..self.callers).map(committer).collect();
        Box::pin(async move {
            let done = go_around(committers, span, Committer::pair).await?;
            let value = |what, unit, value| Value::new("journal alone", what, unit, value);
            Ok(vec![
                value("pairs", "1/s", done.rate()),
                value("a commit, p50", "ms", done.steps.percentile(50) * 1e3),
                value("a commit, p99", "ms", done.steps.percentile(99) * 1e3),
            ])
        })
    }
}
