//! Both control planes as data.
//!
//! What lives here: the agents' plane ([`luban`]: paths, headers, serde types, signing and
//! verifying, notify commands) and ours ([`admin`]: the ready file, the admin API, the event line).
//!
//! What never does: sockets, and the knowledge of who is connected.

pub mod admin;
pub mod luban;
pub mod words;
