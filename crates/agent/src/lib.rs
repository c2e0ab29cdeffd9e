//! The Cloud Assistant agent: notify channel, shells, TCP.
//!
//! What lives here: signing in to the relay and being told of work, one runner for each channel, the
//! shell with its helper and its PTY, the TCP dial. What never does: a decision about who may have a
//! session, the API, the journal.

pub mod helper;
pub mod shell;
