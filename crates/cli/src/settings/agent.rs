//! The settings of `axt agent`.

use std::path::PathBuf;

use axt_agent::{Behaviour, Machine, Registration, Shells, machine_id};
use axt_client::discover::{self, process_environment};
use axt_proto::{Extensions, InstanceId, RegionId, Secret};
use axt_sandbox::TraceSettings;
use axt_sandbox::lone::{AgentFolder, LoneAgentConfig, Registered};

use super::{
    Settings, over,
    place::Set,
    relay::{extensions, shells},
    tables::AgentTable,
    trace,
};
use crate::{failure::Failure, flags::agent::AgentFlags};

/// What to do when something that an agent cannot do without is nowhere.
const HINT: &str = "`axt agent --register` registers one with an activation; `axt agent --new-key FILE` \
                    makes a key, and prints what the relay has to know of it";

/// The agent of this machine that has no other name.
const DEFAULT_NAME: &str = "default";

/// What there is to know before it is done.
pub(crate) struct AgentSettings {
    /// Where a registered agent is kept, and who it is.
    pub(crate) folder: AgentFolder,
    pub(crate) registered: Option<Registered>,
    /// How many instances it is to be, where that was told.
    pub(crate) instances: Option<usize>,
    /// The instance and the key that were named instead.
    named: Option<(InstanceId, PathBuf)>,
    place: Place,
    /// The proxy on the way to the relay.
    pub(crate) proxy: Option<Secret>,
    machine_id: Option<String>,
    machine: Machine,
    version: Option<String>,
    shells: Shells,
    extensions: Extensions,
    behaviour: Behaviour,
    follow_clock: bool,
    trace: Option<TraceSettings>,
    activation: Activation,
}

/// The relay.
struct Place {
    server: String,
    ca: Option<PathBuf>,
    /// Whether it was told, or found by the ready file of this machine's.
    is_told: bool,
    /// Its own region, as far as that is known.
    region: Option<RegionId>,
}

/// What a registration needs beside.
struct Activation {
    id: Option<String>,
    code: Option<Secret>,
    region: Option<RegionId>,
    name: Option<String>,
    tags: Vec<(String, String)>,
}

/// Settles the flags over the file, over what was registered, over what the relay that runs on this
/// machine says.
///
/// # Errors
/// No relay, half an identity, or a folder that cannot be read.
pub(crate) fn resolve(flags: AgentFlags, settings: Settings) -> Result<AgentSettings, Failure> {
    let file = settings.agent;
    let (who, relay) = (flags.who, flags.relay);
    let state_dir = relay.state_dir.or(settings.relay.state_dir.map(Set::path));
    let home = match &state_dir {
        Some(folder) => folder.clone(),
        None => discover::default_state_dir(&process_environment)?,
    };
    let name = over(flags.agent_name, file.agent_name);
    let folder =
        AgentFolder::new(&home, name.as_deref().unwrap_or(DEFAULT_NAME)).map_err(Failure::usage)?;
    let registered = folder.read().map_err(Failure::failed)?;
    let named = match (
        over(who.instance, file.instance),
        who.key.or(file.key.map(Set::path)),
    ) {
        _ if flags.register || flags.deregister => None,
        (None, None) => None,
        (Some(instance), Some(key)) => Some((instance, key)),
        (None, _) => return Err(missing("instance: name it by `-i INSTANCE`")),
        (_, None) => return Err(missing("key: name its file by `--key FILE`")),
    };
    let instances = over(flags.instances, file.instances).map(|count| usize::from(count.get()));
    if let (Some((instance, _)), Some(2..)) = (&named, instances) {
        return Err(
            Failure::usage(format!("a key that is named is one instance's, {instance}"))
                .hint("`axt agent --register --instances N` is N instances"),
        );
    }
    let kept = registered
        .as_ref()
        .filter(|_| named.is_none())
        .and_then(|registered| Some((registered.server.clone()?, folder.ca_path())));
    let told = (
        over(relay.server, file.server),
        relay.ca.or(file.ca.map(Set::path)),
    );
    let place = place(told, kept, state_dir)?;
    Ok(AgentSettings {
        place,
        proxy: flags
            .proxy
            .filter(|proxy| !proxy.trim().is_empty())
            .map(Secret::new),
        folder,
        registered,
        instances,
        named,
        machine_id: over(who.machine_id, file.machine_id),
        machine: machine(
            Machine::here(),
            (flags.os_type, flags.os_version, flags.host_name, flags.ip),
            (file.os_type, file.os_version, file.host_name, file.ip),
        )?,
        version: over(flags.agent_version, file.version),
        shells: shells(over(flags.keep_background, file.keep_background).unwrap_or_default()),
        extensions: extensions(
            over(flags.base.no_extensions, file.no_extensions).unwrap_or_default(),
        ),
        behaviour: behaviour(flags.behave, file.behave)?,
        follow_clock: over(flags.follow_clock, file.follow_clock).unwrap_or_default(),
        trace: trace::resolve(flags.trace, file.trace, file.trace_payload)?,
        activation: Activation {
            id: over(flags.activation_id, file.activation_id),
            code: over(flags.activation_code.map(Secret::new), file.activation_code),
            region: over(flags.region, file.region).or_else(|| over(None, settings.relay.region)),
            name: over(flags.instance_name, file.instance_name),
            tags: match flags.tag {
                tags if tags.is_empty() => {
                    let tags = over(None, file.tags).unwrap_or_default();
                    tags.into_iter().collect()
                }
                tags => tags.iter().map(|tag| pair(tag)).collect::<Result<_, _>>()?,
            },
        },
    })
}

/// The relay that was told, or the one that was registered with, or the one on this machine.
fn place(
    (server, ca): (Option<String>, Option<PathBuf>),
    kept: Option<(String, Option<PathBuf>)>,
    state_dir: Option<PathBuf>,
) -> Result<Place, Failure> {
    let told = |server, ca| Place {
        server,
        ca,
        is_told: true,
        region: None,
    };
    if let Some(server) = server {
        return Ok(told(server, ca));
    }
    if let Some((server, kept_ca)) = kept {
        return Ok(told(server, ca.or(kept_ca)));
    }
    let ready = discover::read_ready(state_dir.as_deref(), &process_environment)?;
    Ok(Place {
        // `wss` becomes `https`.
        server: ready.axt.replacen("ws", "http", 1),
        ca: ca.or(Some(PathBuf::from(ready.ca_cert))),
        is_told: false,
        region: Some(ready.region),
    })
}

type Said<Text, Ip> = (Text, Text, Text, Ip);

/// A machine, or what it is to pose as.
fn machine(
    mut machine: Machine,
    typed: Said<Option<String>, Option<std::net::Ipv4Addr>>,
    file: Said<Option<Set<String>>, Option<Set<std::net::Ipv4Addr>>>,
) -> Result<Machine, Failure> {
    let put = |place: &mut String, value: Option<String>| {
        if let Some(value) = value {
            *place = value;
        }
    };
    put(&mut machine.os_type, over(typed.0, file.0));
    put(&mut machine.os_version, over(typed.1, file.1));
    put(&mut machine.host_name, over(typed.2, file.2));
    put(
        &mut machine.ip,
        over(typed.3, file.3).map(|ip| ip.to_string()),
    );
    if !["linux", "windows", "freebsd"].contains(&machine.os_type.as_str()) {
        return Err(Failure::usage(format!(
            "`{}` is no operating system of an agent: expected linux, windows or freebsd",
            machine.os_type
        )));
    }
    Ok(machine)
}

/// What an agent says of its machine by the file alone, for those of `axt up`.
pub(crate) fn posed(here: Machine, file: &mut AgentTable) -> Result<Machine, Failure> {
    machine(
        here,
        (None, None, None, None),
        (
            file.os_type.take(),
            file.os_version.take(),
            file.host_name.take(),
            file.ip.take(),
        ),
    )
}

fn behaviour(typed: Vec<String>, file: Option<Set<Behaviour>>) -> Result<Behaviour, Failure> {
    if typed.is_empty() {
        return Ok(file.map(|set| set.value).unwrap_or_default());
    }
    Behaviour::try_from(typed)
        .map_err(|bad| Failure::usage(bad).hint("`axt agent --help` lists the words of --behave"))
}

fn pair(tag: &str) -> Result<(String, String), Failure> {
    let (key, value) = tag
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("`{tag}` is no tag: expected KEY=VALUE")))?;
    Ok((key.to_owned(), value.to_owned()))
}

fn missing(what: &str) -> Failure {
    Failure::usage(format!("no {what}")).hint(HINT)
}

impl AgentSettings {
    /// What is to be registered, and the certificates by which the relay is trusted. The code is
    /// read by `ask` where it stands for `-`.
    ///
    /// # Errors
    /// No activation.
    pub(crate) fn registration(
        &mut self,
        ask: impl FnOnce() -> Result<Secret, Failure>,
    ) -> Result<(Registration, Option<PathBuf>), Failure> {
        let activation = &mut self.activation;
        let needed = |what: &str| {
            Failure::usage(format!("no activation {what}"))
                .hint("`axt api CreateActivation` makes an activation, with an id and a code")
        };
        let code = match activation.code.take() {
            Some(code) if code.expose() == "-" => ask()?,
            code => code.ok_or_else(|| needed("code: --activation-code"))?,
        };
        let id = activation
            .id
            .take()
            .ok_or_else(|| needed("id: --activation-id"))?;
        let region = activation
            .region
            .take()
            .or_else(|| self.place.region.clone())
            .map_or_else(|| "cn-hangzhou".parse().map_err(Failure::usage), Ok)?;
        let registration = Registration {
            server: self.place.server.clone(),
            activation_id: id,
            activation_code: code,
            region,
            name: activation
                .name
                .take()
                .unwrap_or_else(|| self.machine.host_name.clone()),
            tags: std::mem::take(&mut activation.tags),
            machine_id: self
                .machine_id
                .clone()
                .or_else(machine_id)
                .unwrap_or_else(|| self.machine.host_name.clone()),
            machine: self.machine.clone(),
            version: self.version().to_owned(),
        };
        Ok((registration, self.place.ca.clone()))
    }

    /// Whether the relay was told, and has to be kept with the registration.
    pub(crate) fn is_relay_told(&self) -> bool {
        self.place.is_told
    }

    fn version(&self) -> &str {
        self.version.as_deref().unwrap_or(axt_agent::AGENT_VERSION)
    }

    /// The agent that is to run: the one that was named, or the one that has registered.
    ///
    /// # Errors
    /// There is neither.
    pub(crate) fn config(self) -> Result<LoneAgentConfig, Failure> {
        let version = self.version().to_owned();
        let mut boot_mark = None;
        let mut others = Vec::new();
        let (instance, key, machine_id) = match (self.named, self.registered) {
            (Some((instance, key)), _) => (instance, key, self.machine_id.unwrap_or_default()),
            (None, Some(registered)) => {
                boot_mark = Some(self.folder.boot_path());
                others = registered.others;
                if let Some(wanted) = self.instances.map(|count| count.saturating_sub(1)) {
                    if others.len() < wanted {
                        return Err(missing(&format!(
                            "{} instances: this machine has registered as {}",
                            wanted.saturating_add(1),
                            others.len().saturating_add(1)
                        )));
                    }
                    others.truncate(wanted);
                }
                (
                    registered.instance,
                    self.folder.key_path(),
                    registered.machine_id,
                )
            }
            (None, None) => return Err(missing("instance: this machine has not registered")),
        };
        Ok(LoneAgentConfig {
            others,
            ca: self.place.ca,
            boot_mark,
            proxy: self.proxy,
            machine_id,
            version,
            machine: self.machine,
            shells: self.shells,
            extensions: self.extensions,
            behaviour: self.behaviour,
            follow_clock: self.follow_clock,
            trace: self.trace,
            ..LoneAgentConfig::new(self.place.server, instance, key)
        })
    }
}
