//! A whole region on this machine, started in its order and ended in the reverse.

use std::sync::Arc;

use axt_agent::Surroundings;
use axt_client::{
    Admin, Api,
    session::{self, Announce, EndOfInput, Network, Open, OpenError, Started},
};
use axt_control::admin::ReadyFile;
use axt_net::{clock::Clock, link, tasks::Tasks};
use axt_proto::{Event, InstanceId};

use crate::{
    config::{SandboxConfig, State},
    error::StartError,
    ground::Ground,
    relay::LocalRelay,
    simulated,
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
    agent_tasks: Tasks,
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
        let relay_tasks = tasks.child();
        let relay = LocalRelay::start(&config, &state, (sockets, ground), instances, &relay_tasks)?;
        let agent_tasks = tasks.child();
        if let Some(simulated) = simulated {
            let network = &relay.network;
            let surroundings = Surroundings::new(
                network.dialer.clone(),
                network.tls.clone(),
                relay.clock.clone(),
                config.wall.clone(),
            );
            let agents = simulated.agents(&config, &relay.server())?;
            simulated::start(agents, &surroundings, &agent_tasks).await?;
        }
        state.publish(&relay.ready, config.ready_file.as_deref())?;
        Ok(Self {
            relay,
            relay_tasks,
            agent_tasks,
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
        self.agent_tasks = self.tasks.child();
    }

    /// Ends the relay as a crash would: its sockets close, its ports are free, and nobody says why.
    pub fn lose_relay(&mut self) {
        self.relay_tasks = self.tasks.child();
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
        let (served, agents) = tokio::join!(
            relay.handle.shutdown(),
            agent_tasks.shutdown(link::SHUTDOWN),
        );
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
