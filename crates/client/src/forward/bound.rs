//! The local end: listeners that are bound before anything else is done.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use axt_net::transport::{BindError, Listener};
use rustix::io::Errno;

use super::spec::{ForwardSpec, LocalSpec, Remote};

/// How often another free port is tried when only one of the addresses has it free.
const TRIES: u32 = 16;

/// A forward's listeners, and where their connections are to go.
///
/// Connections that come before the session is there wait in the kernel.
#[derive(Debug)]
pub struct Bound {
    pub(super) listeners: Vec<Listener>,
    pub(super) remote: Remote,
}

impl Bound {
    /// Listens on all addresses of `spec`. For localhost the port is the same on 127.0.0.1 and ::1,
    /// and a machine without one of the two families listens on the other.
    ///
    /// # Errors
    /// [`BindError`]: the port is taken, or not for everyone, or the address is not this machine's.
    pub async fn bind(spec: &ForwardSpec) -> Result<Self, BindError> {
        let local = LocalSpec {
            bind: spec.bind,
            port: spec.local,
        };
        Ok(Self::on(local.listen().await?, spec.remote.clone()))
    }

    /// Takes listeners as they are, on any transport.
    #[must_use]
    pub fn on(listeners: Vec<Listener>, remote: Remote) -> Self {
        Self { listeners, remote }
    }

    /// The addresses that are listened on, picked ports included.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(Listener::local_addr).collect()
    }
}

impl LocalSpec {
    /// Listens on all of its addresses, as [`Bound::bind`] does.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn listen(self) -> Result<Vec<Listener>, BindError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match bind_all(&self.bind.addresses(), self.port).await {
                // The port that one address picked is somebody else's on the next.
                Err(error) if is_taken(&error) && self.port == 0 && tries < TRIES => {}
                bound => return bound,
            }
        }
    }
}

async fn bind_all(addresses: &[IpAddr], mut port: u16) -> Result<Vec<Listener>, BindError> {
    let mut listeners = Vec::new();
    let mut missing = None;
    for address in addresses {
        match Listener::bind((*address, port).into()).await {
            Ok(listener) => {
                if let Ok(picked) = listener.local_addr() {
                    port = picked.port();
                }
                listeners.push(listener);
            }
            Err(error) if is_family_missing(&error) => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn is_taken(error: &BindError) -> bool {
    error.source.kind() == io::ErrorKind::AddrInUse
}

/// Whether the machine has no such address, as one without IPv6 has no ::1.
fn is_family_missing(error: &BindError) -> bool {
    let code = error.source.raw_os_error();
    error.source.kind() == io::ErrorKind::AddrNotAvailable
        || code == Some(Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> ForwardSpec {
        text.parse().expect("well-formed")
    }

    #[tokio::test]
    async fn any_free_port_is_the_same_on_both_families() {
        let bound = Bound::bind(&spec(":80")).await.expect("bound");

        let addresses = bound.addresses().expect("told");
        let ports: Vec<_> = addresses.iter().map(SocketAddr::port).collect();
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert!(ports.iter().all(|port| *port != 0 && *port == ports[0]));
    }

    #[tokio::test]
    async fn a_local_port_that_is_taken_is_an_error_that_names_it() {
        let taken = Bound::bind(&spec(":80")).await.expect("bound");
        let port = taken.addresses().expect("told")[0].port();

        let error = Bound::bind(&spec(&format!("{port}:80")))
            .await
            .expect_err("taken");

        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error() {
        let error = Bound::bind(&spec("192.0.2.1:0:80"))
            .await
            .expect_err("not ours");

        assert!(error.to_string().contains("192.0.2.1"), "{error}");
    }
}
