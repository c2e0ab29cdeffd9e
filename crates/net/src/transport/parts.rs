//! A connection in three hands: one reads, one writes, one says how it is to end.
//!
//! Unlike tokio's halves, the third can still tell the kernel how the connection ends, and learns of
//! a reset while nobody reads or writes.

use std::{
    future::pending,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, ReadHalf, WriteHalf};

use super::{Stream, orphan, socket::Socket};
use crate::link;

/// How often it is looked whether anybody has the socket at the other end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The three hands. The connection ends when all of them are dropped.
#[derive(Debug)]
pub struct Parts {
    /// Reads.
    pub reader: Reader,
    /// Writes; its shutdown half-closes.
    pub writer: Writer,
    /// Says how it ends.
    pub ending: Ending,
}

/// The hand that reads.
#[derive(Debug)]
pub struct Reader(Half<ReadHalf<Stream>>);

/// The hand that writes.
#[derive(Debug)]
pub struct Writer(Half<WriteHalf<Stream>>);

/// The hand that says how it ends. In memory it has nothing to say. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Ending(Option<Socket>);

#[derive(Debug)]
enum Half<H> {
    Tcp(Socket),
    Other(H),
}

impl From<Stream> for Parts {
    fn from(stream: Stream) -> Self {
        let ending = stream.ending();
        match stream.into_tcp() {
            Ok(socket) => Self {
                reader: Reader(Half::Tcp(socket.clone())),
                writer: Writer(Half::Tcp(socket)),
                ending,
            },
            Err(stream) => {
                let (reader, writer) = tokio::io::split(*stream);
                Self {
                    reader: Reader(Half::Other(reader)),
                    writer: Writer(Half::Other(writer)),
                    ending,
                }
            }
        }
    }
}

impl Ending {
    pub(super) fn of(socket: &Socket) -> Self {
        Self(Some(socket.clone()))
    }

    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Makes the end of the connection a reset, see [`Stream::reset_when_dropped`]. A socket that is
    /// gone needs none.
    pub fn reset_when_dropped(&self) {
        self.linger(Some(Duration::ZERO));
    }

    /// Makes it an orderly one, see [`Stream::close_when_dropped`].
    pub fn close_when_dropped(&self) {
        self.linger(None);
    }

    fn linger(&self, span: Option<Duration>) {
        if let Some(socket) = &self.0 {
            let _ = sockopt::set_socket_linger(socket.as_tcp(), span);
        }
    }

    /// Waits until the connection is broken, by a reset of the other end for instance; for ever when
    /// it ends otherwise. The error, and what came before it, are still there to be read.
    pub async fn broken(&self) {
        match &self.0 {
            // An error here means that the runtime is ending.
            Some(socket) if socket.as_tcp().ready(Interest::ERROR).await.is_ok() => {}
            _ => pending().await,
        }
    }

    /// Waits until the connection is broken and nobody can find out by reading it: nothing has
    /// `passed`, which counts what was read from it and has gone on, for half a second
    /// ([`link::STUCK`]). As long as something does, what came before the break goes first.
    pub async fn broken_unnoticed(&self, passed: impl Fn() -> u64) {
        self.broken().await;
        let mut before = passed();
        loop {
            link::sleep(link::STUCK).await;
            let now = passed();
            if now == before {
                return;
            }
            before = now;
        }
    }

    /// Waits until no process has the socket at the other end any more, so that nobody will read what
    /// is sent there: whoever has sent a FIN may have closed it for reading too. For ever where that
    /// cannot be known, as of another machine.
    pub async fn abandoned(&self) {
        let addresses = self.0.as_ref().and_then(|socket| {
            let socket = socket.as_tcp();
            Some((socket.peer_addr().ok()?, socket.local_addr().ok()?))
        });
        let Some((theirs, ours)) = addresses else {
            return pending().await;
        };
        loop {
            // The kernel's table is long where there are many connections.
            let look = tokio::task::spawn_blocking(move || orphan::is_orphan(theirs, ours));
            if let Ok(Some(true)) = look.await {
                return;
            }
            link::sleep(LOOK_EVERY).await;
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Half::Tcp(socket) => Pin::new(socket).poll_read(context, into),
            Half::Other(half) => Pin::new(half).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Half::Tcp(socket) => Pin::new(socket).poll_write(context, bytes),
            Half::Other(half) => Pin::new(half).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Half::Tcp(socket) => Pin::new(socket).poll_write_vectored(context, slices),
            Half::Other(half) => Pin::new(half).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Half::Tcp(socket) => socket.is_write_vectored(),
            Half::Other(half) => half.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Half::Tcp(socket) => Pin::new(socket).poll_flush(context),
            Half::Other(half) => Pin::new(half).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Half::Tcp(socket) => Pin::new(socket).poll_shutdown(context),
            Half::Other(half) => Pin::new(half).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::{
        link,
        transport::{Dialer, Listener},
    };

    async fn pair() -> (Parts, Stream) {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialled = Dialer::tcp().dial("127.0.0.1", address.port()).await;
        let accepted = listener.accept().await.unwrap();
        (dialled.unwrap().into(), accepted)
    }

    async fn soon<F: Future>(work: F) -> F::Output {
        link::timeout(Duration::from_secs(20), work).await.unwrap()
    }

    #[tokio::test]
    async fn each_hand_does_its_own_and_a_half_close_leaves_the_other_direction() {
        let (mut parts, mut peer) = pair().await;

        parts.writer.write_all(b"question").await.unwrap();
        parts.writer.shutdown().await.unwrap();
        let mut asked = String::new();
        soon(peer.read_to_string(&mut asked)).await.unwrap();
        peer.write_all(b"answer").await.unwrap();
        drop(peer);
        let mut answered = String::new();
        soon(parts.reader.read_to_string(&mut answered))
            .await
            .unwrap();

        assert_eq!((asked.as_str(), answered.as_str()), ("question", "answer"));
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_peer_that_has_closed_is_told_from_one_that_sends_no_more() {
        let (mut parts, mut peer) = pair().await;
        let addresses = (peer.local_addr(), peer.peer_addr());

        peer.shutdown().await.unwrap();
        assert_eq!(soon(parts.reader.read(&mut [0])).await.unwrap(), 0);
        assert_eq!(orphan::is_orphan(addresses.0, addresses.1), Some(false));
        drop(peer);

        soon(parts.ending.abandoned()).await;
    }

    #[tokio::test]
    async fn a_reset_is_noticed_by_who_neither_reads_nor_writes_and_costs_nothing_that_came() {
        let (mut parts, mut peer) = pair().await;

        peer.write_all(b"last words").await.unwrap();
        peer.reset_when_dropped();
        drop(peer);
        soon(parts.ending.broken()).await;
        let mut heard = [0; 10];
        soon(parts.reader.read_exact(&mut heard)).await.unwrap();

        assert_eq!(&heard, b"last words");
        let error = soon(parts.reader.read(&mut heard)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_reset_after_the_peers_half_close_is_noticed_too() {
        let (mut parts, mut peer) = pair().await;

        peer.shutdown().await.unwrap();
        assert_eq!(soon(parts.reader.read(&mut [0; 8])).await.unwrap(), 0);
        peer.reset_when_dropped();
        drop(peer);

        soon(parts.ending.broken()).await;
    }

    #[tokio::test]
    async fn a_break_is_unnoticed_only_once_nothing_passes_any_more() {
        let (parts, peer) = pair().await;
        let passed = std::cell::Cell::new(0);
        peer.reset_when_dropped();
        drop(peer);
        soon(parts.ending.broken()).await;

        tokio::time::pause();
        let unnoticed = parts.ending.broken_unnoticed(|| passed.get());
        let passing = async {
            for _ in 0..10 {
                link::sleep(link::STUCK / 2).await;
                passed.set(passed.get() + 1);
            }
            pending::<()>().await;
        };
        tokio::select! {
            () = unnoticed => {}
            () = passing => {}
        }

        assert_eq!(passed.get(), 10);
    }

    #[tokio::test]
    async fn the_ending_is_a_reset_or_none_as_was_said_last() {
        let (parts, mut peer) = pair().await;
        parts.ending.reset_when_dropped();
        drop(parts);
        let error = soon(peer.read(&mut [0; 8])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        let (parts, mut peer) = pair().await;
        parts.ending.reset_when_dropped();
        parts.ending.close_when_dropped();
        drop(parts);
        assert_eq!(soon(peer.read(&mut [0; 8])).await.unwrap(), 0);
    }
}
