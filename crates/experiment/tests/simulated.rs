//! The scenarios that ship, run one by one, and what is told of them.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use axt_agent::shell::HelperProgram;
use axt_experiment::{Class, Options, Report, gallery, run};

fn run_shipped(name: &str) -> Report {
    let scenario = gallery::scenario(name).expect("there");
    let scenario = scenario.unwrap_or_else(|problem| panic!("{problem}"));
    let options = Options {
        seed: None,
        helper: HelperProgram::default(),
        axt: "axt".into(),
        stop: tokio_util::sync::CancellationToken::new(),
    };
    run(&scenario, &options, &mut |_| {}).expect("a runtime")
}

#[test]
fn every_simulated_scenario_that_ships_goes_as_it_says() {
    // One of them, for who writes one: `AXT_EXPERIMENT=idle-timeout`.
    let one = std::env::var("AXT_EXPERIMENT").ok();
    let mut failures = Vec::new();
    for name in gallery::names() {
        let scenario = gallery::scenario(name).expect("there");
        let class = scenario.map(|scenario| scenario.class);
        let is_meant = one.as_ref().is_none_or(|one| one == name);
        if class != Ok(Class::Simulated) || !is_meant {
            continue;
        }

        let report = run_shipped(name);

        if let Some(failed) = &report.failed {
            println!("{name}\n{}", report.timeline.text());
            failures.push(format!("{name}: {failed}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
