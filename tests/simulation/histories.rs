//! Random histories of hours, by a seed: the sandbox beside a model of the rules as one would say
//! them, compared after each step. Agents, the relay and websockets are lost in it ([`faults`]), and the
//! relay goes on from its journal.
//!
//! A seed that fails is printed; `AXT_SIM_SEED=N` runs that one alone, and prints what it does.
#![allow(clippy::print_stderr)] // the seed, and what it did

mod faults;

use std::{env, fs, process::Command, time::Duration};

use axt_client::{
    api::CallError,
    session::{self, OpenError, Started, Why},
};
use axt_net::link;
use axt_proto::{Limits, Reason, Tick};
use axt_sandbox::{Sandbox, SandboxConfig, terminal::Terminal};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    harness::{settings, start, until},
    simulated,
};

const SEEDS: u64 = 12;
const STEPS: usize = 80;

const SESSIONS: usize = 6;
const CONNECTIONS: usize = 4;
const URL_VALIDITY: Duration = Duration::from_secs(600);
const IDLE: Duration = Duration::from_secs(180);

/// A session as the model knows it.
struct Known {
    id: String,
    /// Nothing when its answer was lost with the relay.
    started: Option<Started>,
    created: Tick,
    is_ended: bool,
}

/// A connection that is live, as the model knows it.
struct Live {
    session: usize,
    terminal: Terminal,
    last_data: Tick,
}

struct Simulation {
    sandbox: Sandbox,
    random: StdRng,
    sessions: Vec<Known>,
    live: Vec<Live>,
    has_agent: bool,
    trace: Trace,
    /// The last event that is in the trace.
    seen: u64,
}

/// What was done and what came of it; told when a panic comes through here.
struct Trace {
    seed: u64,
    lines: Vec<String>,
}

impl Trace {
    fn note(&mut self, line: String) {
        if env::var_os("AXT_SIM_SEED").is_some() {
            eprintln!("{line}");
        }
        self.lines.push(line);
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let step = self.lines.last();
            eprintln!(
                "AXT_SIM_SEED={} replays it; last it did {step:?}",
                self.seed
            );
        }
    }
}

impl Simulation {
    async fn new(seed: u64) -> Self {
        let limits = Limits {
            sessions_per_region: u32::try_from(SESSIONS).expect("fits"),
            connections_per_instance: u32::try_from(CONNECTIONS).expect("fits"),
            ..settings().limits
        };
        let sandbox = start(SandboxConfig {
            limits,
            ..simulated(seed)
        })
        .await;
        Self {
            sandbox,
            random: StdRng::seed_from_u64(seed),
            sessions: Vec::new(),
            live: Vec::new(),
            has_agent: true,
            trace: Trace {
                seed,
                lines: Vec::new(),
            },
            seen: 0,
        }
    }

    fn now(&self) -> Tick {
        self.sandbox.clock().now()
    }

    fn pick(&mut self, of: usize) -> Option<usize> {
        (of > 0).then(|| self.random.random_range(0..of))
    }

    async fn step(&mut self) {
        let did = match self.random.random_range(0..16) {
            0..=2 => self.start().await,
            3..=5 => self.connect().await,
            6..=7 => self.talk().await,
            8 => self.exit().await,
            9 => self.hang_up(),
            10 => self.end().await,
            11 => self.lose_or_start_agent().await,
            12 => self.restart_relay().await,
            13 => self.crash().await,
            14 => self.cut().await,
            _ => self.advance().await,
        };
        self.compare().await;
        let events = self.news().await;
        let now = self.now().as_millis();
        self.trace.note(format!("{now} {did} | {events}"));
    }

    async fn start(&mut self) -> String {
        let is_full = self.active() >= SESSIONS;
        match self.sandbox.start_session().await {
            Ok(started) => {
                assert!(!is_full, "one more than may be");
                let line = format!("start {}", started.id);
                self.sessions.push(Known {
                    id: started.id.clone(),
                    started: Some(started),
                    created: self.now(),
                    is_ended: false,
                });
                line
            }
            Err(OpenError::Call(CallError::Api(error))) => {
                let is_instance_full = self.live.len() >= CONNECTIONS;
                // One that is away for long is refused as well.
                let is_refused = is_full || is_instance_full || !self.has_agent;
                assert!(is_refused, "{error}");
                format!("start: {}", error.code)
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn connect(&mut self) -> String {
        let Some(at) = self.pick(self.sessions.len()) else {
            return "no session to connect to".to_owned();
        };
        let known = &self.sessions[at];
        let Some(started) = known.started.clone() else {
            return format!("nobody knows the URL of {}", known.id);
        };
        let expected = if known.is_ended {
            Some("SessionUrl.Ended")
        } else if self.now().since(known.created) >= URL_VALIDITY {
            Some("SessionUrl.Expired")
        } else if self.live.len() >= CONNECTIONS {
            Some("SessionCount.ExceedLimit")
        } else {
            None
        };
        let id = known.id.clone();
        match self.sandbox.terminal(&started).await {
            Ok(terminal) if !self.has_agent => {
                assert_eq!(expected, None, "{id} was let in");
                link::sleep(link::KICK_WINDOW).await;
                let (ended, _) = terminal.end().await.expect("an end");
                assert_eq!(ended.why, Why::Told(Reason::AgentTimeout));
                format!("connect to {id}: no agent")
            }
            Ok(mut terminal) => {
                assert_eq!(expected, None, "{id} was let in");
                terminal.expect("$ ").await.expect("a prompt");
                self.live.push(Live {
                    session: at,
                    terminal,
                    last_data: self.now(),
                });
                format!("connect to {id}")
            }
            Err(OpenError::Refused { code, .. }) => {
                assert_eq!(expected, Some(code.as_str()), "{id}");
                format!("connect to {id}: {code}")
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn talk(&mut self) -> String {
        let Some(at) = self.pick(self.live.len()) else {
            return "nobody to talk to".to_owned();
        };
        self.talk_to(at).await
    }

    async fn talk_to(&mut self, at: usize) -> String {
        let word = format!("word{}", self.random.random_range(0..1_000));
        let now = self.now();
        let live = &mut self.live[at];
        live.terminal
            .type_line(&format!("echo {word}"))
            .await
            .expect("typed");
        live.terminal
            .expect(&format!("\r\n{word}"))
            .await
            .expect("said");
        live.terminal.expect("$ ").await.expect("a prompt");
        live.last_data = now;
        format!("talk: {word}")
    }

    async fn exit(&mut self) -> String {
        let Some(at) = self.pick(self.live.len()) else {
            return "nobody to leave".to_owned();
        };
        let mut live = self.live.swap_remove(at);
        live.terminal.type_line("exit").await.expect("typed");
        expect_end(live, Reason::Exit).await;
        "exit".to_owned()
    }

    fn hang_up(&mut self) -> String {
        let Some(at) = self.pick(self.live.len()) else {
            return "nobody to hang up on".to_owned();
        };
        drop(self.live.swap_remove(at));
        "hang up".to_owned()
    }

    async fn end(&mut self) -> String {
        let Some(at) = self.pick(self.sessions.len()) else {
            return "no session to end".to_owned();
        };
        let id = self.sessions[at].id.clone();
        session::end(self.sandbox.api(), &id).await;
        self.sessions[at].is_ended = true;
        for live in self.take(|live| live.session == at) {
            expect_end(live, Reason::EndTerminalSession).await;
        }
        format!("end {id}")
    }

    async fn advance(&mut self) -> String {
        let spans = [1, 59_000, 179_999, 180_000, 599_999, 600_000, 3_600_000];
        let by = Duration::from_millis(spans[self.random.random_range(0..spans.len())]);
        self.sandbox.clock().advance(by).await.expect("moved");
        let now = self.now();
        for live in self.take(|live| now.since(live.last_data) >= IDLE) {
            expect_end(live, Reason::IdleTimeout).await;
        }
        format!("advance {by:?}")
    }

    /// Takes out those for which it holds, in order.
    fn take(&mut self, is_it: impl Fn(&Live) -> bool) -> Vec<Live> {
        let (taken, kept) = std::mem::take(&mut self.live).into_iter().partition(is_it);
        self.live = kept;
        taken
    }

    /// Sessions that count, as the rule says it (limits-and-semantics 2).
    fn active(&self) -> usize {
        let now = self.now();
        let counts = |(at, known): &(usize, &Known)| {
            let is_open = now.since(known.created) < URL_VALIDITY;
            let is_in_use = self.live.iter().any(|live| live.session == *at);
            !known.is_ended && (is_open || is_in_use)
        };
        self.sessions.iter().enumerate().filter(counts).count()
    }

    /// The relay's counts become the model's, and its own books are in order.
    async fn compare(&self) {
        let expected = (self.active(), self.live.len());
        until("the model's counts", || async {
            self.sandbox.check().await.expect("the invariants hold");
            let limits = self.sandbox.admin().limits().await.expect("an answer");
            let used = |name: &str| usize::try_from(limits[name].used.expect("counted"));
            let sessions = used("sessions_per_region").expect("fits");
            let connections = used("connections_per_instance").expect("fits");
            ((sessions, connections) == expected).then_some(())
        })
        .await;
    }

    /// What has happened since this was last asked.
    async fn news(&mut self) -> String {
        let events = self.sandbox.events(self.seen).await;
        let mut line = Vec::new();
        for event in events {
            self.seen = event.seq;
            let about = event.connection.map_or_else(
                || event.session.as_ref().map(ToString::to_string),
                |connection| Some(connection.to_string()),
            );
            let at = event.at.as_millis();
            line.push(format!(
                "{at} {} {}",
                event.kind.name(),
                about.unwrap_or_default()
            ));
        }
        line.join(", ")
    }

    async fn run(seed: u64) -> Vec<String> {
        let mut simulation = Self::new(seed).await;
        for _ in 0..STEPS {
            simulation.step().await;
        }
        let Self {
            sandbox,
            live,
            mut trace,
            ..
        } = simulation;
        drop(live);
        sandbox.shutdown().await;
        std::mem::take(&mut trace.lines)
    }
}

async fn expect_end(live: Live, reason: Reason) {
    let (ended, _) = live.terminal.end().await.expect("an end");
    assert_eq!(ended.why, Why::Told(reason));
}

#[tokio::test(start_paused = true)]
async fn every_history_goes_as_the_rules_say_and_hours_pass_in_it() {
    let one = env::var("AXT_SIM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds = one.map_or(0..SEEDS, |seed: u64| seed..seed + 1);

    for seed in seeds {
        Simulation::run(seed).await;
    }
}

/// Run again by the test below as two processes, each of which writes down what it did.
const TRACE: &str = "AXT_SIM_TRACE";

#[tokio::test(start_paused = true)]
async fn a_seed_gives_the_same_trace_in_every_process() {
    const NAME: &str = "histories::a_seed_gives_the_same_trace_in_every_process";
    if let Some(path) = env::var_os(TRACE) {
        let trace = Simulation::run(7).await.join("\n");
        fs::write(path, trace).expect("written");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let this = env::current_exe().expect("this test");
    let trace = |name: &str| {
        let path = folder.path().join(name);
        let mut process = Command::new(&this);
        let process = process.args(["--exact", NAME]).env(TRACE, &path);
        let output = process.output().expect("it runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::read_to_string(path).expect("a trace")
    };

    let (first, second) = (trace("first"), trace("second"));

    assert_eq!(first.lines().count(), STEPS);
    for (first, second) in first.lines().zip(second.lines()) {
        assert_eq!(first, second);
    }
}
