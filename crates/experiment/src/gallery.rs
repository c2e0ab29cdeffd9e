//! The scenarios that ship.

use std::path::Path;

use crate::format::{Problem, Scenario, parse};

macro_rules! gallery {
    ($($name:literal)*) => {
        /// Their names and texts, in the order in which they are listed.
        pub const SHIPPED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../experiments/", $name, ".toml"))),)*
        ];
    };
}

gallery! {
    "url-validity"
    "idle-timeout"
    "output-keeps-alive"
    "sessions-per-region"
    "connections-per-instance"
    "bandwidth"
    "bandwidth-shared"
    "flow-exceed-limit"
    "end-session"
    "wrong-token"
    "client-token"
    "old-agent"
    "stopped-instance"
    "exit-code"
    "resize"
    "port-forward"
    "port-refused"
    "denied-port"
    "udp-refused"
    "forwarding-off"
    "one-shell"
    "agent-crash"
    "agent-never-there"
    "relay-restart"
    "relay-paused"
    "client-lost"
    "slow-client"
    "a-month-later"
    "kick-lost"
    "kick-doubled"
    "data-channel-cut"
    "data-channel-refused"
    "link-latency"
    "link-slow"
    "link-reset"
    "link-sliced"
    "link-far-agent"
    "agent-silent"
    "agent-never-dials"
    "agent-slow-start"
    "agent-dies-by-bytes"
    "agent-floods"
    "agent-wrong-clock"
    "fleet"
    "api-errors"
    "nonsense"
    "real-shell"
    "real-own-agent"
    "real-registered-agent"
    "real-own-client"
    "real-cloud-names"
}

/// A commented scenario to start from.
pub const STARTER: &str = include_str!("gallery/starter.toml");

/// The text of the one of that name.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches(".toml");
    SHIPPED
        .iter()
        .find(|(shipped, _)| *shipped == name)
        .map(|(_, text)| *text)
}

/// The one of that name, read.
///
/// # Errors
/// [`Problem`], of a file of that name.
pub fn scenario(name: &str) -> Option<Result<Scenario, Problem>> {
    let text = text(name)?;
    let name = name.trim_end_matches(".toml");
    Some(parse(Path::new(&format!("{name}.toml")), text))
}

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    SHIPPED.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests;
