//! A relay on this machine, and what it takes to be its client.

use std::process;

use axt_client::{Admin, Api, api::permanent, session::Network};
use axt_control::admin::{ReadyFile, ReadyInstance};
use axt_net::{clock::Clock, frames::Tap, http::HttpClient, tasks::Tasks};
use axt_openapi::{AccessKey, Caller, Identity};
use axt_relay::{InstanceSpec, Relay, RelayConfig, RelayHandle, TraceConfig, Urls};

use crate::{
    config::{ClockStart, SandboxConfig, Transport},
    error::StartError,
    ground::{CA, Ground},
    kept::HandedOut,
    sockets::{Sockets, authority},
    state::StateDir,
};

/// A relay that serves.
///
/// Dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct LocalRelay {
    pub(crate) ready: ReadyFile,
    pub(crate) clock: Clock,
    pub(crate) network: Network,
    pub(crate) api: Api,
    pub(crate) admin: Admin,
    pub(crate) handle: RelayHandle,
}

impl LocalRelay {
    /// The rule clock that a sandbox starts with.
    pub(crate) fn clock(config: &SandboxConfig, ground: &Ground) -> Clock {
        match config.clock {
            ClockStart::Frozen(at) => Clock::frozen(at),
            ClockStart::Running => Clock::from_wall(&config.wall, ground.clock_offset),
        }
    }

    /// Starts it on `tasks`, with these instances declared.
    pub(crate) fn start(
        (config, ground): (&SandboxConfig, &Ground),
        state: &StateDir,
        (sockets, clock, traces): (Sockets, Clock, TraceConfig),
        instances: Vec<InstanceSpec>,
        tasks: &Tasks,
    ) -> Result<Self, StartError> {
        let network = Network {
            dialer: sockets.dialer.clone(),
            tls: ground.client_tls.clone(),
            clock: clock.clone(),
            tap: Tap::none(),
        };
        let ready = ready_file(config, ground, &sockets, state, &instances);
        let (api, admin) = endpoints(config, &network, &ready)?;
        let mut relay = relay_config(config, ground, sockets, clock.clone(), instances)?;
        relay.traces = traces;
        Ok(Self {
            handle: Relay::start(relay, tasks)?,
            ready,
            clock,
            network,
            api,
            admin,
        })
    }

    /// The root that agents call: `https://HOST:PORT`, or `http` in memory.
    pub(crate) fn server(&self) -> String {
        // `wss` becomes `https`, and `ws` `http`.
        let axt = &self.ready.axt;
        axt.strip_prefix("ws")
            .map_or_else(|| axt.clone(), |rest| format!("http{rest}"))
    }
}

/// The API and the admin API of a sandbox that is about to be ready.
fn endpoints(
    config: &SandboxConfig,
    network: &Network,
    ready: &ReadyFile,
) -> Result<(Api, Admin), StartError> {
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
    let key = permanent(ready.access_key_id.clone(), ready.access_key_secret.clone());
    let region = ready.region.clone();
    let api = Api::new(
        http.clone(),
        &ready.api_http,
        region,
        key,
        config.wall.clone(),
    )
    .map_err(|error| StartError::Unusable(error.to_string()))?;
    Ok((
        api,
        Admin::new(http, &ready.admin, config.admin_token.clone()),
    ))
}

fn ready_file(
    config: &SandboxConfig,
    ground: &Ground,
    sockets: &Sockets,
    state: &StateDir,
    instances: &[InstanceSpec],
) -> ReadyFile {
    let is_memory = config.transport == Transport::Memory;
    let sessions = if is_memory { "ws" } else { "wss" };
    ReadyFile {
        api_http: format!("http://{}", authority(sockets.api, is_memory)),
        api_https: format!("https://{}", authority(sockets.api, true)),
        axt: format!("{sessions}://{}", authority(sockets.axt, true)),
        admin: format!("http://{}", authority(sockets.admin, is_memory)),
        metadata: sockets
            .metadata
            .map(|address| format!("http://{}", authority(address, is_memory))),
        pid: process::id(),
        region: config.region.clone(),
        access_key_id: ground.handed_out.access_key_id.clone(),
        access_key_secret: ground.handed_out.access_key_secret.clone(),
        ca_cert: state.path().join(CA).join("ca.pem").display().to_string(),
        instances: instances
            .iter()
            .map(|instance| ReadyInstance {
                id: instance.id.clone(),
                name: instance.name.clone(),
            })
            .collect(),
    }
}

fn relay_config(
    config: &SandboxConfig,
    ground: &Ground,
    sockets: Sockets,
    clock: Clock,
    instances: Vec<InstanceSpec>,
) -> Result<RelayConfig, StartError> {
    let own = own_key(config, &ground.handed_out);
    let no_auth = config.no_auth.then(|| Caller {
        access_key_id: String::new(),
        ..own.caller.clone()
    });
    let keys = [own].into_iter().chain(config.access_keys.iter().cloned());
    let tls = match config.transport {
        Transport::Sockets(_) => Some(ground.ca.server_tls()?),
        Transport::Memory => None,
    };
    Ok(RelayConfig {
        instances,
        access_keys: keys
            .map(|key| (key.caller.access_key_id.clone(), key))
            .collect(),
        listeners: sockets.listeners,
        tls,
        clock,
        wall: config.wall.clone(),
        limits: config.limits.clone(),
        limit_sources: config.limit_sources.clone(),
        journal: ground.journal.clone(),
        region: config.region.clone(),
        account: config.account.clone(),
        regions: config.regions.clone(),
        accounts: config.accounts.clone(),
        no_auth,
        allow_unsigned: config.allow_unsigned,
        metadata_instance: config.metadata_instance.clone(),
        urls: Urls {
            advertise_plain: config.urls.advertise_plain || config.transport == Transport::Memory,
            ..config.urls.clone()
        },
        admin_token: config.admin_token.clone(),
        faults: config.faults.clone(),
        seed: config.seed,
        enforce_tls: config.enforce_tls,
        traces: TraceConfig::default(),
    })
}

/// The account's own key, which the state folder keeps.
fn own_key(config: &SandboxConfig, handed_out: &HandedOut) -> AccessKey {
    AccessKey {
        secret: handed_out.access_key_secret.clone(),
        is_enabled: true,
        token: None,
        caller: Caller {
            account: config.account.clone(),
            access_key_id: handed_out.access_key_id.clone(),
            identity: Identity::Account(config.account.to_string()),
            policy: None,
        },
    }
}
