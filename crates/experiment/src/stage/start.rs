//! The start of a scenario's stage: the sandbox, the ports, and the agents of somebody's own.

use std::collections::BTreeMap;

use axt_agent::{Behaviour, Machine, Shells};
use axt_net::{link, transport::BindError, wall::Wall};
use axt_proto::{EventKind, InstanceId, Tick};
use axt_sandbox::{
    Behaving, ClockStart, InstanceSpec, Listen, OsType, Sandbox, SandboxConfig, State, Traits,
    Transport, Urls, Whose, lone::NewIdentity,
};

use super::{
    Named, Stage,
    cloud::Cloud,
    events::Events,
    ports::PortServer,
    program::{Place, Program},
    samples::Samples,
};
use crate::{
    format::{AgentKind, AgentProgram, Class, ClockMode, Instance, Scenario, Span},
    run::{Options, Trouble},
};

/// Rule time at the start of a simulated scenario: the first of January 2026, 00:00 UTC.
const START_MS: u64 = 1_767_225_600_000;

/// What a simulated scenario without a seed goes by.
const SEED: u64 = 1;

/// How long an agent of somebody's own may take to come online, unless it is said. Link time.
const ONLINE: Span = Span::seconds(60);

/// Starts everything that a scenario names, and waits until it is there.
pub(crate) async fn start(scenario: &Scenario, options: &Options) -> Result<Stage, Trouble> {
    let folder = tempfile::tempdir().map_err(|error| Trouble::plain(error.to_string()))?;
    let mut config = config(scenario, options);
    let mut keys = BTreeMap::new();
    for instance in scenario
        .instances
        .iter()
        .filter(|one| one.agent != AgentKind::Own)
    {
        let is_registered =
            instance.agent == AgentKind::Program && scenario.agent.as_ref().is_some_and(registers);
        if is_registered {
            continue;
        }
        let key = folder.path().join(format!("{}.pem", instance.name));
        let is_unsigned = scenario.agent.as_ref().is_some_and(|agent| agent.unsigned);
        let has_key = instance.agent == AgentKind::Program && !is_unsigned;
        let spec = declared(
            instance,
            has_key.then_some(key.as_path()),
            keys.len(),
            &config,
        )?;
        keys.insert(instance.name.clone(), (spec.id.clone(), key));
        config.declared.push(spec);
    }
    let failed = |error: axt_sandbox::StartError| Trouble::plain(error.to_string());
    let sandbox = Sandbox::start(config).await.map_err(failed)?;
    let mut own = sandbox.ready().instances.iter();
    let instances = scenario.instances.iter().filter_map(|instance| {
        let id = match keys.get(&instance.name) {
            Some((id, _)) => id.clone(),
            None if instance.agent == AgentKind::Own => own.next()?.id.clone(),
            None => return None,
        };
        Some((instance.name.clone(), id))
    });
    let instances = instances.collect();
    let start = sandbox.clock().now();
    let cloud = match scenario.class {
        Class::Simulated => None,
        Class::Real => Some(Cloud::start(&sandbox).await.map_err(unbound)?),
    };
    let proxy = cloud.as_ref().map(Cloud::url);
    let mut stage = Stage {
        scenario: scenario.clone(),
        events: Events::follow(&sandbox).await,
        samples: Samples::start(sandbox.carried(), start),
        place: Place::of(&sandbox, &options.axt, proxy)?,
        _cloud: cloud,
        sandbox,
        instances,
        sessions: Named::default(),
        terminals: Named::default(),
        ports: BTreeMap::new(),
        agents: BTreeMap::new(),
        activations: BTreeMap::new(),
        answer: serde_json::Value::Null,
        helper: options.helper.clone(),
    };
    for port in &scenario.ports {
        let server = PortServer::start(port.does, &stage.sandbox.network().dialer).await;
        let server = server.map_err(unbound)?;
        stage.ports.insert(port.name.clone(), server);
    }
    if let Some(program) = &scenario.agent {
        let with = scenario
            .instances
            .iter()
            .filter(|one| one.agent == AgentKind::Program);
        for instance in with {
            let key = keys.get(&instance.name).map(|(_, key)| key.as_path());
            let key = key.map(|key| std::fs::read_to_string(key).unwrap_or_default());
            stage
                .start_program(program, &instance.name, key.as_deref())
                .await?;
        }
    }
    Ok(stage)
}

fn unbound(error: BindError) -> Trouble {
    Trouble::plain(error.to_string())
}

fn config(scenario: &Scenario, options: &Options) -> SandboxConfig {
    let own = || {
        scenario
            .instances
            .iter()
            .filter(|one| one.agent == AgentKind::Own)
    };
    let start = Tick::from_millis(START_MS);
    let plain = SandboxConfig {
        instances: own().count(),
        traits: own().map(traits).collect(),
        behaviours: behaving(own()),
        limits: scenario.limits(),
        seed: options.seed.or(scenario.seed),
        allow_unsigned: scenario.agent.as_ref().is_some_and(|agent| agent.unsigned),
        state: State::Ephemeral { home: None },
        trace: options.trace.clone(),
        ..SandboxConfig::default()
    };
    match scenario.class {
        Class::Simulated => {
            let instant = jiff::Timestamp::from_millisecond(i64::try_from(START_MS).unwrap_or(0));
            SandboxConfig {
                transport: Transport::Memory,
                wall: Wall::fixed(instant.unwrap_or_default()),
                clock: match scenario.clock() {
                    ClockMode::Frozen => ClockStart::Frozen(start),
                    ClockMode::Running => ClockStart::Running,
                },
                shells: Shells::Scripted,
                // The same on every machine.
                machine: simulated(),
                seed: plain.seed.or(Some(SEED)),
                ..plain
            }
        }
        Class::Real => {
            let wall = Wall::system();
            let now = u64::try_from(wall.now().as_millisecond()).unwrap_or(START_MS);
            SandboxConfig {
                transport: Transport::Sockets(Listen::free_ports()),
                clock: match scenario.clock() {
                    ClockMode::Frozen => ClockStart::Frozen(Tick::from_millis(now)),
                    ClockMode::Running => ClockStart::Running,
                },
                wall,
                urls: Urls {
                    local_only: true,
                    ..Urls::default()
                },
                shells: Shells::Real {
                    helper: options.helper.clone(),
                    keep_background: false,
                },
                ..plain
            }
        }
    }
}

/// Which of the instances misbehave, and how. Their words were checked when they were read.
fn behaving<'a>(own: impl Iterator<Item = &'a Instance>) -> Vec<Behaving> {
    let misbehaves = own.enumerate().filter(|(_, one)| !one.behave.is_empty());
    let behaving = misbehaves.filter_map(|(index, one)| {
        let words = one.behave.iter().map(String::as_str);
        Some(Behaving {
            whose: Whose::Instance(index.saturating_add(1)),
            behaviour: Behaviour::from_words(words).ok()?,
        })
    });
    behaving.collect()
}

fn simulated() -> Machine {
    let text = str::to_owned;
    Machine {
        os_type: text("linux"),
        os_version: text("Linux_#1 SMP_x86_64"),
        kernel_version: text("6.12.0"),
        platform: text("debian"),
        platform_version: text("13"),
        architecture: text("amd64"),
        host_name: text("simulated"),
        ip: text("127.0.0.1"),
    }
}

fn traits(instance: &Instance) -> Traits {
    Traits {
        name: Some(instance.name.clone()),
        os_type: instance.os_type.map(Into::into),
        status: instance.status.into(),
        agent_version: instance.agent_version.clone(),
        denied_ports: instance.denied_ports.iter().copied().collect(),
    }
}

/// What the relay is told of an instance whose agent comes from elsewhere, or from nowhere.
fn declared(
    instance: &Instance,
    key: Option<&std::path::Path>,
    number: usize,
    config: &SandboxConfig,
) -> Result<InstanceSpec, Trouble> {
    let plain = |error: &dyn std::fmt::Display| Trouble::plain(error.to_string());
    let (id, public_key) = match key {
        Some(key) => {
            let identity = NewIdentity::create(key, None).map_err(|error| plain(&error))?;
            (identity.instance, Some(identity.public_key))
        }
        None => {
            let id: Result<InstanceId, _> = format!("i-experiment{number:09}").parse();
            (id.map_err(|error| plain(&error))?, None)
        }
    };
    let traits = traits(instance);
    Ok(InstanceSpec {
        name: instance.name.clone(),
        os_type: traits.os_type.unwrap_or(OsType::Linux),
        status: traits.status,
        agent_version: traits.agent_version,
        denied_ports: traits.denied_ports,
        public_key,
        ..InstanceSpec::new(id, config.account.clone(), config.region.clone())
    })
}

/// Whether a program registers by an activation, so that its instance is made by that.
fn registers(program: &AgentProgram) -> bool {
    let lines = [Some(&program.command), program.prepare.as_ref()];
    lines
        .into_iter()
        .flatten()
        .any(|line| line.contains("{activation_"))
}

impl Stage {
    /// Starts a program in the agent's place of an instance, and waits until it is online.
    pub(crate) async fn start_program(
        &mut self,
        program: &AgentProgram,
        name: &str,
        key: Option<&str>,
    ) -> Result<(), Trouble> {
        let is_again = key.is_none() && self.instance(Some(name)).is_ok();
        let before = self.events.count();
        let mut own = Vec::new();
        if registers(program) && !self.activations.contains_key(name) {
            let activation = self.activation(name).await?;
            self.activations.insert(name.to_owned(), activation);
        }
        own.extend(self.activations.get(name).cloned().unwrap_or_default());
        let path = self.place.path().join(format!("{name}.pem"));
        if let Some(key) = key {
            std::fs::write(&path, key).map_err(|error| Trouble::plain(error.to_string()))?;
        }
        own.push(("key", path.display().to_string()));
        if let Ok(id) = self.instance(Some(name)) {
            own.push(("instance", id.to_string()));
        }
        let line = |text: &str| {
            let mut line = text.to_owned();
            for (name, value) in &own {
                line = line.replace(&format!("{{{name}}}"), value);
            }
            self.fill(&line)
        };
        if let Some(prepare) = &program.prepare
            && !is_again
        {
            let prepare = Program::start(
                &line(prepare),
                &format!("{name}-prepare"),
                &self.place,
                &own,
            )?;
            prepare.done().await?;
        }
        let started = Program::start(&line(&program.command), name, &self.place, &own)?;
        if is_again {
            // The relay may not have noticed yet that it was away, and then says nothing.
            self.agents.insert(name.to_owned(), started);
            return Ok(());
        }
        let within = program.within.unwrap_or(ONLINE).0;
        let online = link::timeout(within, self.online(name, before)).await;
        let words = started.words();
        self.agents.insert(name.to_owned(), started);
        match online {
            Ok(id) => {
                if self.instance(Some(name)).is_err() {
                    self.instances.push((name.to_owned(), id));
                }
                Ok(())
            }
            Err(_) => Err(Trouble::plain(format!(
                "the agent of `{name}` did not come online within {}; it said: {words}",
                Span(within)
            ))),
        }
    }

    /// Waits until an agent is online: that of the instance, or of one that is not known yet.
    async fn online(&self, name: &str, before: usize) -> InstanceId {
        let wanted = self.instance(Some(name)).ok();
        let mut more = self.events.more();
        loop {
            more.borrow_and_update();
            for event in self.events.since(before) {
                let Some(id) = event.instance else { continue };
                let is_it = match &wanted {
                    Some(wanted) => *wanted == id,
                    None => !self.instances.iter().any(|(_, known)| *known == id),
                };
                if is_it && event.kind == EventKind::AgentOnline {
                    return id;
                }
            }
            if more.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn activation(&self, name: &str) -> Result<Vec<(&'static str, String)>, Trouble> {
        let answer = self
            .sandbox
            .api()
            .call("CreateActivation", &[("InstanceName", name)])
            .await?;
        let member = |name: &str| {
            answer
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Ok(vec![
            ("activation_id", member("ActivationId")),
            ("activation_code", member("ActivationCode")),
        ])
    }
}
