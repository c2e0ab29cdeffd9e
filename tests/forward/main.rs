//! Forwarded ports, through the real parts: where they lead, how they go on, and the command itself.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "../harness/mod.rs"]
mod harness;

mod command;
mod given;
mod official;
mod piped;
mod process;
mod proxy;
mod quiet;
mod refusals;
mod renewal;
mod status;
mod ways;
