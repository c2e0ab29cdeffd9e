//! The simulated instances: who they are, and their agents in this process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axt_agent::{Agent, AgentConfig, Behaviour, Machine, Surroundings};
use axt_control::luban::Signer;
use axt_net::{link, tasks::Tasks};
use axt_proto::InstanceId;
use axt_relay::{InstanceSpec, OsType};

use crate::{
    behaving::behaviours,
    config::{SandboxConfig, Transport},
    error::StartError,
    kept::{self, KeptError, LocalAgents},
    state::StateDir,
};

/// How long the agents may take to come online before the sandbox is said not to work, and what each adds, for
/// it signs some requests. Link time.
const AGENTS_ONLINE: Duration = Duration::from_secs(30);
const EACH_ONLINE: Duration = Duration::from_millis(30);

/// Signatures are made ahead for this many instances at most: each costs some CPU every minute.
pub(crate) const SIGN_AHEAD_FOR: usize = 16;

/// Reads who the simulated instances are, or makes them; none are wanted: nothing is made. On a
/// first run a key is searched for, on a thread that may block.
pub(crate) async fn prepare(
    config: &SandboxConfig,
    state: &StateDir,
    tasks: &Tasks,
) -> Result<Option<LocalAgents>, StartError> {
    if config.instances == 0 {
        return Ok(None);
    }
    let folder = state.path().to_owned();
    let instances = config.instances;
    let made_by = (config.seed, config.transport == Transport::Memory);
    let agents = tasks.blocking("agents' key", move || {
        kept::local_agents(&folder, instances, made_by)
    });
    Ok(Some(agents.await??))
}

impl LocalAgents {
    /// What the relay is told of them.
    pub(crate) fn specs(&self, config: &SandboxConfig) -> Result<Vec<InstanceSpec>, StartError> {
        let public_key = self
            .key()?
            .public()
            .to_pem()
            .map_err(|error| KeptError::Key(error.to_string()))?;
        let machine = &config.machine;
        let os_type = os_type_of(&machine.os_type);
        let behaviours = behaviours(&config.behaviours, config.instances);
        let spec = |((number, id), behaviour): Numbered<'_>| {
            let os_type = behaviour.os.as_deref().map_or(os_type, os_type_of);
            let traits = config.traits.get(number).cloned().unwrap_or_default();
            let name = || format!("local-{}", number.saturating_add(1));
            InstanceSpec {
                name: traits.name.unwrap_or_else(name),
                host_name: machine.host_name.clone(),
                os_type: traits.os_type.unwrap_or(os_type),
                status: traits.status,
                agent_version: traits.agent_version,
                denied_ports: traits.denied_ports,
                machine_id: Some(self.machine_id.clone()),
                public_key: Some(public_key.clone()),
                intranet_ip: machine.ip.clone(),
                ..InstanceSpec::new(id.clone(), config.account.clone(), config.region.clone())
            }
        };
        let wanted = self.instances.iter().take(config.instances).enumerate();
        Ok(wanted.zip(&behaviours).map(spec).collect())
    }

    /// Their agents, for a relay at `server`.
    pub(crate) fn agents(
        &self,
        config: &SandboxConfig,
        server: &str,
    ) -> Result<Vec<AgentConfig>, StartError> {
        let key = self.key()?;
        let machine = Arc::new(config.machine.clone());
        let behaviours = behaviours(&config.behaviours, config.instances);
        let agent = |((number, id), behaviour): Numbered<'_>| {
            let signer = Signer::new(id.clone(), self.machine_id.clone(), &key);
            let machine = match &behaviour.os {
                None => Arc::clone(&machine),
                Some(os) => Arc::new(Machine {
                    os_type: os.clone(),
                    ..config.machine.clone()
                }),
            };
            let mut agent = AgentConfig::new(server, signer, machine);
            agent.behaviour = behaviour.clone();
            agent.shells = config.shells.clone();
            let version = behaviour.version.as_ref();
            agent.version = version.unwrap_or(&config.agent_version).clone();
            agent.extensions = config.extensions;
            agent.idle_timeout = config.limits.idle_timeout();
            // Its machine is the sandbox, which starts with it.
            agent.is_cold_start = true;
            agent.seed = config.seed.map(|seed| seed.wrapping_add(as_seed(number)));
            if number >= SIGN_AHEAD_FOR {
                agent.signed_ahead = 0;
            }
            agent
        };
        let wanted = self.instances.iter().take(config.instances).enumerate();
        Ok(wanted.zip(&behaviours).map(agent).collect())
    }
}

/// An instance, its number from 0, and how it behaves.
type Numbered<'a> = ((usize, &'a InstanceId), &'a Behaviour);

fn os_type_of(word: &str) -> OsType {
    match word {
        "windows" => OsType::Windows,
        "freebsd" => OsType::FreeBsd,
        _ => OsType::Linux,
    }
}

fn as_seed(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The agents of the simulated instances, each of which can be lost and started again.
#[derive(Debug)]
pub(crate) struct Agents {
    around: Option<Surroundings>,
    known: BTreeMap<InstanceId, AgentConfig>,
    running: BTreeMap<InstanceId, Running>,
    /// How many agents have been started.
    started: u64,
    tasks: Tasks,
}

#[derive(Debug)]
struct Running {
    agent: Agent,
    /// Ends it, when dropped.
    _tasks: Tasks,
}

impl Agents {
    /// Those of no instance.
    pub(crate) fn none(tasks: Tasks) -> Self {
        Self {
            around: None,
            known: BTreeMap::new(),
            running: BTreeMap::new(),
            started: 0,
            tasks,
        }
    }

    /// Starts the agents and waits until each has its notify channel, but for those that will not.
    pub(crate) async fn start(
        configs: Vec<AgentConfig>,
        around: Surroundings,
        tasks: Tasks,
    ) -> Result<Self, StartError> {
        let ids: Vec<_> = configs
            .iter()
            .map(|config| config.signer.instance().clone())
            .collect();
        let mut agents = Self {
            around: Some(around),
            known: ids.iter().cloned().zip(configs).collect(),
            running: BTreeMap::new(),
            started: 0,
            tasks,
        };
        for id in &ids {
            agents.run(id);
        }
        let is_awaited = |id: &InstanceId| {
            let known = agents.known.get(id);
            known.is_some_and(|config| config.behaviour.comes_online())
        };
        let awaited: BTreeSet<_> = ids.into_iter().filter(is_awaited).collect();
        let online = async {
            for (id, one) in &mut agents.running {
                if awaited.contains(id) {
                    one.agent.online().await;
                }
            }
        };
        let count = u32::try_from(awaited.len()).unwrap_or(u32::MAX);
        let within = AGENTS_ONLINE + EACH_ONLINE.saturating_mul(count);
        if link::timeout(within, online).await.is_ok() {
            return Ok(agents);
        }
        let running = agents.running.iter();
        let is_missing =
            |id: &InstanceId, one: &Running| awaited.contains(id) && !one.agent.is_online();
        let missing = running.filter(|(id, one)| is_missing(id, one)).count();
        Err(StartError::AgentsOffline {
            missing,
            wanted: awaited.len(),
            within,
        })
    }

    /// Starts an instance's agent, in the place of one that runs; `false`: it has none of ours.
    pub(crate) fn run(&mut self, instance: &InstanceId) -> bool {
        let (Some(config), Some(around)) = (self.known.get(instance), &self.around) else {
            return false;
        };
        let tasks = self.tasks.child();
        let mut config = config.clone();
        // Another process makes other request ids; those of before would be refused.
        config.seed = config
            .seed
            .map(|seed| seed.wrapping_add(self.started << 32));
        self.started = self.started.wrapping_add(1);
        let agent = Agent::start(config, around.clone(), &tasks);
        let running = Running {
            agent,
            _tasks: tasks,
        };
        self.running.insert(instance.clone(), running);
        true
    }

    /// Waits until an instance's agent is online; `false`: none of ours runs.
    pub(crate) async fn online(&mut self, instance: &InstanceId) -> bool {
        match self.running.get_mut(instance) {
            Some(running) => {
                running.agent.online().await;
                true
            }
            None => false,
        }
    }

    /// Ends an instance's agent at once; `false`: none of ours runs.
    pub(crate) fn lose(&mut self, instance: &InstanceId) -> bool {
        self.running.remove(instance).is_some()
    }

    /// Ends all of them at once.
    pub(crate) fn lose_all(&mut self) {
        self.running.clear();
    }

    /// Ends all of them in order, and names what did not.
    pub(crate) async fn shutdown(self) -> Vec<&'static str> {
        self.tasks.shutdown(link::SHUTDOWN).await
    }
}
