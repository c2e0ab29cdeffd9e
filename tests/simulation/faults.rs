//! Faults: each kind is asked for through the admin API, and seen from both ends.

use std::time::Duration;

use axt_client::{
    admin::AdminCallError,
    api::CallError,
    session::{OpenError, Started, Why},
};
use axt_control::admin::fault::{Fault, Link};
use axt_net::link;
use axt_proto::{EventKind, Reason};
use axt_sandbox::{Sandbox, SandboxConfig, terminal::Terminal};

use crate::{
    harness::{session, start, until},
    simulated, terminal,
};

/// For how long nothing is said to have come, in link time, which jumps.
const MOMENT: Duration = Duration::from_secs(2);

pub(crate) async fn add(sandbox: &Sandbox, fault: &str) -> String {
    let mut words = fault.split(' ');
    let kind = words.next().expect("a type");
    let pairs = words.filter_map(|pair| pair.split_once('='));
    let fault = Fault::from_words(kind, pairs).expect("a fault");
    sandbox.admin().add_fault(&fault).await.expect("added")
}

async fn remove(sandbox: &Sandbox, name: &str) {
    let removed = sandbox.admin().remove_fault(Some(name)).await;
    removed.expect("it was there");
}

async fn advance(sandbox: &Sandbox, ms: u64) {
    let moved = sandbox.clock().advance(Duration::from_millis(ms)).await;
    moved.expect("moved");
}

/// Types and sees the answer.
pub(crate) async fn talks(terminal: &mut Terminal, word: &str) {
    let line = format!("echo {word}");
    terminal.type_line(&line).await.expect("typed");
    let answer = format!("\r\n{word}\r\n$ ");
    terminal.expect(&answer).await.expect("an answer");
}

/// Does not see it, yet.
async fn misses(terminal: &mut Terminal, text: &str) {
    let seen = link::timeout(MOMENT, terminal.expect(text)).await;
    assert!(seen.is_err(), "{text} has come: {seen:?}");
}

async fn ends(terminal: Terminal) -> Why {
    terminal.end().await.expect("an end").0.why
}

/// The types of the faults that have struck, in order.
async fn struck(sandbox: &Sandbox) -> Vec<String> {
    let events = sandbox.events(0).await;
    let kinds = events.iter().filter_map(|event| match &event.kind {
        EventKind::FaultInjected { kind, .. } => Some(kind.clone()),
        _ => None,
    });
    kinds.collect()
}

/// Waits for the end of a connection in the relay's books.
async fn over(sandbox: &Sandbox) -> Reason {
    until("the connection's end", || async {
        let events = sandbox.events(0).await;
        events.iter().find_map(|event| match event.kind {
            EventKind::ConnectionClosed { reason, .. }
            | EventKind::ConnectionFailed { reason, .. } => Some(reason),
            _ => None,
        })
    })
    .await
}

/// A sandbox, and a terminal that has answered.
pub(crate) async fn talking(seed: u64) -> (Sandbox, Terminal) {
    let sandbox = start(simulated(seed)).await;
    let mut terminal = terminal(&sandbox).await;
    terminal.expect("$ ").await.expect("a prompt");
    (sandbox, terminal)
}

#[tokio::test(start_paused = true)]
async fn a_latency_is_as_long_as_it_says_and_a_frozen_clock_freezes_it() {
    let (sandbox, mut terminal) = talking(1).await;
    let name = add(&sandbox, "latency latency=500").await;

    terminal.type_line("echo late").await.expect("typed");
    misses(&mut terminal, "late").await;
    advance(&sandbox, 499).await;
    misses(&mut terminal, "late").await;
    advance(&sandbox, 1).await;
    terminal
        .expect("\r\nlate")
        .await
        .expect("after half a second");

    remove(&sandbox, &name).await;
    talks(&mut terminal, "soon").await;
    assert_eq!(struck(&sandbox).await, ["latency"]);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn each_link_and_each_stream_can_be_late_alone() {
    for (link, stream) in [
        ("client", "upstream"),
        ("client", "downstream"),
        ("agent", "upstream"),
        ("agent", "downstream"),
    ] {
        let (sandbox, mut terminal) = talking(2).await;
        add(
            &sandbox,
            &format!("latency latency=300 link={link} stream={stream}"),
        )
        .await;

        terminal.type_line("echo late").await.expect("typed");
        misses(&mut terminal, "\r\nlate").await;
        advance(&sandbox, 300).await;

        let came = terminal.expect("\r\nlate").await;
        assert!(came.is_ok(), "{link} {stream}: {came:?}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_notify_channel_makes_kicks_late() {
    let sandbox = start(simulated(3)).await;
    add(&sandbox, "latency latency=1000 link=notify").await;

    let session = session(&sandbox).await;
    let mut terminal = sandbox.terminal(&session).await.expect("let in");
    misses(&mut terminal, "$ ").await;
    advance(&sandbox, 1_000).await;

    terminal.expect("$ ").await.expect("a prompt");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_bandwidth_gets_through() {
    let (sandbox, mut terminal) = talking(4).await;
    add(&sandbox, "bandwidth rate=1").await;

    terminal.type_line("flood 4000").await.expect("typed");
    misses(&mut terminal, "\n$ ").await;
    advance(&sandbox, 3_000).await;
    misses(&mut terminal, "\n$ ").await;
    advance(&sandbox, 3_000).await;

    terminal.expect("\n$ ").await.expect("all of it");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_close_keeps_the_relay_from_knowing() {
    let (sandbox, terminal) = talking(5).await;
    add(&sandbox, "slow_close delay=700 stream=upstream").await;
    // The fault is put on where the stream is used next.
    link::sleep(MOMENT).await;

    drop(terminal);
    link::sleep(MOMENT).await;
    let closed = |event: &EventKind| matches!(event, EventKind::ConnectionClosed { .. });
    let events = sandbox.events(0).await;
    assert!(
        !events.iter().any(|event| closed(&event.kind)),
        "{events:?}"
    );
    advance(&sandbox, 700).await;

    assert_eq!(over(&sandbox).await, Reason::ClientClosed);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_timeout_lets_nothing_through_and_closes() {
    let (sandbox, mut terminal) = talking(6).await;
    add(&sandbox, "timeout timeout=5000 stream=upstream").await;

    terminal.type_line("echo lost").await.expect("typed");
    misses(&mut terminal, "lost").await;
    advance(&sandbox, 5_000).await;

    assert!(matches!(ends(terminal).await, Why::Lost(_)));
    assert_eq!(over(&sandbox).await, Reason::ClientClosed);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_of_the_data_channel_is_dialled_again_and_the_session_goes_on() {
    for fault in [
        "reset_peer timeout=1000 link=agent times=1",
        "cut_data_channel delay=1000 times=1",
    ] {
        let (sandbox, mut terminal) = talking(7).await;
        add(&sandbox, fault).await;
        talks(&mut terminal, "before").await;

        advance(&sandbox, 1_000).await;

        talks(&mut terminal, "after").await;
        let [state] = &sandbox.admin().faults().await.expect("an answer")[..] else {
            panic!("one fault")
        };
        assert_eq!((state.acted, state.left), (1, Some(0)), "{fault}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slicer_spreads_what_it_cuts() {
    let (sandbox, mut terminal) = talking(8).await;
    add(
        &sandbox,
        "slicer average_size=4 size_variation=3 delay=100000",
    )
    .await;

    terminal.type_line("echo sliced").await.expect("typed");
    advance(&sandbox, 200).await;
    misses(&mut terminal, "\r\nsliced").await;
    advance(&sandbox, 60_000).await;

    terminal.expect("\r\nsliced").await.expect("all of it");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn limited_data_is_cut_where_it_says() {
    let (sandbox, mut terminal) = talking(9).await;
    add(&sandbox, "limit_data bytes=1000").await;

    terminal.type_line("flood 5000").await.expect("typed");
    let (ended, screen) = terminal.end().await.expect("an end");

    assert!(matches!(ended.why, Why::Lost(_)), "{:?}", ended.why);
    assert!(screen.len() < 1_000, "{}", screen.len());
    assert_eq!(over(&sandbox).await, Reason::ClientClosed);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_kick_is_dropped_delayed_or_doubled() {
    let sandbox = start(simulated(10)).await;
    let session = session(&sandbox).await;

    add(&sandbox, "drop_kick times=1").await;
    let dropped = sandbox.terminal(&session).await.expect("let in");
    link::sleep(link::KICK_WINDOW).await;
    assert_eq!(ends(dropped).await, Why::Told(Reason::AgentTimeout));

    add(&sandbox, "delay_kick delay=3000 times=1").await;
    let mut delayed = sandbox.terminal(&session).await.expect("let in");
    misses(&mut delayed, "$ ").await;
    advance(&sandbox, 3_000).await;
    delayed.expect("$ ").await.expect("a prompt");

    add(&sandbox, "double_kick times=1").await;
    let mut doubled = sandbox.terminal(&session).await.expect("let in");
    // The agent refuses the second kick, and the first lives on (wire-protocol 9.5).
    talks(&mut doubled, "once").await;
    talks(&mut delayed, "still").await;
    assert_eq!(
        struck(&sandbox).await,
        ["drop_kick", "delay_kick", "double_kick"]
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_pairing_is_held_back() {
    let sandbox = start(simulated(11)).await;
    add(&sandbox, "hold_pairing delay=2000").await;

    let session = session(&sandbox).await;
    let mut terminal = sandbox.terminal(&session).await.expect("let in");
    misses(&mut terminal, "$ ").await;
    advance(&sandbox, 2_000).await;

    terminal.expect("$ ").await.expect("a prompt");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_id_that_is_used_twice_costs_both_who_have_it() {
    let (sandbox, first) = talking(12).await;
    add(&sandbox, "repeat_channel times=1").await;

    let session = session(&sandbox).await;
    let second = sandbox.terminal(&session).await.expect("let in");

    assert_eq!(ends(second).await, Why::Told(Reason::SessionIdDuplicated));
    // The relay stops the channel of the second, which is the first's too.
    assert_eq!(ends(first).await, Why::Told(Reason::AgentTimeout));
    let mut third = sandbox.terminal(&session).await.expect("let in");
    talks(&mut third, "fresh").await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_data_channel_is_refused_with_the_status_that_was_chosen() {
    let sandbox = start(simulated(13)).await;
    add(&sandbox, "refuse_data_channel status=503").await;

    let session = session(&sandbox).await;
    let terminal = sandbox.terminal(&session).await.expect("let in");

    let (ended, _) = terminal.end().await.expect("an end");
    assert_eq!(ended.why, Why::Told(Reason::OpenChannelFailed));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_length_and_an_unknown_type_are_survived() {
    let (sandbox, mut terminal) = talking(14).await;

    add(&sandbox, "wrong_length length=7 times=1").await;
    talks(&mut terminal, "whole").await;
    add(&sandbox, "wrong_type number=9 link=agent times=1").await;
    terminal.type_line("echo lost").await.expect("typed");
    misses(&mut terminal, "lost").await;
    talks(&mut terminal, "next").await;

    assert_eq!(struck(&sandbox).await, ["wrong_length", "wrong_type"]);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_header_and_a_date_of_0_end_the_session_at_either_end() {
    for fault in ["cut_header bytes=12 times=1", "zero_date times=1"] {
        let (sandbox, mut terminal) = talking(15).await;
        add(&sandbox, fault).await;
        terminal.type_line("echo x").await.expect("typed");
        let why = ends(terminal).await;
        assert!(matches!(why, Why::Malformed(_)), "{fault}: {why:?}");
        sandbox.shutdown().await;

        let (sandbox, mut terminal) = talking(16).await;
        add(&sandbox, &format!("{fault} link=agent")).await;
        terminal.type_line("echo x").await.expect("typed");
        let why = ends(terminal).await;
        assert_eq!(why, Why::Told(Reason::ProcessDataError), "{fault}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn any_status_and_any_speed_is_sent_at_once_to_who_is_there_already() {
    let (sandbox, mut terminal) = talking(17).await;
    add(&sandbox, "send_speed bits=0 times=1").await;
    add(&sandbox, "send_status code=77 reason=nonsense times=1").await;
    talks(&mut terminal, "unmoved").await;

    add(&sandbox, "send_status code=5 reason=OpenPtyFailed times=1").await;

    assert_eq!(ends(terminal).await, Why::Told(Reason::OpenPtyFailed));
    assert_eq!(
        struck(&sandbox).await,
        ["send_speed", "send_status", "send_status"]
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_is_sent_to_who_comes_later_and_to_agents() {
    let sandbox = start(simulated(18)).await;
    add(&sandbox, "send_status code=5 reason=UnknownError times=1").await;
    let started = session(&sandbox).await;
    let client = sandbox.terminal(&started).await.expect("let in");
    let why = ends(client).await;
    assert_eq!(why, Why::ToldOtherwise("UnknownError".to_owned()));

    // An agent's speed is what its output is metered by: at 16 Kbit/s a flood takes a while.
    let mut terminal = terminal(&sandbox).await;
    terminal.expect("$ ").await.expect("a prompt");
    add(&sandbox, "send_speed bits=16384 link=agent times=1").await;
    terminal.type_line("flood 60000").await.expect("typed");
    misses(&mut terminal, "\n$ ").await;
    advance(&sandbox, 60_000).await;
    terminal.expect("\n$ ").await.expect("all of it");
    sandbox.shutdown().await;
}

async fn regions(sandbox: &Sandbox) -> Result<(), String> {
    let called = sandbox.api().call("DescribeRegions", &[]).await;
    match called {
        Ok(_) => Ok(()),
        Err(CallError::Api(error)) => Err(error.code),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_api_errs_as_often_as_it_was_told_and_a_seed_repeats_it() {
    let run = async || {
        let sandbox = start(simulated(19)).await;
        add(
            &sandbox,
            "api_error code=Throttling.User toxicity=0.5 action=DescribeRegions",
        )
        .await;
        let mut codes = Vec::new();
        for _ in 0..20 {
            codes.push(regions(&sandbox).await);
        }
        // No other action is meant.
        session(&sandbox).await;
        sandbox.shutdown().await;
        codes
    };

    let codes = run().await;

    let failed = codes.iter().filter(|code| code.is_err()).count();
    assert!((1..20).contains(&failed), "{codes:?}");
    assert!(codes.contains(&Err("Throttling.User".to_owned())));
    assert_eq!(run().await, codes);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refused_and_quotas_are_shown_as_full() {
    let sandbox = start(simulated(20)).await;
    let started = session(&sandbox).await;
    let refusal = async || match sandbox.terminal(&started).await {
        Err(OpenError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };

    add(&sandbox, "refuse_token times=1").await;
    assert_eq!(refusal().await, "InvalidSessionToken");
    add(&sandbox, "connections_full times=1").await;
    assert_eq!(refusal().await, "SessionCount.ExceedLimit");
    add(&sandbox, "sessions_full times=1").await;
    let full = sandbox.start_session().await.expect_err("full");
    assert!(
        full.to_string().contains("SessionCount.ExceedLimit"),
        "{full}"
    );

    let mut terminal = sandbox.terminal(&started).await.expect("let in");
    talks(&mut terminal, "through").await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_for_whom_it_names_only() {
    let sandbox = start(SandboxConfig {
        instances: 2,
        ..simulated(21)
    })
    .await;
    let second = sandbox.ready().instances[1].id.clone();
    let mut here = terminal(&sandbox).await;
    let wanted = axt_client::session::Open {
        instance: second.clone(),
        command_line: None,
        username: None,
    };
    let started: Started = axt_client::session::start(sandbox.api(), &wanted)
        .await
        .expect("a session");
    let mut there = sandbox.terminal(&started).await.expect("a terminal");
    here.expect("$ ").await.expect("a prompt");
    talks(&mut there, "hello").await;
    let connection = sandbox.events(0).await;
    let connection = connection.iter().rev().find_map(|event| event.connection);
    let connection = connection.expect("a connection").0;

    for scope in [
        format!("instance={second}"),
        format!("session={}", started.id),
        format!("connection={connection}"),
    ] {
        let name = add(&sandbox, &format!("latency latency=1000 {scope}")).await;
        talks(&mut here, "unmoved").await;
        there.type_line("echo slow").await.expect("typed");
        misses(&mut there, "\r\nslow").await;
        remove(&sandbox, &name).await;
        there.expect("\r\nslow").await.expect("let go");
    }
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn faults_are_listed_named_once_and_taken_away() {
    let sandbox = start(SandboxConfig {
        faults: vec![Fault::from_words("drop_kick", [("name", "from-start")]).expect("a fault")],
        ..simulated(22)
    })
    .await;
    let first = add(&sandbox, "latency latency=1").await;
    let second = add(&sandbox, "latency latency=2 link=agent").await;
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("latency-1", "latency-2")
    );

    let again = Fault::from_words("drop_kick", [("name", "from-start")]).expect("a fault");
    let taken = sandbox.admin().add_fault(&again).await.expect_err("taken");
    assert!(
        taken
            .to_string()
            .contains("there is a fault `from-start` already"),
        "{taken}"
    );
    let unknown = sandbox.admin().remove_fault(Some("latency-3")).await;
    let unknown = unknown.expect_err("unknown");
    assert!(matches!(unknown, AdminCallError::Refused { .. }));
    assert!(unknown.to_string().contains("did you mean"), "{unknown}");

    remove(&sandbox, &first).await;
    let listed = sandbox.admin().faults().await.expect("an answer");
    let names: Vec<_> = listed
        .iter()
        .map(|state| state.fault.name.as_deref())
        .collect();
    assert_eq!(names, [Some("from-start"), Some("latency-2")]);
    assert_eq!(listed[1].fault.link, Link::Agent);
    sandbox.admin().remove_fault(None).await.expect("cleared");
    assert_eq!(sandbox.admin().faults().await.expect("an answer"), []);
    talks(&mut terminal(&sandbox).await, "well").await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults_at_the_same_instants() {
    let run = async |seed| {
        let sandbox = start(simulated(seed)).await;
        add(&sandbox, "latency latency=50 jitter=50 toxicity=0.5").await;
        add(&sandbox, "drop_kick toxicity=0.3").await;
        add(
            &sandbox,
            "slicer average_size=9 size_variation=8 delay=1000 link=agent stream=upstream",
        )
        .await;
        let mut seen = Vec::new();
        for _ in 0..8 {
            let started = session(&sandbox).await;
            let mut terminal = sandbox.terminal(&started).await.expect("let in");
            terminal.type_line("exit 3").await.expect("typed");
            link::sleep(MOMENT).await;
            advance(&sandbox, 1_000).await;
            // A kick that was dropped has its window.
            link::sleep(link::KICK_WINDOW).await;
            seen.push(format!("{:?}", ends(terminal).await));
        }
        let events = sandbox.events(0).await;
        seen.extend(events.iter().map(|event| {
            let at = event.at.as_nanos();
            format!("{at} {} {:?}", event.kind.name(), event.connection)
        }));
        sandbox.shutdown().await;
        seen
    };

    let first = run(23).await;

    assert!(first.iter().any(|line| line.contains("fault.injected")));
    assert_eq!(run(23).await, first);
    assert_ne!(run(24).await, first);
}
