//! The session API through the real listener, with signed calls.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "../harness/mod.rs"]
mod harness;

mod actions;
mod bytes;
mod callers;
mod calls;
mod commands;
mod errors;
mod hosts;
mod order;
mod probe;
mod rates;
mod raw;
mod registration;
mod reports;
mod tokens;
