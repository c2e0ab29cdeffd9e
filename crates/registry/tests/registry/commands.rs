//! Commands: what is refused, how runs go on, and what is kept of them.

use std::{collections::BTreeMap, time::Duration};

use axt_proto::{InstanceId, InvocationId, Limits, Secret};
use axt_registry::{
    CommandKind, CommandSpec, Effect, InstanceSpec, InstanceStatus, InvokeRefusal, InvokeRequest,
    OsType, Run, RunNews, RunReport, RunStatus,
};
use proptest::prelude::*;

use crate::world::{ACCOUNT, REGION, World, id};

fn script() -> CommandSpec {
    CommandSpec {
        kind: CommandKind::RunShellScript,
        content: Secret::new("dHJ1ZQ=="),
        name: String::new(),
        description: String::new(),
        timeout_s: 60,
        working_directory: String::new(),
        username: String::new(),
        password_name: String::new(),
        has_parameters: false,
    }
}

fn on(instances: &[&str]) -> InvokeRequest {
    InvokeRequest {
        account: id(ACCOUNT),
        region: id(REGION),
        spec: script(),
        command: id("c-1"),
        keep: None,
        instances: instances.iter().map(|one| id(one)).collect(),
    }
}

fn news(news: RunNews, output: &[u8]) -> RunReport {
    RunReport {
        news,
        output: output.to_vec(),
        position: None,
        dropped: None,
    }
}

impl World {
    fn invoke(&mut self, request: &InvokeRequest, fresh: &str) -> Result<(), InvokeRefusal> {
        let (answer, changes) = self.registry.invoke(self.now, request, id(fresh));
        self.take(changes);
        answer.map(drop)
    }

    fn report(&mut self, instance: &str, invocation: &str, report: RunReport) {
        let changes = self
            .registry
            .run_reported(self.now, &id(instance), &id(invocation), report);
        self.take(changes);
    }

    fn overdue(&mut self, instance: &str, invocation: &str) {
        let changes = self
            .registry
            .run_overdue(self.now, &id(instance), &id(invocation));
        self.take(changes);
    }

    fn agent_restarted(&mut self, instance: &str) {
        let changes = self.registry.agent_restarted(self.now, &id(instance));
        self.take(changes);
    }

    fn stop(&mut self, invocation: &str) {
        let (answer, changes) = self.registry.stop_invocation(self.now, &id(invocation));
        self.take(changes);
        answer.expect("an invocation");
    }

    fn run(&self, invocation: &str, instance: &str) -> Option<Run> {
        let (invocation, instance): (InvocationId, InstanceId) = (id(invocation), id(instance));
        let mut runs = self.registry.runs_of(&invocation);
        runs.find(|run| run.instance == instance).cloned()
    }

    fn code(&self, invocation: &str, instance: &str) -> Option<(RunStatus, String)> {
        let run = self.run(invocation, instance)?;
        Some((
            run.status,
            run.trouble.map(|it| it.code).unwrap_or_default(),
        ))
    }
}

#[test]
fn a_command_goes_to_every_instance_and_to_one_that_is_named_twice_once() {
    let mut world = World::new();
    world.declare("i-2");

    world
        .invoke(&on(&["i-1", "i-2", "i-1"]), "t-1")
        .expect("invoked");

    let kicks = world.effects.iter();
    let kicks = kicks.filter(|effect| matches!(effect, Effect::KickTask { .. }));
    assert_eq!(kicks.count(), 2);
    assert_eq!(
        world.run("t-1", "i-2").expect("a run").status,
        RunStatus::Pending
    );
    assert_eq!(world.registry.tasks_of(&id("i-1")), 1);
    let instance = world.registry.instance(&id("i-1")).expect("an instance");
    assert_eq!(
        (instance.invocations, instance.last_invoked),
        (1, Some(world.now))
    );
}

#[test]
fn what_cannot_be_run_is_refused_and_leaves_nothing() {
    let mut world = World::empty(Limits {
        kept_commands: 1,
        ..Limits::default()
    });
    world.declare("i-1");
    world.declare_as(InstanceSpec {
        os_type: OsType::Windows,
        ..InstanceSpec::new(id("i-w"), id(ACCOUNT), id(REGION))
    });
    world.declare_as(InstanceSpec::new(id("i-x"), id("2"), id(REGION)));
    let keep = |command: &str| InvokeRequest {
        keep: Some(script()),
        command: id(command),
        ..on(&["i-1"])
    };
    let powershell = InvokeRequest {
        spec: CommandSpec {
            kind: CommandKind::RunPowerShellScript,
            ..script()
        },
        ..on(&["i-w"])
    };

    assert_eq!(
        world.invoke(&on(&["i-1", "i-none"]), "t-1"),
        Err(InvokeRefusal::InstanceNotFound)
    );
    assert_eq!(
        world.invoke(&on(&["i-x"]), "t-1"),
        Err(InvokeRefusal::InstanceNotFound)
    );
    assert_eq!(
        world.invoke(&on(&["i-w"]), "t-1"),
        Err(InvokeRefusal::NotApplicable)
    );
    assert!(world.registry.invocations().is_empty());
    assert_eq!(world.invoke(&powershell, "t-1"), Ok(()));
    assert_eq!(world.invoke(&keep("c-1"), "t-2"), Ok(()));
    assert_eq!(
        world.invoke(&keep("c-2"), "t-3"),
        Err(InvokeRefusal::CommandsFull)
    );
    assert_eq!(
        world.invoke(&on(&["i-1"]), "t-2"),
        Err(InvokeRefusal::IdTaken)
    );
    let kept = |account: &str| {
        let (account, region) = (id(account), id(REGION));
        world
            .registry
            .command(&account, &region, &id("c-1"))
            .is_some()
    };
    assert!(kept(ACCOUNT));
    assert!(!kept("2"));
}

#[test]
fn an_instance_that_is_off_or_busy_gets_a_result_from_the_first_moment() {
    let mut world = World::empty(Limits {
        tasks_per_instance: 1,
        ..Limits::default()
    });
    world.declare("i-1");
    world.declare("i-2");
    world.set_status("i-2", InstanceStatus::Stopped);

    world.invoke(&on(&["i-1", "i-2"]), "t-1").expect("invoked");
    world.invoke(&on(&["i-1"]), "t-2").expect("invoked");

    let aborted = |code: &str| Some((RunStatus::Aborted, code.to_owned()));
    assert_eq!(world.code("t-1", "i-2"), aborted("InstanceNotRunning"));
    assert_eq!(world.code("t-2", "i-1"), aborted("TaskConcurrencyLimit"));
}

#[test]
fn a_run_that_is_over_is_over_for_good() {
    let mut world = World::new();
    world.invoke(&on(&["i-1"]), "t-1").expect("invoked");
    world.report("i-1", "t-1", news(RunNews::Running, b"a"));
    world.report("i-1", "t-1", news(RunNews::Finished(0), b"b"));
    let over = world.run("t-1", "i-1");
    world.effects.clear();

    world.report("i-1", "t-1", news(RunNews::Finished(1), b"c"));
    world.overdue("i-1", "t-1");
    world.agent_restarted("i-1");
    world.stop("t-1");

    assert_eq!(world.run("t-1", "i-1"), over);
    assert_eq!(over.expect("a run").output.bytes(), b"ab");
    assert_eq!(world.effects, []);
    // One that goes on all the same is told to end.
    world.report("i-1", "t-1", news(RunNews::Running, b""));
    assert!(matches!(world.effects[..], [Effect::StopTask { .. }]));
}

#[test]
fn what_is_not_over_ends_with_its_instance() {
    for remove in [true, false] {
        let mut world = World::new();
        world.invoke(&on(&["i-1"]), "t-1").expect("invoked");
        world.invoke(&on(&["i-1"]), "t-2").expect("invoked");
        world.report("i-1", "t-2", news(RunNews::Running, b""));

        match remove {
            true => world.remove("i-1"),
            false => world.set_status("i-1", InstanceStatus::Stopping),
        }

        let code = if remove {
            "InstanceReleased"
        } else {
            "InstanceNotRunning"
        };
        let ended = |status| Some((status, code.to_owned()));
        assert_eq!(world.code("t-1", "i-1"), ended(RunStatus::Aborted));
        assert_eq!(world.code("t-2", "i-1"), ended(RunStatus::Error));
        assert_eq!(world.registry.tasks_of(&id("i-1")), 0);
    }
}

#[test]
fn results_are_kept_for_thirty_days_and_the_newest_thousand() {
    let mut world = World::empty(Limits {
        command_results: 2,
        ..Limits::default()
    });
    world.declare("i-1");
    for call in ["t-1", "t-2", "t-3"] {
        world.invoke(&on(&["i-1"]), call).expect("invoked");
        world.advance_ms(1);
    }
    // Those that are not over stay, however many there are.
    assert_eq!(world.registry.invocations().len(), 3);
    for call in ["t-2", "t-1"] {
        world.report("i-1", call, news(RunNews::Finished(0), b""));
    }
    let left = world.registry.invocations().into_iter();
    let left: Vec<String> = left.map(|one| one.id.to_string()).collect();
    assert_eq!(left, ["t-3", "t-1"]);

    world.advance(Duration::from_secs(30 * 86_400));
    world.tick();

    let left = world.registry.invocations().into_iter();
    let left: Vec<String> = left.map(|one| one.id.to_string()).collect();
    assert_eq!(left, ["t-3"], "it has not ended yet");
}

#[test]
fn a_reset_stops_and_forgets_commands() {
    let mut world = World::new();
    let kept = InvokeRequest {
        keep: Some(script()),
        ..on(&["i-1"])
    };
    world.invoke(&kept, "t-1").expect("invoked");
    world.effects.clear();

    world.reset();

    assert!(world.registry.invocations().is_empty());
    assert_eq!(world.registry.commands().count(), 0);
    assert!(matches!(world.effects[0], Effect::StopTask { .. }));
}

#[test]
fn after_a_restart_everything_is_waited_for_anew() {
    let mut world = World::new();
    for call in ["t-1", "t-2", "t-3", "t-4"] {
        world.invoke(&on(&["i-1"]), call).expect("invoked");
    }
    for call in ["t-2", "t-3", "t-4"] {
        world.report("i-1", call, news(RunNews::Running, b"x"));
    }
    world.report("i-1", "t-3", news(RunNews::Finished(0), b""));
    world.stop("t-4");
    world.effects.clear();

    world.restart();

    let waited: BTreeMap<String, u64> = world
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Watch {
                invocation,
                within: Some(within),
                ..
            } => Some((invocation.to_string(), within.as_secs())),
            _ => None,
        })
        .collect();
    let expected = [("t-1", 60), ("t-2", 120), ("t-4", 60)];
    let expected = expected.map(|(call, seconds)| (call.to_owned(), seconds));
    assert_eq!(waited, BTreeMap::from(expected));
    assert_eq!(world.run("t-2", "i-1").expect("a run").output.bytes(), b"x");
}

#[derive(Clone, Debug)]
enum Op {
    Invoke,
    Report(usize, RunNews),
    Overdue(usize),
    Restarted,
    Stop(usize),
    SetRunning(bool),
    Advance(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let any_run = || 0..6_usize;
    let news = prop_oneof![
        4 => Just(RunNews::Running),
        2 => (0..2_i32).prop_map(RunNews::Finished),
        1 => Just(RunNews::TimedOut),
        1 => Just(RunNews::Stopped(None)),
        1 => Just(RunNews::Invalid("TypeInvalid".to_owned(), String::new())),
    ];
    prop_oneof![
        4 => Just(Op::Invoke),
        12 => (any_run(), news).prop_map(|(run, news)| Op::Report(run, news)),
        2 => any_run().prop_map(Op::Overdue),
        1 => Just(Op::Restarted),
        3 => any_run().prop_map(Op::Stop),
        1 => any::<bool>().prop_map(Op::SetRunning),
        2 => prop::sample::select(vec![1, 86_400_000, 31 * 86_400_000_u64]).prop_map(Op::Advance),
    ]
}

/// The rules once more, as one table.
fn next(status: RunStatus, op: &Op) -> RunStatus {
    use RunStatus::{Aborted, Cancelled, Error, Pending, Running, Stopping, Terminated};
    match (status, op) {
        (over, _) if over.is_over() => over,
        (Pending, Op::Report(_, RunNews::Running)) => Running,
        (going_on, Op::Report(_, RunNews::Running)) => going_on,
        (_, Op::Report(_, RunNews::Finished(0))) => RunStatus::Success,
        (_, Op::Report(_, RunNews::Finished(_))) => RunStatus::Failed,
        (_, Op::Report(_, RunNews::TimedOut)) => RunStatus::Timeout,
        (_, Op::Report(_, RunNews::Stopped(_))) => Terminated,
        (_, Op::Report(_, RunNews::Invalid(..))) => RunStatus::Invalid,
        (Pending, Op::Stop(_)) => Cancelled,
        (Running, Op::Stop(_)) => Stopping,
        (Pending, Op::Overdue(_) | Op::SetRunning(false)) => Aborted,
        (Running, Op::Overdue(_) | Op::SetRunning(false) | Op::Restarted) => Error,
        (Stopping, Op::Overdue(_) | Op::SetRunning(false) | Op::Restarted) => Terminated,
        (same, _) => same,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_history_of_runs_goes_by_the_table_and_survives_a_restart_at_each_step(
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let limits = Limits { command_results: 1_000, ..Limits::default() };
        let mut world = World::empty(limits);
        world.declare("i-1");
        let (mut expected, mut count, mut is_running) = (BTreeMap::new(), 0, true);
        for op in ops {
            // The latest ones are those that something can still happen to.
            let pick = |back: usize| format!("t-{}", count - back.min(count));
            let touched = match &op {
                Op::Invoke => {
                    count += 1;
                    let call = format!("t-{count}");
                    world.invoke(&on(&["i-1"]), &call).expect("invoked");
                    let status = if is_running { RunStatus::Pending } else { RunStatus::Aborted };
                    expected.insert(call, status);
                    None
                }
                Op::Report(back, news) => {
                    let call = pick(*back);
                    world.report("i-1", &call, self::news(news.clone(), b"x"));
                    Some(call)
                }
                Op::Overdue(back) => {
                    let call = pick(*back);
                    world.overdue("i-1", &call);
                    Some(call)
                }
                Op::Stop(back) => {
                    let call = pick(*back);
                    let (_, changes) = world.registry.stop_invocation(world.now, &id(&call));
                    world.take(changes);
                    Some(call)
                }
                Op::Restarted => {
                    world.agent_restarted("i-1");
                    expected.values_mut().for_each(|status| *status = next(*status, &op));
                    None
                }
                Op::SetRunning(is) => {
                    let status = if *is { InstanceStatus::Running } else { InstanceStatus::Stopped };
                    world.set_status("i-1", status);
                    is_running = *is;
                    expected.values_mut().for_each(|status| *status = next(*status, &op));
                    None
                }
                Op::Advance(millis) => {
                    world.advance_ms(*millis);
                    world.tick();
                    None
                }
            };
            if let Some(status) = touched.and_then(|call| expected.get_mut(&call)) {
                *status = next(*status, &op);
            }
            let known = world.registry.invocations().into_iter().map(|one| one.id.to_string());
            let known: Vec<String> = known.collect();
            // Only what is over is ever forgotten.
            expected.retain(|call, status| known.contains(call) || !status.is_over());
            let mut killed = world.clone();
            killed.restart();
            for one in [&world, &killed] {
                let found: BTreeMap<String, RunStatus> = known
                    .iter()
                    .filter_map(|call| Some((call.clone(), one.run(call, "i-1")?.status)))
                    .collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
