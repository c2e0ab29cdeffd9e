//! Where connections go out.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use tokio::net::{TcpSocket, TcpStream};

use super::{MemoryNet, Proxies, ProxyError, Stream};
use crate::link;

/// A connection that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {address}: {source}")]
pub struct DialError {
    /// `host:port` as it was asked for.
    pub address: String,
    /// Why the last of its addresses failed; of the kind `NotFound` when the name has none.
    pub source: io::Error,
}

impl DialError {
    fn new(host: &str, port: u16, source: io::Error) -> Self {
        Self {
            address: if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            },
            source,
        }
    }

    /// The proxy that was in the way, if it was one.
    #[must_use]
    pub fn proxy(&self) -> Option<&ProxyError> {
        self.source.get_ref()?.downcast_ref()
    }
}

/// Makes connections, over TCP or in memory. Cloning shares it.
#[derive(Clone, Debug)]
pub enum Dialer {
    /// Over TCP.
    Tcp(Overrides),
    /// Over TCP, to servers through the proxies that they need.
    Proxied(Arc<Proxies>),
    /// Within the process.
    Memory(MemoryNet),
}

/// Hosts that are dialled at an address of our own choice instead of the resolver's, as an entry
/// in the hosts file would do.
pub type Overrides = Arc<BTreeMap<String, SocketAddr>>;

impl Dialer {
    /// Dials over TCP.
    #[must_use]
    pub fn tcp() -> Self {
        Self::Tcp(Overrides::default())
    }

    /// Dials over TCP; `hosts` (in lower case) go to the addresses given, ports included.
    pub fn tcp_with(hosts: impl IntoIterator<Item = (String, SocketAddr)>) -> Self {
        Self::Tcp(Arc::new(hosts.into_iter().collect()))
    }

    /// Dials over TCP, to servers through the proxies that they need.
    #[must_use]
    pub fn proxied(proxies: Proxies) -> Self {
        Self::Proxied(Arc::new(proxies))
    }

    /// Dials within `net`.
    #[must_use]
    pub fn memory(net: &MemoryNet) -> Self {
        Self::Memory(net.clone())
    }

    /// Connects to a host (a name or an IP address, brackets allowed), trying each of its
    /// addresses; all of it in 10 s ([`link::HANDSHAKE`]).
    ///
    /// # Errors
    ///
    /// [`DialError`] with the address that was asked for and the last reason.
    pub async fn dial(&self, host: &str, port: u16) -> Result<Stream, DialError> {
        self.dial_with(host, port, Ending::Close).await
    }

    /// Connects to a server as [`Dialer::dial`] does, through the proxy that it needs, if any. Which
    /// one that is depends on whether TLS is to be spoken.
    ///
    /// # Errors
    ///
    /// As [`Dialer::dial`]; [`DialError::proxy`] when it was the proxy's doing.
    pub async fn dial_server(
        &self,
        is_tls: bool,
        host: &str,
        port: u16,
    ) -> Result<Stream, DialError> {
        let Self::Proxied(proxies) = self else {
            return self.dial(host, port).await;
        };
        let bare = bare(host);
        let dialled = match link::timeout(link::HANDSHAKE, proxies.dial(is_tls, bare, port)).await {
            Ok(None) => return self.dial(host, port).await,
            Ok(Some(dialled)) => dialled.map_err(io::Error::other),
            Err(late) => Err(io::Error::new(io::ErrorKind::TimedOut, late)),
        };
        dialled.map_err(|source| DialError::new(bare, port, source))
    }

    /// Connects as [`Dialer::dial`] does, to a connection that from its first moment on ends with a
    /// reset ([`Stream::reset_when_dropped`]), even when this is dropped in the middle.
    ///
    /// # Errors
    ///
    /// As [`Dialer::dial`].
    pub async fn dial_to_reset(&self, host: &str, port: u16) -> Result<Stream, DialError> {
        self.dial_with(host, port, Ending::Reset).await
    }

    async fn dial_with(&self, host: &str, port: u16, ending: Ending) -> Result<Stream, DialError> {
        let host = bare(host);
        let dialled = match self {
            Self::Tcp(overrides) => {
                let instead = overrides.get(&host.to_ascii_lowercase());
                dial_in_time(host, port, instead, ending).await
            }
            Self::Proxied(_) => dial_in_time(host, port, None, ending).await,
            Self::Memory(net) => net.connect(host, port),
        };
        dialled.map_err(|source| DialError::new(host, port, source))
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// How a connection ends that nobody has told how to.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Close,
    Reset,
}

async fn dial_in_time(
    host: &str,
    port: u16,
    instead: Option<&SocketAddr>,
    ending: Ending,
) -> io::Result<Stream> {
    let attempt = dial_tcp(host, port, instead, ending);
    let in_time = link::timeout(link::HANDSHAKE, attempt).await;
    in_time.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)))
}

async fn dial_tcp(
    host: &str,
    port: u16,
    instead: Option<&SocketAddr>,
    ending: Ending,
) -> io::Result<Stream> {
    let addresses: Vec<_> = match instead {
        Some(address) => vec![*address],
        // Of a kind of its own, so that a name that is not known is told from a host that is away.
        None => tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))?
            .collect(),
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    // An address that swallows packets must leave the others their share of the time.
    let share = link::HANDSHAKE / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    for address in addresses {
        match link::timeout(share, connect(address, ending)).await {
            Ok(Ok(socket)) => return Stream::tcp(socket),
            // It was reached, and has broken since.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => return Err(error),
            Ok(Err(error)) => last = error,
            Err(late) => last = io::Error::new(io::ErrorKind::TimedOut, late),
        }
    }
    Err(last)
}

async fn connect(address: SocketAddr, ending: Ending) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if matches!(ending, Ending::Reset) {
        socket.set_zero_linger()?;
    }
    socket.connect(address).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Listener;

    #[tokio::test]
    async fn a_refusal_names_the_address() {
        let taken = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        drop(taken);

        let refusal = Dialer::tcp().dial("localhost", port).await.unwrap_err();

        let text = refusal.to_string();
        assert!(
            text.starts_with(&format!("cannot reach localhost:{port}: ")),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_host_can_be_sent_to_an_address_of_our_own() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialer = Dialer::tcp_with([("ecs.cn-hangzhou.aliyuncs.com".to_owned(), address)]);

        let stream = dialer
            .dial("ecs.cn-hangzhou.aliyuncs.com", 443)
            .await
            .unwrap();

        assert_eq!(stream.peer_addr(), address);
    }
}
