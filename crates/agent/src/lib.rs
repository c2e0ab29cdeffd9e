//! The Cloud Assistant agent: notify channel, shells, TCP.
//!
//! What lives here: signing in to the relay and being told of work, one runner for each channel and
//! one for each command, the shell with its helper and its PTY, the TCP dial, and the first process of a
//! container ([`init`]). What never does: a decision about who may have a
//! session, the API, the journal.
//!
//! ```text
//!  Agent ── notify ──▶ channels ──▶ channel (runner) ──▶ target: shell ──▶ helper
//!    ├───── beat           │ └▶ commands (a runner each) ──▶     port
//!    └───── telemetry      ▼            ▼    │                   script
//!                        calls      datalink └── proto::channel (decides)
//! ```

mod agent;
mod beat;
pub mod behaviour;
mod calls;
mod channel;
mod channels;
mod commands;
mod config;
mod datalink;
mod follow;
pub mod helper;
pub mod init;
mod machine;
mod notify;
mod outage;
mod puppet;
mod registration;
pub mod shell;
mod target;
mod telemetry;

pub use agent::Agent;
pub use behaviour::Behaviour;
pub use config::{AGENT_VERSION, AgentConfig, Shells, Surroundings};

pub use machine::{Machine, machine_id};
pub use puppet::{Puppet, PuppetError};
pub use registration::{Registration, RegistrationError, deregister, register};
