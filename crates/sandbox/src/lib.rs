//! Relay, agents and clients started together, on sockets or in memory.

pub mod state;

pub use state::{StateDir, StateError};
