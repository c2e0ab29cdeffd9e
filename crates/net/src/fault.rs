//! Faults on the wire: a websocket whose bytes are late, few, cut or lost.
//!
//! ```text
//! websocket ⇄ Stream                     no fault: one look at a flag
//! websocket ⇄ pipe ⇄ splice task ⇄ Stream    from the first fault on, until the end
//! ```
//!
//! What lives here: the [`Hook`] by which faults are put on a stream and taken away while it is in
//! use, what each [`Toxic`] does to bytes and instants ([`mod@line`], without I/O), and the task that
//! moves bytes accordingly ([`splice`]). All waits are on rule time, so that a frozen clock freezes
//! them, and everything random is from a seed.
//!
//! What never does: on whose streams faults are, and since when. The names and units are toxiproxy's.

mod line;
mod splice;
mod stage;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};

pub(crate) use self::splice::PIPE;
use futures_util::task::AtomicWaker;
use tokio::sync::watch;

use crate::{clock::Clock, tasks::Tasks, transport::Stream};

/// One thing that is wrong with a stream, one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toxic {
    /// Bytes are later by `latency`, give or take up to `jitter`; their order stays.
    Latency {
        /// By how much.
        latency: Duration,
        /// More or less.
        jitter: Duration,
    },
    /// No more than so many bytes a second get through; 0 counts as 1.
    Bandwidth {
        /// Bytes a second.
        bytes_per_s: u64,
    },
    /// The end comes later.
    SlowClose {
        /// By how much.
        delay: Duration,
    },
    /// No data gets through.
    Timeout {
        /// When the connection is closed; `None`: never.
        after: Option<Duration>,
    },
    /// The connection is reset.
    ResetPeer {
        /// When.
        after: Duration,
    },
    /// Data comes in pieces.
    Slicer {
        /// How long they are on the average, in bytes, at least 1.
        average: usize,
        /// Less than `average`: by how much they are longer or shorter.
        variation: usize,
        /// How far apart they are.
        delay: Duration,
    },
    /// The connection is closed when so many bytes have gone through.
    LimitData {
        /// Bytes.
        bytes: u64,
    },
    /// The connection is closed, and data gets through until then.
    Cut {
        /// When.
        after: Duration,
    },
}

/// A direction, as seen from the program that holds the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What it reads.
    In,
    /// What it writes.
    Out,
}

/// A toxic on one way of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which fault it is, so that it goes on where others are put beside it.
    pub number: u64,
    /// Which way.
    pub way: Way,
    /// What it does.
    pub toxic: Toxic,
}

/// What all hooks of a program share. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Ground(Arc<(Clock, Tasks)>);

impl Ground {
    /// Faults wait on `clock`; the tasks that they need belong to `tasks`.
    #[must_use]
    pub fn new(clock: Clock, tasks: Tasks) -> Self {
        Self(Arc::new((clock, tasks)))
    }

    /// A hook for one stream, which has no faults yet. What is random depends on `seed` alone.
    #[must_use]
    pub fn hook(&self, seed: u64) -> Hook {
        Hook(Arc::new(Shared {
            ground: self.clone(),
            seed,
            is_wanted: AtomicBool::new(false),
            faults: Mutex::default(),
            reader: AtomicWaker::new(),
        }))
    }

    fn clock(&self) -> &Clock {
        &self.0.0
    }

    fn tasks(&self) -> &Tasks {
        &self.0.1
    }
}

/// By which faults are put on a stream. Cloning shares it; whoever has no stream any more does no
/// harm.
#[derive(Clone)]
pub struct Hook(Arc<Shared>);

struct Shared {
    ground: Ground,
    seed: u64,
    /// Whether the stream is to be spliced when it is next used.
    is_wanted: AtomicBool,
    faults: Mutex<Faults>,
    /// Whoever waits to read from a stream that is not spliced.
    reader: AtomicWaker,
}

#[derive(Default)]
struct Faults {
    list: Arc<[Applied]>,
    /// Where the splice's task is told of changes; `None` before there is one.
    task: Option<watch::Sender<Arc<[Applied]>>>,
}

impl Hook {
    /// Puts these faults on the stream, in this order, and takes all others away. Bytes that one of
    /// them has held back come at once when it is taken away.
    pub fn set(&self, faults: Vec<Applied>) {
        let list: Arc<[Applied]> = faults.into();
        let mut state = self.faults();
        if *state.list == *list {
            return;
        }
        let is_some = !list.is_empty();
        state.list = Arc::clone(&list);
        match &state.task {
            Some(task) => {
                task.send_replace(list);
            }
            None => self.0.is_wanted.store(is_some, Ordering::Release),
        }
        drop(state);
        self.0.reader.wake();
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the stream is to be spliced.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::Acquire)
    }

    /// Has the reader woken when that changes.
    pub(crate) fn wake_later(&self, waker: &Waker) {
        self.0.reader.register(waker);
    }

    /// Starts the splice between the stream and the pipe's end.
    pub(crate) fn splice(self, stream: Stream, pipe: tokio::io::DuplexStream) {
        let (sender, faults) = watch::channel(Arc::from([]));
        let mut state = self.faults();
        sender.send_replace(Arc::clone(&state.list));
        state.task = Some(sender);
        drop(state);
        let tasks = self.0.ground.tasks();
        let token = tasks.token().clone();
        tasks.spawn(
            "faulty wire",
            splice::run(stream, pipe, self.clone(), faults, token),
        );
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Hook").field(&self.faults().list).finish()
    }
}
