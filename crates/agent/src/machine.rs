//! What an agent says of the machine that it is on: what is there, or what it poses as.

use std::{collections::BTreeMap, fs, net::Ipv4Addr};

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};
use rustix::system::uname;

/// Where a machine keeps what it signs beside its id; the first that is there counts (wire-protocol
/// 10.2).
const MACHINE_IDS: [&str; 3] = [
    "/var/lib/dbus/machine-id",
    "/etc/machine-id",
    "/sys/class/dmi/id/product_uuid",
];

/// What an agent says of its machine. Any of it may be made up, for experiments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// `linux`, `windows` or `freebsd`: what the agent says, not what it runs on.
    pub os_type: String,
    /// Such as `Linux_#1 SMP PREEMPT_DYNAMIC @0_x86_64`.
    pub os_version: String,
    /// Such as `6.18.44`.
    pub kernel_version: String,
    /// Such as `debian`.
    pub platform: String,
    /// Such as `12`.
    pub platform_version: String,
    /// `amd64` or `arm64`, in the official agent's spelling.
    pub architecture: String,
    /// Its own name.
    pub host_name: String,
    /// Its first address that is not loopback; empty when it has none.
    pub ip: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        let names = uname();
        let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
        let machine = text(names.machine());
        let release = os_release();
        let told = |name: &str| release.get(name).cloned().unwrap_or_default();
        Self {
            os_type: "linux".to_owned(),
            os_version: format!(
                "{}_{}_{machine}",
                text(names.sysname()),
                text(names.version())
            ),
            kernel_version: text(names.release()),
            platform: told("ID"),
            platform_version: told("VERSION_ID"),
            architecture: match machine.as_str() {
                "x86_64" => "amd64".to_owned(),
                "aarch64" => "arm64".to_owned(),
                other => other.to_owned(),
            },
            host_name: text(names.nodename()),
            ip: first_address().map_or_else(String::new, |ip| ip.to_string()),
        }
    }

    /// The User-Agent of an agent of this `version` on it.
    pub(crate) fn user_agent(&self, version: &str) -> String {
        format!("{}_{}/{version}", self.os_type, self.architecture)
    }
}

/// What this machine's agents sign beside their ids; `None` on a machine that has no such thing, as
/// many a container.
#[must_use]
pub fn machine_id() -> Option<String> {
    MACHINE_IDS.into_iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let id = text.trim().to_owned();
        (!id.is_empty()).then_some(id)
    })
}

/// The first IPv4 address of an interface that is up and not loopback.
fn first_address() -> Option<Ipv4Addr> {
    let mut interfaces = getifaddrs().ok()?;
    interfaces.find_map(|interface| {
        let is_meant = interface.flags.contains(InterfaceFlags::IFF_UP)
            && !interface.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        let address = interface.address?;
        let address = address.as_sockaddr_in()?.ip();
        (is_meant && !address.is_loopback()).then_some(address)
    })
}

/// `/etc/os-release`: names and values, without their quotes.
fn os_release() -> BTreeMap<String, String> {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_says_what_the_official_agent_would() {
        let here = Machine::here();

        assert_eq!(here.os_type, "linux");
        assert!(here.os_version.starts_with("Linux_"), "{here:?}");
        assert!(!here.host_name.is_empty());
        let address: Result<Ipv4Addr, _> = here.ip.parse();
        assert!(here.ip.is_empty() || address.is_ok_and(|ip| !ip.is_loopback()));
        assert!(here.user_agent("2.2.3.500").starts_with("linux_"));
        assert!(here.user_agent("2.2.3.500").ends_with("/2.2.3.500"));
    }
}
