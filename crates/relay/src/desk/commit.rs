//! The way of rows into the journal: in order, and without the desk waiting for the disk.

use std::fmt;

use axt_journal::{Batch, CommitError};
use axt_net::link;
use axt_registry::Changes;
use futures_util::FutureExt;

use super::Desk;

/// What to do when a batch is durable, or is known not to become so.
type Then = Box<dyn FnOnce(&mut Desk, Result<(), CommitError>) + Send>;

/// A batch on its way.
pub(super) struct Outgoing {
    batch: Batch,
    then: Option<Then>,
}

/// A batch whose fate is known.
pub(super) struct Settled {
    result: Result<(), CommitError>,
    then: Then,
}

impl Outgoing {
    /// A batch that nobody waits for.
    pub(super) const fn append(batch: Batch) -> Self {
        Self { batch, then: None }
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Outgoing")
            .field("rows", &self.batch.rows.len())
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// Like [`Desk::apply`], and does `then` once the rows are durable.
    pub(super) fn apply_and(
        &mut self,
        changes: Changes,
        then: impl FnOnce(&mut Self, Result<(), CommitError>) + Send + 'static,
    ) {
        let batch = Batch::from(&changes);
        self.publish(changes);
        self.outbox.push_back(Outgoing {
            batch,
            then: Some(Box::new(then)),
        });
    }

    /// Hands a batch over to the journal; waits for room in its queue at most.
    pub(super) async fn write(&mut self, outgoing: Outgoing) {
        let journal = self.journal.clone();
        let Some(then) = outgoing.then else {
            if let Err(error) = journal.append(outgoing.batch).await {
                tracing::error!(%error, "the journal does not take what happens");
            }
            return;
        };
        let (metrics, begun) = (self.metrics.clone(), link::now());
        let mut commit = async move {
            let result = journal.commit(outgoing.batch).await;
            metrics.committed(link::now().duration_since(begun));
            Settled { result, then }
        }
        .boxed();
        // The first poll puts the batch into the queue, or into the line for it, so that whatever
        // is written later stays behind it.
        match futures_util::poll!(&mut commit) {
            std::task::Poll::Ready(settled) => self.settle(settled),
            std::task::Poll::Pending => self.commits.push(commit),
        }
    }

    pub(super) fn settle(&mut self, settled: Settled) {
        if let Err(error) = &settled.result {
            tracing::error!(%error, "the journal did not commit");
        }
        (settled.then)(self, settled.result);
    }
}
