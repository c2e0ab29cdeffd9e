//! From an activation to an agent that can be started again and again, and back.

use std::{path::PathBuf, sync::Arc};

use axt_agent::{AgentConfig, Registration, RegistrationError, Surroundings};
use axt_control::luban::Signer;
use axt_net::{clock::Clock, http::HttpClient, wall::Wall};
use axt_proto::{InstanceId, Secret};

use super::{AgentFolder, LoneAgentConfig, LoneAgentError, Registered, dialer, read, root, trust};

/// Registers, and keeps who the agent is now: with `keeps_relay`, where the relay is and whom it
/// trusts as well. One that has registered already stays who it is, and nobody is asked.
///
/// # Errors
/// [`LoneAgentError`]. A key that was made stays for the next try.
pub async fn register(
    folder: &AgentFolder,
    mut wanted: Registration,
    (ca, proxy): (Option<PathBuf>, Option<Secret>),
    keeps_relay: bool,
) -> Result<Registered, LoneAgentError> {
    if let Some(kept) = folder.read()? {
        return Ok(kept);
    }
    root(&mut wanted.server)?;
    let key = folder.key()?;
    let pem = ca
        .as_deref()
        .filter(|_| keeps_relay)
        .map(read)
        .transpose()?;
    let tls = trust(ca)?;
    let http = HttpClient::new(dialer(proxy.as_ref(), &tls)?, tls);
    let instance = axt_agent::register(&http, &wanted, &key.public()).await?;
    let registered = Registered {
        instance,
        machine_id: wanted.machine_id,
        region: wanted.region,
        server: keeps_relay.then_some(wanted.server),
    };
    folder.write(&registered, pem.as_deref())?;
    Ok(registered)
}

/// Takes a registration back at the relay, and forgets it here; whose it was. What `config` says of
/// key and instance is what the folder has.
///
/// # Errors
/// [`LoneAgentError`]; the folder is left as it is then.
pub async fn deregister(
    folder: &AgentFolder,
    mut config: LoneAgentConfig,
) -> Result<InstanceId, LoneAgentError> {
    root(&mut config.server)?;
    let key = folder.key()?;
    let tls = trust(config.ca)?;
    let wall = Wall::system();
    let clock = Clock::from_wall(&wall, 0);
    let dialer = dialer(config.proxy.as_ref(), &tls)?;
    let around = Surroundings::new(dialer, tls, clock, wall);
    let signer = Signer::new(config.instance.clone(), config.machine_id, &key);
    let agent = AgentConfig {
        version: config.version,
        ..AgentConfig::new(config.server, signer, Arc::new(config.machine))
    };
    axt_agent::deregister(agent, around).await?;
    folder.remove()?;
    Ok(config.instance)
}

impl From<RegistrationError> for LoneAgentError {
    fn from(error: RegistrationError) -> Self {
        Self::Registration(error)
    }
}
