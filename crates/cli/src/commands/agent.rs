//! `axt agent`.

mod ready;
mod serve;

use std::{io, path::Path, process::ExitCode};

use axt_proto::{InstanceId, Secret};
use axt_sandbox::lone::{
    self, AgentFolder, LoneAgentConfig, LoneAgentError, NewIdentity, NewKeyError,
};

use self::ready::ReadyFile;
use super::{print, quote};
use crate::{
    failure::{Failure, say},
    flags::agent::AgentFlags,
    settings::{
        Settings,
        agent::{self, AgentSettings},
    },
};

pub(super) async fn run(flags: AgentFlags, settings: Settings) -> Result<ExitCode, Failure> {
    if let Some(path) = flags.new_key {
        return new_key(&path, flags.who.instance, flags.who.machine_id);
    }
    let (registers, deregisters) = (flags.register, flags.deregister);
    // At once: one that was left by an agent which was killed must not count for this one.
    let ready = ReadyFile::at(flags.ready_file.clone())?;
    let mut settings = agent::resolve(flags, settings)?;
    let folder = settings.folder.clone();
    if deregisters {
        // All of them: the key goes with the last.
        settings.instances = None;
        return deregister(&folder, settings.config()?).await;
    }
    if registers {
        register(&mut settings).await?;
    }
    serve::run(settings.config()?, &folder, ready).await
}

/// Registers, unless that has been done; a container that starts again runs the same command.
async fn register(settings: &mut AgentSettings) -> Result<(), Failure> {
    let count = settings.instances.unwrap_or(1);
    let registered = settings.registered.as_ref();
    if let Some(registered) = registered.filter(|it| it.others.len().saturating_add(1) >= count) {
        let named = serve::named(&registered.instance, registered.others.len());
        say(&format!("registered already, as {named}"));
        return Ok(());
    }
    let keeps_relay = settings.is_relay_told();
    let (wanted, ca) = settings.registration(activation_code)?;
    let registered = lone::register(
        &settings.folder,
        wanted,
        (ca, settings.proxy.clone()),
        keeps_relay,
        count,
    )
    .await
    .map_err(|error| not_registered(error, &settings.folder, count))?;
    say(&format!(
        "registered as {}; its key is in {}",
        serve::named(&registered.instance, registered.others.len()),
        settings.folder.path().display()
    ));
    settings.registered = Some(registered);
    Ok(())
}

/// Why not all of `count` are registered, with how many are.
fn not_registered(error: LoneAgentError, folder: &AgentFolder, count: usize) -> Failure {
    let failure = Failure::failed(error);
    match folder.read() {
        Ok(Some(kept)) => failure.hint(format!(
            "{} of {count} instances are registered, and kept; the same command goes on from there",
            kept.instances().count()
        )),
        _ => failure,
    }
}

async fn deregister(folder: &AgentFolder, config: LoneAgentConfig) -> Result<ExitCode, Failure> {
    let instances = lone::deregister(folder, config).await.map_err(|error| {
        Failure::failed(error).hint("the key is still there, so that it can be tried again")
    })?;
    if let [first, others @ ..] = instances.as_slice() {
        say(&format!(
            "deregistered {}",
            serve::named(first, others.len())
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The activation's code from the first line of stdin.
fn activation_code() -> Result<Secret, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(Failure::failed)?;
    let code = line.trim();
    if code.is_empty() {
        return Err(Failure::usage("there is no activation code on stdin"));
    }
    Ok(Secret::new(code))
}

/// Makes a key, and prints what the relay's settings need to know of it.
fn new_key(
    path: &Path,
    instance: Option<InstanceId>,
    machine_id: Option<String>,
) -> Result<ExitCode, Failure> {
    let identity = NewIdentity::create(path, instance).map_err(|error| match error {
        NewKeyError::Exists(_) => {
            Failure::failed(error).hint("name another file; a key that is in use must not be lost")
        }
        error => Failure::failed(error),
    })?;
    print(&entry(&identity, machine_id.as_deref()))?;
    let key = quote(&path.display().to_string());
    let machine_id =
        machine_id.map_or_else(String::new, |id| format!(" --machine-id {}", quote(&id)));
    say(&format!(
        "the private key is in {key}; the text above belongs in the relay's axt.toml\n\
         Then:  axt agent -i {} --key {key}{machine_id}",
        identity.instance
    ));
    Ok(ExitCode::SUCCESS)
}

/// The `[[instances]]` entry.
fn entry(identity: &NewIdentity, machine_id: Option<&str>) -> String {
    let machine_id = machine_id.map_or_else(String::new, |id| {
        format!("machine_id = {}\n", toml::Value::from(id))
    });
    format!(
        "[[instances]]\nid = \"{}\"\n{machine_id}public_key = \"\"\"\n{}\n\"\"\"",
        identity.instance,
        identity.public_key.trim_end(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::file::parse;

    #[test]
    fn the_entry_can_be_pasted_into_a_settings_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.pem");
        let identity = NewIdentity::create(&path, None).expect("made");

        let text = entry(&identity, Some("a \"quoted\" one"));

        let settings = parse(Path::new("axt.toml"), &text).expect("a file");
        let [instance] = settings.instances.as_slice() else {
            panic!("one instance")
        };
        assert_eq!(
            instance.id.as_ref().map(|id| &id.value),
            Some(&identity.instance)
        );
        let machine_id = instance.machine_id.as_ref().map(|id| id.value.as_str());
        assert_eq!(machine_id, Some("a \"quoted\" one"));
    }
}
