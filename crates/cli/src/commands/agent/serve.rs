//! The run of an agent, or of those of many instances, until it is told to end or is none any more.

use std::{collections::BTreeSet, process::ExitCode};

use axt_client::terminal::signals::Stops;
use axt_proto::InstanceId;
use axt_sandbox::lone::{AgentFolder, Change, LoneAgent, LoneAgentConfig};

use super::ReadyFile;
use crate::{
    commands::end,
    failure::{Failure, say},
};

/// Runs it until it is told to end, or is no agent any more.
pub(super) async fn run(
    config: LoneAgentConfig,
    folder: &AgentFolder,
    ready: ReadyFile,
) -> Result<ExitCode, Failure> {
    let mut crew = Crew {
        is_registered: config.key == folder.key_path(),
        first: config.instance.clone(),
        server: config.server.clone(),
        left: config.others.len().saturating_add(1),
        online: BTreeSet::new(),
        folder,
        ready,
    };
    let mut stops = Stops::listen().map_err(Failure::failed)?;
    let mut agent = LoneAgent::start(config).map_err(|error| {
        Failure::usage(error).hint("`axt agent --new-key FILE` makes a key that can be used")
    })?;
    let stop = loop {
        tokio::select! {
            biased;
            stop = stops.next() => break stop,
            (instance, change) = agent.changed() => {
                crew.note(&instance, change)?;
                if crew.left == 0 {
                    agent.shutdown().await;
                    return match change {
                        Change::Died => Err(Failure::failed("the agent has died, as --behave said")),
                        _ => Ok(ExitCode::SUCCESS),
                    };
                }
            }
        }
    };
    crew.ready.remove()?;
    Ok(end(stop, &mut stops, agent.shutdown()).await)
}

/// What a person reads of an instance and of so many others.
pub(super) fn named(first: &InstanceId, others: usize) -> String {
    match others {
        0 => first.to_string(),
        others => format!("{first} and {others} more"),
    }
}

/// The instances of this process.
struct Crew<'a> {
    is_registered: bool,
    first: InstanceId,
    server: String,
    /// How many have not ended.
    left: usize,
    online: BTreeSet<InstanceId>,
    folder: &'a AgentFolder,
    ready: ReadyFile,
}

impl Crew<'_> {
    /// Takes note of what has become of one: the ready file is there while all that are left are online.
    fn note(&mut self, instance: &InstanceId, change: Change) -> Result<(), Failure> {
        match change {
            Change::Online => {
                self.online.insert(instance.clone());
            }
            Change::Offline => {
                // The log says why.
                self.online.remove(instance);
                return self.ready.remove();
            }
            Change::Died | Change::Deregistered => {
                self.online.remove(instance);
                self.left = self.left.saturating_sub(1);
            }
        }
        if change == Change::Deregistered {
            if self.is_registered {
                self.folder.forget(instance).map_err(Failure::failed)?;
            }
            say(&format!(
                "{instance} was deregistered by the relay, and is forgotten here"
            ));
        }
        if self.left == 0 {
            return self.ready.remove();
        }
        if change == Change::Online && self.online.len() == self.left {
            let named = named(&self.first, self.left.saturating_sub(1));
            self.ready.write(&self.first, &self.server)?;
            say(&format!(
                "the agent of {named} is online at {}; Ctrl-C ends it",
                self.server
            ));
        }
        Ok(())
    }
}
