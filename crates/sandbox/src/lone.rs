//! One agent alone, or those of many instances, for a relay that runs elsewhere; its registration, and the
//! making of its key.

mod boot;
mod folder;
mod register;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use axt_agent::{
    AGENT_VERSION, Agent, AgentConfig, Behaviour, Machine, RegistrationError, Shells, Surroundings,
};
use axt_control::luban::{AgentKey, MalformedKey, Signer};
use axt_net::{
    clock::Clock,
    link,
    tap::Taps,
    tasks::Tasks,
    tls::{BadRoots, ClientTls},
    transport::{BadProxy, Dialer, Proxies},
    wall::Wall,
};
use axt_openapi::mint;
use axt_proto::{Extensions, InstanceId, Secret, Tick, id::MalformedId};
use axt_trace::recorder::{Recorder, Recording};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use rand::{Rng, SeedableRng, rngs::StdRng};

pub use self::{
    folder::{AgentFolder, BadName, Registered},
    register::{deregister, register},
};
use crate::{config::TraceSettings, kept::KeptError, simulated::SIGN_AHEAD_FOR};

/// What one agent is started with.
#[derive(Clone, Debug)]
pub struct LoneAgentConfig {
    /// The relay's root: `https://HOST[:PORT]` or `http://…`, without a path.
    pub server: String,
    /// A PEM file of certificates to trust beside the system's.
    pub ca: Option<PathBuf>,
    /// The proxy through which it reaches the relay: what `ALIYUN_ASSIST_PROXY` says, the only variable
    /// of its kind that the official agent reads (wire-protocol 10).
    pub proxy: Option<Secret>,
    /// The instance whose agent it is.
    pub instance: InstanceId,
    /// More instances whose agents run beside it, with the same key and in every way alike.
    pub others: Vec<InstanceId>,
    /// The file of its private key: PEM, PKCS#1 or PKCS#8.
    pub key: PathBuf,
    /// Where it notes in which boot of its machine it last ran, by which it knows a first start;
    /// `None` when it cannot tell, and says that it is none.
    pub boot_mark: Option<PathBuf>,
    /// What it signs beside its id, possibly empty.
    pub machine_id: String,
    /// The version that it says it has: four numbers with dots.
    pub version: String,
    /// What it says of its machine.
    pub machine: Machine,
    /// What it opens when a session wants a shell.
    pub shells: Shells,
    /// The extensions that it announces.
    pub extensions: Extensions,
    /// What is wrong with it: nothing, usually. Its version and its system stand over those above.
    pub behaviour: Behaviour,
    /// Whether its rule time is the relay's, frozen and moved with it; its own, running, if not.
    pub follow_clock: bool,
    /// What it traces of itself.
    pub trace: Option<TraceSettings>,
}

impl LoneAgentConfig {
    /// An agent like any other, which trusts the system's roots.
    #[must_use]
    pub fn new(server: impl Into<String>, instance: InstanceId, key: impl Into<PathBuf>) -> Self {
        Self {
            server: server.into(),
            ca: None,
            proxy: None,
            instance,
            others: Vec::new(),
            key: key.into(),
            boot_mark: None,
            machine_id: String::new(),
            version: AGENT_VERSION.to_owned(),
            machine: Machine::here(),
            shells: Shells::default(),
            extensions: Extensions::ALL,
            behaviour: Behaviour::default(),
            follow_clock: false,
            trace: None,
        }
    }
}

/// Why an agent cannot be started. A relay that is away is no reason.
#[derive(Debug, thiserror::Error)]
pub enum LoneAgentError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key's file holds no key.
    #[error("{} holds no key: {source}", path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// In what way; never its text.
        source: MalformedKey,
    },
    /// The certificates cannot be used.
    #[error("{}: {source}", path.display())]
    Roots {
        /// Which file.
        path: PathBuf,
        /// In what way.
        source: BadRoots,
    },
    /// The proxy is none that can be used.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// The server is none that an agent could call.
    #[error("`{0}` is no server: expected `https://HOST:PORT`")]
    Server(String),
    /// There is no thread to write a trace.
    #[error("no thread for a trace: {0}")]
    Thread(io::Error),
    /// The relay does not register the machine, or keeps it.
    #[error(transparent)]
    Registration(RegistrationError),
    /// Who the agent is cannot be kept, read or forgotten.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// What has become of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its notify channel is open.
    Online,
    /// It is lost; the log says why.
    Offline,
    /// The relay has told it to deregister, and it has: it has ended.
    Deregistered,
    /// It has died, as its behaviour said.
    Died,
}

/// One agent that runs, or one for each of several instances. Dropping it ends it at once;
/// [`LoneAgent::shutdown`] is the orderly way.
#[derive(Debug)]
pub struct LoneAgent {
    /// What each waits for: the next thing that becomes of it.
    changes: FuturesUnordered<BoxFuture<'static, (Agent, Change)>>,
    clock: Clock,
    agents: Tasks,
    recorder: Option<Recorder>,
    /// The parent of all tasks: its drop ends them.
    _tasks: Tasks,
}

impl LoneAgent {
    /// Starts it. A relay that is not there is tried again and again, with back-off.
    ///
    /// # Errors
    /// [`LoneAgentError`].
    pub fn start(mut config: LoneAgentConfig) -> Result<Self, LoneAgentError> {
        let trace = config.trace.take();
        let (configs, mut around) = agents(config)?;
        let clock = around.clock.clone();
        let tasks = Tasks::new();
        let recorder = match trace {
            Some(trace) => {
                let recording = Recording {
                    seen_by: "agent",
                    folder: trace.folder,
                };
                around.taps_payload = trace.payload;
                Some(
                    Recorder::start(recording, around.wall.clone(), &tasks)
                        .map_err(LoneAgentError::Thread)?,
                )
            }
            None => None,
        };
        around.taps = recorder
            .as_ref()
            .map_or_else(Taps::none, |recorder| recorder.taps().clone());
        let agents = tasks.child();
        let started = configs
            .into_iter()
            .map(|config| Agent::start(config, around.clone(), &agents));
        Ok(Self {
            changes: started.map(|agent| change(agent).boxed()).collect(),
            clock,
            agents,
            recorder,
            _tasks: tasks,
        })
    }

    /// Waits for the next thing that becomes of one of its instances; for ever when all have ended.
    pub async fn changed(&mut self) -> (InstanceId, Change) {
        let Some((agent, what)) = self.changes.next().await else {
            std::future::pending().await
        };
        let instance = agent.instance().clone();
        if matches!(what, Change::Online | Change::Offline) {
            self.changes.push(change(agent).boxed());
        }
        (instance, what)
    }

    /// Its rule time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Ends it and everything that its sessions have started, within [`link::SHUTDOWN`].
    pub async fn shutdown(self) {
        for name in self.agents.shutdown(link::SHUTDOWN).await {
            tracing::warn!(task = name, "ended by force");
        }
        if let Some(recorder) = self.recorder {
            recorder.finish().await;
        }
    }
}

/// Waits for the next thing that becomes of an agent.
async fn change(mut agent: Agent) -> (Agent, Change) {
    let (mut same, other) = (agent.clone(), agent.clone());
    let change = tokio::select! {
        biased;
        () = same.deregistered() => Change::Deregistered,
        () = other.died() => Change::Died,
        is_online = agent.changed() => match is_online {
            true => Change::Online,
            false => Change::Offline,
        },
    };
    (agent, change)
}

/// What each agent is, the first one's first, and what is around them, without starting them.
///
/// # Errors
/// [`LoneAgentError`].
pub fn agents(
    mut config: LoneAgentConfig,
) -> Result<(Vec<AgentConfig>, Surroundings), LoneAgentError> {
    root(&mut config.server)?;
    let key = AgentKey::from_pem(&read(&config.key)?).map_err(|source| LoneAgentError::Key {
        path: config.key,
        source,
    })?;
    let tls = trust(config.ca)?;
    let wall = Wall::system();
    let clock = match config.follow_clock {
        // Before any time that the relay may tell, for a clock never goes back.
        true => Clock::frozen(Tick::EPOCH),
        false => Clock::from_wall(&wall, 0),
    };
    let dialer = dialer(config.proxy.as_ref(), &tls)?;
    let Behaviour { version, os, .. } = config.behaviour.clone();
    config.machine.os_type = os.unwrap_or(config.machine.os_type);
    let (server, machine) = (config.server, Arc::new(config.machine));
    let first = AgentConfig {
        version: version.unwrap_or(config.version),
        behaviour: config.behaviour,
        shells: config.shells,
        extensions: config.extensions,
        follow_clock: config.follow_clock,
        is_cold_start: config
            .boot_mark
            .is_some_and(|mark| boot::is_first_start(&mark)),
        ..AgentConfig::new(
            server,
            Signer::new(config.instance, config.machine_id.clone(), &key),
            machine,
        )
    };
    let other = |(number, instance): (usize, InstanceId)| {
        let signer = Signer::new(instance, config.machine_id.clone(), &key);
        let mut other = AgentConfig {
            signer,
            // They share the clock, and one moves it.
            follow_clock: false,
            ..first.clone()
        };
        if number.saturating_add(1) >= SIGN_AHEAD_FOR {
            other.signed_ahead = 0;
        }
        other
    };
    let others: Vec<_> = config.others.into_iter().enumerate().map(other).collect();
    let around = Surroundings::new(dialer, tls, clock, wall);
    Ok((std::iter::once(first).chain(others).collect(), around))
}

/// Takes a slash from the end of a server, and sees that it has no path.
fn root(server: &mut String) -> Result<(), LoneAgentError> {
    server.truncate(server.trim_end_matches('/').len());
    let authority = server
        .strip_prefix("https://")
        .or_else(|| server.strip_prefix("http://"));
    if authority.is_none_or(|authority| authority.is_empty() || authority.contains('/')) {
        return Err(LoneAgentError::Server(server.clone()));
    }
    Ok(())
}

/// The system's roots, and those of a file.
fn trust(ca: Option<PathBuf>) -> Result<ClientTls, LoneAgentError> {
    match ca {
        Some(path) => ClientTls::with_ca_pem(&read(&path)?)
            .map_err(|source| LoneAgentError::Roots { path, source }),
        None => Ok(ClientTls::system()),
    }
}

/// Dials the relay through the proxy, if there is one.
fn dialer(proxy: Option<&Secret>, tls: &ClientTls) -> Result<Dialer, LoneAgentError> {
    let Some(proxy) = proxy else {
        return Ok(Dialer::tcp());
    };
    let proxies = Proxies::of_agent("ALIYUN_ASSIST_PROXY", proxy.expose(), tls)?;
    Ok(Dialer::proxied(proxies))
}

fn read(path: &Path) -> Result<String, LoneAgentError> {
    fs::read_to_string(path).map_err(|source| LoneAgentError::File {
        path: path.to_owned(),
        source,
    })
}

/// Who an agent is going to be. The private half of the key is in its file alone.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// The instance.
    pub instance: InstanceId,
    /// PEM of the public half, which the relay has to know.
    pub public_key: String,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum NewKeyError {
    /// There is a file already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key cannot be made or written down.
    #[error("cannot make a key: {0}")]
    Key(#[from] MalformedKey),
    /// No id can be made.
    #[error(transparent)]
    Id(#[from] MalformedId),
}

impl NewIdentity {
    /// Makes a key in a file that nobody else can read, for `instance` or for one with an id of
    /// chance. Blocks for a fraction of a second.
    ///
    /// # Errors
    /// [`NewKeyError`]; a file that is there is left as it is.
    pub fn create(path: &Path, instance: Option<InstanceId>) -> Result<Self, NewKeyError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => NewKeyError::Exists(path.to_owned()),
            _ => NewKeyError::File {
                path: path.to_owned(),
                source,
            },
        };
        let mut random = StdRng::from_rng(&mut rand::rng());
        let instance = match instance {
            Some(instance) => instance,
            None => {
                let mut bytes = [0; 16];
                random.fill_bytes(&mut bytes);
                mint::instance_id(bytes)?
            }
        };
        // The file first: a name that is taken is told without searching for a key.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let key = AgentKey::generate(&mut random)?;
        file.write_all(key.to_pem()?.expose().as_bytes())
            .map_err(failed)?;
        Ok(Self {
            instance,
            public_key: key.public().to_pem()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_new_key_is_private_and_can_be_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.pem");

        let identity = NewIdentity::create(&path, None).expect("made");

        let key = AgentKey::from_pem(&read(&path).expect("there")).expect("a key");
        assert_eq!(key.public().to_pem().expect("a key"), identity.public_key);
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.pem");
        fs::write(&path, "precious").expect("written");

        let refused = NewIdentity::create(&path, None).expect_err("taken");

        assert!(matches!(refused, NewKeyError::Exists(_)));
        assert_eq!(read(&path).expect("there"), "precious");
    }

    #[test]
    fn a_server_with_a_path_or_another_scheme_is_none() {
        for server in ["relay:7443", "https://relay/x", "wss://relay", "https://"] {
            let config = LoneAgentConfig::new(server, "i-1".parse().expect("valid"), "/no/key");

            let refused = LoneAgent::start(config).expect_err("no server");

            assert!(matches!(refused, LoneAgentError::Server(_)), "{server}");
        }
    }
}
