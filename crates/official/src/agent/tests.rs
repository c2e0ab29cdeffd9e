//! That it complains about each thing that the official agent would choke on: behind the service's
//! stand-in, which is made to do what no relay may.

use axt_control::luban::AgentKey;
use axt_net::{
    link,
    tls::ClientTls,
    transport::{Listener, MemoryNet},
};
use bytes::{BufMut, Bytes, BytesMut};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::*;
use crate::{
    relay::{DataChannel, NotifyChannel, Registered, StrictRelay},
    wire::{self, kind},
};

const LIST: &str = "/luban/api/v1/session/list";
const SPEED: [u8; 5] = [7, 0, 25, 0, 0];
const SECOND: Duration = Duration::from_secs(1);

/// An agent that is told by a service what a test has it say.
struct Place {
    net: MemoryNet,
    relay: StrictRelay,
    agent: OfficialAgent,
}

impl Place {
    /// Nothing has been said yet: what is `answered` otherwise counts from the start.
    fn new(answered: &[(&str, StatusCode, &str)]) -> Self {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
                .expect("the vectors are JSON");
        let key = &golden["signing_key"];
        let text = |name: &str| key[name].as_str().expect("a text").to_owned();
        let known = Registered {
            instance: text("instance_id"),
            machine_id: text("machine_id"),
            public_key: text("public_key_pem"),
        };
        let key = AgentKey::from_pem(&text("private_key_pem")).expect("a key");
        let instance = known.instance.parse().expect("valid");
        let signer = Signer::new(instance, known.machine_id.clone(), &key);
        let net = MemoryNet::new();
        let listener = net.bind("relay.test", 80).expect("free");
        let relay = StrictRelay::start(listener, None, known, Wall::system());
        for (path, status, body) in answered {
            relay.answers(path, *status, body);
        }
        let dialer = Dialer::memory(&net);
        let setup = AgentSetup {
            targets: dialer.clone(),
            ..AgentSetup::new("http://relay.test", Who::Registered(Box::new(signer)))
        };
        let network = Network::new(dialer, ClientTls::system());
        Self {
            agent: OfficialAgent::start(setup, network),
            net,
            relay,
        }
    }

    async fn started(answered: &[(&str, StatusCode, &str)]) -> (Self, NotifyChannel) {
        let mut place = Self::new(answered);
        let notify = place.relay.notified().await;
        place.agent.online().await;
        (place, notify)
    }

    /// A session whose data channel is open, and has been told nothing.
    async fn session(members: Value) -> (Self, NotifyChannel, DataChannel) {
        let (mut place, mut notify) = Self::started(&[]).await;
        place.relay.lists("ch-1", members);
        notify.say("kick_vm session start ch-1").await;
        let data = place.relay.dialled().await;
        (place, notify, data)
    }

    fn target(&self, port: u16) -> Listener {
        self.net.bind("localhost", port).expect("free")
    }

    /// What it has complained about a moment later. What the service's stand-in has to say of this
    /// agent is another test's subject.
    async fn complaints(self) -> Vec<String> {
        link::sleep(SECOND * 3).await;
        let _ = self.relay.complaints().take();
        self.agent.complaints().take()
    }

    /// Sees that it complains about one thing, and about that.
    async fn complains_only_of(self, what: &str) {
        let complaints = self.complaints().await;
        assert!(
            complaints.len() == 1 && complaints[0].contains(what),
            "{complaints:?} instead of `{what}`"
        );
    }
}

/// A frame of that date, cut or filled to that length.
fn message(created_ms: u64, length: usize) -> Bytes {
    let frame = wire::write_at_agent(kind::INPUT, "ch-1", created_ms, 0, b"");
    let mut bytes = BytesMut::from(&frame[..length.min(frame.len())]);
    bytes.put_bytes(b'x', length - bytes.len());
    bytes.freeze()
}

#[tokio::test(start_paused = true)]
async fn what_a_relay_should_do_is_no_complaint() {
    let (place, mut notify, mut data) = Place::session(json!({})).await;

    data.send(kind::STATUS, &SPEED).await;
    data.expect("$ ").await;
    data.send(kind::SIZE, br#"{"cols":132,"rows":50}"#).await;
    data.send(kind::STATUS, &[3]).await;
    data.type_text("size\r").await;
    data.expect("50 132").await;
    notify.say("kick_vm session stop ch-1").await;
    place.relay.call("/luban/api/v1/session/status").await;

    assert_eq!(place.complaints().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn each_frame_that_it_cannot_use_is_complained_about() {
    let frame = |kind, payload: &[u8]| wire::write_at_agent(kind, "ch-1", 1, 0, payload);
    let cases = [
        (message(1, 56), "56 bytes are no frame"),
        (message(1, 57), "57 bytes kill the reader"),
        (message(1, 58), "58 bytes kill the reader"),
        (message(1, 59), "59 bytes kill the reader"),
        (message(0, 61), "without a date"),
        (message(1, 60), "without payload"),
        (frame(kind::OUTPUT, b"x"), "type 1 does nothing"),
        (frame(kind::CLOSE, b"1"), "type 3 does nothing"),
        (frame(4, b"x"), "type 4 does nothing"),
        (frame(kind::SIZE, &[30, 0, 100, 0]), "no JSON object"),
        (frame(kind::STATUS, b"\x05Exit"), "code Some(5)"),
        (frame(kind::STATUS, &[7]), "a speed that is none"),
        (frame(kind::STATUS, &[7, 0, 0, 0]), "a speed that is none"),
        // One below 8,192 bits a second.
        (frame(kind::STATUS, &[7, 31, 255]), "8191 kills the reader"),
    ];

    for (message, what) in cases {
        let (place, _notify, mut data) = Place::session(json!({})).await;
        data.send(kind::STATUS, &SPEED).await;
        data.expect("$ ").await;
        data.send_as_it_is(message).await;

        place.complains_only_of(what).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_died_hears_nothing_more() {
    let (place, _notify, mut data) = Place::session(json!({})).await;
    data.send(kind::STATUS, &SPEED).await;
    data.expect("$ ").await;

    data.send_as_it_is(message(1, 57)).await;
    data.type_text("exit\r").await;

    place.complains_only_of("kill the reader").await;
}

#[tokio::test(start_paused = true)]
async fn the_speed_comes_first_and_nothing_else_before_there_is_a_terminal() {
    let cases: [(u32, &[u8], &[&str]); 3] = [
        // It begins as a speed does.
        (
            kind::INPUT,
            &SPEED,
            &["the first frame is no speed", "is lost"],
        ),
        (kind::STATUS, &[3], &["the first frame is no speed"]),
        (
            kind::SIZE,
            br#"{"cols":1,"rows":1}"#,
            &["the first frame is no speed", "before the terminal"],
        ),
    ];

    for (kind, payload, whats) in cases {
        let (place, _notify, mut data) = Place::session(json!({})).await;
        data.send(kind, payload).await;

        let complaints = place.complaints().await;
        assert_eq!(complaints.len(), whats.len(), "{complaints:?}");
        for (complaint, what) in complaints.iter().zip(whats) {
            assert!(complaint.contains(what), "{complaint} instead of `{what}`");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_ports_least_speed_is_twice_as_high() {
    let (place, _notify, mut data) = Place::session(json!({"portNumber": "80"})).await;
    let _target = place.target(80);

    // One below 16,384 bits a second.
    data.send(kind::STATUS, &[7, 63, 255]).await;

    place.complains_only_of("16383 kills the reader").await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_without_input_to_a_port_whose_target_has_closed() {
    for (kind, payload) in [
        (kind::STATUS, &[3][..]),
        (kind::SIZE, &br#"{"cols":1,"rows":1}"#[..]),
    ] {
        let (place, _notify, mut data) = Place::session(json!({"portNumber": "80"})).await;
        let target = place.target(80);
        data.send(kind::STATUS, &SPEED).await;
        let mut first = target.accept().await.expect("dialled");
        first.write_all(b"bye").await.expect("written");
        data.expect("bye").await;
        drop(first);
        link::sleep(SECOND).await;

        data.send(kind, payload).await;

        target.accept().await.expect("dialled anew");
        place.complains_only_of("dialled anew").await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_list_that_it_cannot_use_is_complained_about() {
    let one = json!({"channelId": "ch-1"});
    let with = |name: &str, value: Value| {
        let mut object = one.clone();
        object[name] = value;
        json!({"code": 200, "session": [object]}).to_string()
    };
    let ok = StatusCode::OK;
    let cases = [
        (ok, with("portNumber", json!(22)), "`portNumber` is no text"),
        (
            ok,
            with("flowLimit", json!("0")),
            "`flowLimit` is no number",
        ),
        (ok, with("axt", json!({})), "no member `axt`"),
        (ok, with("channelId", json!("")), "1 to 32 bytes"),
        (
            ok,
            with("channelId", json!("c".repeat(33))),
            "1 to 32 bytes",
        ),
        (ok, with("channelId", json!("ch 1")), "unescaped"),
        (StatusCode::BAD_REQUEST, "{}".to_owned(), "takes 400 for"),
    ];

    for (status, body, what) in cases {
        let (place, mut notify) = Place::started(&[]).await;
        place.relay.answers(LIST, status, &body);
        notify.say("kick_vm session start ch-1").await;

        place.complains_only_of(what).await;
    }
    for (status, body, what) in [
        (StatusCode::FORBIDDEN, "{}", "refused with 403"),
        (ok, "no JSON", "answered with no JSON"),
    ] {
        let (place, mut notify) = Place::started(&[]).await;
        place.relay.answers(LIST, status, body);
        notify.say("kick_vm session start ch-1").await;

        place.complains_only_of(what).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_sessions_in_one_list_run_one_after_the_other() {
    let (place, mut notify) = Place::started(&[]).await;
    let list = json!({"code": 200, "session": [{"channelId": "ch-1"}, {"channelId": "ch-2"}]});
    place.relay.answers(LIST, StatusCode::OK, &list.to_string());

    notify.say("kick_vm session start ch-1").await;
    link::sleep(SECOND).await;

    assert_eq!(place.agent.sessions(), 1);
    place.complains_only_of("runs 2 sessions").await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_kicked_twice_cannot_be_stopped_any_more() {
    let (place, mut notify, mut data) = Place::session(json!({})).await;
    data.send(kind::STATUS, &SPEED).await;

    notify.say("kick_vm session start ch-1").await;
    let post = place.relay.call("/luban/api/v1/session/status").await;
    notify.say("kick_vm session stop ch-1").await;
    link::sleep(SECOND).await;

    assert!(post.query.ends_with("&errorcode=Session_id_duplicate"));
    assert_eq!(place.agent.sessions(), 1);
    place.complains_only_of("was started twice").await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_divides_by_zero_ends_its_process() {
    for (members, what) in [
        (json!({"flowLimit": 8_191}), "8191 divides by zero"),
        (
            json!({"flowLimit": 16_383, "portNumber": "80"}),
            "16383 divides by zero",
        ),
    ] {
        let (place, mut notify) = Place::started(&[]).await;
        place.relay.lists("ch-1", members);
        notify.say("kick_vm session start ch-1").await;
        link::sleep(SECOND).await;

        assert!(place.agent.has_crashed());
        place.complains_only_of(what).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_of_two_words_makes_it_deaf_for_good() {
    for word in ["session", "task", "agent", "file", "status"] {
        let (place, mut notify) = Place::started(&[]).await;

        notify.tell(&format!("kick_vm {word}")).await;
        notify.tell("kick_vm session start ch-1").await;
        link::sleep(SECOND).await;

        let asked = place.agent.calls().iter().any(|call| call.contains(LIST));
        assert!(!asked, "{word}");
        place.complains_only_of("deaf for good").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_not_back_when_it_dials_makes_it_deaf_for_half_an_hour() {
    let (place, notify) = Place::started(&[]).await;
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    place.relay.answers("/luban/notify_server", busy, "");

    drop(notify);
    link::sleep(SECOND * 6).await;

    place.complains_only_of("deaf for 30 minutes").await;
}

#[tokio::test(start_paused = true)]
async fn each_answer_at_its_start_that_it_cannot_use_is_complained_about() {
    let ok = StatusCode::OK;
    let beat = "/luban/api/heart-beat";
    let states = "/luban/api/instance/list_instance_state_configurations";
    for (path, status, body, what) in [
        (
            "/luban/api/v1/update/update_check",
            ok,
            r#"{"need_update":1}"#,
            "would download",
        ),
        (beat, ok, r#"{"nextInterval":54999}"#, "the interval"),
        (beat, ok, r#"{"code":200}"#, "the interval"),
        (beat, StatusCode::UNAUTHORIZED, "{}", "refused with 401"),
        (
            "/luban/api/v1/task/list",
            StatusCode::FORBIDDEN,
            "{}",
            "refused with 403",
        ),
        (states, ok, r#"{"result":{"Changed":false}}"#, "AgentPanic"),
        (states, ok, "no JSON", "answered with no JSON"),
    ] {
        let (place, _notify) = Place::started(&[(path, status, body)]).await;
        link::sleep(SECOND * 120).await;

        place.complains_only_of(what).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_task_that_it_cannot_use_is_complained_about() {
    let task = json!({
        "taskID": "t-1", "invokeVersion": 1, "type": "RunShellScript", "commandContent": "",
        "timeOut": "60",
    });
    let with = |name: &str, value: Value| {
        let mut task = task.clone();
        task[name] = value;
        json!({"task": task})
    };
    for (list, element, what) in [
        ("run", with("timeOut", json!(60)), "no text"),
        ("run", with("taskID", json!("")), "without a name"),
        ("run", with("invokeVersion", json!("1")), "without a name"),
        (
            "run",
            json!({"task": task, "axt": {}}),
            "has no member `axt`",
        ),
        ("stop", json!({"task": task}), "which does not run"),
    ] {
        let (place, mut notify) = Place::started(&[]).await;
        place.relay.lists_tasks(list, vec![element]);
        notify.say("kick_vm task run t-1").await;

        place.complains_only_of(what).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_nobody_takes() {
    let (place, mut notify) = Place::started(&[]).await;
    let task = json!({"taskID": "t-1", "invokeVersion": 1, "type": "RunShellScript"});
    place.relay.lists_tasks("run", vec![json!({"task": task})]);
    let finish = "/luban/api/v1/task/finish";
    for _ in 0..4 {
        let failing = StatusCode::BAD_GATEWAY;
        place.relay.answers(finish, failing, "");
    }

    notify.say("kick_vm task run t-1").await;
    link::sleep(SECOND * 6).await;

    place.complains_only_of("nobody took its report").await;
}

#[tokio::test(start_paused = true)]
async fn a_deregistration_that_is_told_and_then_refused() {
    let (place, mut notify) = Place::started(&[]).await;
    let path = "/luban/api/instance/deregister";
    let refusal = r#"{"code":403}"#;
    place.relay.answers(path, StatusCode::OK, refusal);

    notify.say("kick_vm agent deregister").await;

    place.complains_only_of("is not deregistered").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the official agent would have choked on:")]
async fn an_agent_that_has_a_complaint_fails_its_test() {
    let (place, mut notify) = Place::started(&[]).await;
    notify.tell("kick_vm session").await;
    link::sleep(SECOND).await;
    let _ = place.relay.complaints().take();

    drop(place.agent);
}
