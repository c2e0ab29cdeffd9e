//! The relay is killed in the middle of traffic and started again on the same state folder: nothing
//! that it had answered for is lost, and nothing is counted that is gone (design, "Failure").
//!
//! The moment is chance's: so many answers after the start, by a seed that is printed. Five rounds
//! are run; AXT_KILL_SEEDS=30 runs more, AXT_KILL_SEED=N begins with that seed.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests
#![allow(clippy::print_stderr)] // the seeds

#[path = "../harness/process.rs"]
mod process;

mod forward;
mod load;
mod place;

use std::env;

use load::{Load, Seen};
use place::Place;

/// The number that a variable of the environment holds.
fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_relay_that_is_killed_at_any_moment_is_right_when_it_is_back() {
    let rounds = number("AXT_KILL_SEEDS").unwrap_or(5);
    let first = number("AXT_KILL_SEED").unwrap_or_else(|| rand::random_range(0..1_000_000));
    let mut place = Place::new();
    let mut seen = Seen::default();

    for seed in first..first + rounds {
        eprintln!("AXT_KILL_SEED={seed}");
        let load = Load::start(&place, seed);
        load.kill_in_the_middle(&mut place).await;
        seen.add(load.over().await);

        let before = place.kill_time();
        place.restart();

        place.shows_a_time_not_before(before);
        place.counts_what_is_left(&seen);
        place.agent_is_back();
        place.forward_carries_on().await;
        seen.sessions_are_all_there(&place).await;
        seen.urls_are_what_they_were(&place).await;
        seen.connections_say_why_they_ended(&place).await;
    }
}
