//! Each part runs and tells its figures; what they come to is not looked at.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // helpers of tests

use std::process::Command;

use serde_json::Value;

fn figures(part: &str, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_axt-bench"));
    bench
        .arg(part)
        .args(more)
        .arg("--smoke")
        .arg("--json")
        .arg(&json);

    let output = bench.output().expect("it runs");

    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(!output.stdout.is_empty(), "there is a table");
    let text = std::fs::read(&json).expect("there is JSON");
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    report["figures"].as_array().expect("figures").clone()
}

#[test]
fn the_api_is_measured_beside_the_journal_alone() {
    let figures = figures("api", &["--callers", "4"]);

    let told: Vec<(&str, &str)> = figures
        .iter()
        .map(|figure| {
            (
                figure["measure"].as_str().expect("a text"),
                figure["what"].as_str().expect("a text"),
            )
        })
        .collect();
    let expected = [
        ("API", "pairs"),
        ("API", "a call, p50"),
        ("API", "a call, p99"),
        ("journal alone", "pairs"),
        ("journal alone", "a commit, p50"),
        ("journal alone", "a commit, p99"),
    ];
    assert_eq!(told, expected);
    for figure in &figures {
        assert!(
            figure["median"].as_f64().is_some_and(|median| median > 0.0),
            "{figure}"
        );
    }
}
