//! The format of a scenario: what is started, and the steps of a story.
//!
//! The types here are what is read; the schema for editors and the reference in the documentation
//! are made from them. A key that is not known, or a name that nothing has, is a [`Problem`] before
//! anything starts.

pub mod brief;
mod check;
pub mod expect;
mod fault;
mod place;
mod problem;
mod read;
pub mod reference;
mod schema;
mod shares;
mod span;
mod spell;
pub mod step;
mod words;

use std::{collections::BTreeMap, path::PathBuf};

use axt_proto::Limits;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::check::{LOST, free};
pub use self::{
    brief::Brief,
    fault::FaultText,
    problem::Problem,
    read::{load, parse},
    schema::schema,
    span::Span,
    step::Step,
};

/// A scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A scenario of axt")]
pub struct Scenario {
    /// What it shows, in a line.
    pub title: String,
    /// What it is about, in some sentences.
    #[serde(default)]
    pub description: String,
    /// Where it runs.
    #[serde(default)]
    pub class: Class,
    /// What ids, tokens and faults of chance are made of; `--seed` stands over it.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Whether rule time stands still at the start, or runs. Absent: it stands in a simulated
    /// scenario, and runs in a real one.
    #[serde(default)]
    pub clock: Option<ClockMode>,
    /// Limits that are not at their documented defaults, by their names (`axt up --help` has them).
    #[serde(default)]
    #[schemars(schema_with = "schema::limits")]
    pub limits: BTreeMap<String, u64>,
    /// The instances; absent: one, called `web`.
    #[serde(default)]
    pub instances: Vec<Instance>,
    /// Servers that sessions may be forwarded to, on the instances' side.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// Faults from the start on.
    #[serde(default)]
    pub faults: Vec<FaultText>,
    /// A program of your own in the agent's place; class `real` only.
    #[serde(default)]
    pub agent: Option<AgentProgram>,
    /// A program of your own in the client's place; class `real` only.
    #[serde(default)]
    pub client: Option<ClientProgram>,
    /// What is done and expected, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Where it was read from.
    #[serde(skip)]
    pub file: PathBuf,
}

/// Where a scenario runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// In memory, with a scripted shell, on a paused runtime: the same to the byte on every run.
    #[default]
    Simulated,
    /// Over sockets, with shells of this machine, or with programs of your own.
    Real,
}

impl Class {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Real => "real",
        }
    }
}

/// How rule time goes at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// It stands, and steps move it.
    Frozen,
    /// It runs with the runtime's time; a simulated one jumps to whatever comes next.
    Running,
}

/// An instance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// Its name, by which steps call it.
    pub name: String,
    /// Whose agent it has.
    pub agent: AgentKind,
    /// The version that its agent passes for, whatever it says: four numbers with dots.
    pub agent_version: Option<String>,
    /// Its operating system: `Linux`, `Windows` or `FreeBSD`.
    pub os_type: Option<OsType>,
    /// Where it stands in its power cycle.
    pub status: Status,
    /// Ports that its security group denies.
    pub denied_ports: Vec<u16>,
    /// How its agent misbehaves, if it is axt's own: words of `axt agent --behave`, such as
    /// `["never_dials", "posts_late=5s"]` (docs/faults.md has all of them). With a share in front, such as
    /// `"30%:never_dials"`, of so many of the table's `count`; shares follow one another.
    pub behave: Vec<String>,
    /// So many of them, called `NAME-1` and so on; absent: one, called `NAME`.
    pub count: Option<u32>,
}

/// Whose agent an instance has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// One of axt's own, in the experiment's process.
    #[default]
    Own,
    /// The program of `[agent]`.
    Program,
    /// None at all.
    None,
}

/// The operating system of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs)] // their names say it
pub enum OsType {
    Linux,
    Windows,
    #[serde(rename = "FreeBSD")]
    FreeBsd,
}

/// The power state of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs)] // their names say it
pub enum Status {
    Pending,
    Starting,
    #[default]
    Running,
    Stopping,
    Stopped,
}

/// A server on the instances' side.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Its name, by which steps call it. Its number is a free one.
    pub name: String,
    /// What it does with what it is sent.
    #[serde(default)]
    pub does: PortKind,
}

/// What a server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PortKind {
    /// It sends back what it is sent.
    #[default]
    Echo,
    /// It reads, and says nothing.
    Swallow,
    /// It accepts, and closes at once.
    Close,
}

/// A program in the agent's place.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentProgram {
    /// The command line, run by `sh -c`. In it, and in the environment in capitals with `AXT_EXPERIMENT_`
    /// in front: `{server}` `{host}` `{instance}` `{key}` `{ca}` `{endpoint}` `{region}` `{activation_id}`
    /// `{activation_code}` `{axt}` `{folder}` `{proxy}`. One with `{activation_id}` in it registers: its instance is
    /// the one that comes of that.
    pub command: String,
    /// A command line that is run to its end before it, such as a registration.
    #[serde(default)]
    pub prepare: Option<String>,
    /// Whether it comes without a signature, as an official one that never registered; it is told apart
    /// by the instance that it names.
    #[serde(default)]
    pub unsigned: bool,
    /// How long it may take to come online, in link time; absent: 60 s.
    #[serde(default)]
    pub within: Option<Span>,
}

/// A program in the client's place.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientProgram {
    /// The command line, run on a terminal by the user's shell: as `[agent]`'s, and `{session}` `{url}`
    /// `{token}` of the session that it is started for.
    pub command: String,
    /// Whether it gets pipes instead of a terminal.
    #[serde(default)]
    pub pipes: bool,
}

impl Scenario {
    /// The limits, checked when it was read.
    #[must_use]
    pub fn limits(&self) -> Limits {
        check::limits(&self.limits).unwrap_or_default()
    }

    /// How rule time goes at the start.
    #[must_use]
    pub fn clock(&self) -> ClockMode {
        self.clock.unwrap_or(match self.class {
            Class::Simulated => ClockMode::Frozen,
            Class::Real => ClockMode::Running,
        })
    }

    /// A short name: the file's, without its ending.
    #[must_use]
    pub fn name(&self) -> String {
        let stem = self.file.file_stem();
        stem.map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }
}
