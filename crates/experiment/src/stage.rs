//! What a scenario runs on: the sandbox, and by their names the sessions, terminals, ports and
//! programs that its steps have made.

mod cloud;
pub(crate) mod events;
pub(crate) mod ports;
pub(crate) mod program;
pub(crate) mod samples;
mod server;
mod start;
pub(crate) mod terminal;

use std::collections::BTreeMap;

use axt_agent::shell::HelperProgram;
use axt_client::session::Started;
use axt_proto::InstanceId;
use axt_sandbox::Sandbox;

use self::{
    events::Events, ports::PortServer, program::Program, samples::Samples, terminal::Terminal,
};
use crate::{format::Scenario, run::Trouble};

pub(crate) use start::start;

/// See the module.
pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) sandbox: Sandbox,
    pub(crate) events: Events,
    pub(crate) samples: Samples,
    pub(crate) instances: Vec<(String, InstanceId)>,
    pub(crate) sessions: Named<Started>,
    pub(crate) terminals: Named<Terminal>,
    pub(crate) ports: BTreeMap<String, PortServer>,
    pub(crate) agents: BTreeMap<String, Program>,
    /// What the agents have registered with.
    pub(crate) activations: BTreeMap<String, Vec<(&'static str, String)>>,
    pub(crate) place: program::Place,
    /// For programs that take no endpoint; a simulated scenario has none.
    _cloud: Option<cloud::Cloud>,
    /// What the latest call answered.
    pub(crate) answer: serde_json::Value,
    pub(crate) helper: HelperProgram,
}

/// Things with names, of which one is the latest.
#[derive(Debug)]
pub(crate) struct Named<T> {
    all: Vec<(String, T)>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { all: Vec::new() }
    }
}

impl<T> Named<T> {
    /// One more, which is the latest. One of the same name is there still, and has no name.
    pub(crate) fn add(&mut self, name: &str, one: T) {
        for (other, _) in &mut self.all {
            if other == name {
                other.clear();
            }
        }
        self.all.push((name.to_owned(), one));
    }

    /// The one of that name, or the latest.
    pub(crate) fn get(&self, name: Option<&str>) -> Option<&T> {
        match name {
            Some(name) => self
                .all
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, one)| one),
            None => self.all.last().map(|(_, one)| one),
        }
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, name: Option<&str>) -> Option<&mut T> {
        match name {
            Some(name) => self
                .all
                .iter_mut()
                .find(|(other, _)| other == name)
                .map(|(_, one)| one),
            None => self.all.last_mut().map(|(_, one)| one),
        }
    }

    /// The names that are in use.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all.iter().map(|(name, _)| name.clone()).collect()
    }

    /// All of them, in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.all.iter().map(|(name, one)| (name.as_str(), one))
    }
}

impl Stage {
    /// The instance of that name, or the first.
    pub(crate) fn instance(&self, name: Option<&str>) -> Result<InstanceId, Trouble> {
        let found = match name {
            Some(name) => self.instances.iter().find(|(other, _)| other == name),
            None => self.instances.first(),
        };
        let found = found.map(|(_, id)| id.clone());
        found.ok_or_else(|| Trouble::plain("the instance is not there (yet)"))
    }

    /// The session of that name, or the latest.
    pub(crate) fn session(&self, name: Option<&str>) -> Result<&Started, Trouble> {
        let missing = || Trouble::plain("the session was not started");
        self.sessions.get(name).ok_or_else(missing)
    }

    /// The terminal of that name, or the latest.
    pub(crate) fn terminal(&self, name: Option<&str>) -> Result<&Terminal, Trouble> {
        let missing = || Trouble::plain("the terminal was not opened");
        self.terminals.get(name).ok_or_else(missing)
    }

    /// Fills in `{session}`, `{session:NAME}`, `{instance}`, `{token}`, `{url}`, `{port:NAME}` and the
    /// like; what is none of them stays as it is.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match self.value(name) {
                Some(value) => filled.push_str(&value),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    fn value(&self, placeholder: &str) -> Option<String> {
        let (what, name) = match placeholder.split_once(':') {
            Some((what, name)) => (what, Some(name)),
            None => (placeholder, None),
        };
        let session = || self.sessions.get(name);
        Some(match what {
            "session" => session()?.id.clone(),
            "url" => session()?.url.expose().to_owned(),
            "token" => session()?.token.expose().to_owned(),
            "instance" => self.instance(name).ok()?.to_string(),
            "port" => self.ports.get(name?)?.number().to_string(),
            other => return self.place.value(other),
        })
    }

    /// What an id is called in the scenario: the names of sessions and instances, never the ids of a
    /// run.
    pub(crate) fn name_of_session(&self, id: &str) -> Option<String> {
        let mut all = self.sessions.iter();
        let found = all.find(|(_, started)| started.id == id);
        found.map(|(name, _)| name.to_owned())
    }
}
