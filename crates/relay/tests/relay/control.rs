//! The agents' control plane, call by call, as the official agent needs it answered
//! (wire-protocol 10).

use axt_control::luban::{header::CLIENT_INSTANCE_ID, path};
use serde_json::{Value, json};

use crate::harness::{INSTANCE, World};

/// A vector of the official agent's.
fn golden(name: &str) -> Value {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
            .expect("the vectors are JSON");
    let vectors = golden["vectors"].as_array().expect("a list");
    let vector = vectors.iter().find(|one| one["name"] == name);
    vector.expect("there")["decoded"].clone()
}

/// An unsigned agent, which says who it is.
struct Agent<'a>(&'a World);

impl Agent<'_> {
    /// A call that the agent takes for a success: nothing above 400 (wire-protocol 10.1).
    async fn calls(&self, method: &str, path: &str, body: &str) -> Value {
        let who = [(CLIENT_INSTANCE_ID, INSTANCE)];
        let (status, answer) = self.0.luban(method, path, &who, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).expect("JSON: the agent logs an error for anything else")
    }

    /// What the official agent once sent, sent again.
    async fn repeats(&self, name: &str) -> Value {
        let call = golden(name);
        let text = |member: &str| call[member].as_str().expect("a text").to_owned();
        let path = match text("query").as_str() {
            "" => text("path"),
            query => format!("{}?{query}", text("path")),
        };
        self.calls(&text("method"), &path, &text("body")).await
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_of_a_heart_beat_is_told_an_interval_that_the_agent_takes() {
    let world = World::new().await;
    let agent = Agent(&world);
    let long = "uptime=1&timestamp=2&pid=3&process_uptime=4&index=0&seq_no=0&virt_type=kvm&lang=golang\
                &os_type=linux&os_version=x&app_version=2.2.3.500&az=cn-x-1&cold_start=true";

    let first = agent.repeats("http_heartbeat_first").await;
    let later = agent.repeats("http_heartbeat_later").await;
    let long = agent
        .calls("GET", &format!("{}?{long}", path::HEART_BEAT), "")
        .await;
    let bare = agent.calls("GET", path::HEART_BEAT, "").await;

    for reply in [first, later, long, bare] {
        let interval = reply["nextInterval"].as_f64().expect("a number");
        assert!((55_000.0..=65_000.0).contains(&interval), "{reply}");
        // Anything in it would make the agent change to the long form.
        assert_eq!(reply.get("errMsg"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_search_finds_the_relay_and_its_region_without_saying_who_asks() {
    let world = World::new().await;

    let probe = world.luban("GET", path::CONNECTION_DETECT, &[], "").await;
    let region = world.luban("GET", path::CLASSIC_REGION, &[], "").await;

    // Two bytes and not one more: the agent compares them.
    assert_eq!(probe, (200, "ok".to_owned()));
    assert_eq!(region, (200, "cn-hangzhou".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_ever_offered_to_be_downloaded_and_run() {
    let world = World::new().await;
    let agent = Agent(&world);
    let plugins = r#"{"os":"linux","arch":"amd64","plugin":[{"name":"p","version":"1"}]}"#;

    let update = agent.repeats("http_update_check").await;
    let newer = agent.calls("POST", path::PLUGIN_UPDATES, plugins).await;
    let list = agent.calls("POST", path::PLUGIN_LIST, "{}").await;

    assert_eq!(update["need_update"], 0);
    assert_eq!(update["flag"], 0);
    assert_eq!(newer["plugin"], json!([]));
    assert_eq!(list["pluginList"], json!([]));
    for interval in [&update["next_interval"], &newer["nextInterval"]] {
        assert!(interval.as_u64() >= Some(1_800), "{interval}");
    }
}

#[tokio::test(start_paused = true)]
async fn state_configurations_are_not_supported_and_their_reports_are_taken() {
    let world = World::new().await;
    let agent = Agent(&world);

    let listed = agent
        .repeats("http_list_instance_state_configurations")
        .await;
    let template = agent.calls("POST", path::STATE_TEMPLATE, "{}").await;
    let report = agent.calls("POST", path::STATE_REPORT, "{}").await;
    let inventory = agent.calls("POST", path::INVENTORY, "{}").await;

    assert_eq!(listed["errCode"], "ServiceNotSupported");
    assert_eq!(template["errCode"], "ServiceNotSupported");
    // The agent takes a code that sorts behind "400" for a failure.
    for taken in [report, inventory] {
        assert!(taken["errCode"].as_str() < Some("400"), "{taken}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_guest_ports_shell_is_not_supported_and_throttles_nothing_for_good() {
    let world = World::new().await;

    let reply = Agent(&world).calls("POST", path::GSHELL, "").await;

    assert_eq!(reply["gshellSupport"], "false");
    assert_eq!(reply["instanceId"], INSTANCE);
    let limits = reply["throttlingConfig"].as_object().expect("an object");
    assert_eq!(limits.len(), 4);
    for (name, limit) in limits {
        assert!(limit.as_u64() > Some(0), "{name}: {limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn reports_are_taken_once_and_a_huge_one_is_refused_above_400() {
    let world = World::new().await;
    let agent = Agent(&world);
    let huge = format!(r#"{{"type":"AgentPanic","info":"{}"}}"#, "x".repeat(70_000));
    let who = [(CLIENT_INSTANCE_ID, INSTANCE)];

    let taken = [
        agent.repeats("http_metrics_startup").await,
        agent.repeats("http_metrics_session_failed").await,
        agent.repeats("http_client_report_channel_lost").await,
        agent.calls("POST", path::METRICS, "not JSON").await,
        agent
            .calls("POST", path::PLUGIN_STATUS, r#"{"plugin":[]}"#)
            .await,
    ];
    let (status, _) = world.luban("POST", path::CLIENT_REPORT, &who, &huge).await;

    for reply in taken {
        assert_eq!(reply["code"], 200);
    }
    assert_eq!(status, 413);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_has_just_left_reports_that_without_a_name() {
    let world = World::new().await;
    let left = golden("http_metrics_unregister");
    let body = left["body"].as_str().expect("a text");
    let stranger = [(CLIENT_INSTANCE_ID, "i-nobody")];

    let (nameless, _) = world.luban("POST", path::METRICS, &[], body).await;
    let (named, _) = world.luban("POST", path::METRICS, &stranger, body).await;
    let (other, _) = world.luban("POST", path::CLIENT_REPORT, &[], "{}").await;

    assert_eq!((nameless, named, other), (200, 403, 403));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_answered_calmly() {
    let world = World::new().await;

    let reply = Agent(&world).calls("POST", "/luban/api/v9/new", "{}").await;

    assert_eq!(reply, json!({"code": 200}));
}

#[tokio::test(start_paused = true)]
async fn a_windows_user_and_the_name_of_his_password_are_handed_on() {
    let world = World::new().await;
    let url = format!("/v1/instances/{INSTANCE}");
    let windows = r#"{"os_type":"Windows"}"#;
    assert_eq!(world.admin("PATCH", &url, windows).await.0, 200);
    let mut agent = world.agent().await;
    let user = "&Username=Administrator&PasswordName=axtSecret";
    let session = world.start_session_with(user).await;

    let _client = world.connect(&session.url).await.expect("let in");
    let channel = agent.kicked().await;
    let list = agent.list(&channel).await;

    let object = &list.session[0];
    assert_eq!(object.username, "Administrator");
    assert_eq!(object.windows_password_name, "axtSecret");
}
