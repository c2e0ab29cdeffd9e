//! Networks of addresses, as settings and parameters name them.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// A network, or a single address: `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// A text that names neither a network nor an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address or a network such as 10.0.0.0/8")]
pub struct NoNetwork;

impl Network {
    /// Whether an address lies in it; one of IPv4 does so also in its IPv6 form.
    #[must_use]
    pub fn includes(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse().map_err(|_| NoNetwork)?,
        };
        Ok(Self(network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_includes_the_addresses_that_share_its_prefix() {
        for (address, network, is_in) in [
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.4", "10.1.2.3", false),
            ("10.1.2.3", "10.1.0.0/16", true),
            ("10.1.2.3", "10.1.9.9/16", true),
            ("10.2.2.3", "10.1.0.0/16", false),
            ("::ffff:10.1.2.3", "10.1.0.0/16", true),
            ("fd00::1", "fd00::/8", true),
            ("fd00::1", "::/0", true),
            ("fd00::1", "0.0.0.0/0", false),
        ] {
            let address = address.parse().expect("an address");
            let network: Network = network.parse().expect("a network");
            assert_eq!(network.includes(address), is_in, "{address} in {network:?}");
        }
    }

    #[test]
    fn what_names_no_network_is_none() {
        for text in [
            "",
            "nonsense",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0/8",
            "::/129",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NoNetwork), "{text}");
        }
    }
}
