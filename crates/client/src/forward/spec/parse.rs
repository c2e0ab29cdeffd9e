//! Reading a specification, and saying what is wrong with one.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use super::{BindTo, ForwardSpec, LocalSpec, Remote, TargetHost};

/// The most characters of a target (ecs-api, TargetServer).
const TARGET_MAX: usize = 128;

const SHAPE: &str = "[ADDR:]LOCAL:[TARGET:]REMOTE";

/// Why a text is no forward specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{spec}` is no forward: {problem}")]
pub struct MalformedSpec {
    spec: String,
    problem: String,
}

/// A part between colons.
#[derive(Clone, Copy)]
enum Part<'a> {
    Bare(&'a str),
    /// It stood in brackets.
    Ipv6(Ipv6Addr),
}

impl FromStr for ForwardSpec {
    type Err = MalformedSpec;

    fn from_str(spec: &str) -> Result<Self, MalformedSpec> {
        read(spec).map_err(|problem| MalformedSpec {
            // Echoed on one line, and not at any length.
            spec: spec.chars().filter(|c| !c.is_control()).take(160).collect(),
            problem,
        })
    }
}

impl FromStr for LocalSpec {
    type Err = MalformedSpec;

    fn from_str(spec: &str) -> Result<Self, MalformedSpec> {
        read_local(spec).map_err(|problem| MalformedSpec {
            spec: spec.chars().filter(|c| !c.is_control()).take(160).collect(),
            problem,
        })
    }
}

fn read_local(spec: &str) -> Result<LocalSpec, String> {
    if spec.contains(char::is_control) {
        return Err("there is a control character in it".into());
    }
    match split(spec)?.as_slice() {
        [local] => Ok(LocalSpec {
            bind: BindTo::Localhost,
            port: port("local", local)?,
        }),
        [bind, local] => Ok(LocalSpec {
            bind: bind_address(bind)?,
            port: port("local", local)?,
        }),
        _ => Err("expected [ADDR:]PORT, and an IPv6 address stands in brackets".into()),
    }
}

fn read(spec: &str) -> Result<ForwardSpec, String> {
    if spec.contains(char::is_control) {
        return Err("there is a control character in it".into());
    }
    let spec = match spec.rsplit_once('/') {
        Some((rest, "tcp")) => rest,
        Some((_, "udp")) => return Err("UDP cannot be forwarded, only TCP".into()),
        _ => spec,
    };
    let parts = split(spec)?;
    let (bind, local, target, remote) = match parts.as_slice() {
        [Part::Bare(one)] if is_number(one) => {
            return Err(format!(
                "write `{one}:{one}` for the same port on both sides, `:{one}` for any free local one"
            ));
        }
        [local, remote] => (None, local, None, remote),
        [local @ Part::Bare(first), target, remote] if first.is_empty() || is_number(first) => {
            (None, local, Some(target), remote)
        }
        [bind, local, remote] => (Some(bind), local, None, remote),
        [bind, local, target, remote] => (Some(bind), local, Some(target), remote),
        [] | [_] => return Err(format!("expected {SHAPE}")),
        _ => {
            return Err(format!(
                "expected {SHAPE}, and an IPv6 address stands in brackets"
            ));
        }
    };
    Ok(ForwardSpec {
        bind: bind.map_or(Ok(BindTo::Localhost), bind_address)?,
        local: port("local", local)?,
        remote: Remote {
            host: target.map(target_host).transpose()?,
            port: match port("remote", remote)? {
                0 => return Err("the remote port has to be 1 to 65535".into()),
                port => port,
            },
        },
    })
}

/// Cuts at the colons outside brackets.
fn split(mut rest: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    loop {
        let after = if let Some(bracketed) = rest.strip_prefix('[') {
            let (inside, after) = bracketed.split_once(']').ok_or("a bracket is not closed")?;
            let address = inside.parse().map_err(|_| {
                format!("`{inside}` is no IPv6 address, and only those stand in brackets")
            })?;
            parts.push(Part::Ipv6(address));
            after
        } else {
            let end = rest.find(':').unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            parts.push(Part::Bare(part));
            after
        };
        if after.is_empty() {
            return Ok(parts);
        }
        rest = after
            .strip_prefix(':')
            .ok_or("after a closing bracket comes a colon")?;
    }
}

/// Digits only: what `parse` takes beyond them (`+80`) is no port on a command line.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn port(which: &str, part: &Part<'_>) -> Result<u16, String> {
    match part {
        Part::Bare("") if which == "local" => Ok(0),
        Part::Bare("") => Err(format!("the {which} port is missing")),
        Part::Bare(text) if is_number(text) => text
            .parse()
            .map_err(|_| format!("the {which} port {text} is above 65535")),
        Part::Bare(text) => Err(format!("`{text}` is no {which} port: expected a number")),
        Part::Ipv6(address) => Err(format!(
            "an address, {address}, stands where the {which} port belongs"
        )),
    }
}

fn bind_address(part: &Part<'_>) -> Result<BindTo, String> {
    match part {
        Part::Ipv6(address) => Ok(BindTo::Address((*address).into())),
        Part::Bare(text) if text.eq_ignore_ascii_case("localhost") => Ok(BindTo::Localhost),
        Part::Bare(text) => text.parse().map(BindTo::Address).map_err(|_| {
            format!(
                "`{text}` is no address to listen on: expected localhost or an IP address \
                 (0.0.0.0 or [::] for all)"
            )
        }),
    }
}

fn target_host(part: &Part<'_>) -> Result<TargetHost, String> {
    let text = match part {
        Part::Ipv6(address) => return Ok(TargetHost(address.to_string())),
        Part::Bare("") => return Err("the target is missing between two colons".into()),
        Part::Bare(text) => *text,
    };
    if text.chars().count() > TARGET_MAX {
        return Err(format!("the target has more than {TARGET_MAX} characters"));
    }
    let is_forbidden =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']');
    if text.parse::<IpAddr>().is_err() && text.contains(is_forbidden) {
        return Err(format!(
            "`{text}` is no host: expected an IP address or a name"
        ));
    }
    Ok(TargetHost(text.to_owned()))
}
