//! The tables, and what is read and written in one transaction.

use std::{
    fmt,
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use axt_proto::{Event, SessionId};
use axt_registry::{ROW_SCHEMA, Row, RowChange, RowKey};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend,
    StorageError, Table, TableDefinition, backends::FileBackend,
};

use crate::{Batch, CommitError, OpenError};

/// (kind, key) → the row as JSON.
const ROWS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("rows");
/// (session, seq) → the event as JSON.
const EVENTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("events");
/// Single numbers.
const META: TableDefinition<'_, &str, i64> = TableDefinition::new("meta");

const SCHEMA: &str = "schema";
const CLOCK_OFFSET: &str = "clock_offset";

/// How many of a session's first events are kept for good, and as many of its latest: how it
/// began, and how it ended.
const KEPT_EVENTS: usize = 100;

/// redb's own default is a gigabyte.
const CACHE_BYTES: usize = 4 << 20;

/// An open database.
pub(crate) struct Store {
    path: PathBuf,
    database: Database,
    is_healthy: AtomicBool,
    transactions: AtomicU64,
    batches: AtomicU64,
    failures: AtomicU64,
    watch: OnceLock<Watch>,
}

/// Told of each batch once it is written.
type Watch = Box<dyn Fn(&Batch) + Send + Sync>;

/// How much a journal has written since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Transactions, each with an fsync of its own.
    pub transactions: u64,
    /// Batches in them.
    pub batches: u64,
    /// Transactions that failed.
    pub failures: u64,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

type Outcome<T> = Result<T, redb::Error>;

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable = |cause: String| OpenError::Unusable {
            path: path.to_owned(),
            cause,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| unusable(e.to_string()))?;
        let backend = FileBackend::new(file).map_err(|error| cannot_open(path, error))?;
        Self::on(path, backend)
    }

    pub(crate) fn with_backend(backend: impl StorageBackend) -> Result<Self, OpenError> {
        Self::on(Path::new("(memory)"), backend)
    }

    fn on(path: &Path, backend: impl StorageBackend) -> Result<Self, OpenError> {
        let database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(backend)
            .map_err(|error| cannot_open(path, error))?;
        let store = Self {
            path: path.to_owned(),
            database,
            is_healthy: AtomicBool::new(true),
            transactions: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            watch: OnceLock::new(),
        };
        store.check_schema()?;
        Ok(store)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Acquire)
    }

    fn check_schema(&self) -> Result<(), OpenError> {
        let found = self.settle_schema().map_err(|e| self.damaged(e))?;
        match u32::try_from(found) {
            Ok(found) if found <= ROW_SCHEMA => Ok(()),
            Ok(found) => Err(OpenError::TooNew {
                path: self.path.clone(),
                found,
                known: ROW_SCHEMA,
            }),
            Err(_) => Err(self.damaged(format!("its schema is {found}"))),
        }
    }

    /// The schema that the file says; a new file is given the tables and the newest.
    fn settle_schema(&self) -> Outcome<i64> {
        let write = self.database.begin_write()?;
        let found = {
            write.open_table(ROWS)?;
            write.open_table(EVENTS)?;
            let mut meta = write.open_table(META)?;
            let found = meta.get(SCHEMA)?.map(|value| value.value());
            if found.is_none() {
                meta.insert(SCHEMA, i64::from(ROW_SCHEMA))?;
            }
            found.unwrap_or_else(|| i64::from(ROW_SCHEMA))
        };
        write.commit()?;
        Ok(found)
    }

    /// Writes all or nothing, durably.
    pub(crate) fn write<'a>(
        &self,
        writes: impl Iterator<Item = (&'a Batch, Option<i64>)> + Clone,
    ) -> Result<(), CommitError> {
        let outcome = self.transact(writes.clone());
        self.is_healthy.store(outcome.is_ok(), Ordering::Release);
        if outcome.is_err() {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return outcome.map_err(failed);
        }
        self.transactions.fetch_add(1, Ordering::Relaxed);
        for (batch, _) in writes {
            self.batches.fetch_add(1, Ordering::Relaxed);
            if let Some(watch) = self.watch.get() {
                watch(batch);
            }
        }
        Ok(())
    }

    /// Sets who is told of each batch; the first one stays.
    pub(crate) fn watch(&self, watch: Watch) {
        let _ = self.watch.set(watch);
    }

    pub(crate) fn written(&self) -> Written {
        Written {
            transactions: self.transactions.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    fn transact<'a>(&self, writes: impl Iterator<Item = (&'a Batch, Option<i64>)>) -> Outcome<()> {
        let write = self.database.begin_write()?;
        {
            let mut rows = write.open_table(ROWS)?;
            let mut events = write.open_table(EVENTS)?;
            let mut meta = write.open_table(META)?;
            for (batch, clock_offset) in writes {
                for event in &batch.events {
                    keep_event(&mut events, event)?;
                }
                // After the events, so that those of a session that is forgotten go with it.
                for change in &batch.rows {
                    change_row(&mut rows, &mut events, change)?;
                }
                if let Some(nanos) = clock_offset {
                    meta.insert(CLOCK_OFFSET, nanos)?;
                }
            }
        }
        write.commit()?;
        Ok(())
    }

    pub(crate) fn rows(&self) -> Result<Vec<Row>, OpenError> {
        let read = || -> Outcome<Vec<Result<Row, String>>> {
            let table = self.database.begin_read()?.open_table(ROWS)?;
            let mut rows = Vec::new();
            for entry in table.iter()? {
                let (key, value) = entry?;
                let row = serde_json::from_slice(value.value());
                rows.push(row.map_err(|error| format!("the row {:?}: {error}", key.value())));
            }
            Ok(rows)
        };
        let rows = read().map_err(|e| self.damaged(e))?;
        rows.into_iter()
            .map(|row| row.map_err(|cause| self.damaged(cause)))
            .collect()
    }

    pub(crate) fn events_of(&self, session: &SessionId) -> Result<Vec<Event>, CommitError> {
        let read = || -> Outcome<Vec<_>> {
            let table = self.database.begin_read()?.open_table(EVENTS)?;
            let all = (session.as_str(), 0)..=(session.as_str(), u64::MAX);
            let mut events = Vec::new();
            for entry in table.range(all)? {
                let (_, value) = entry?;
                events.push(serde_json::from_slice(value.value()));
            }
            Ok(events)
        };
        let events = read().map_err(failed)?;
        events
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| CommitError::Storage(error.to_string()))
    }

    pub(crate) fn clock_offset(&self) -> Result<i64, CommitError> {
        let read = || -> Outcome<Option<i64>> {
            let table = self.database.begin_read()?.open_table(META)?;
            Ok(table.get(CLOCK_OFFSET)?.map(|value| value.value()))
        };
        Ok(read().map_err(failed)?.unwrap_or(0))
    }

    fn damaged(&self, cause: impl ToString) -> OpenError {
        OpenError::Damaged {
            path: self.path.clone(),
            cause: cause.to_string(),
        }
    }
}

fn change_row(
    rows: &mut Table<'_, (&str, &str), &[u8]>,
    events: &mut Table<'_, (&str, u64), &[u8]>,
    change: &RowChange,
) -> Outcome<()> {
    match change {
        RowChange::Put(row) => {
            let key = row.key();
            let json = to_json(row)?;
            rows.insert((key.kind(), key.to_string().as_str()), json.as_slice())?;
        }
        RowChange::Delete(key) => {
            rows.remove((key.kind(), key.to_string().as_str()))?;
            if let RowKey::Session(session) = key {
                let all = (session.as_str(), 0)..=(session.as_str(), u64::MAX);
                events.retain_in(all, |_, _| false)?;
            }
        }
    }
    Ok(())
}

fn keep_event(events: &mut Table<'_, (&str, u64), &[u8]>, event: &Event) -> Outcome<()> {
    let Some(session) = &event.session else {
        return Ok(());
    };
    let session = session.as_str();
    events.insert((session, event.seq), to_json(event)?.as_slice())?;
    let all = (session, 0)..=(session, u64::MAX);
    let mut after_first = events.range(all)?.skip(KEPT_EVENTS);
    let Some(surplus) = after_first.next().transpose()? else {
        return Ok(());
    };
    if after_first.count() < KEPT_EVENTS {
        return Ok(());
    }
    let seq = surplus.0.value().1;
    drop(surplus);
    events.remove((session, seq))?;
    Ok(())
}

fn to_json(value: &impl serde::Serialize) -> Outcome<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| redb::Error::Corrupted(error.to_string()))
}

fn failed(error: redb::Error) -> CommitError {
    CommitError::Storage(error.to_string())
}

fn cannot_open(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::Locked { path },
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() != std::io::ErrorKind::InvalidData
                && error.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            OpenError::Unusable {
                path,
                cause: error.to_string(),
            }
        }
        other => OpenError::Damaged {
            path,
            cause: other.to_string(),
        },
    }
}
