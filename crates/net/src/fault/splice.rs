//! The task between a websocket and its stream, once there was a fault on it.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::FutureExt;
use rand::{SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, split},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

use super::{
    Applied, Hook, Way,
    line::{Due, Line},
    stage::{Cut, Piece},
};
use crate::{clock::Clock, transport::Stream};

/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// What the pipe between the websocket and this task holds, each way, in bytes.
pub(crate) const PIPE: usize = 16 * 1024;

/// How a way is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Its sender has ended, and all has come.
    Ended,
    Cut(Cut),
}

/// Moves bytes both ways until the websocket is gone, or a toxic says so.
pub(super) async fn run(
    stream: Stream,
    pipe: DuplexStream,
    hook: Hook,
    faults: watch::Receiver<Arc<[Applied]>>,
    stop: CancellationToken,
) {
    let (mut from_peer, mut to_peer) = split(stream);
    let (mut from_socket, mut to_socket) = split(pipe);
    let clock = hook.0.ground.clock();
    let line = |salt| Line::new(StdRng::seed_from_u64(hook.0.seed ^ salt));
    let end = {
        let carry = |way, line| Carry {
            way,
            line,
            clock,
            faults: faults.clone(),
            stop: &stop,
        };
        let mut inward = pin!(carry(Way::In, line(0)).run(&mut from_peer, &mut to_socket));
        let mut outward = pin!(carry(Way::Out, line(u64::MAX)).run(&mut from_socket, &mut to_peer));
        let mut has_peer_ended = false;
        loop {
            tokio::select! {
                biased;
                over = &mut inward, if !has_peer_ended => match over {
                    // The websocket will notice, say its last, and go.
                    Over::Ended => has_peer_ended = true,
                    Over::Cut(cut) => break Some(cut),
                },
                over = &mut outward => match over {
                    Over::Ended => break None,
                    Over::Cut(cut) => break Some(cut),
                },
            }
        }
    };
    if end == Some(Cut::Reset) {
        from_peer.unsplit(to_peer).reset_when_dropped();
    }
}

/// One way.
struct Carry<'a> {
    way: Way,
    line: Line,
    clock: &'a Clock,
    faults: watch::Receiver<Arc<[Applied]>>,
    stop: &'a CancellationToken,
}

impl Carry<'_> {
    async fn run(
        mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> Over {
        let mut timer = self.clock.timer("faulty wire");
        let mut fired = None;
        let mut is_hurried = false;
        let mut over = None;
        let mut out = Out::default();
        let mut buffer = BytesMut::new();
        self.change();
        loop {
            while over.is_none()
                && let Some(due) = self.line.due(self.clock.now())
            {
                match due {
                    Due::Piece(Piece::Data(data)) => out.ready.push_back(data),
                    Due::Piece(Piece::End) => over = Some(Over::Ended),
                    Due::Piece(Piece::Close) => over = Some(Over::Cut(Cut::Close)),
                    Due::Cut(cut) => {
                        out = Out::default();
                        over = Some(Over::Cut(cut));
                    }
                }
            }
            // What can go at once goes before the clock moves on.
            let is_written = match out.write(writer).now_or_never() {
                Some(Ok(())) => true,
                // Nobody takes it any more.
                Some(Err(_)) => return Over::Ended,
                None => false,
            };
            if let Some(over) = over.filter(|_| is_written) {
                if over == Over::Ended {
                    let _ = writer.shutdown().await;
                }
                return over;
            }
            let now = self.clock.now();
            let deadline = self.line.deadline(now);
            timer.set(deadline.filter(|_| over.is_none()));
            drop(fired.take());
            let reads = over.is_none() && out.ready.is_empty() && self.line.has_room(now);
            buffer.reserve(CHUNK);
            tokio::select! {
                biased;
                Ok(()) = self.faults.changed() => self.change(),
                () = self.stop.cancelled(), if !is_hurried => {
                    is_hurried = true;
                    self.line.change(now, std::iter::empty());
                }
                it = timer.fired() => fired = Some(it),
                written = out.write(writer), if !is_written => if written.is_err() {
                    return Over::Ended;
                },
                read = reader.read_buf(&mut buffer), if reads => match read {
                    Ok(length) if length > 0 => {
                        let data = buffer.split().freeze();
                        self.line.push(self.clock.now(), data);
                    }
                    // A reset is an end as well: what came before it has been read.
                    _ => self.line.end(self.clock.now()),
                },
            }
        }
    }

    fn change(&mut self) {
        let faults = Arc::clone(&self.faults.borrow_and_update());
        let mine = faults.iter().copied().filter(|one| one.way == self.way);
        self.line.change(self.clock.now(), mine);
    }
}

/// What is to be written now.
#[derive(Default)]
struct Out {
    ready: VecDeque<Bytes>,
    is_dirty: bool,
}

impl Out {
    /// Writes and flushes all of it. Cancel-safe.
    async fn write(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        while let Some(first) = self.ready.front_mut() {
            let written = writer.write(first).await?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            self.is_dirty = true;
            first.advance(written);
            if first.is_empty() {
                self.ready.pop_front();
            }
        }
        if self.is_dirty {
            writer.flush().await?;
            self.is_dirty = false;
        }
        Ok(())
    }
}
