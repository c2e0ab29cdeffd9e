//! From an activation to an agent that can be started again and again, and back.

use std::{path::PathBuf, sync::Arc};

use axt_agent::{AgentConfig, Registration, RegistrationError, Surroundings};
use axt_control::luban::Signer;
use axt_net::{clock::Clock, http::HttpClient, wall::Wall};
use axt_proto::{InstanceId, Secret};

use super::{AgentFolder, LoneAgentConfig, LoneAgentError, Registered, dialer, read, root, trust};

/// How many instances one machine's agent may be.
const INSTANCES: std::ops::RangeInclusive<usize> = 1..=65_535;

/// Registers until the agent is `count` instances, and keeps who it is now: with `keeps_relay`, where the
/// relay is and whom it trusts as well. What has registered already stays what it is, and nobody is asked.
///
/// # Errors
/// [`LoneAgentError`]. The key and the instances that were made until then stay for the next try.
pub async fn register(
    folder: &AgentFolder,
    mut wanted: Registration,
    (ca, proxy): (Option<PathBuf>, Option<Secret>),
    keeps_relay: bool,
    count: usize,
) -> Result<Registered, LoneAgentError> {
    let count = count.clamp(*INSTANCES.start(), *INSTANCES.end());
    let kept = folder.read()?;
    let has = kept.iter().flat_map(Registered::instances).count();
    if let Some(kept) = kept.clone().filter(|_| has >= count) {
        return Ok(kept);
    }
    root(&mut wanted.server)?;
    let key = folder.key()?.public();
    let mut pem = ca
        .as_deref()
        .filter(|_| keeps_relay)
        .map(read)
        .transpose()?;
    let tls = trust(ca)?;
    let http = HttpClient::new(dialer(proxy.as_ref(), &tls)?, tls);
    let mut who = kept;
    let name = std::mem::take(&mut wanted.name);
    for number in has.saturating_add(1)..=count {
        wanted.name = match number {
            1 => name.clone(),
            number => format!("{name}-{number}"),
        };
        let instance = axt_agent::register(&http, &wanted, &key).await?;
        let who = match &mut who {
            Some(who) => {
                who.others.push(instance);
                who
            }
            None => who.insert(Registered {
                instance,
                others: Vec::new(),
                machine_id: wanted.machine_id.clone(),
                region: wanted.region.clone(),
                server: keeps_relay.then(|| wanted.server.clone()),
            }),
        };
        // Each at once: what is not kept could not be taken back, should the next be refused or this
        // process be killed.
        if let Some(pem) = pem.take() {
            folder.trust(&pem)?;
        }
        folder.write(who)?;
    }
    who.ok_or(LoneAgentError::Server(wanted.server))
}

/// Takes a registration back at the relay, and forgets it here, one instance after the other; whose it
/// was. What `config` says of key and instances is what the folder has.
///
/// # Errors
/// [`LoneAgentError`]; what is still registered stays in the folder then.
pub async fn deregister(
    folder: &AgentFolder,
    mut config: LoneAgentConfig,
) -> Result<Vec<InstanceId>, LoneAgentError> {
    root(&mut config.server)?;
    let key = folder.key()?;
    let tls = trust(config.ca)?;
    let wall = Wall::system();
    let clock = Clock::from_wall(&wall, 0);
    let dialer = dialer(config.proxy.as_ref(), &tls)?;
    let around = Surroundings::new(dialer, tls, clock, wall);
    let machine = Arc::new(config.machine);
    let instances: Vec<_> = std::iter::once(config.instance)
        .chain(config.others)
        .collect();
    for instance in &instances {
        let signer = Signer::new(instance.clone(), config.machine_id.clone(), &key);
        let server = config.server.clone();
        let agent = AgentConfig {
            version: config.version.clone(),
            ..AgentConfig::new(server, signer, Arc::clone(&machine))
        };
        axt_agent::deregister(agent, around.clone()).await?;
        folder.forget(instance)?;
    }
    Ok(instances)
}

impl From<RegistrationError> for LoneAgentError {
    fn from(error: RegistrationError) -> Self {
        Self::Registration(error)
    }
}
