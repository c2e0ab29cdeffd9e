//! The scenarios that ship, run one by one, and what is told of them.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests

use std::{env, fs, path::Path};

use axt_agent::shell::HelperProgram;
use axt_experiment::{Class, Options, Report, format::reference, gallery, run};

fn run_shipped(name: &str) -> Report {
    let scenario = gallery::scenario(name).expect("there");
    let scenario = scenario.unwrap_or_else(|problem| panic!("{problem}"));
    let options = Options {
        seed: None,
        trace: None,
        helper: HelperProgram::default(),
        axt: "axt".into(),
        stop: tokio_util::sync::CancellationToken::new(),
    };
    run(&scenario, &options, &mut |_| {}).expect("a runtime")
}

#[test]
fn every_simulated_scenario_that_ships_goes_as_it_says() {
    // One of them, for who writes one: `AXT_EXPERIMENT=idle-timeout`.
    let one = env::var("AXT_EXPERIMENT").ok();
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

const BEGIN: &str = "<!-- reference: made from the schema by a test -->\n";
const END: &str = "<!-- end of the reference -->\n";

#[test]
fn the_documentation_has_every_key_of_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/experiments.md");
    let text = fs::read_to_string(&path).expect("there");
    let (before, rest) = text.split_once(BEGIN).expect("its beginning");
    let (shown, after) = rest.split_once(END).expect("its end");

    let reference = reference::markdown();

    if env::var_os("AXT_UPDATE").is_some() {
        let whole = format!("{before}{BEGIN}{reference}{END}{after}");
        fs::write(&path, whole).expect("written");
        return;
    }
    assert!(shown == reference, "AXT_UPDATE=1 writes it");
}

#[test]
fn every_key_of_the_reference_says_what_it_means() {
    for line in reference::markdown().lines() {
        let is_silent = line.starts_with("| `") && line.ends_with("|  |");
        assert!(!is_silent, "{line}");
    }
}
