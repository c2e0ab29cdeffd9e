//! What is forwarded where: `[ADDR:]LOCAL:[TARGET:]REMOTE` (design, "Forward syntax").

mod parse;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

pub use parse::MalformedSpec;

/// One forward, as it is written on the command line.
///
/// | parts | meaning |
/// |---|---|
/// | `8080:80` | `LOCAL:REMOTE`; an empty or zero LOCAL is any free port |
/// | `5432:db:5432` | `LOCAL:TARGET:REMOTE`, since the first of three is a number (or empty) |
/// | `0.0.0.0:8080:80` | `ADDR:LOCAL:REMOTE` |
/// | `[::1]:5432:[fd00::1]:5432` | `ADDR:LOCAL:TARGET:REMOTE`, IPv6 in brackets |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardSpec {
    /// Where it listens.
    pub bind: BindTo,
    /// The local port; 0 for any that is free.
    pub local: u16,
    /// Where connections go.
    pub remote: Remote,
}

/// Where a forward listens, alone: `[ADDR:]PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalSpec {
    /// The addresses.
    pub bind: BindTo,
    /// The port; 0 for any that is free.
    pub port: u16,
}

/// The addresses that a forward listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindTo {
    /// 127.0.0.1 and ::1: only this machine gets in.
    Localhost,
    /// One address.
    Address(IpAddr),
}

/// Where a forward's connections go, as seen from the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The host that the agent dials; the instance itself without one.
    pub host: Option<TargetHost>,
    /// The port, 1 to 65535.
    pub port: u16,
}

/// A value of TargetServer: an IPv4 or IPv6 address or a host name, at most 128 characters, without
/// brackets (limits-and-semantics R14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHost(String);

impl BindTo {
    /// The addresses, the one to begin with first.
    pub(super) fn addresses(self) -> Vec<IpAddr> {
        match self {
            Self::Localhost => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Self::Address(address) => vec![address],
        }
    }

    /// What to warn of: an address that other machines may reach lets them in too, and nobody asks
    /// them who they are.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        let Self::Address(address) = self else {
            return None;
        };
        (!address.is_loopback()).then(|| {
            format!("{address} is more than this machine: whoever reaches it can use the forward")
        })
    }
}

impl TargetHost {
    /// As the API takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TargetHost {
    /// With brackets around an IPv6 address.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') {
            write!(out, "[{}]", self.0)
        } else {
            out.write_str(&self.0)
        }
    }
}

impl fmt::Display for Remote {
    /// `80`, or `db:5432`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(out, "{host}:")?;
        }
        write!(out, "{}", self.port)
    }
}

impl fmt::Display for ForwardSpec {
    /// A form that reads back as the same.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bind {
            BindTo::Localhost => {}
            BindTo::Address(IpAddr::V6(address)) => write!(out, "[{address}]:")?,
            BindTo::Address(IpAddr::V4(address)) => write!(out, "{address}:")?,
        }
        write!(out, "{}:{}", self.local, self.remote)
    }
}

#[cfg(test)]
mod tests;
