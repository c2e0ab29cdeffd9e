//! Each part runs and tells its figures; what they come to is not looked at.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // helpers of tests

use std::{fs, path::Path, process::Command};

use serde_json::Value;

fn figures(command: &str, more: &[&str], folder: &Path) -> Vec<Value> {
    let json = folder.join("figures.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_axt-bench"));
    bench
        .arg(command)
        .args(more)
        .arg("--quick")
        .arg("--json")
        .arg(&json);

    let output = bench.output().expect("it runs");

    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(!output.stdout.is_empty(), "there is a table");
    let text = fs::read(&json).expect("there is JSON");
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    report["figures"].as_array().expect("figures").clone()
}

fn names(figures: &[Value]) -> Vec<(&str, &str)> {
    let text = |figure: &'_ Value, of: &str| figure[of].as_str().map(ToOwned::to_owned);
    assert!(figures.iter().all(|figure| text(figure, "unit").is_some()));
    figures
        .iter()
        .map(|figure| {
            (
                figure["measure"].as_str().expect("a text"),
                figure["what"].as_str().expect("a text"),
            )
        })
        .collect()
}

#[test]
fn the_api_is_measured_beside_the_journal_alone() {
    let folder = tempfile::tempdir().expect("a folder");

    let figures = figures("api", &["--callers", "4"], folder.path());

    let expected = [
        ("API", "pairs"),
        ("API", "a call, p50"),
        ("API", "a call, p99"),
        ("journal alone", "pairs"),
        ("journal alone", "a commit, p50"),
        ("journal alone", "a commit, p99"),
    ];
    assert_eq!(names(&figures), expected);
    for figure in &figures {
        assert!(
            figure["median"].as_f64().is_some_and(|median| median > 0.0),
            "{figure}"
        );
    }
}

/// The real `axt`, which the workspace's tests build, against the baselines; other people's programs
/// may or may not be there.
#[test]
fn every_part_is_measured_and_a_page_with_plots_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("benchmarks.md");

    let flags = ["--no-peers", "--markdown", page.to_str().expect("a text")];
    let figures = figures("run", &flags, folder.path());

    let names = names(&figures);
    for expected in [
        ("bulk up, 1 connection", "axt"),
        ("bulk up, 1 connection", "one TLS segment"),
        ("bulk up, 1 connection", "axt ÷ two TLS segments"),
        ("bulk down, 8 connections", "axt"),
        ("processor time of bulk down, 1 connection", "axt"),
        ("echo of 64 bytes, p50", "axt − one TLS segment"),
        ("set-up to the first echoed byte, p99", "two TLS segments"),
        ("session to its first byte, p50", "axt − the shell alone"),
        ("a limit of 204,800 B/s, saturated", "down, off by"),
        ("API", "pairs"),
        ("memory of an idle connection, of 10", "axt: relay"),
        ("memory of an idle connection, of 20", "axt: agent"),
        (
            "growth of the peak, 10 connections a second time",
            "axt: client",
        ),
        ("axt up, to ready", "later"),
        ("the program", "size"),
        ("axt up with 5 instances", "memory, idle"),
    ] {
        assert!(
            names.contains(&expected),
            "{expected:?} is not in {names:#?}"
        );
    }
    for figure in &figures {
        assert!(
            figure["median"].as_f64().is_some_and(f64::is_finite),
            "{figure}"
        );
    }
    let page = fs::read_to_string(page).expect("there is a page");
    assert!(
        page.contains("![Bulk throughput, MB/s](benchmarks/bulk.svg)"),
        "{page}"
    );
    let plot = fs::read_to_string(folder.path().join("benchmarks/memory.svg"));
    assert!(plot.expect("there is a plot").contains("axt: relay"));
}
