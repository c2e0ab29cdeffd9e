//! A network within the process: names with listeners behind them, pipes between.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use super::{BindError, Listener, Stream, listener::MemoryListener};

/// What a pipe holds in each direction before its writer waits.
const PIPE_BYTES: usize = 64 * 1024;
/// How many connections may wait to be accepted at one name.
const BACKLOG: usize = 1024;
/// Ports that are made up, for dialers and for listeners that asked for port 0, start here.
const FIRST_PORT: u16 = 32_768;

/// Names (`host:port`) and their listeners. Cloning shares the network.
///
/// All loopback names (`localhost`, `127.0.0.1`, `::1`, and the unspecified addresses) are one
/// host, as they are for a program that binds to one and dials another.
#[derive(Clone, Debug, Default)]
pub struct MemoryNet(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    listeners: BTreeMap<(String, u16), mpsc::Sender<Stream>>,
    made_up: u16,
}

impl MemoryNet {
    /// A network where nobody listens yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens under a name; port 0 picks a free one, the same ones in the same order on every
    /// network.
    ///
    /// # Errors
    ///
    /// [`BindError`] of the kind `AddrInUse` when the name is taken.
    pub fn bind(&self, host: &str, port: u16) -> Result<Listener, BindError> {
        let host = canonical(host);
        let mut names = self.names();
        let port = if port == 0 {
            names.make_up_port()
        } else {
            port
        };
        let name = (host, port);
        if names.listeners.contains_key(&name) {
            return Err(BindError {
                address: format!("{}:{port}", name.0),
                source: io::ErrorKind::AddrInUse.into(),
            });
        }
        let (sender, incoming) = mpsc::channel(BACKLOG);
        names.listeners.insert(name.clone(), sender);
        Ok(Listener::Memory(MemoryListener {
            address: made_up(port),
            incoming: tokio::sync::Mutex::new(incoming),
            _binding: Binding {
                net: self.clone(),
                name,
            },
        }))
    }

    /// Connects to a name. As in TCP, it does not wait for the listener to accept.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` when nobody listens there, or too many wait already.
    pub(super) fn connect(&self, host: &str, port: u16) -> io::Result<Stream> {
        let mut names = self.names();
        let dialer = made_up(names.make_up_port());
        let listener = names.listeners.get(&(canonical(host), port));
        let listener = listener.ok_or(io::ErrorKind::ConnectionRefused)?;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        listener
            .try_send(Stream::memory(far, made_up(port), dialer))
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Stream::memory(near, dialer, made_up(port)))
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn make_up_port(&mut self) -> u16 {
        let port = FIRST_PORT | self.made_up;
        self.made_up = (self.made_up + 1) % FIRST_PORT;
        port
    }
}

/// A name in use; given back by its drop.
#[derive(Debug)]
pub(super) struct Binding {
    net: MemoryNet,
    name: (String, u16),
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.net.names().listeners.remove(&self.name);
    }
}

fn made_up(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn canonical(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    if is_local {
        return "localhost".to_owned();
    }
    host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::transport::Dialer;

    #[tokio::test]
    async fn bytes_written_at_one_end_are_read_at_the_other() {
        let net = MemoryNet::new();
        let listener = net.bind("localhost", 7443).unwrap();
        let mut dialled = Dialer::memory(&net).dial("127.0.0.1", 7443).await.unwrap();
        let mut accepted = listener.accept().await.unwrap();

        dialled.write_all(b"ping").await.unwrap();
        let mut read = [0; 4];
        accepted.read_exact(&mut read).await.unwrap();

        assert_eq!(&read, b"ping");
        assert_eq!(accepted.peer_addr(), dialled.local_addr());
    }

    #[tokio::test]
    async fn a_name_without_a_listener_refuses() {
        let net = MemoryNet::new();
        drop(net.bind("relay", 443).unwrap());

        let refusal = Dialer::memory(&net).dial("relay", 443).await.unwrap_err();

        assert_eq!(refusal.source.kind(), io::ErrorKind::ConnectionRefused);
        assert!(refusal.to_string().contains("relay:443"));
    }

    #[test]
    fn a_taken_name_says_so() {
        let net = MemoryNet::new();
        let _taken = net.bind("127.0.0.1", 443).unwrap();

        let refusal = net.bind("localhost", 443).unwrap_err();

        assert_eq!(refusal.source.kind(), io::ErrorKind::AddrInUse);
    }
}
