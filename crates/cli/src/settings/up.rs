//! The settings of `axt up`.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use axt_client::discover;
use axt_proto::{Limits, RegionId};
use axt_sandbox::{Listen, SandboxConfig, State, Transport};

use super::{layer, limits};
use crate::{failure::Failure, flags::up::UpFlags};

layer! {
    /// What one source says about `axt up`.
    UpLayer {
        /// See [`UpSettings::api_listen`]; so for the others.
        api_listen: SocketAddr,
        axt_listen: SocketAddr,
        admin_listen: SocketAddr,
        state_dir: PathBuf,
        instances: u16,
        region: RegionId,
    }
}

/// What `axt up` runs on.
#[derive(Clone, Debug)]
pub(crate) struct UpSettings {
    /// Where the OpenAPI listens.
    pub(crate) api_listen: SocketAddr,
    /// Where sessions and agents connect.
    pub(crate) axt_listen: SocketAddr,
    /// Where the admin API listens.
    pub(crate) admin_listen: SocketAddr,
    /// Where state is kept, and where clients look for the sandbox.
    pub(crate) state_dir: PathBuf,
    /// Whether state is forgotten at the end.
    pub(crate) is_ephemeral: bool,
    /// How many instances.
    pub(crate) instances: u16,
    /// In which region.
    pub(crate) region: RegionId,
    /// A further place for the ready file.
    pub(crate) ready_file: Option<PathBuf>,
    /// The limits.
    pub(crate) limits: Limits,
    /// Where those limits were set that are not at their defaults.
    pub(crate) limit_sources: BTreeMap<String, String>,
    /// Where ids and tokens come from, when not from chance.
    pub(crate) seed: Option<u64>,
}

impl UpSettings {
    /// Settles the flags (which carry the environment) over `file`, over the defaults.
    ///
    /// # Errors
    /// A value out of range, or no place to keep state in.
    pub(crate) fn resolve(flags: UpFlags, file: UpLayer) -> Result<Self, Failure> {
        let typed = UpLayer {
            api_listen: flags.api_listen,
            axt_listen: flags.axt_listen,
            admin_listen: flags.admin_listen,
            state_dir: flags.state_dir,
            instances: flags.instances,
            region: flags.region,
        };
        let settings = typed.or(file);
        let state_dir = match settings.state_dir {
            Some(path) => path,
            None => discover::default_state_dir(&discover::process_environment)?,
        };
        Ok(Self {
            api_listen: settings.api_listen.unwrap_or(loopback(7080)),
            axt_listen: settings.axt_listen.unwrap_or(loopback(7443)),
            admin_listen: settings.admin_listen.unwrap_or(loopback(7090)),
            state_dir,
            is_ephemeral: flags.ephemeral,
            instances: settings.instances.unwrap_or(1),
            region: match settings.region {
                Some(region) => region,
                None => "cn-hangzhou".parse().map_err(Failure::usage)?,
            },
            ready_file: flags.ready_file,
            limits: limits::resolve(&flags.limit).map_err(Failure::usage)?,
            limit_sources: flags
                .limit
                .iter()
                .map(|limit| (limit.name().to_owned(), "flag".to_owned()))
                .collect(),
            seed: flags.seed,
        })
    }
}

impl From<UpSettings> for SandboxConfig {
    fn from(settings: UpSettings) -> Self {
        Self {
            transport: Transport::Sockets(Listen {
                api: settings.api_listen,
                axt: settings.axt_listen,
                admin: settings.admin_listen,
            }),
            state: if settings.is_ephemeral {
                State::Ephemeral {
                    home: Some(settings.state_dir),
                }
            } else {
                State::Kept(settings.state_dir)
            },
            ready_file: settings.ready_file,
            region: settings.region,
            instances: settings.instances.into(),
            limits: settings.limits,
            limit_sources: settings.limit_sources,
            seed: settings.seed,
            ..Self::default()
        }
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_stands_over_the_file_and_the_file_over_the_default() {
        let flags = UpFlags {
            instances: Some(3),
            state_dir: Some("/tmp/x".into()),
            ..UpFlags::default()
        };
        let file = UpLayer {
            instances: Some(7),
            api_listen: Some(loopback(1)),
            ..UpLayer::default()
        };

        let settings = UpSettings::resolve(flags, file).expect("well formed");

        assert_eq!(settings.instances, 3);
        assert_eq!(settings.api_listen, loopback(1));
        assert_eq!(settings.axt_listen, loopback(7443));
    }

    #[test]
    fn an_ephemeral_sandbox_keeps_nothing_in_the_folder_where_it_is_found() {
        let flags = UpFlags {
            ephemeral: true,
            state_dir: Some("/tmp/x".into()),
            limit: vec!["idle_timeout_s=20".parse().expect("a limit")],
            ..UpFlags::default()
        };

        let settings = UpSettings::resolve(flags, UpLayer::default()).expect("well formed");
        let config = SandboxConfig::from(settings);

        let home = Some("/tmp/x".into());
        assert_eq!(config.state, State::Ephemeral { home });
        assert_eq!(config.limits.idle_timeout_s, 20);
        assert_eq!(config.limit_sources["idle_timeout_s"], "flag");
    }
}
