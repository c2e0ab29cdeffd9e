//! Simulated agents that misbehave, seen from the API and from the client.

use std::time::Duration;

use axt_client::session::{Started, Why};
use axt_net::link;
use axt_proto::{EventKind, Limits, Reason};
use axt_sandbox::{Sandbox, SandboxConfig, terminal::Terminal};

use crate::{
    harness::{session, start, until},
    simulated, terminal,
};

/// A sandbox whose instances behave so.
pub(crate) async fn behaving(seed: u64, how: &[&str]) -> Sandbox {
    start(SandboxConfig {
        behaviours: how.iter().map(|how| how.parse().expect("words")).collect(),
        ..simulated(seed)
    })
    .await
}

pub(crate) async fn advance(sandbox: &Sandbox, seconds: u64) {
    let moved = sandbox.clock().advance(Duration::from_secs(seconds)).await;
    moved.expect("moved");
}

async fn opened(sandbox: &Sandbox) -> (Started, Terminal) {
    let session = session(sandbox).await;
    let terminal = sandbox.terminal(&session).await.expect("let in");
    (session, terminal)
}

/// Lets link time pass that no frozen clock holds: windows and pings.
async fn a_minute() {
    link::sleep(Duration::from_secs(60)).await;
}

async fn ends(terminal: Terminal) -> Why {
    terminal.end().await.expect("an end").0.why
}

async fn refusal(sandbox: &Sandbox) -> String {
    let refused = sandbox.start_session().await;
    refused.expect_err("no agent").to_string()
}

async fn count(sandbox: &Sandbox, is_it: impl Fn(&EventKind) -> bool) -> usize {
    let events = sandbox.events(0).await;
    events.iter().filter(|event| is_it(&event.kind)).count()
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_an_old_version_has_no_sessions_and_says_so() {
    let sandbox = behaving(31, &["version=2.2.3.256"]).await;

    let (_, terminal) = opened(&sandbox).await;

    assert_eq!(ends(terminal).await, Why::Told(Reason::AgentNeedUpgrade));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_says_which_system_it_is_on() {
    let sandbox = behaving(32, &["os=windows"]).await;

    let id = sandbox.instance().as_str();
    let parameters = [("InstanceId.1", id)];
    let api = sandbox.api();
    let answer = api.call("DescribeCloudAssistantStatus", &parameters).await;

    let answer = answer.expect("an answer").to_string();
    assert!(
        answer.contains("Windows") || answer.contains("windows"),
        "{answer}"
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_slow_comes_at_its_time() {
    let sandbox = behaving(33, &["slow_start=5s"]).await;

    assert!(refusal(&sandbox).await.contains("Operation.Forbidden"));
    advance(&sandbox, 5).await;

    until("the agent", || async {
        let is_online = |kind: &EventKind| *kind == EventKind::AgentOnline;
        (count(&sandbox, is_online).await > 0).then_some(())
    })
    .await;
    terminal(&sandbox).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_never_dials_costs_its_clients_the_kick_window() {
    let sandbox = behaving(34, &["never_dials"]).await;

    let (_, terminal) = opened(&sandbox).await;
    a_minute().await;

    assert_eq!(ends(terminal).await, Why::Told(Reason::AgentTimeout));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_dies_leaves_its_sessions_and_can_be_started_again() {
    let mut sandbox = behaving(35, &["dies_after=30s"]).await;
    let live = terminal(&sandbox).await;

    advance(&sandbox, 30).await;
    a_minute().await;

    assert_eq!(ends(live).await, Why::Told(Reason::AgentTimeout));
    let instance = sandbox.instance().clone();
    assert!(sandbox.start_agent(&instance));
    terminal(&sandbox).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_dies_in_the_middle_of_a_line_has_carried_so_much_and_no_more() {
    let sandbox = behaving(36, &["dies_after_bytes=1000"]).await;
    let (_, mut terminal) = opened(&sandbox).await;

    terminal.type_line("flood 5000").await.expect("typed");
    a_minute().await;
    let (ended, screen) = terminal.end().await.expect("an end");

    assert_eq!(ended.why, Why::Told(Reason::AgentTimeout));
    assert_eq!(screen.len() + "flood 5000\r".len(), 1_000);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_ignores_its_speed_is_cut_where_the_bandwidth_closes() {
    for (how, why) in [
        (&["floods=50000"][..], None),
        (
            &["floods=200000", "ignores_speed"][..],
            Some(Reason::FlowExceedLimit),
        ),
    ] {
        let sandbox = start(SandboxConfig {
            limits: Limits {
                close_above_bandwidth: 1,
                ..Limits::default()
            },
            behaviours: how.iter().map(|how| how.parse().expect("words")).collect(),
            ..simulated(37)
        })
        .await;
        let (_, mut terminal) = opened(&sandbox).await;

        match why {
            None => {
                terminal.expect("~").await.expect("a flood");
                link::sleep(Duration::from_secs(1)).await;
                advance(&sandbox, 10).await;
                terminal.expect("~$ ").await.expect("a prompt behind it");
            }
            Some(reason) => assert_eq!(ends(terminal).await, Why::Told(reason)),
        }
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_goes_silent_is_found_out_by_its_pings() {
    let sandbox = behaving(38, &["goes_silent=10s"]).await;
    let live = terminal(&sandbox).await;

    advance(&sandbox, 10).await;
    a_minute().await;

    assert_eq!(ends(live).await, Why::Told(Reason::AgentTimeout));
    link::sleep(Duration::from_secs(150)).await;
    let gone = count(&sandbox, |kind| *kind == EventKind::AgentOffline).await;
    assert_eq!(gone, 1);
    assert!(refusal(&sandbox).await.contains("Operation.Forbidden"));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn how_an_agent_posts_is_how_its_clients_learn_of_the_end() {
    let sandbox = behaving(39, &["posts_twice"]).await;
    let mut twice = terminal(&sandbox).await;
    twice.type_line("exit").await.expect("typed");
    assert_eq!(ends(twice).await, Why::Told(Reason::Exit));
    sandbox.shutdown().await;

    let sandbox = behaving(40, &["posts_late=9s"]).await;
    let mut late = terminal(&sandbox).await;
    late.type_line("exit").await.expect("typed");
    link::sleep(Duration::from_secs(5)).await;
    let is_over = |kind: &EventKind| matches!(kind, EventKind::ConnectionClosed { .. });
    assert_eq!(count(&sandbox, is_over).await, 0);
    advance(&sandbox, 9).await;
    assert_eq!(ends(late).await, Why::Told(Reason::Exit));
    sandbox.shutdown().await;

    let sandbox = behaving(41, &["posts_never"]).await;
    let mut never = terminal(&sandbox).await;
    never.type_line("exit").await.expect("typed");
    a_minute().await;
    assert_eq!(ends(never).await, Why::Told(Reason::AgentTimeout));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn agents_with_a_wrong_signature_or_clock_are_never_let_in() {
    for (how, is_let_in) in [
        ("wrong_signature", false),
        ("wrong_clock=20m", false),
        ("wrong_clock=-20m", false),
        ("wrong_clock=5m", true),
    ] {
        let sandbox = behaving(42, &[how]).await;
        a_minute().await;

        let online = count(&sandbox, |kind| *kind == EventKind::AgentOnline).await;
        assert_eq!(online > 0, is_let_in, "{how}");
        assert_eq!(sandbox.start_session().await.is_ok(), is_let_in, "{how}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_heart_beats_an_agent_is_gone_with_its_notify_channel() {
    for (how, is_remembered) in [(&["posts_twice"], true), (&["loses_heart_beats"], false)] {
        let mut sandbox = behaving(43, how).await;
        link::sleep(Duration::from_secs(1)).await;

        sandbox.lose_agents();
        link::sleep(Duration::from_secs(2)).await;

        let gone = count(&sandbox, |kind| *kind == EventKind::AgentOffline).await;
        assert_eq!(gone == 0, is_remembered, "{how:?}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_instances_have_shares_of_each_behaviour() {
    let how = [
        "30%:never_dials",
        "20%:wrong_signature",
        "10%:version=2.2.3.256,posts_never",
        "local-20:dies_after=1s",
    ];
    let sandbox = start(SandboxConfig {
        instances: 20,
        behaviours: how.iter().map(|how| how.parse().expect("words")).collect(),
        ..simulated(44)
    })
    .await;

    let online = count(&sandbox, |kind| *kind == EventKind::AgentOnline).await;
    assert_eq!(online, 20 - 4);
    let mut ended = Vec::new();
    for at in [0, 5, 6, 10, 12] {
        let wanted = axt_client::session::Open {
            instance: sandbox.ready().instances[at].id.clone(),
            command_line: Some("exit".to_owned()),
            username: None,
        };
        match axt_client::session::start(sandbox.api(), &wanted).await {
            Err(_) => ended.push("no agent".to_owned()),
            Ok(started) => {
                let terminal = sandbox.terminal(&started).await.expect("let in");
                link::sleep(link::KICK_WINDOW).await;
                ended.push(format!("{:?}", ends(terminal).await));
            }
        }
    }
    let told = |reason| format!("{:?}", Why::Told(reason));
    assert_eq!(
        ended,
        [
            told(Reason::AgentTimeout),
            told(Reason::AgentTimeout),
            "no agent".to_owned(),
            told(Reason::AgentNeedUpgrade),
            told(Reason::Exit),
        ]
    );
    sandbox.shutdown().await;
}
