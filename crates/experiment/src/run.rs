//! A run: step by step, with what was seen where it was not what was expected.

mod act;
mod expect;

use std::{fmt, path::PathBuf, time::Duration};

use axt_agent::shell::HelperProgram;
use axt_client::{admin::AdminCallError, api::CallError, session::OpenError};
use axt_net::link;
use axt_proto::{EventKind, Tick};
use axt_sandbox::TraceSettings;
use tokio_util::sync::CancellationToken;

use crate::{
    format::{Class, Scenario, Span, Step},
    report::{Failed, Report, StepReport},
    stage::{self, Stage},
    timeline::{Entry, Timeline},
};

/// How long a step may take, unless it says so. Link time.
pub const WITHIN: Span = Span::seconds(20);

/// What is beside a step's own limit, for what it does on its way out.
const MARGIN: Duration = Duration::from_secs(2);

/// What a run is told beside its scenario.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stands over the scenario's seed.
    pub seed: Option<u64>,
    /// What starts shells: of agents of axt's own, and of programs in the client's place.
    pub helper: HelperProgram,
    /// Where a trace of the run goes, if anywhere.
    pub trace: Option<TraceSettings>,
    /// The `axt` program, for command lines with `{axt}` in them.
    pub axt: PathBuf,
    /// Ends the run in order when it is cancelled.
    pub stop: CancellationToken,
}

/// What a run has come to: told to whoever shows its progress.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Everything is being started.
    Starting,
    /// A step begins.
    Step {
        /// Which, from 1.
        number: usize,
        /// Of how many.
        of: usize,
        /// What it is called.
        name: &'a str,
    },
}

/// What went wrong with something that was done, or was expected.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// The error's code, where it has one.
    pub(crate) code: Option<String>,
    /// What was expected, for an expectation.
    pub(crate) expected: Option<String>,
    /// What was seen, or what was wrong.
    pub(crate) seen: String,
    /// Whether it is that a terminal had ended.
    pub(crate) is_end: bool,
}

impl Trouble {
    pub(crate) fn plain(seen: impl Into<String>) -> Self {
        Self {
            code: None,
            expected: None,
            seen: seen.into(),
            is_end: false,
        }
    }

    /// A terminal takes no input any more.
    pub(crate) fn ended() -> Self {
        Self {
            is_end: true,
            ..Self::plain("the terminal takes no input: it has ended")
        }
    }

    pub(crate) fn coded(code: impl Into<String>, seen: impl fmt::Display) -> Self {
        Self {
            code: Some(code.into()),
            ..Self::plain(seen.to_string())
        }
    }

    pub(crate) fn unmet(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self {
            expected: Some(expected.into()),
            ..Self::plain(seen)
        }
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        match error {
            // Without the request's id, which is another on every run.
            CallError::Api(error) => {
                Self::coded(&error.code, format!("{}: {}", error.code, error.message))
            }
            other => Self::plain(other.to_string()),
        }
    }
}

impl From<AdminCallError> for Trouble {
    fn from(error: AdminCallError) -> Self {
        Self::plain(error.to_string())
    }
}

impl From<OpenError> for Trouble {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Call(error) => error.into(),
            OpenError::Refused { code, message } => {
                Self::coded(&code, format!("{code}: {message}"))
            }
            other => Self::plain(other.to_string()),
        }
    }
}

/// Runs a scenario on a runtime of its own: paused and on this thread alone for a simulated one, so
/// that the same seed gives the same timeline. Blocks until it is over.
///
/// # Errors
/// The system has no runtime to give.
pub fn run(
    scenario: &Scenario,
    options: &Options,
    watch: &mut (dyn FnMut(Progress<'_>) + Send),
) -> std::io::Result<Report> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all();
    if scenario.class == Class::Simulated {
        builder.start_paused(true);
    }
    let runtime = builder.build()?;
    Ok(runtime.block_on(Run::of(scenario, options, watch)))
}

/// A run under way.
struct Run {
    stage: Stage,
    start: Tick,
    timeline: Timeline,
    /// How many events are in the timeline.
    told: usize,
    /// From which event on expectations look.
    since: usize,
    /// When each step was over.
    marks: Vec<(String, Tick)>,
    steps: Vec<StepReport>,
}

impl Run {
    async fn of(
        scenario: &Scenario,
        options: &Options,
        watch: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Report {
        watch(Progress::Starting);
        let stage = tokio::select! {
            biased;
            () = options.stop.cancelled() => Err(Trouble::plain("it was stopped")),
            stage = stage::start(scenario, options) => stage,
        };
        let stage = match stage {
            Ok(stage) => stage,
            Err(trouble) => return Report::not_started(scenario, options, trouble.seen),
        };
        let mut run = Self {
            start: stage.sandbox.clock().now(),
            stage,
            timeline: Timeline::default(),
            told: 0,
            since: 0,
            marks: Vec::new(),
            steps: Vec::new(),
        };
        let failed = tokio::select! {
            biased;
            () = options.stop.cancelled() => Some(Failed::stopped()),
            failed = run.steps(scenario, watch) => failed,
        };
        run.report(scenario, options, failed).await
    }

    async fn steps(
        &mut self,
        scenario: &Scenario,
        watch: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Option<Failed> {
        for fault in &scenario.faults {
            if let Err(trouble) = self.add_fault(fault).await {
                return Some(Failed::of(0, "start", trouble));
            }
        }
        self.settle().await;
        self.tell_events();
        let of = scenario.steps.len();
        for (index, step) in scenario.steps.iter().enumerate() {
            let number = index.saturating_add(1);
            watch(Progress::Step {
                number,
                of,
                name: &step.name,
            });
            let began = self.now();
            self.timeline
                .add(Entry::step(self.ms(began), number, &step.name));
            let trouble = self.step(step).await.err();
            self.settle().await;
            self.tell_events();
            let over = self.now();
            self.marks.push((step.name.clone(), over));
            self.steps.push(StepReport {
                number,
                name: step.name.clone(),
                began_ms: self.ms(began),
                over_ms: self.ms(over),
                is_met: trouble.is_none(),
            });
            if let Some(trouble) = trouble {
                let failed = Failed::of(number, &step.name, trouble);
                self.timeline.add(Entry::failed(self.ms(over), &failed));
                return Some(failed);
            }
        }
        None
    }

    /// One step, within its limit.
    async fn step(&mut self, step: &Step) -> Result<(), Trouble> {
        // A wait is not what its own limit is about.
        let within =
            step.within.unwrap_or(WITHIN).0 + step.wait.map_or(Duration::ZERO, |span| span.0);
        let deadline = link::now() + within;
        if let Some((_, action)) = step.actions().first().copied() {
            self.since = self.stage.events.count();
            let done = link::timeout(within, self.act(action)).await;
            let late = || {
                let expected =
                    format!("`{}` to be done within {}", action_name(step), Span(within));
                Trouble::unmet(expected, "it goes on")
            };
            let done = match done.unwrap_or_else(|_| Err(late())) {
                // What is sent until the end that is expected need not be taken whole.
                Err(trouble) if trouble.is_end && step.expect_reason.is_some() => Ok(()),
                done => done,
            };
            expect::error(step.expect_error.as_deref(), done)?;
        }
        let rest = deadline.duration_since(link::now());
        match link::timeout(rest + MARGIN, self.expectations(step, deadline)).await {
            Ok(met) => met,
            Err(_) => Err(Trouble::plain(format!(
                "it was not over within {}",
                Span(within)
            ))),
        }
    }

    /// In a simulation, lets everything happen that needs no time to go by: a millisecond of link time
    /// passes only when every task waits for something else.
    async fn settle(&self) {
        if self.stage.scenario.class == Class::Simulated {
            link::sleep(Duration::from_millis(1)).await;
        }
    }

    fn now(&self) -> Tick {
        self.stage.sandbox.clock().now()
    }

    fn ms(&self, at: Tick) -> u64 {
        u64::try_from(at.since(self.start).as_millis()).unwrap_or(u64::MAX)
    }

    fn tell_events(&mut self) {
        for event in self.stage.events.since(self.told) {
            self.told = self.told.saturating_add(1);
            // A pause is told as one thing, not as all that it is made of.
            if matches!(&event.kind, EventKind::FaultInjected { fault, .. } if fault.starts_with(act::HOLD))
            {
                continue;
            }
            let at = self.ms(Tick::from_millis(event.at_ms));
            let entry = Entry::event(at, &event, &self.stage);
            self.timeline.add(entry);
        }
    }

    async fn report(
        mut self,
        scenario: &Scenario,
        options: &Options,
        failed: Option<Failed>,
    ) -> Report {
        self.settle().await;
        self.tell_events();
        let over_ms = self.ms(self.now());
        let report = Report::of(
            (scenario, options),
            (self.timeline, self.steps, self.stage.samples.all()),
            over_ms,
            failed,
        );
        let Stage {
            sandbox,
            terminals,
            agents,
            ..
        } = self.stage;
        drop(terminals);
        drop(agents);
        sandbox.shutdown().await;
        report
    }
}

fn action_name(step: &Step) -> &'static str {
    step.actions().first().map_or("step", |(name, _)| name)
}
