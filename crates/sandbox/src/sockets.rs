//! The relay's listeners, and the addresses that clients are told.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axt_net::{
    link,
    transport::{BindError, Dialer, Listener, MemoryNet},
};
use axt_relay::{Listeners, MetadataListener};

use crate::{
    config::{Listen, Transport},
    error::StartError,
    relay::LocalRelay,
};

/// How long a relay that was lost may hold its addresses. Link time.
const ADDRESSES_FREE: Duration = Duration::from_secs(5);

/// The names of an in-memory relay's listeners.
const MEMORY_HOST: &str = "localhost";
const MEMORY_API: u16 = 7080;
const MEMORY_AXT: u16 = 7443;
const MEMORY_ADMIN: u16 = 7090;

/// The relay's listeners, bound, and how to reach them.
pub(crate) struct Sockets {
    pub(crate) listeners: Listeners,
    pub(crate) dialer: Dialer,
    pub(crate) api: SocketAddr,
    pub(crate) axt: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) metadata: Option<SocketAddr>,
}

impl Sockets {
    pub(crate) async fn bind(transport: &Transport) -> Result<Self, StartError> {
        match transport {
            Transport::Sockets(listen) => Self::bind_tcp(*listen).await,
            Transport::Memory => Self::bind_in(&MemoryNet::new()),
        }
    }

    /// The addresses of a relay that was lost, once they are free.
    pub(crate) async fn bind_again(lost: &LocalRelay) -> Result<Self, StartError> {
        let addresses = lost.handle.addresses();
        let listen = Listen {
            api: addresses.api,
            axt: addresses.axt,
            admin: addresses.admin,
            metadata: addresses.metadata,
        };
        let deadline = link::now() + ADDRESSES_FREE;
        loop {
            let bound = match &lost.network.dialer {
                Dialer::Memory(net) => Self::bind_in(net),
                _ => Self::bind_tcp(listen).await,
            };
            match bound {
                Err(StartError::Bind { .. }) if link::now() < deadline => {
                    link::sleep(Duration::from_millis(10)).await;
                }
                bound => return bound,
            }
        }
    }

    async fn bind_tcp(listen: Listen) -> Result<Self, StartError> {
        let api = named("api", Listener::bind(listen.api).await)?;
        // One listener may stand for both names.
        let axt = if listen.axt == listen.api && listen.api.port() != 0 {
            None
        } else {
            Some(named("axt", Listener::bind(listen.axt).await)?)
        };
        let admin = named("admin", Listener::bind(listen.admin).await)?;
        let metadata = match listen.metadata {
            Some(address) if address == listen.api && address.port() != 0 => {
                Some(MetadataListener::Api)
            }
            Some(address) => {
                let listener = named("metadata", Listener::bind(address).await)?;
                Some(MetadataListener::Own(listener))
            }
            None => None,
        };
        let listeners = Listeners {
            api,
            axt,
            admin,
            metadata,
        };
        Self::with(Dialer::tcp(), listeners)
    }

    fn bind_in(net: &MemoryNet) -> Result<Self, StartError> {
        let api = named("api", net.bind(MEMORY_HOST, MEMORY_API))?;
        let axt = named("axt", net.bind(MEMORY_HOST, MEMORY_AXT))?;
        let admin = named("admin", net.bind(MEMORY_HOST, MEMORY_ADMIN))?;
        let listeners = Listeners {
            api,
            axt: Some(axt),
            admin,
            metadata: None,
        };
        Self::with(Dialer::memory(net), listeners)
    }

    fn with(dialer: Dialer, listeners: Listeners) -> Result<Self, StartError> {
        let address = |listener: &Listener| {
            listener
                .local_addr()
                .map_err(|error| StartError::Unusable(error.to_string()))
        };
        let axt = listeners.axt.as_ref().unwrap_or(&listeners.api);
        Ok(Self {
            dialer,
            api: address(&listeners.api)?,
            axt: address(axt)?,
            admin: address(&listeners.admin)?,
            metadata: match &listeners.metadata {
                Some(MetadataListener::Own(listener)) => Some(address(listener)?),
                Some(MetadataListener::Api) => Some(address(&listeners.api)?),
                None => None,
            },
            listeners,
        })
    }
}

fn named(
    listener: &'static str,
    bound: Result<Listener, BindError>,
) -> Result<Listener, StartError> {
    bound.map_err(|source| StartError::Bind { listener, source })
}

/// An address that a client on this machine can dial, and that the dev CA vouches for.
pub(crate) fn authority(address: SocketAddr, is_named: bool) -> String {
    let port = address.port();
    match address.ip() {
        ip if is_named && (ip.is_loopback() || ip.is_unspecified()) => format!("localhost:{port}"),
        ip if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port).to_string()
        }
        _ => address.to_string(),
    }
}
