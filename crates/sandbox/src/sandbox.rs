//! A whole region on this machine, started in its order and ended in the reverse.

use std::sync::Arc;

use axt_agent::Surroundings;
use axt_client::{
    Admin, Api,
    session::{self, Announce, EndOfInput, Network, Open, OpenError, Started},
};
use axt_control::admin::ReadyFile;
use axt_net::{clock::Clock, pump::Totals, tasks::Tasks};
use axt_proto::{Event, InstanceId};
use axt_relay::{Follower, InstanceSpec};

use crate::{
    config::{SandboxConfig, State},
    error::StartError,
    ground::Ground,
    recorders::Recorders,
    relay::LocalRelay,
    simulated::{self, Agents},
    sockets::Sockets,
    state::StateDir,
    terminal::Terminal,
};

/// A region that runs: relay, agents, and what it takes to be their client.
///
/// Dropping it ends everything at once; [`Sandbox::shutdown`] is the orderly way.
#[derive(Debug)]
pub struct Sandbox {
    relay: LocalRelay,
    relay_tasks: Tasks,
    agents: Agents,
    config: SandboxConfig,
    /// What outlives a relay that is lost.
    ground: Ground,
    instances: Vec<InstanceSpec>,
    recorders: Recorders,
    /// The parent of all tasks: its drop ends them.
    tasks: Tasks,
    /// Last, for its drop takes back the ready files and removes an ephemeral folder.
    state: StateDir,
}

impl Sandbox {
    /// Starts everything and waits until everything answers. With no instances to simulate it is
    /// the relay alone.
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
        // Both at once: on a first run a key for the agents is searched for while the journal and
        // the CA are made.
        let (ground, simulated) = tokio::join!(
            Ground::prepare(&config, &state, &tasks),
            simulated::prepare(&config, &state, &tasks),
        );
        let (ground, simulated) = (ground?, simulated?);
        let mut instances = match &simulated {
            Some(simulated) => simulated.specs(&config)?,
            None => Vec::new(),
        };
        instances.extend(config.declared.iter().cloned());
        let recorders = Recorders::start(&config, state.path(), &tasks)?;
        let relay_tasks = tasks.child();
        let clock = LocalRelay::clock(&config, &ground);
        let relay = LocalRelay::start(
            (&config, &ground),
            &state,
            (sockets, clock, recorders.relay()),
            instances.clone(),
            &relay_tasks,
        )?;
        let agent_tasks = tasks.child();
        let agents = match simulated {
            Some(simulated) => {
                let network = &relay.network;
                let mut surroundings = Surroundings::new(
                    network.dialer.clone(),
                    network.tls.clone(),
                    relay.clock.clone(),
                    config.wall.clone(),
                );
                (surroundings.taps, surroundings.taps_payload) = recorders.agents();
                let agents = simulated.agents(&config, &relay.server())?;
                Agents::start(agents, surroundings, agent_tasks).await?
            }
            None => Agents::none(agent_tasks),
        };
        state.publish(&relay.ready, config.ready_file.as_deref())?;
        Ok(Self {
            relay,
            relay_tasks,
            agents,
            config,
            ground,
            instances,
            recorders,
            tasks,
            state,
        })
    }

    /// What the ready file says: addresses, keys, instances.
    #[must_use]
    pub fn ready(&self) -> &ReadyFile {
        &self.relay.ready
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Rule time, to be frozen and moved.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.relay.clock
    }

    /// The API, signed with the sandbox's own key.
    #[must_use]
    pub fn api(&self) -> &Api {
        &self.relay.api
    }

    /// The admin API.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.relay.admin
    }

    /// How clients of this sandbox dial, and whom they trust.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.relay.network
    }

    /// The first instance.
    ///
    /// # Panics
    /// When the sandbox was started without any.
    #[must_use]
    #[allow(clippy::expect_used)] // a test that asks for one has started one
    pub fn instance(&self) -> &InstanceId {
        &self.relay.ready.instances.first().expect("an instance").id
    }

    /// Checks the relay's own books, for simulations.
    ///
    /// # Errors
    /// Says what does not hold.
    pub async fn check(&self) -> Result<(), String> {
        self.relay.handle.invariants().await
    }

    /// What has happened after the event of that number, as far back as the relay's ring reaches.
    pub async fn events(&self, since: u64) -> Vec<Arc<Event>> {
        let events = self.relay.handle.events(since).await;
        events.map(|(past, _)| past).unwrap_or_default()
    }

    /// The same, and a follower that goes on from there without a gap; `None` when the relay has
    /// ended.
    pub async fn follow(&self, since: u64) -> Option<(Vec<Arc<Event>>, Follower)> {
        self.relay.handle.events(since).await
    }

    /// What the relay's connections together have carried since it was started, and for how long the
    /// bandwidth held them back.
    #[must_use]
    pub fn carried(&self) -> Arc<Totals> {
        self.relay.handle.carried()
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
        session::start(&self.relay.api, &wanted).await
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
        let link = session::connect(&self.relay.network, session, announce).await?;
        let at_end = if announce.extensions.pipe {
            EndOfInput::IsTyped
        } else {
            EndOfInput::Closes
        };
        Ok(Terminal::start(link, at_end))
    }

    /// Ends the agents as a crash would: their sockets close, and nobody says why.
    pub fn lose_agents(&mut self) {
        self.agents.lose_all();
    }

    /// Ends one simulated instance's agent as a crash would; `false`: none of its runs here.
    pub fn lose_agent(&mut self, instance: &InstanceId) -> bool {
        self.agents.lose(instance)
    }

    /// Starts a simulated instance's agent, as a new process would, in the place of one that runs.
    /// It comes online by itself. `false`: the instance is not simulated.
    pub fn start_agent(&mut self, instance: &InstanceId) -> bool {
        self.agents.run(instance)
    }

    /// Waits until a simulated instance's agent, which runs, has its notify channel; `false`: none of its
    /// runs here.
    pub async fn agent_online(&mut self, instance: &InstanceId) -> bool {
        self.agents.online(instance).await
    }

    /// Ends the relay as a crash would: its sockets close, its ports are free, and nobody says why.
    pub fn lose_relay(&mut self) {
        self.relay_tasks = self.tasks.child();
    }

    /// Starts the relay again after [`Sandbox::lose_relay`], as a new process would: at the same
    /// addresses, with what its journal has and the settings that it was started with first.
    ///
    /// # Errors
    /// [`StartError`]; an address that is not free within 5 s of link time is one.
    pub async fn restart_relay(&mut self) -> Result<(), StartError> {
        let sockets = Sockets::bind_again(&self.relay).await?;
        self.relay = LocalRelay::start(
            (&self.config, &self.ground),
            &self.state,
            (sockets, self.relay.clock.clone(), self.recorders.relay()),
            self.instances.clone(),
            &self.relay_tasks,
        )?;
        Ok(())
    }

    /// Ends everything in order, within [`axt_net::link::SHUTDOWN`]: the agents with their shells, then the
    /// relay with its journal, then what is in the state folder.
    pub async fn shutdown(self) {
        let Self {
            relay,
            agents,
            recorders,
            state,
            ..
        } = self;
        // Both at once: the relay tells the clients why, the agents end what was started.
        let (served, agents) = tokio::join!(relay.handle.shutdown(), agents.shutdown(),);
        let served = served.unwrap_or_else(|error| {
            tracing::warn!(%error, "the clock's offset was not kept");
            Vec::new()
        });
        for name in agents.iter().chain(&served) {
            tracing::warn!(task = name, "ended by force");
        }
        recorders.finish().await;
        drop(state);
    }
}
