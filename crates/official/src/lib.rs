//! Peers that behave as the official programs do, written from the specification, for tests.
//!
//! What lives here: the official agent ([`OfficialAgent`]) and the official client
//! ([`OfficialClient`]) with their framings, their slowness and their faults, all on link time. They
//! share nothing with our own framings and machines, so that a mistake there is not made twice.
//! Whatever the real program would choke on is a [`Complaint`](Complaints), and a peer that has one
//! fails its test when it is dropped. The third peer is the service itself ([`StrictRelay`]), for our own
//! agent.
//!
//! What never does: anything that a program of ours needs. It is a dependency of tests alone.

// Peers of tests: what cannot go on fails the test.
#![allow(clippy::expect_used, clippy::panic)]

pub mod agent;
pub mod client;
mod complaints;
pub mod relay;
mod socket;
pub mod wire;

pub use agent::{AgentSetup, OfficialAgent};
pub use client::OfficialClient;
pub use complaints::Complaints;
pub use relay::StrictRelay;
pub use socket::Network;
