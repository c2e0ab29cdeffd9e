//! Relay, agents and clients started together, on sockets or in memory.
//!
//! What lives here: the state folder and what is kept in it, the start of a whole region in its
//! order, its orderly end, and a terminal that a program drives by lines. `axt up`, the end-to-end
//! tests and the simulation all stand on [`Sandbox`].
//!
//! What never does: flags, settings files, output, and rules.

mod behaving;
mod config;
mod error;
mod ground;
mod kept;
pub mod lone;
mod recorders;
mod relay;
mod sandbox;
mod simulated;
mod sockets;
pub mod state;
pub mod terminal;

pub use behaving::{BadBehaving, Behaving, Whose, behaviours};
pub use config::{ClockStart, Listen, SandboxConfig, State, TraceSettings, Traits, Transport};
// What a configuration is made of, so that nobody above needs to see the relay.
pub use axt_relay::{
    AccountSettings, Followed, Follower, InstanceSpec, InstanceStatus, OsType, RegionPatch,
    RegionSettings, Urls,
};
pub use error::StartError;
pub use ground::JOURNAL;
pub use sandbox::Sandbox;
pub use state::{StateDir, StateError};
