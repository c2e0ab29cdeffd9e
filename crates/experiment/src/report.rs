//! What came of a run.

use std::fmt;

use serde::Serialize;

use crate::{
    format::{Class, Scenario},
    run::{Options, Trouble},
    stage::samples::Sample,
    timeline::Timeline,
};

/// What came of a run, as `--json` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's short name: its file's.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its class.
    pub class: &'static str,
    /// The seed that it was run with, if there was one.
    pub seed: Option<u64>,
    /// What was not met; absent: all was.
    pub failed: Option<Failed>,
    /// The steps that were carried out.
    pub steps: Vec<StepReport>,
    /// How much rule time has gone by, in milliseconds.
    pub over_ms: u64,
    /// What happened.
    pub timeline: Timeline,
    /// The rule's events of each session, in order.
    pub rules: std::collections::BTreeMap<String, Vec<String>>,
    /// What went through the terminals; in a simulated scenario only, for elsewhere it is the machine's
    /// own affair.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// The same for the picture, which is compared with nothing: of a real scenario too.
    #[serde(skip)]
    pub drawn: Vec<Sample>,
    /// The bandwidth's limit, in payload bytes a second; 0 is none.
    pub bandwidth_bytes_per_s: u32,
}

/// A step that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Which, from 1.
    pub number: usize,
    /// What it is called.
    pub name: String,
    /// When it began, in milliseconds of rule time since the start.
    pub began_ms: u64,
    /// When it was over.
    pub over_ms: u64,
    /// Whether it went as the scenario says.
    pub is_met: bool,
}

/// What was not met: the step, what was expected, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Which step, from 1; 0 when nothing could be started.
    pub step: usize,
    /// What it is called.
    pub name: String,
    /// What was expected; absent: that it works.
    pub expected: Option<String>,
    /// What was seen.
    pub seen: String,
}

impl Failed {
    pub(crate) fn of(step: usize, name: &str, trouble: Trouble) -> Self {
        Self {
            step,
            name: name.to_owned(),
            expected: trouble.expected,
            seen: trouble.seen,
        }
    }

    pub(crate) fn stopped() -> Self {
        Self {
            step: 0,
            name: "stopped".to_owned(),
            expected: None,
            seen: "it was stopped".to_owned(),
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            0 => {}
            number => write!(out, "step {number}, \"{}\": ", self.name)?,
        }
        match &self.expected {
            Some(expected) => write!(out, "expected {expected}; seen: {}", self.seen),
            None => out.write_str(&self.seen),
        }
    }
}

impl Report {
    pub(crate) fn not_started(scenario: &Scenario, options: &Options, why: String) -> Self {
        let failed = Failed {
            step: 0,
            name: "start".to_owned(),
            expected: None,
            seen: format!("cannot start it: {why}"),
        };
        let nothing = (Timeline::default(), Vec::new(), Vec::new());
        Self::of((scenario, options), nothing, 0, Some(failed))
    }

    pub(crate) fn of(
        (scenario, options): (&Scenario, &Options),
        (timeline, steps, samples): (Timeline, Vec<StepReport>, Vec<Sample>),
        over_ms: u64,
        failed: Option<Failed>,
    ) -> Self {
        Self {
            name: scenario.name(),
            title: scenario.title.clone(),
            class: scenario.class.name(),
            seed: options.seed.or(scenario.seed),
            failed,
            steps,
            over_ms,
            rules: timeline.rules(),
            timeline,
            samples: match scenario.class {
                Class::Simulated => samples.clone(),
                Class::Real => Vec::new(),
            },
            drawn: samples,
            bandwidth_bytes_per_s: scenario.limits().bandwidth_bytes_per_s,
        }
    }
}
