//! Hosts that need no proxy.

use std::net::IpAddr;

use axt_proto::Network;

/// What `NO_PROXY` says: names with all that is under them, addresses, networks (`10.0.0.0/8`), each
/// with a port or for all; `*` is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Except(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Every,
    Network(Network),
    Name(String),
}

impl Except {
    /// What makes no sense is left out, as everybody does it.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.split(',').filter_map(Entry::parse).collect())
    }

    /// Whether a host needs no proxy. This machine never does.
    pub(super) fn includes(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        let is_here = address.is_some_and(|address| address.to_canonical().is_loopback());
        is_here
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.0.iter().any(|entry| {
                entry.port.is_none_or(|only| only == port) && entry.host.includes(&host, address)
            })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return None;
        }
        if let Some(host) = Host::parse(&text) {
            return Some(Self { host, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        Some(Self {
            host: Host::parse(host)?,
            port: Some(port.parse().ok()?),
        })
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Every);
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(network) = bare.parse() {
            return Some(Self::Network(network));
        }
        let name = text.trim_start_matches("*.").trim_start_matches('.');
        (!name.is_empty() && !name.contains(':')).then(|| Self::Name(name.to_owned()))
    }

    fn includes(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::Every => true,
            Self::Network(network) => address.is_some_and(|address| network.includes(address)),
            Self::Name(name) => host
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        }
    }
}
