//! The registry's journal: redb tables and group commit.
//!
//! What lives here: one redb file (or the same tables in memory), the one thread that writes it,
//! and its replay at start. What never does: rules; rows and events are stored as they come.
//!
//! ```text
//! commit ─┐                   ┌─ everything that waits, up to MAX_GROUP batches,
//! append ─┼─▶ bounded queue ──┤  becomes one transaction and one fsync ──▶ answers
//! commit ─┘                   └─ in the order in which it was handed over
//! ```

mod error;
mod store;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use axt_proto::{Event, SessionId};
use axt_registry::{Changes, Row, RowChange};
use redb::{StorageBackend, backends::InMemoryBackend};
use tokio::sync::oneshot;

pub use error::{CommitError, OpenError};

pub use store::Written;

use store::Store;
use writer::{Work, Writer};

/// What is written in one piece, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// To put and delete, in order.
    pub rows: Vec<RowChange>,
    /// To keep with their sessions. An event about no session is not kept.
    pub events: Vec<Event>,
}

impl From<&Changes> for Batch {
    fn from(changes: &Changes) -> Self {
        Self {
            rows: changes.rows.clone(),
            events: changes.events.clone(),
        }
    }
}

/// A handle to the journal; clones share it. When the last one is dropped, what was handed over is
/// written, and the thread has ended.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Arc<Store>,
    writes: Writes,
}

#[derive(Clone, Debug)]
enum Writes {
    Queued(Arc<Writer>),
    /// On the spot, one at a time.
    Inline(Arc<Mutex<()>>),
}

impl Journal {
    /// Opens or creates the journal's file, readable by its owner only. Blocks; a file whose
    /// process was killed is repaired first.
    ///
    /// # Errors
    /// See [`OpenError`], which names the file and what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::queued(Store::open(path)?)
    }

    /// A journal in memory (`--ephemeral`): the same code on redb's memory backend.
    ///
    /// # Errors
    /// The writer's thread cannot be started.
    pub fn memory() -> Result<Self, OpenError> {
        Self::with_backend(InMemoryBackend::new())
    }

    /// A journal in memory without a thread: each batch is written by whoever hands it over,
    /// before the call answers. For the simulation, whose paused runtime would let time run ahead
    /// while it waits for another thread.
    ///
    /// # Errors
    /// The tables cannot be created.
    pub fn inline() -> Result<Self, OpenError> {
        Ok(Self {
            store: Arc::new(Store::with_backend(InMemoryBackend::new())?),
            writes: Writes::Inline(Arc::default()),
        })
    }

    /// Whether it works on its callers' threads, so that reading it needs no thread of its own.
    #[must_use]
    pub const fn is_inline(&self) -> bool {
        matches!(self.writes, Writes::Inline(_))
    }

    /// The same journal, telling `watch` of each batch right after it was written, in the order of
    /// writing: for tests that want to know what a crash would have left.
    #[must_use]
    pub fn watched(self, watch: impl Fn(&Batch) + Send + Sync + 'static) -> Self {
        self.store.watch(Box::new(watch));
        self
    }

    /// A journal on any storage, for faults in tests.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, OpenError> {
        Self::queued(Store::with_backend(backend)?)
    }

    fn queued(store: Store) -> Result<Self, OpenError> {
        let store = Arc::new(store);
        let writer = Arc::new(Writer::start(Arc::clone(&store))?);
        Ok(Self {
            store,
            writes: Writes::Queued(writer),
        })
    }

    /// Writes a batch, after everything handed over before, and waits until it is durable.
    ///
    /// # Errors
    /// The batch was not written, no part of it.
    pub async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.write(batch, None).await
    }

    /// Hands a batch over to be written after everything handed over before; waits only for room
    /// in the queue. A write that fails later shows in [`healthy`](Self::healthy) and in the log.
    ///
    /// # Errors
    /// The writer has ended.
    pub async fn append(&self, batch: Batch) -> Result<(), CommitError> {
        match &self.writes {
            Writes::Queued(writer) => writer.push(Work::silent(batch)).await,
            Writes::Inline(_) => self.commit(batch).await,
        }
    }

    /// Stores the offset of rule time to wall time, durably.
    ///
    /// # Errors
    /// It was not written.
    pub async fn store_clock_offset(&self, nanos: i64) -> Result<(), CommitError> {
        self.write(Batch::default(), Some(nanos)).await
    }

    async fn write(&self, batch: Batch, clock_offset: Option<i64>) -> Result<(), CommitError> {
        match &self.writes {
            Writes::Queued(writer) => {
                let (answer, answered) = oneshot::channel();
                let work = Work {
                    batch,
                    clock_offset,
                    answer: Some(answer),
                };
                writer.push(work).await?;
                answered.await.unwrap_or(Err(CommitError::Closed))
            }
            Writes::Inline(one_at_a_time) => {
                let _turn = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
                self.store.write([(&batch, clock_offset)].into_iter())
            }
        }
    }

    /// All rows, in no particular order of kinds.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn replay(&self) -> Result<Vec<Row>, OpenError> {
        self.store.rows()
    }

    /// The events that are kept for a session, in order: its first 100 and its latest 100.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn events_of(&self, session: &SessionId) -> Result<Vec<Event>, CommitError> {
        self.store.events_of(session)
    }

    /// The stored offset of rule time to wall time in nanoseconds; 0 when none was stored.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn clock_offset(&self) -> Result<i64, CommitError> {
        self.store.clock_offset()
    }

    /// What was written since it was opened.
    #[must_use]
    pub fn written(&self) -> Written {
        self.store.written()
    }

    /// Whether the last write succeeded. After one that failed the storage is not to be trusted:
    /// what was appended may be missing, and only a restart replays what is there.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.store.is_healthy()
    }
}
