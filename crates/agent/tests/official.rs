//! The agent in front of the strict stand-in for the official service: whatever the official agent
//! would not have sent fails the test, and so does what it would have and ours does not.

#![allow(clippy::expect_used, clippy::panic)]

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axt_agent::{Agent, AgentConfig, Machine, Registration, Shells, Surroundings};
use axt_control::luban::{AgentKey, Signer};
use axt_net::{
    ca::DevCa,
    clock::Clock,
    http::HttpClient,
    link,
    tasks::Tasks,
    tls::ClientTls,
    transport::{Dialer, Listener, MemoryNet},
    wall::Wall,
};
use axt_official::{
    StrictRelay,
    relay::{NotifyChannel, Registered},
    wire::kind,
};
use axt_proto::{Secret, Tick};
use http::StatusCode;
use serde_json::{Value, json};

const INSTANCE: &str = "mi-hz0testinstance01";
const MACHINE: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4";
const START: Tick = Tick::from_millis(1_795_587_061_027);

const UPDATE: &str = "/luban/api/v1/update/update_check";
const BEAT: &str = "/luban/api/heart-beat";
const TASKS: &str = "/luban/api/v1/task/list";
const METRICS: &str = "/luban/api/metrics";
const REPORT: &str = "/luban/api/v1/exception/client_report";
const STATES: &str = "/luban/api/instance/list_instance_state_configurations";
const LIST: &str = "/luban/api/v1/session/list";
const STATUS: &str = "/luban/api/v1/session/status";
const BACKEND: &str = "/luban/session/backend";
const NOTIFY: &str = "/luban/notify_server";

/// One key for all tests: making one takes a while.
fn key() -> &'static AgentKey {
    static KEY: OnceLock<AgentKey> = OnceLock::new();
    KEY.get_or_init(|| AgentKey::generate(&mut rand::rng()).expect("a key"))
}

fn machine() -> Machine {
    Machine {
        ip: "10.99.0.1".to_owned(),
        ..Machine::here()
    }
}

/// The service, and an agent that has not started yet.
struct Place {
    net: MemoryNet,
    relay: StrictRelay,
    clock: Clock,
    tls: ClientTls,
    tasks: Tasks,
}

impl Place {
    fn new() -> Self {
        let net = MemoryNet::new();
        let listener = net.bind("relay.test", 80).expect("free");
        let agent = Registered {
            instance: INSTANCE.to_owned(),
            machine_id: MACHINE.to_owned(),
            public_key: key().public().to_pem().expect("PEM"),
        };
        let ca = DevCa::ephemeral(&[], &Wall::system()).expect("a CA");
        Self {
            relay: StrictRelay::start(listener, None, agent, Wall::system()),
            net,
            clock: Clock::frozen(START),
            tls: ClientTls::with_ca_pem(ca.ca_pem()).expect("trust"),
            tasks: Tasks::new(),
        }
    }

    fn start(&self, change: impl FnOnce(&mut AgentConfig)) -> Agent {
        let instance = INSTANCE.parse().expect("valid");
        let mut config = AgentConfig::new(
            "http://relay.test",
            Signer::new(instance, MACHINE, key()),
            Arc::new(machine()),
        );
        config.shells = Shells::Scripted;
        config.seed = Some(7);
        change(&mut config);
        let around = Surroundings::new(
            Dialer::memory(&self.net),
            self.tls.clone(),
            self.clock.clone(),
            Wall::system(),
        );
        Agent::start(config, around, &self.tasks)
    }

    /// A place whose agent has said all that belongs to its start.
    async fn started() -> (Self, Agent, NotifyChannel) {
        let mut place = Self::new();
        let agent = place.start(|_| {});
        let notify = place.relay.notified().await;
        let started = place.relay.call(METRICS).await;
        assert_eq!(text(&json(&started.body), "eventId"), "agent.startup");
        (place, agent, notify)
    }

    fn target(&self, port: u16) -> Listener {
        self.net.bind("localhost", port).expect("free")
    }

    /// How a channel ended, as it was posted.
    async fn ended(&self, channel: &str, words: &str) {
        let post = self.relay.call(STATUS).await;
        assert_eq!(post.query, format!("channelId={channel}&{words}"));
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

#[tokio::test(start_paused = true)]
async fn a_start_is_told_in_order_and_every_half_an_hour_is_kept() {
    let place = Place::new();
    let _agent = place.start(|config| config.is_cold_start = true);

    place.relay.call(METRICS).await;
    let start = place.relay.paths();
    assert_eq!(start, [UPDATE, BEAT, TASKS]);
    let beat = place.relay.call(BEAT).await;
    assert!(
        beat.query
            .ends_with(&format!("&machineid={MACHINE}&cold_start=true"))
    );
    place.relay.call(UPDATE).await;
    place.relay.call(STATES).await;
    link::sleep(Duration::from_secs(4 * 60 * 60 + 60)).await;

    let count = |path: &str| {
        let paths = place.relay.paths();
        paths.iter().filter(|it| *it == path).count()
    };
    assert_eq!(count(UPDATE), 8);
    // What does not exist is asked for again a day later.
    assert_eq!(count(STATES), 0);
    assert!((235..=245).contains(&count(BEAT)), "{}", count(BEAT));
    assert_eq!(count(TASKS), 1);
}

#[tokio::test(start_paused = true)]
async fn the_configurations_are_asked_for_with_the_last_checkpoint() {
    let place = Place::new();
    let answer = json!({
        "errCode": "", "errMsg": "",
        "result": {
            "RequestId": "r", "Interval": 1_800, "Changed": true, "Checkpoint": "c-1",
            "StateConfigurations": [],
        },
    });
    place
        .relay
        .answers(STATES, StatusCode::OK, &answer.to_string());
    let _agent = place.start(|_| {});

    let first = json(&place.relay.call(STATES).await.body);
    let before = link::now();
    place
        .relay
        .answers(STATES, StatusCode::OK, &answer.to_string());
    let second = json(&place.relay.call(STATES).await.body);

    assert_eq!(first.get("lastCheckpoint"), None);
    assert_eq!(text(&second, "lastCheckpoint"), "c-1");
    let waited = link::now().duration_since(before).as_secs();
    assert!((1_799..=1_801).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_beat_takes_the_interval_and_the_form_that_it_is_told() {
    let place = Place::new();
    let misses =
        "Required request parameter 'app_version' for method parameter type String is not present";
    place
        .relay
        .answers(BEAT, StatusCode::OK, &json!({"errMsg": misses}).to_string());
    place
        .relay
        .answers(BEAT, StatusCode::OK, r#"{"nextInterval":56000}"#);
    place
        .relay
        .answers(BEAT, StatusCode::OK, r#"{"nextInterval":1000}"#);
    place
        .relay
        .answers(BEAT, StatusCode::BAD_GATEWAY, "no JSON");
    let _agent = place.start(|_| {});

    // The stand-in knows what is due: the form, the counts, the time.
    for _ in 0..6 {
        place.relay.call(BEAT).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_at_the_start_is_asked_until_it_answers() {
    let place = Place::new();
    for _ in 0..3 {
        place.relay.answers(UPDATE, StatusCode::BAD_GATEWAY, "");
        place.relay.answers(BEAT, StatusCode::BAD_GATEWAY, "");
        place.relay.answers(TASKS, StatusCode::BAD_GATEWAY, "");
    }
    let _agent = place.start(|_| {});

    place.relay.call(METRICS).await;

    let paths = place.relay.paths();
    assert_eq!(
        paths.iter().filter(|it| *it == TASKS).count(),
        4,
        "{paths:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_command_of_the_documented_ones_is_answered() {
    let (_place, _agent, mut notify) = Place::started().await;

    for command in [
        "kick_vm",
        "kick_vm noop",
        "anything noop",
        "kick_vm session stop nosuch",
        "kick_vm session pause x",
        "kick_vm bogus x",
        "hello",
        "kick_vm status network --refresh --vpc",
        "kick_vm task run t-1",
        "kick_vm task stop t-1",
        "kick_vm file create f-1",
        "kick_vm file stop f-1",
        // They make the official one deaf for good.
        "kick_vm session",
        "kick_vm task",
        "kick_vm agent",
        "kick_vm file",
        "kick_vm status",
        "kick_vm noop",
    ] {
        notify.say(command).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shell_goes_from_its_kick_to_its_end() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));

    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    data.send(kind::SIZE, br#"{"cols":132,"rows":50}"#).await;
    data.expect("$ ").await;
    data.type_text("size\r").await;
    data.expect("50 132").await;
    data.type_text("exit 3\r").await;

    place.ended("ch-1", "status=Success&errorcode=Ok").await;
    data.rest().await;
    place.relay.owed_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_speed_below_the_least_and_frames_that_mean_nothing_do_no_harm() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({"flowLimit": 8_191}));
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;

    data.send(kind::STATUS, &[7, 0, 0, 31, 255]).await;
    data.send(kind::STATUS, &[7, 0]).await;
    data.send(kind::STATUS, &[3]).await;
    data.send(kind::CLOSE, b"1").await;
    data.send(kind::OUTPUT, b"not for it").await;
    data.send(9, b"?").await;
    data.type_text("echo on\r").await;

    data.expect("on\r\n$ ").await;
}

#[tokio::test(start_paused = true)]
async fn any_frame_keeps_a_session_and_181_s_without_one_end_it() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    data.expect("$ ").await;

    for _ in 0..5 {
        place
            .clock
            .advance(Duration::from_secs(150))
            .await
            .expect("moves");
        data.send(kind::STATUS, &[3]).await;
        link::sleep(Duration::from_secs(1)).await;
    }
    data.type_text("echo on\r").await;
    data.expect("on\r\n$ ").await;
    place
        .clock
        .advance(Duration::from_secs(181))
        .await
        .expect("moves");

    place
        .ended("ch-1", "status=Success&errorcode=Timeout")
        .await;
    data.rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_obeyed_and_posted() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    data.expect("$ ").await;

    notify.say("kick_vm session stop ch-1").await;

    place
        .ended("ch-1", "status=Success&errorcode=Notified")
        .await;
    data.rest().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_start_of_a_channel_fails_with_two_events_and_the_first_goes_on() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    data.expect("$ ").await;

    notify.say("kick_vm session start ch-1").await;

    place
        .ended("ch-1", "status=Failed&errorcode=Session_id_duplicate")
        .await;
    let events = [
        place.relay.call(METRICS).await,
        place.relay.call(METRICS).await,
    ];
    let events = events.map(|event| json(&event.body));
    assert_eq!(text(&events[0], "eventId"), "agent.session.failed");
    assert_eq!(text(&events[1], "eventId"), "agent.task.failed");
    place.relay.owed_nothing().await;
    data.type_text("echo on\r").await;
    data.expect("on\r\n$ ").await;
}

/// A relay whose notify channel was lost kicks once more for what was not asked for, and the question
/// may be on its way.
#[tokio::test(start_paused = true)]
async fn a_kick_that_comes_again_with_another_notify_channel_starts_nothing_twice() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    place.relay.answers(LIST, StatusCode::BAD_GATEWAY, "");
    notify.say("kick_vm session start ch-1").await;
    place.relay.call(LIST).await;

    drop(notify);
    let mut notify = place.relay.notified().await;
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    data.expect("$ ").await;
    data.type_text("exit\r").await;

    place.ended("ch-1", "status=Success&errorcode=Ok").await;
    data.rest().await;
    place.relay.owed_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_forward_carries_both_ways_and_ends_with_its_target() {
    let (mut place, _agent, mut notify) = Place::started().await;
    let target = place.target(8_080);
    place.relay.lists("ch-1", json!({"portNumber": "8080"}));
    notify.say("kick_vm session start ch-1").await;
    let mut data = place.relay.dialled().await;
    let mut connection = target.accept().await.expect("dialled");

    data.type_text("ping").await;
    let mut got = [0; 4];
    tokio::io::AsyncReadExt::read_exact(&mut connection, &mut got)
        .await
        .expect("read");
    tokio::io::AsyncWriteExt::write_all(&mut connection, b"pong")
        .await
        .expect("written");
    data.expect("pong").await;
    drop(connection);

    // The official agent would not tell (9.2, 8): ours does.
    let post = place.relay.call(STATUS).await;
    assert!(
        post.query.starts_with("channelId=ch-1&status="),
        "{}",
        post.query
    );
    data.rest().await;
    place.relay.owed_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_port_that_nobody_listens_on_is_told_with_two_events() {
    let (mut place, _agent, mut notify) = Place::started().await;
    for port in ["81", "no port"] {
        let channel = format!("ch-{}", port.len());
        place.relay.lists(&channel, json!({"portNumber": port}));

        notify
            .say(&format!("kick_vm session start {channel}"))
            .await;
        let data = place.relay.dialled().await;

        let words = "status=Failed&errorcode=Open_port_failed";
        place.ended(&channel, words).await;
        data.rest().await;
        place.relay.owed_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_dial_that_is_refused_is_not_repeated_but_told() {
    let (place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    place.relay.answers(BACKEND, StatusCode::FORBIDDEN, "");

    notify.say("kick_vm session start ch-1").await;

    let words = "status=Failed&errorcode=Open_channel_failed";
    place.ended("ch-1", words).await;
    place.relay.owed_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_data_channel_is_dialled_again_and_its_frames_are_counted_on() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    notify.say("kick_vm session start ch-1").await;
    let mut first = place.relay.dialled().await;
    first.expect("$ ").await;

    drop(first);
    let mut second = place.relay.dialled().await;
    second.type_text("echo on\r").await;
    second.expect("on\r\n$ ").await;
    for _ in 0..32 {
        place
            .relay
            .answers(BACKEND, StatusCode::SERVICE_UNAVAILABLE, "");
    }
    drop(second);

    place
        .ended("ch-1", "status=Success&errorcode=Timeout")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_not_ready_or_fails_is_asked_for_again() {
    let (mut place, _agent, mut notify) = Place::started().await;
    place.relay.lists("ch-1", json!({}));
    place.relay.answers(LIST, StatusCode::OK, r#"{"code":408}"#);
    place.relay.answers(LIST, StatusCode::BAD_GATEWAY, "");
    place
        .relay
        .answers(LIST, StatusCode::OK, r#"{"code":200,"session":[]}"#);

    notify.say("kick_vm session start ch-1").await;
    let data = place.relay.dialled().await;

    assert_eq!(data.channel(), "ch-1");
    let paths = place.relay.paths();
    assert_eq!(paths.iter().filter(|it| *it == LIST).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_notify_channel_that_is_lost_is_reported_and_dialled_again() {
    let (mut place, mut agent, notify) = Place::started().await;

    notify.close(1_000, "normal").await;
    let report = place.relay.call(REPORT).await;
    assert!(text(&json(&report.body), "info").starts_with("start:"));
    let mut notify = place.relay.notified().await;
    notify.say("kick_vm noop").await;
    drop(notify);
    place.relay.notified().await;

    place.relay.owed_nothing().await;
    agent.online().await;
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_not_taken_is_tried_four_times() {
    let (mut place, _agent, notify) = Place::started().await;
    for _ in 0..3 {
        place
            .relay
            .answers(NOTIFY, StatusCode::SERVICE_UNAVAILABLE, "");
    }

    notify.close(1_012, "restart").await;

    place.relay.call(REPORT).await;
    place.relay.notified().await;
    place.relay.owed_nothing().await;
}

/// An element of a task list (wire-protocol 10.7): a script, in Base64.
fn task(id: &str, kind: &str, script: &str) -> Value {
    json!({
        "task": {
            "taskID": id, "invokeVersion": 1, "commandId": "c-1", "commandName": "n",
            "type": kind, "commandContent": script, "timeOut": "60",
            "workingDirectory": "", "username": "", "windowsPasswordName": "",
            "enableParameter": false, "builtInParameter": {}, "args": "", "cron": "",
            "creationTime": 1_795_587_061_027_u64, "containerId": "", "containerName": "",
            "instanceId": INSTANCE,
        },
        "output": {"interval": 3_000, "logQuota": 12_000, "skipEmpty": true, "sendStart": true},
        "repeat": "Once",
    })
}

const SCRIPT: &str = "RunShellScript";
/// `echo hi` and `exit 3`.
const ECHO: &str = "ZWNobyBoaQ==";
const EXIT: &str = "ZXhpdCAz";

#[tokio::test(start_paused = true)]
async fn tasks_are_run_and_stopped_as_the_official_agent_reports_them() {
    let (place, _agent, mut notify) = Place::started().await;
    let runs = vec![
        task("t-1", "RunPowerShellScript", ECHO),
        task("t-2", SCRIPT, "no Base64!"),
        task("t-3", SCRIPT, ECHO),
        task("t-4", SCRIPT, EXIT),
    ];
    place.relay.lists_tasks("run", runs);
    place
        .relay
        .lists_tasks("stop", vec![task("t-5", SCRIPT, ECHO)]);

    notify.say("kick_vm task run t-1").await;

    // The stand-in knows the names of a report's query and their order.
    let mut reports = Vec::new();
    for what in [
        "invalid", "invalid", "running", "running", "finish", "finish", "stopped",
    ] {
        let path = format!("/luban/api/v1/task/{what}");
        let call = place.relay.call(&path).await;
        let told = String::from_utf8_lossy(&call.body).into_owned();
        let without_times = call.query.split('&').filter(|pair| {
            !pair.starts_with("start=") && !pair.starts_with("end=") && !pair.starts_with("value=")
        });
        let query = without_times.collect::<Vec<_>>().join("&");
        reports.push(format!("{what} {query} {told:?}"));
    }
    reports.sort();
    assert_eq!(
        reports,
        [
            r#"finish taskId=t-3&invokeVersion=1&exitCode=0&dropped=0 "hi\n""#,
            r#"finish taskId=t-4&invokeVersion=1&exitCode=3&dropped=0 """#,
            r#"invalid taskId=t-1&invokeVersion=1&param=TypeInvalid """#,
            r#"invalid taskId=t-2&invokeVersion=1&param=CommandContentInvalid """#,
            r#"running taskId=t-3&invokeVersion=1 """#,
            r#"running taskId=t-4&invokeVersion=1 """#,
            r#"stopped taskId=t-5&invokeVersion=1&exitcode=0&dropped=0&result=killed """#,
        ]
    );
}

/// The two lists go separate ways, and the one to stop it may be there first.
#[tokio::test(start_paused = true)]
async fn a_task_that_was_stopped_before_it_was_listed_is_never_run() {
    let (place, _agent, mut notify) = Place::started().await;
    place
        .relay
        .lists_tasks("stop", vec![task("t-1", SCRIPT, ECHO)]);
    notify.say("kick_vm task stop t-1").await;
    place.relay.call("/luban/api/v1/task/stopped").await;

    place.relay.lists_tasks("stop", Vec::new());
    let runs = vec![task("t-1", SCRIPT, ECHO), task("t-2", SCRIPT, ECHO)];
    place.relay.lists_tasks("run", runs);
    notify.say("kick_vm task run t-1").await;

    let finish = place.relay.call("/luban/api/v1/task/finish").await;
    assert!(finish.query.starts_with("taskId=t-2&"), "{}", finish.query);
    link::sleep(Duration::from_secs(10)).await;
    let paths = place.relay.paths();
    assert!(!paths.iter().any(|path| path.ends_with("/finish")));
}

#[tokio::test(start_paused = true)]
async fn each_command_for_tasks_has_the_list_fetched_that_it_names() {
    let (place, _agent, mut notify) = Place::started().await;
    // The start's own.
    place.relay.call(TASKS).await;

    for (command, reason) in [
        ("kick_vm", "reason=kickoff&currentTime="),
        (
            "kick_vm task run t-1",
            "reason=kickoff&taskId=t-1&currentTime=",
        ),
        (
            "kick_vm task stop t-1",
            "reason=kickoff&taskId=t-1&currentTime=",
        ),
        (
            "kick_vm file create f-1",
            "reason=kickoff&taskId=f-1&currentTime=",
        ),
        (
            "kick_vm file stop f-1",
            "reason=kickoff&taskId=f-1&currentTime=",
        ),
    ] {
        notify.say(command).await;
        let call = place.relay.call(TASKS).await;
        assert!(call.query.starts_with(reason), "{command}: {}", call.query);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_agent_says_one_thing_more_without_a_name() {
    let (place, mut agent, mut notify) = Place::started().await;

    notify.say("kick_vm agent deregister").await;

    place.relay.call("/luban/api/instance/deregister").await;
    let event = place.relay.call(METRICS).await;
    assert_eq!(
        text(&json(&event.body), "eventId"),
        "agent.hybrid.unregister"
    );
    assert_eq!(
        text(&json(&event.body), "keywords"),
        r#"{"status":"success"}"#
    );
    agent.deregistered().await;
    link::sleep(Duration::from_secs(3_600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_registers_as_the_official_one_does() {
    let place = Place::new();
    let http = HttpClient::new(Dialer::memory(&place.net), place.tls.clone());
    let wanted = Registration {
        server: "http://relay.test".to_owned(),
        activation_id: "id-456".to_owned(),
        activation_code: Secret::new("code-123"),
        region: "cn-hangzhou".parse().expect("valid"),
        name: "box one".to_owned(),
        tags: vec![("env".to_owned(), "dev".to_owned())],
        machine_id: MACHINE.to_owned(),
        machine: machine(),
        version: "2.2.3.500".to_owned(),
    };

    let instance = axt_agent::register(&http, &wanted, &key().public()).await;

    assert_eq!(instance.expect("registered").as_str(), INSTANCE);
}
