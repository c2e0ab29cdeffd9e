//! JUnit XML, as build servers read it: a suite a scenario, a case a step.

use quick_xml::se::Serializer;
use serde::Serialize;

use crate::report::Report;

#[derive(Serialize)]
#[serde(rename = "testsuites")]
struct Suites {
    #[serde(rename = "@name")]
    name: &'static str,
    #[serde(rename = "@tests")]
    tests: usize,
    #[serde(rename = "@failures")]
    failures: usize,
    testsuite: Vec<Suite>,
}

#[derive(Serialize)]
struct Suite {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@tests")]
    tests: usize,
    #[serde(rename = "@failures")]
    failures: usize,
    #[serde(rename = "@time")]
    time: String,
    testcase: Vec<Case>,
    #[serde(rename = "system-out")]
    output: String,
}

#[derive(Serialize)]
struct Case {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@classname")]
    class: String,
    /// Rule time, in seconds.
    #[serde(rename = "@time")]
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

#[derive(Serialize)]
struct Failure {
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "$text")]
    text: String,
}

/// The runs as JUnit XML. Times are rule time, so that a simulated scenario gives the same file on
/// every run.
#[must_use]
pub fn xml(reports: &[Report]) -> String {
    let suites: Vec<Suite> = reports.iter().map(suite).collect();
    let whole = Suites {
        name: "axt experiment",
        tests: suites.iter().map(|suite| suite.tests).sum(),
        failures: suites.iter().map(|suite| suite.failures).sum(),
        testsuite: suites,
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut serializer = Serializer::new(&mut text);
    serializer.indent(' ', 2);
    // Texts and numbers alone: there is nothing in it that XML could not say.
    if let Err(error) = whole.serialize(serializer) {
        tracing::warn!(%error, "the JUnit file is not whole");
    }
    text.push('\n');
    text
}

fn suite(report: &Report) -> Suite {
    let mut cases: Vec<Case> = report
        .steps
        .iter()
        .map(|step| Case {
            name: format!("{}. {}", step.number, step.name),
            class: report.name.clone(),
            time: seconds(step.over_ms.saturating_sub(step.began_ms)),
            failure: None,
        })
        .collect();
    if let Some(failed) = &report.failed {
        let failure = Failure {
            message: printable(&failed.to_string()),
            text: printable(&report.timeline.text()),
        };
        let number = failed.step.checked_sub(1);
        match number.and_then(|index| cases.get_mut(index)) {
            Some(case) => case.failure = Some(failure),
            None => cases.push(Case {
                name: failed.name.clone(),
                class: report.name.clone(),
                time: seconds(0),
                failure: Some(failure),
            }),
        }
    }
    Suite {
        name: report.name.clone(),
        tests: cases.len(),
        failures: usize::from(report.failed.is_some()),
        time: seconds(report.over_ms),
        testcase: cases,
        output: printable(&report.timeline.text()),
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// Without what XML cannot hold at all.
fn printable(text: &str) -> String {
    let is_fine = |c: &char| *c == '\n' || *c == '\t' || !c.is_control();
    text.chars().filter(is_fine).collect()
}
