//! What the development CA may vouch for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};
use rustls::pki_types::ServerName;

/// Host names, with everything below them.
pub const NAMES: [&str; 3] = ["localhost", "aliyuncs.com", "aliyun.com"];

/// Networks: loopback, private (RFC 1918, RFC 4193), shared (100.64.0.0/10, where the cloud's
/// metadata service has its address) and link-local ones, each with the length of its prefix.
pub const NETWORKS: [(IpAddr, u8); 9] = [
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
];

/// The constraints as they stand in the CA's certificate, `more` names and addresses added.
pub(super) fn with(more: &[ServerName<'_>]) -> NameConstraints {
    let ours = NAMES.iter().map(|name| (*name).to_owned());
    let added = more.iter().filter_map(|name| match name {
        ServerName::DnsName(name) => Some(name.as_ref().to_owned()),
        _ => None,
    });
    let names = ours.chain(added);
    let single =
        addresses_in(more).map(|address| (address, if address.is_ipv4() { 32 } else { 128 }));
    let networks = NETWORKS.iter().copied().chain(single);
    let networks = networks.map(|(address, prefix)| CidrSubnet::from_addr_prefix(address, prefix));
    NameConstraints {
        permitted_subtrees: names
            .map(GeneralSubtree::DnsName)
            .chain(networks.map(GeneralSubtree::IpAddress))
            .collect(),
        excluded_subtrees: Vec::new(),
    }
}

/// Those of `names` that are addresses.
pub(super) fn addresses_in(names: &[ServerName<'_>]) -> impl Iterator<Item = IpAddr> {
    names.iter().filter_map(|name| match name {
        ServerName::IpAddress(address) => Some(IpAddr::from(*address)),
        _ => None,
    })
}

/// Whether every CA of ours may vouch for an address. One address that it may not vouch for would spoil the
/// whole certificate.
pub(super) fn permit(address: IpAddr) -> bool {
    NETWORKS
        .iter()
        .any(|(network, prefix)| match (address, network) {
            (IpAddr::V4(address), IpAddr::V4(network)) => {
                let differ = address.to_bits() ^ network.to_bits();
                differ.leading_zeros() >= u32::from(*prefix)
            }
            (IpAddr::V6(address), IpAddr::V6(network)) => {
                let differ = address.to_bits() ^ network.to_bits();
                differ.leading_zeros() >= u32::from(*prefix)
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_networks_are_permitted() {
        for good in [
            "127.0.0.1",
            "::1",
            "172.17.0.2",
            "100.100.100.200",
            "fe80::1",
        ] {
            assert!(permit(good.parse().unwrap()), "{good}");
        }
        for bad in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::2"] {
            assert!(!permit(bad.parse().unwrap()), "{bad}");
        }
    }
}
