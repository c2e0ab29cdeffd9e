//! The rules, one by one; and random histories on the registry and on a naive model of it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod admission;
mod commands;
mod connections;
mod history;
mod idempotency;
mod model;
mod naive;
mod nearest;
mod registration;
mod restart;
mod world;
