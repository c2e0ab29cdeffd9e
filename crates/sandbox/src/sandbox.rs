//! A whole region on this machine, started in its order and ended in the reverse.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process,
    time::Duration,
};

use axt_agent::{Agent, AgentConfig, Surroundings};
use axt_client::{
    Admin, Api,
    api::permanent,
    session::{self, Announce, EndOfInput, Network, Open, OpenError, Started},
};
use axt_control::{
    admin::{ReadyFile, ReadyInstance},
    luban::Signer,
};
use axt_net::{
    ca::{CaError, DevCa},
    clock::Clock,
    frames::Tap,
    http::HttpClient,
    link,
    tasks::{Panicked, Tasks},
    tls::ClientTls,
    transport::{BindError, Dialer, Listener, MemoryNet},
    wall::Wall,
};
use axt_openapi::{AccessKey, Caller, Identity};
use axt_proto::InstanceId;
use axt_relay::{
    InstanceSpec, Journal, JournalError, Listeners, Relay, RelayConfig, RelayHandle, Urls,
};

use crate::{
    config::{ClockStart, Listen, SandboxConfig, State, Transport},
    kept::{self, HandedOut, KeptError, LocalAgents},
    state::{StateDir, StateError},
    terminal::Terminal,
};

/// The journal's file, inside the state folder.
const JOURNAL: &str = "axt.redb";

/// The dev CA's folder, inside the state folder.
const CA: &str = "ca";

/// How long the agents may take to come online before the sandbox is said not to work. Link time.
const AGENTS_ONLINE: Duration = Duration::from_secs(30);

/// The names of an in-memory relay's listeners.
const MEMORY_HOST: &str = "localhost";
const MEMORY_API: u16 = 7080;
const MEMORY_AXT: u16 = 7443;
const MEMORY_ADMIN: u16 = 7090;

/// Signatures are made ahead for this many instances at most: each costs some CPU every minute.
const SIGN_AHEAD_FOR: usize = 16;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state folder is held by another sandbox, or cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// An address cannot be had.
    #[error("{source}")]
    Bind {
        /// Which listener: `api`, `axt` or `admin`.
        listener: &'static str,
        /// Which address, and why not.
        source: BindError,
    },
    /// Keys cannot be read, made or kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The dev CA cannot be read, made or used.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The relay cannot serve.
    #[error(transparent)]
    Relay(#[from] axt_relay::StartError),
    /// A part of the start panicked; the log has it.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The agents did not come online.
    #[error("{missing} of {wanted} agents did not come online within {} s", AGENTS_ONLINE.as_secs())]
    AgentsOffline {
        /// How many did not.
        missing: usize,
        /// Of how many.
        wanted: usize,
    },
    /// Something that cannot be with these settings.
    #[error("{0}")]
    Unusable(String),
}

/// A region that runs: relay, agents, and what it takes to be their client.
///
/// Dropping it ends everything at once; [`Sandbox::shutdown`] is the orderly way.
#[derive(Debug)]
pub struct Sandbox {
    ready: ReadyFile,
    clock: Clock,
    network: Network,
    api: Api,
    admin: Admin,
    relay: RelayHandle,
    agent_tasks: Tasks,
    /// The parent of all tasks: its drop ends them.
    _tasks: Tasks,
    /// Last, for its drop takes back the ready files and removes an ephemeral folder.
    state: StateDir,
}

impl Sandbox {
    /// Starts everything and waits until everything answers.
    ///
    /// # Errors
    /// [`StartError`]; whatever had been started is ended again.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        config
            .limits
            .check()
            .map_err(|error| StartError::Unusable(error.to_string()))?;
        let mut state = match &config.state {
            State::Kept(folder) => StateDir::open(folder)?,
            State::Ephemeral { home } => StateDir::ephemeral(home.as_deref())?,
        };
        let tasks = Tasks::new();
        // The addresses first: a port that is taken is the likeliest trouble, and nothing has been
        // made by then.
        let sockets = Sockets::bind(&config.transport).await?;
        let ground = Ground::prepare(&config, &state, &tasks).await?;
        let clock = match config.clock {
            ClockStart::Frozen(at) => Clock::frozen(at),
            ClockStart::Running => Clock::from_wall(&config.wall, ground.clock_offset),
        };
        let network = Network {
            dialer: sockets.dialer.clone(),
            tls: ground.client_tls.clone(),
            clock: clock.clone(),
            tap: Tap::none(),
        };
        let ready = ready_file(&config, &ground, &sockets, &state);
        let agents = ground.agents(&config, &ready)?;
        let relay = relay_config(&config, ground, sockets, clock.clone())?;
        let relay = Relay::start(relay, &tasks)?;
        let agent_tasks = tasks.child();
        let surroundings = Surroundings::new(
            network.dialer.clone(),
            network.tls.clone(),
            clock.clone(),
            config.wall.clone(),
        );
        start_agents(agents, &surroundings, &agent_tasks).await?;
        let (api, admin) = endpoints(&network, &config.wall, &ready)?;
        state.publish(&ready, config.ready_file.as_deref())?;
        Ok(Self {
            ready,
            clock,
            network,
            api,
            admin,
            relay,
            agent_tasks,
            _tasks: tasks,
            state,
        })
    }

    /// What the ready file says: addresses, keys, instances.
    #[must_use]
    pub fn ready(&self) -> &ReadyFile {
        &self.ready
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Rule time, to be frozen and moved.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The API, signed with the sandbox's own key.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The admin API.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// How clients of this sandbox dial, and whom they trust.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The first instance.
    ///
    /// # Panics
    /// When the sandbox was started without any.
    #[must_use]
    #[allow(clippy::expect_used)] // a test that asks for one has started one
    pub fn instance(&self) -> &InstanceId {
        &self.ready.instances.first().expect("an instance").id
    }

    /// StartTerminalSession for a login shell on the first instance.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn start_session(&self) -> Result<Started, OpenError> {
        self.start_session_with(None, None).await
    }

    /// StartTerminalSession on the first instance, for a command line and as a user.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn start_session_with(
        &self,
        command_line: Option<&str>,
        username: Option<&str>,
    ) -> Result<Started, OpenError> {
        let wanted = Open {
            instance: self.instance().clone(),
            command_line: command_line.map(str::to_owned),
            username: username.map(str::to_owned),
        };
        session::start(&self.api, &wanted).await
    }

    /// Opens a terminal on a session, with the base protocol alone.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn terminal(&self, session: &Started) -> Result<Terminal, OpenError> {
        self.terminal_with(session, Announce::default()).await
    }

    /// Opens a terminal on a session, as a client that announces extensions.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn terminal_with(
        &self,
        session: &Started,
        announce: Announce,
    ) -> Result<Terminal, OpenError> {
        let link = session::connect(&self.network, session, announce).await?;
        let at_end = if announce.extensions.pipe {
            EndOfInput::IsTyped
        } else {
            EndOfInput::Closes
        };
        Ok(Terminal::start(link, at_end))
    }

    /// Ends everything in order, within [`link::SHUTDOWN`]: the agents with their shells, then the
    /// relay with its journal, then what is in the state folder.
    pub async fn shutdown(self) {
        let Self {
            relay,
            agent_tasks,
            state,
            ..
        } = self;
        // Both at once: the relay tells the clients why, the agents end what was started.
        let (served, agents) =
            tokio::join!(relay.shutdown(), agent_tasks.shutdown(link::SHUTDOWN),);
        let served = served.unwrap_or_else(|error| {
            tracing::warn!(%error, "the clock's offset was not kept");
            Vec::new()
        });
        for name in agents.iter().chain(&served) {
            tracing::warn!(task = name, "ended by force");
        }
        drop(state);
    }
}

/// The API and the admin API of a sandbox that is about to be ready.
fn endpoints(
    network: &Network,
    wall: &Wall,
    ready: &ReadyFile,
) -> Result<(Api, Admin), StartError> {
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
    let key = permanent(ready.access_key_id.clone(), ready.access_key_secret.clone());
    let region = ready.region.clone();
    let api = Api::new(http.clone(), &ready.api_http, region, key, wall.clone())
        .map_err(|error| StartError::Unusable(error.to_string()))?;
    Ok((api, Admin::new(http, &ready.admin, None)))
}

/// What is read or made before anything serves.
struct Ground {
    journal: Journal,
    clock_offset: i64,
    ca: DevCa,
    client_tls: ClientTls,
    handed_out: HandedOut,
    local: LocalAgents,
}

impl Ground {
    /// Reads and makes it all at once, each on a thread that may block: on a first run a key for the
    /// agents is searched for while the journal and the CA are made.
    async fn prepare(
        config: &SandboxConfig,
        state: &StateDir,
        tasks: &Tasks,
    ) -> Result<Self, StartError> {
        let folder = state.path().to_owned();
        let keys = {
            let (folder, instances, seed) = (folder.clone(), config.instances, config.seed);
            tasks.blocking("keys", move || kept::open(&folder, instances, seed))
        };
        let ca = {
            let (folder, wall) = (folder.join(CA), config.wall.clone());
            tasks.blocking("dev CA", move || open_ca(&folder, &wall))
        };
        let journal = {
            let is_kept = matches!(config.state, State::Kept(_));
            let is_simulated = config.transport == Transport::Memory;
            let path = folder.join(JOURNAL);
            tasks.blocking("journal", move || match (is_kept, is_simulated) {
                (true, _) => Journal::open(&path),
                (false, false) => Journal::memory(),
                (false, true) => Journal::inline(),
            })
        };
        let (keys, ca, journal) = tokio::join!(keys, ca, journal);
        let (handed_out, local) = keys??;
        let (ca, client_tls) = ca??;
        let journal = journal??;
        let clock_offset = journal
            .clock_offset()
            .map_err(|error| StartError::Unusable(error.to_string()))?;
        Ok(Self {
            journal,
            clock_offset,
            ca,
            client_tls,
            handed_out,
            local,
        })
    }

    fn instances(&self, config: &SandboxConfig) -> impl Iterator<Item = (usize, &InstanceId)> {
        self.local
            .instances
            .iter()
            .take(config.instances)
            .enumerate()
    }

    fn agents(
        &self,
        config: &SandboxConfig,
        ready: &ReadyFile,
    ) -> Result<Vec<AgentConfig>, StartError> {
        let key = self.local.key()?;
        let scheme = match config.transport {
            Transport::Sockets(_) => "https",
            Transport::Memory => "http",
        };
        let authority = ready.axt.split_once("://").map_or("", |(_, rest)| rest);
        let agent = |(number, id): (usize, &InstanceId)| {
            let signer = Signer::new(id.clone(), self.local.machine_id.clone(), &key);
            let mut agent = AgentConfig::new(format!("{scheme}://{authority}"), signer);
            agent.shells = config.shells.clone();
            agent.extensions = config.extensions;
            agent.idle_timeout = config.limits.idle_timeout();
            agent.seed = config.seed.map(|seed| seed.wrapping_add(as_seed(number)));
            if number >= SIGN_AHEAD_FOR {
                agent.signed_ahead = 0;
            }
            agent
        };
        Ok(self.instances(config).map(agent).collect())
    }
}

fn as_seed(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn open_ca(folder: &std::path::Path, wall: &Wall) -> Result<(DevCa, ClientTls), StartError> {
    let ca = DevCa::open_or_create(folder, &[], wall)?;
    let tls = ClientTls::with_ca_pem(ca.ca_pem())
        .map_err(|error| StartError::Unusable(error.to_string()))?;
    Ok((ca, tls))
}

/// The relay's listeners, bound, and how to reach them.
struct Sockets {
    listeners: Listeners,
    dialer: Dialer,
    api: SocketAddr,
    axt: SocketAddr,
    admin: SocketAddr,
}

impl Sockets {
    async fn bind(transport: &Transport) -> Result<Self, StartError> {
        match transport {
            Transport::Sockets(listen) => Self::bind_tcp(*listen).await,
            Transport::Memory => Self::bind_memory(),
        }
    }

    async fn bind_tcp(listen: Listen) -> Result<Self, StartError> {
        let api = named("api", Listener::bind(listen.api).await)?;
        // One listener may stand for both names.
        let axt = if listen.axt == listen.api && listen.api.port() != 0 {
            None
        } else {
            Some(named("axt", Listener::bind(listen.axt).await)?)
        };
        let admin = named("admin", Listener::bind(listen.admin).await)?;
        Self::with(Dialer::tcp(), api, axt, admin)
    }

    fn bind_memory() -> Result<Self, StartError> {
        let net = MemoryNet::new();
        let api = named("api", net.bind(MEMORY_HOST, MEMORY_API))?;
        let axt = named("axt", net.bind(MEMORY_HOST, MEMORY_AXT))?;
        let admin = named("admin", net.bind(MEMORY_HOST, MEMORY_ADMIN))?;
        Self::with(Dialer::memory(&net), api, Some(axt), admin)
    }

    fn with(
        dialer: Dialer,
        api: Listener,
        axt: Option<Listener>,
        admin: Listener,
    ) -> Result<Self, StartError> {
        let address = |listener: &Listener| {
            listener
                .local_addr()
                .map_err(|error| StartError::Unusable(error.to_string()))
        };
        Ok(Self {
            dialer,
            api: address(&api)?,
            axt: axt.as_ref().map_or_else(|| address(&api), address)?,
            admin: address(&admin)?,
            listeners: Listeners { api, axt, admin },
        })
    }
}

fn named(
    listener: &'static str,
    bound: Result<Listener, BindError>,
) -> Result<Listener, StartError> {
    bound.map_err(|source| StartError::Bind { listener, source })
}

/// An address that a client on this machine can dial, and that the dev CA vouches for.
fn authority(address: SocketAddr, is_named: bool) -> String {
    let port = address.port();
    match address.ip() {
        ip if is_named && (ip.is_loopback() || ip.is_unspecified()) => format!("localhost:{port}"),
        ip if ip.is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port).to_string()
        }
        _ => address.to_string(),
    }
}

fn ready_file(
    config: &SandboxConfig,
    ground: &Ground,
    sockets: &Sockets,
    state: &StateDir,
) -> ReadyFile {
    let is_memory = config.transport == Transport::Memory;
    let sessions = if is_memory { "ws" } else { "wss" };
    ReadyFile {
        api_http: format!("http://{}", authority(sockets.api, is_memory)),
        api_https: format!("https://{}", authority(sockets.api, true)),
        axt: format!("{sessions}://{}", authority(sockets.axt, true)),
        admin: format!("http://{}", authority(sockets.admin, is_memory)),
        pid: process::id(),
        region: config.region.clone(),
        access_key_id: ground.handed_out.access_key_id.clone(),
        access_key_secret: ground.handed_out.access_key_secret.clone(),
        ca_cert: state.path().join(CA).join("ca.pem").display().to_string(),
        instances: ground
            .instances(config)
            .map(|(number, id)| ReadyInstance {
                id: id.clone(),
                name: instance_name(number),
            })
            .collect(),
    }
}

fn instance_name(number: usize) -> String {
    format!("local-{}", number.saturating_add(1))
}

fn relay_config(
    config: &SandboxConfig,
    ground: Ground,
    sockets: Sockets,
    clock: Clock,
) -> Result<RelayConfig, StartError> {
    let public_key = ground
        .local
        .key()?
        .public()
        .to_pem()
        .map_err(|error| KeptError::Key(error.to_string()))?;
    let host_name = host_name();
    let instances = ground.instances(config).map(|(number, id)| InstanceSpec {
        name: instance_name(number),
        host_name: host_name.clone(),
        machine_id: Some(ground.local.machine_id.clone()),
        public_key: Some(public_key.clone()),
        intranet_ip: Ipv4Addr::LOCALHOST.to_string(),
        ..InstanceSpec::new(id.clone(), config.account.clone(), config.region.clone())
    });
    let key = AccessKey {
        secret: ground.handed_out.access_key_secret.clone(),
        is_enabled: true,
        token: None,
        caller: Caller {
            account: config.account.clone(),
            access_key_id: ground.handed_out.access_key_id.clone(),
            identity: Identity::Account(config.account.to_string()),
            policy: None,
        },
    };
    let tls = match config.transport {
        Transport::Sockets(_) => Some(ground.ca.server_tls()?),
        Transport::Memory => None,
    };
    Ok(RelayConfig {
        instances: instances.collect(),
        access_keys: [(ground.handed_out.access_key_id.clone(), key)].into(),
        listeners: sockets.listeners,
        tls,
        clock,
        wall: config.wall.clone(),
        limits: config.limits.clone(),
        limit_sources: config.limit_sources.clone(),
        journal: ground.journal,
        region: config.region.clone(),
        account: config.account.clone(),
        regions: std::collections::BTreeMap::new(),
        no_auth: None,
        allow_unsigned: false,
        urls: Urls {
            advertise_plain: config.transport == Transport::Memory,
            ..Urls::default()
        },
        admin_token: None,
        seed: config.seed,
        enforce_tls: false,
    })
}

/// This machine's name: what a simulated instance calls itself.
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// Starts the agents and waits until each has its notify channel.
async fn start_agents(
    configs: Vec<AgentConfig>,
    around: &Surroundings,
    tasks: &Tasks,
) -> Result<(), StartError> {
    let wanted = configs.len();
    let mut agents: Vec<_> = configs
        .into_iter()
        .map(|config| Agent::start(config, around.clone(), tasks))
        .collect();
    let online = async {
        for agent in &mut agents {
            agent.online().await;
        }
    };
    if link::timeout(AGENTS_ONLINE, online).await.is_ok() {
        return Ok(());
    }
    let missing = agents.iter().filter(|agent| !agent.is_online()).count();
    Err(StartError::AgentsOffline { missing, wanted })
}
