//! The one thread that writes.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot};

use crate::{Batch, CommitError, OpenError, store::Store};

/// How many batches may wait; whoever hands over one more waits for room.
const QUEUE: usize = 1_024;

/// How many batches share a transaction at most.
const MAX_GROUP: usize = 256;

/// Something to write, and who waits for it.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) batch: Batch,
    pub(crate) clock_offset: Option<i64>,
    pub(crate) answer: Option<oneshot::Sender<Result<(), CommitError>>>,
}

impl Work {
    pub(crate) const fn silent(batch: Batch) -> Self {
        Self {
            batch,
            clock_offset: None,
            answer: None,
        }
    }
}

/// Owns the thread; ends it when dropped, after everything in the queue is written.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(store: Arc<Store>) -> Result<Self, OpenError> {
        let (queue, work) = mpsc::channel(QUEUE);
        let cannot_start = |error: io::Error| OpenError::Unusable {
            path: store.path().to_owned(),
            cause: error.to_string(),
        };
        let writing = Arc::clone(&store);
        let thread = thread::Builder::new()
            .name("axt-journal".to_owned())
            .spawn(move || run(&writing, work))
            .map_err(cannot_start)?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(crate) async fn push(&self, work: Work) -> Result<(), CommitError> {
        let queue = self.queue.as_ref().ok_or(CommitError::Closed)?;
        queue.send(work).await.map_err(|_| CommitError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer panicked");
        }
    }
}

fn run(store: &Store, mut queue: mpsc::Receiver<Work>) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while queue.blocking_recv_many(&mut group, MAX_GROUP) > 0 {
        let writes = group.iter().map(|work| (&work.batch, work.clock_offset));
        let result = store.write(writes);
        if let Err(error) = &result {
            let batches = group.len();
            tracing::error!(%error, batches, "the journal could not write");
        }
        for answer in group.drain(..).filter_map(|work| work.answer) {
            // Whoever no longer waits has no use for the answer.
            let _ = answer.send(result.clone());
        }
    }
}
