//! The settings of `axt agent`.

use std::path::PathBuf;

use axt_client::discover::{self, process_environment};
use axt_sandbox::lone::LoneAgentConfig;

use super::{
    Settings, over,
    place::Set,
    relay::{extensions, shells},
};
use crate::{failure::Failure, flags::agent::AgentFlags};

/// What to do when something that an agent cannot do without is nowhere.
const HINT: &str =
    "`axt agent --new-key FILE` makes a key, and prints what the relay has to know of it";

/// Settles the flags over the file, over what the relay that runs on this machine says.
///
/// # Errors
/// No instance, no key, or no relay.
pub(crate) fn resolve(flags: AgentFlags, settings: Settings) -> Result<LoneAgentConfig, Failure> {
    let file = settings.agent;
    let missing = |what: &str| Failure::usage(format!("no {what}")).hint(HINT);
    let instance = over(flags.instance, file.instance)
        .ok_or_else(|| missing("instance: name it by `-i INSTANCE`"))?;
    let key = flags
        .key
        .or(file.key.map(Set::path))
        .ok_or_else(|| missing("key: name its file by `--key FILE`"))?;
    let mut ca = flags.ca.or(file.ca.map(Set::path));
    let server = match over(flags.server, file.server) {
        Some(server) => server,
        None => {
            let state_dir = flags.state_dir.or(settings.relay.state_dir.map(Set::path));
            let ready = discover::read_ready(state_dir.as_deref(), &process_environment)?;
            ca = ca.or(Some(PathBuf::from(ready.ca_cert)));
            // `wss` becomes `https`.
            ready.axt.replacen("ws", "http", 1)
        }
    };
    let defaults = LoneAgentConfig::new(server, instance, key);
    Ok(LoneAgentConfig {
        ca,
        machine_id: over(flags.machine_id, file.machine_id).unwrap_or_default(),
        version: over(flags.agent_version, file.version).unwrap_or(defaults.version),
        shells: shells(over(flags.keep_background, file.keep_background).unwrap_or_default()),
        extensions: extensions(over(flags.no_extensions, file.no_extensions).unwrap_or_default()),
        follow_clock: over(flags.follow_clock, file.follow_clock).unwrap_or_default(),
        ..defaults
    })
}
