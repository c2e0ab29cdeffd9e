//! Where connections come in.

use std::{io, net::SocketAddr};

use tokio::{net::TcpListener, sync::mpsc};

use super::{Stream, memory::Binding};

/// An address that could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: String,
    /// Why; its kind tells a port that is taken from one that is not allowed.
    pub source: io::Error,
}

/// Takes connections, on TCP or in memory.
#[derive(Debug)]
pub enum Listener {
    /// On a TCP socket, IPv4 or IPv6.
    Tcp(TcpListener),
    /// Under a name of a [`super::MemoryNet`].
    Memory(MemoryListener),
}

/// The receiving end of a name in a [`super::MemoryNet`].
#[derive(Debug)]
pub struct MemoryListener {
    pub(super) address: SocketAddr,
    pub(super) incoming: tokio::sync::Mutex<mpsc::Receiver<Stream>>,
    /// Gives the name back when the listener is dropped.
    pub(super) _binding: Binding,
}

impl Listener {
    /// Listens on a TCP address; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// [`BindError`] with the address and the kernel's reason.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let bound = TcpListener::bind(address).await;
        bound.map(Self::Tcp).map_err(|source| BindError {
            address: address.to_string(),
            source,
        })
    }

    /// The address that is listened on, the picked port included. In memory it is 127.0.0.1 and
    /// the name's port.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr(),
            Self::Memory(listener) => Ok(listener.address),
        }
    }

    /// The next connection. Cancel-safe.
    ///
    /// # Errors
    ///
    /// The kernel's, such as too many open files. They concern one connection or pass: the
    /// listener is good for another try.
    pub async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => Stream::tcp(listener.accept().await?.0),
            Self::Memory(listener) => {
                let next = listener.incoming.lock().await.recv().await;
                next.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
            }
        }
    }
}
