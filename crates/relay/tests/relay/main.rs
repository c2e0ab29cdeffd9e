//! The relay with a scripted client and a scripted agent, in memory: what each of them sees.
//!
//! Link time is paused and jumps ahead when nothing else is to do; rule time is frozen until a
//! test moves it. The real programs and real sockets are in the workspace's own tests.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod admin;
mod admission;
mod bandwidth;
mod commands;
mod control;
mod cuts;
mod deadlines;
mod ends;
mod harness;
mod idle;
mod managed;
mod metadata;
mod official;
mod pairs;
mod peers;
mod presence;
mod programs;
mod refusals;
mod samples;
mod tasks;
