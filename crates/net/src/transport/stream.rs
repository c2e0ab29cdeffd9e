//! One connection.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;
use tokio_util::io::poll_read_buf;

use super::{parts::Ending, socket::Socket};
use crate::fault::{Hook, PIPE};

/// What the kernel may hold of a connection that nothing limits, in bytes each way: enough to keep a
/// link of some length busy, and below 1 MiB with both ends of it, of which Linux takes twice what it
/// is asked for: a kernel that holds more hides a reader that does not read.
pub const KERNEL_BUFFER: usize = 192 * 1024;

/// How much is read at once under TLS, in bytes.
const AHEAD: usize = 32 * 1024;

/// What bytes can be read from and written to.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection of either transport, with TLS or without: one type all the way up, so that an
/// upgraded HTTP connection can be taken back as what it was.
///
/// One with faults ([`crate::fault`]) is a pipe to the task that moves its bytes from then on.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    /// A byte that was looked at and is still to be read.
    peeked: Option<u8>,
    /// What was read beyond what was asked for; `None` where that is not done.
    ahead: Option<BytesMut>,
    /// By which faults can be put on it; gone once there were some.
    hook: Option<Hook>,
    peer: SocketAddr,
    local: SocketAddr,
}

#[derive(Debug)]
enum Kind {
    Tcp(Socket),
    Memory(DuplexStream),
    // Boxed: a TLS session is 1 KiB, and the memory of an idle connection is counted.
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// A TCP connection. Small messages are sent at once (`TCP_NODELAY`): a keystroke must not
    /// wait for the one before it to be acknowledged.
    ///
    /// # Errors
    ///
    /// When the connection has ended already.
    pub fn tcp(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            peer: socket.peer_addr()?,
            local: socket.local_addr()?,
            kind: Kind::Tcp(Socket::new(socket)),
            peeked: None,
            ahead: None,
            hook: None,
        })
    }

    pub(crate) const fn memory(pipe: DuplexStream, local: SocketAddr, peer: SocketAddr) -> Self {
        Self {
            kind: Kind::Memory(pipe),
            peeked: None,
            ahead: None,
            hook: None,
            peer,
            local,
        }
    }

    /// The same connection under TLS.
    #[must_use]
    pub fn tls(session: impl Into<TlsStream<Self>>) -> Self {
        let session = session.into();
        let (stream, _) = session.get_ref();
        Self {
            peer: stream.peer,
            local: stream.local,
            kind: Kind::Tls(Box::new(session)),
            peeked: None,
            ahead: None,
            hook: None,
        }
    }

    /// The same connection, reading more at a time than it is asked for. TLS asks for 4 KiB, each of
    /// which would be a call of the kernel. What is read ahead is kept only until it is asked for, so
    /// a silent connection keeps nothing.
    pub(crate) fn reading_ahead(mut self) -> Self {
        if matches!(self.kind, Kind::Tcp(_)) {
            self.ahead = Some(BytesMut::new());
        }
        self
    }

    /// Has faults put on it by `hook` from now on.
    pub(crate) fn put_hook(&mut self, hook: Hook) {
        self.hook = Some(hook);
    }

    /// Hands everything over to the task that does what the faults say, if there are any now.
    fn splice(&mut self) {
        let Some(hook) = self.hook.take_if(|hook| hook.is_wanted()) else {
            return;
        };
        let (near, far) = tokio::io::duplex(PIPE);
        let stream = Self {
            kind: std::mem::replace(&mut self.kind, Kind::Memory(near)),
            peeked: self.peeked.take(),
            ahead: self.ahead.take(),
            hook: None,
            ..*self
        };
        hook.splice(stream, far);
    }

    /// The other end's address. In memory it is made up: 127.0.0.1 and a port of its own.
    #[must_use]
    pub const fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// This end's address.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Whether this is TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        matches!(self.kind, Kind::Tls(_))
    }

    /// The socket itself, when the connection is plain TCP and nothing of it is held here.
    pub(super) fn into_tcp(self) -> Result<Socket, Box<Self>> {
        match self {
            Self {
                kind: Kind::Tcp(socket),
                peeked: None,
                ahead: None,
                ..
            } => Ok(socket),
            other => Err(Box::new(other)),
        }
    }

    /// Looks at the first byte and leaves it to be read; `None` at the end. Not cancel-safe.
    pub(crate) async fn peek_byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let read = self.read(&mut byte).await?;
        self.peeked = byte.first().copied().filter(|_| read > 0);
        Ok(self.peeked)
    }

    /// Asks the kernel to hold at most about `bytes` in each direction, so that back-pressure
    /// reaches the sender early. In memory there is nothing to ask.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn set_kernel_buffers(&self, bytes: usize) -> io::Result<()> {
        match &self.kind {
            Kind::Tcp(socket) => {
                let socket = socket.as_tcp();
                rustix::net::sockopt::set_socket_send_buffer_size(socket, bytes)?;
                rustix::net::sockopt::set_socket_recv_buffer_size(socket, bytes)?;
                Ok(())
            }
            Kind::Memory(_) => Ok(()),
            Kind::Tls(session) => session.get_ref().0.set_kernel_buffers(bytes),
        }
    }
}

impl Stream {
    /// The hand that says how it ends, and learns of a reset while nobody reads or writes, under TLS
    /// too. The connection ends when it is dropped as well.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match &self.kind {
            Kind::Tcp(socket) => Ending::of(socket),
            Kind::Memory(_) => Ending::none(),
            Kind::Tls(session) => session.get_ref().0.ending(),
        }
    }

    /// Makes the end of the connection a reset, which throws away what was not sent yet. In memory
    /// every end looks the same.
    pub fn reset_when_dropped(&self) {
        self.ending().reset_when_dropped();
    }

    /// Takes [`Stream::reset_when_dropped`] back: the end is orderly, and what was not sent yet is
    /// sent after it.
    pub fn close_when_dropped(&self) {
        self.ending().close_when_dropped();
    }
}

macro_rules! each_kind {
    ($stream:expr, $io:ident => $call:expr) => {
        match &mut $stream.get_mut().kind {
            Kind::Tcp(io) => {
                let $io = Pin::new(io);
                $call
            }
            Kind::Memory(io) => {
                let $io = Pin::new(io);
                $call
            }
            Kind::Tls(io) => {
                let $io = Pin::new(io.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() > 0
            && let Some(byte) = self.peeked.take()
        {
            into.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        self.splice();
        if let Some(hook) = &self.hook {
            // Before the read, so that no fault comes between.
            hook.wake_later(context.waker());
        }
        let stream = self.as_mut().get_mut();
        if let (Some(ahead), Kind::Tcp(socket)) = (&mut stream.ahead, &mut stream.kind) {
            return read_ahead(ahead, socket, context, into);
        }
        each_kind!(self, io => io.poll_read(context, into))
    }
}

/// Reads from what was read before, and only without that from the socket.
fn read_ahead(
    ahead: &mut BytesMut,
    socket: &mut Socket,
    context: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if ahead.is_empty() {
        ahead.reserve(AHEAD);
        match poll_read_buf(Pin::new(socket), context, ahead) {
            Poll::Ready(Ok(_)) => {}
            other => {
                *ahead = BytesMut::new();
                return other.map_ok(drop);
            }
        }
    }
    let length = ahead.len().min(into.remaining());
    into.put_slice(&ahead.split_to(length));
    Poll::Ready(Ok(()))
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.splice();
        each_kind!(self, io => io.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.splice();
        each_kind!(self, io => io.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            Kind::Tcp(io) => io.is_write_vectored(),
            Kind::Memory(io) => io.is_write_vectored(),
            Kind::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each_kind!(self, io => io.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each_kind!(self, io => io.poll_shutdown(context))
    }
}
