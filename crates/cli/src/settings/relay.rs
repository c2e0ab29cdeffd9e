//! The settings of `axt up` and `axt relay`.

use std::{net::SocketAddr, path::PathBuf};

use axt_agent::{Shells, shell::HelperProgram};
use axt_client::discover;
use axt_proto::{Extensions, Secret};
use axt_sandbox::{Listen, SandboxConfig, State, Transport, Urls};

use super::{Settings, declared, declared::Home, limits, misdeeds, over, place::Set, trace};
use crate::{failure::Failure, flags::relay::RelayFlags};

const API: SocketAddr = loopback(7080);
const AXT: SocketAddr = loopback(7443);
const ADMIN: SocketAddr = loopback(7090);
const REGION: &str = "cn-hangzhou";
const ACCOUNT: &str = "1000000000000001";

/// What a relay runs on, and where clients look for it.
#[derive(Clone, Debug)]
pub(crate) struct RelaySettings {
    /// All of it.
    pub(crate) config: SandboxConfig,
    /// The folder in which clients look.
    pub(crate) state_dir: PathBuf,
}

/// Settles the flags (which carry the environment) over the file, over the defaults. `simulated` is
/// how many instances are simulated, where the file does not matter for that.
///
/// # Errors
/// A value out of range, something declared twice, or no place to keep state in.
pub(crate) fn resolve(
    flags: RelayFlags,
    simulated: Option<u16>,
    settings: Settings,
) -> Result<RelaySettings, Failure> {
    let file = settings.relay;
    let home = Home {
        account: match file.account {
            Some(account) => account.value,
            None => ACCOUNT.parse().map_err(Failure::usage)?,
        },
        region: match over(flags.region, file.region) {
            Some(region) => region,
            None => REGION.parse().map_err(Failure::usage)?,
        },
    };
    let state_dir = match flags.state_dir.or(file.state_dir.map(Set::path)) {
        Some(path) => path,
        None => discover::default_state_dir(&discover::process_environment)?,
    };
    let limits = limits::resolve(
        &flags.limit,
        limits::variable().as_deref(),
        &settings.limits,
    )?;
    let listen = Listen {
        api: over(flags.api_listen, file.api_listen).unwrap_or(API),
        axt: over(flags.axt_listen, file.axt_listen).unwrap_or(AXT),
        admin: over(flags.admin_listen, file.admin_listen).unwrap_or(ADMIN),
        metadata: over(flags.metadata_listen, file.metadata_listen),
    };
    let urls = Urls {
        public: over(flags.public_url, file.public_url),
        intranet: over(flags.intranet_url, file.intranet_url),
        advertise_plain: over(flags.advertise_plain, file.advertise_plain).unwrap_or_default(),
        virtual_domains: over(None, file.virtual_domains).unwrap_or_default(),
        ..Urls::default()
    };
    let mut agent = settings.agent;
    let defaults = SandboxConfig::default();
    let machine = super::agent::posed(defaults.machine, &mut agent)?;
    let config = SandboxConfig {
        transport: Transport::Sockets(listen),
        state: state(
            &state_dir,
            over(flags.ephemeral, file.ephemeral).unwrap_or_default(),
        ),
        ready_file: flags.ready_file.or(file.ready_file.map(Set::path)),
        instances: over(simulated, file.simulated).unwrap_or(1).into(),
        limits: limits.limits,
        limit_sources: limits.sources,
        declared: declared::instances(settings.instances, &home)?,
        access_keys: declared::access_keys(settings.access_keys, &home)?,
        accounts: declared::accounts(settings.accounts)?,
        regions: declared::regions(settings.regions)?,
        behaviours: misdeeds::behaviours(settings.behaviours)?,
        faults: misdeeds::faults(settings.faults)?,
        account: home.account,
        region: home.region,
        urls,
        names: if flags.name.is_empty() {
            over(None, file.names).unwrap_or_default()
        } else {
            flags.name
        },
        admin_token: over(flags.admin_token.map(Secret::new), file.admin_token),
        no_auth: over(flags.no_auth, file.no_auth).unwrap_or_default(),
        allow_unsigned: over(flags.allow_unsigned, file.allow_unsigned).unwrap_or_default(),
        metadata_instance: over(flags.metadata_instance, file.metadata_instance),
        enforce_tls: over(flags.enforce_tls, file.enforce_tls).unwrap_or_default(),
        seed: over(flags.seed, file.seed),
        trace: trace::resolve(flags.trace, file.trace, file.trace_payload)?,
        shells: shells(over(None, agent.keep_background).unwrap_or_default()),
        machine,
        agent_version: over(None, agent.version).unwrap_or(defaults.agent_version),
        extensions: extensions(over(None, agent.no_extensions).unwrap_or_default()),
        ..SandboxConfig::default()
    };
    Ok(RelaySettings { config, state_dir })
}

fn state(state_dir: &std::path::Path, is_ephemeral: bool) -> State {
    if is_ephemeral {
        State::Ephemeral {
            home: Some(state_dir.to_owned()),
        }
    } else {
        State::Kept(state_dir.to_owned())
    }
}

/// Shells of this machine.
pub(super) fn shells(keep_background: bool) -> Shells {
    Shells::Real {
        helper: HelperProgram::default(),
        keep_background,
    }
}

/// All extensions, or none.
pub(super) const fn extensions(none: bool) -> Extensions {
    if none {
        Extensions::NONE
    } else {
        Extensions::ALL
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::file::parse;

    fn file(text: &str) -> Settings {
        parse(Path::new("/etc/axt.toml"), text).expect("a file")
    }

    fn flags() -> RelayFlags {
        RelayFlags {
            state_dir: Some("/tmp/x".into()),
            ..RelayFlags::default()
        }
    }

    #[test]
    fn a_flag_stands_over_the_file_and_the_file_over_the_default() {
        let flags = RelayFlags {
            region: Some("cn-beijing".parse().expect("a region")),
            ..flags()
        };
        let file = file(
            "[relay]\nregion = \"cn-shanghai\"\napi_listen = \"127.0.0.1:1\"\nsimulated = 7\n",
        );

        let settings = resolve(flags, Some(3), file).expect("well formed").config;

        assert_eq!(settings.region.as_str(), "cn-beijing");
        assert_eq!(settings.instances, 3);
        let Transport::Sockets(listen) = settings.transport else {
            panic!("sockets")
        };
        assert_eq!((listen.api, listen.axt), (loopback(1), AXT));
    }

    #[test]
    fn an_ephemeral_sandbox_keeps_nothing_in_the_folder_where_it_is_found() {
        let file = file("[relay]\nephemeral = true\n[limits]\nidle_timeout_s = 20\n");

        let config = resolve(flags(), None, file).expect("well formed").config;

        let home = Some("/tmp/x".into());
        assert_eq!(config.state, State::Ephemeral { home });
        assert_eq!(config.limits.idle_timeout_s, 20);
        assert_eq!(config.limit_sources["idle_timeout_s"], "/etc/axt.toml:4");
    }

    #[test]
    fn a_flag_can_switch_off_what_the_file_switches_on() {
        let flags = RelayFlags {
            ephemeral: Some(false),
            ..flags()
        };

        let config = resolve(flags, None, file("[relay]\nephemeral = true\n"));

        let config = config.expect("well formed").config;
        assert_eq!(config.state, State::Kept("/tmp/x".into()));
    }

    #[test]
    fn a_relative_path_starts_at_the_files_folder() {
        let config = resolve(
            RelayFlags::default(),
            None,
            file("[relay]\nstate_dir = \"state\"\n"),
        );

        assert_eq!(
            config.expect("well formed").state_dir,
            Path::new("/etc/state")
        );
    }

    #[test]
    fn what_is_declared_belongs_to_the_relays_account_and_region_unless_it_says_otherwise() {
        let file = file(
            "[relay]\naccount = \"7\"\nregion = \"cn-beijing\"\n\
             [[instances]]\nid = \"i-1\"\ndenied_ports = [22]\nstatus = \"Stopped\"\n\
             [[instances]]\nid = \"i-2\"\naccount = \"8\"\n\
             [[access_keys]]\nid = \"LTAI\"\nsecret = \"s\"\nram_user = \"u\"\n",
        );

        let config = resolve(flags(), None, file).expect("well formed").config;

        let [first, second] = config.declared.as_slice() else {
            panic!("two instances")
        };
        assert_eq!(first.account.as_str(), "7");
        assert_eq!(first.region.as_str(), "cn-beijing");
        assert!(first.denied_ports.contains(&22));
        assert_eq!(second.account.as_str(), "8");
        assert_eq!(config.access_keys[0].caller.account.as_str(), "7");
        assert_eq!(config.access_keys[0].caller.identity.principal(), "u");
    }
}
