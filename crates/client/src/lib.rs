//! The client's side: finding a sandbox, calling its API, opening a terminal on an instance,
//! forwarding ports to it, and finding out which of that does not work.
//!
//! What lives here: discovery by ready file, flags and environment; signed API calls; the admin
//! API's calls; the terminal's raw mode, size and signals; and the session over any pair of byte
//! streams, so that the same code serves a person's terminal, a pipe and the simulation; recordings
//! of it; and forwarded ports ([`forward`]).
//!
//! What never does: the inside of the relay or the agent, flags, and printing.

pub mod admin;
pub mod api;
pub mod discover;
pub mod doctor;
pub mod forward;
pub mod instance;
pub mod recording;
pub mod session;
pub mod terminal;

pub use admin::Admin;
pub use api::{Api, ApiError, CallError};
pub use discover::{DiscoverError, Target, Wanted};
