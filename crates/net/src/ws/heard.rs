//! When the peer was last heard of.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    link::{self, Instant},
    transport::Stream,
};

/// A connection that notes when bytes came in, those of a message that is not complete included.
#[derive(Debug)]
pub(super) struct Heard {
    stream: Stream,
    last: LastHeard,
}

/// The note, shared with who judges it.
#[derive(Clone, Debug)]
pub(super) struct LastHeard(Arc<Note>);

#[derive(Debug)]
struct Note {
    since: Instant,
    nanos: AtomicU64,
    /// How long the peer may be silent, in milliseconds.
    patience: AtomicU64,
}

impl LastHeard {
    pub(super) fn at(&self) -> Instant {
        self.0.since + Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed))
    }

    /// How long the peer may be silent.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.0.patience.load(Ordering::Relaxed))
    }

    fn note(&self) {
        let nanos = link::now()
            .saturating_duration_since(self.0.since)
            .as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.0.nanos.store(nanos, Ordering::Relaxed);
    }
}

/// How long the peer of a websocket may be silent until it counts as dead: 30 s ([`link::DEAD_AFTER`])
/// unless it is told otherwise.
#[derive(Clone, Debug)]
pub struct Patience(LastHeard);

impl Patience {
    pub(super) const fn new(last: LastHeard) -> Self {
        Self(last)
    }

    /// From now on it may be silent for `span`. Less than before counts from the next look on, which
    /// is not more than 30 s away.
    pub fn set(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.0.0.patience.store(span, Ordering::Relaxed);
    }
}

impl Heard {
    pub(super) fn new(stream: Stream) -> Self {
        let last = LastHeard(Arc::new(Note {
            since: link::now(),
            nanos: AtomicU64::new(0),
            patience: AtomicU64::new(0),
        }));
        Patience(last.clone()).set(link::DEAD_AFTER);
        Self { stream, last }
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) const fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }

    pub(super) fn last(&self) -> LastHeard {
        self.last.clone()
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.last.note();
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
