//! What happened, along rule time: steps, events, and what was not met.
//!
//! Ids of a run stand nowhere in it: sessions and instances go by their names in the scenario. So a
//! simulated scenario with a seed gives the same timeline on every run and machine. In a real one
//! there are no numbers of bytes either: how output is cut is the machine's own affair.

use std::collections::BTreeMap;

use axt_control::admin::EventLine;
use axt_proto::{EventKind, InstanceId};
use serde::Serialize;

use crate::{
    format::{Class, Span},
    report::Failed,
    stage::Stage,
};

/// The entries, in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Timeline {
    entries: Vec<Entry>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, in milliseconds of rule time since the start.
    pub at_ms: u64,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A step begins.
    Step {
        /// Which, from 1.
        number: usize,
        /// What it is called.
        name: String,
    },
    /// The relay says that something has happened.
    Event {
        /// Its name.
        event: String,
        /// Of which session, by its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<String>,
        /// Which connection, by its number.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection: Option<String>,
        /// In words, names and all.
        text: String,
    },
    /// A fault was added.
    Fault {
        /// What it is removed by.
        name: String,
        /// What goes wrong, and where.
        text: String,
    },
    /// A fault was removed.
    FaultRemoved {
        /// Its name.
        name: String,
    },
    /// A step was not met.
    Failed {
        /// What was expected and what was seen.
        text: String,
    },
}

impl Entry {
    pub(crate) fn step(at_ms: u64, number: usize, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            at_ms,
            what: What::Step { number, name },
        }
    }

    pub(crate) fn event(at_ms: u64, event: &EventLine, stage: &Stage) -> Self {
        Self {
            at_ms,
            what: What::Event {
                event: event.kind.name().to_owned(),
                session: event
                    .session
                    .as_ref()
                    .and_then(|id| stage.name_of_session(id.as_str())),
                connection: event.connection.map(|id| id.to_string()),
                text: words(event, stage),
            },
        }
    }

    pub(crate) fn fault(at_ms: u64, name: &str, text: &str) -> Self {
        let (name, text) = (name.to_owned(), text.to_owned());
        Self {
            at_ms,
            what: What::Fault { name, text },
        }
    }

    pub(crate) fn fault_removed(at_ms: u64, name: &str) -> Self {
        let name = name.to_owned();
        Self {
            at_ms,
            what: What::FaultRemoved { name },
        }
    }

    pub(crate) fn failed(at_ms: u64, failed: &Failed) -> Self {
        let text = failed.to_string();
        Self {
            at_ms,
            what: What::Failed { text },
        }
    }
}

impl Timeline {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// As people read it, a line an entry.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Entry { at_ms, what } in &self.entries {
            let line = match what {
                What::Step { number, name } => format!("{number:>3}. {name}"),
                What::Event { text, .. } => format!("       {text}"),
                What::Fault { text, .. } => format!("       fault added: {text}"),
                What::FaultRemoved { name } => format!("       fault removed: {name}"),
                What::Failed { text } => format!("  ✗    {text}"),
            };
            text.push_str(&format!("{}  {line}\n", instant(*at_ms)));
        }
        text
    }

    /// The rule's events of each session, in order, as real scenarios are compared by: what the
    /// machine's speed cannot change.
    #[must_use]
    pub fn rules(&self) -> BTreeMap<String, Vec<String>> {
        let mut rules: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in &self.entries {
            if let What::Event {
                event,
                session: Some(session),
                text,
                ..
            } = &entry.what
                && event != SAMPLE
            {
                let reason = text
                    .split_once("reason=")
                    .map(|(_, rest)| rest.split(' ').next().unwrap_or(rest));
                let line =
                    reason.map_or_else(|| event.clone(), |reason| format!("{event} {reason}"));
                rules.entry(session.clone()).or_default().push(line);
            }
        }
        rules
    }
}

/// What passed in a second: whether a short connection has one hangs on the moment of its beginning.
const SAMPLE: &str = "connection.traffic";

/// An instant of rule time since the start: `+0:03:00.000`, with days in front where there are some.
fn instant(ms: u64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (days, hours) = (hours / 24, hours % 24);
    let clock = format!("{hours}:{minutes:02}:{seconds:02}.{rest:03}");
    match days {
        0 => format!("+{clock:>11}"),
        _ => format!("+{days}d {clock}"),
    }
}

/// An event in words, with the names of the scenario.
pub(crate) fn words(event: &EventLine, stage: &Stage) -> String {
    let has_bytes = stage.scenario.class == Class::Simulated;
    let mut words = event.kind.name().to_owned();
    let mut add = |name: &str, value: &str| {
        let quoted = if value.contains(' ') {
            format!("{value:?}")
        } else {
            value.to_owned()
        };
        words.push_str(&format!(" {name}={quoted}"));
    };
    if let Some(name) = event
        .instance
        .as_ref()
        .and_then(|id| stage.name_of_instance(id))
    {
        add("instance", &name);
    }
    if let Some(name) = event
        .session
        .as_ref()
        .and_then(|id| stage.name_of_session(id.as_str()))
    {
        add("session", &name);
    }
    if let Some(id) = event.connection {
        add("connection", &id.to_string());
    }
    match &event.kind {
        EventKind::ConnectionRefused { code } => add("code", code),
        EventKind::ConnectionClosed { reason, carried } => {
            add("reason", reason.word());
            if has_bytes {
                add("up", &carried.bytes_up.to_string());
                add("down", &carried.bytes_down.to_string());
                for (name, ms) in [
                    ("held_up", carried.held_up_ms),
                    ("held_down", carried.held_down_ms),
                ] {
                    if ms > 0 {
                        add(
                            name,
                            &Span(std::time::Duration::from_millis(ms)).to_string(),
                        );
                    }
                }
            }
        }
        EventKind::ConnectionFailed { reason, detail } => {
            add("reason", reason.word());
            if has_bytes {
                add("detail", detail);
            }
        }
        EventKind::FaultInjected { fault, kind } => {
            add("fault", fault);
            add("type", kind);
        }
        EventKind::RunEnded {
            status, exit_code, ..
        } => {
            add("status", status);
            if let Some(code) = exit_code {
                add("exit_code", &code.to_string());
            }
        }
        _ => {}
    }
    words
}

impl Stage {
    /// What an instance is called in the scenario.
    pub(crate) fn name_of_instance(&self, id: &InstanceId) -> Option<String> {
        let found = self.instances.iter().find(|(_, known)| known == id);
        found.map(|(name, _)| name.clone())
    }
}
