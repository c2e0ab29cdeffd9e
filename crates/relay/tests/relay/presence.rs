//! Whether an agent is there: its notify channel is open, or its last heart-beat is less than 150 s
//! old, on link time (limits-and-semantics R2, ecs-api 3.4).

use std::time::Duration;

use axt_control::luban::{header::CLIENT_INSTANCE_ID, path};
use axt_net::link;
use axt_proto::EventKind;
use serde_json::{Value, json};

use crate::harness::{INSTANCE, World};

/// What the API says of the instance's agent.
async fn status(world: &World) -> Value {
    let parameters = format!("&InstanceId.1={INSTANCE}");
    let (_, answer) = world
        .call("DescribeCloudAssistantStatus", &parameters)
        .await;
    let set = &answer["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"];
    set[0].clone()
}

async fn is_online(world: &World) -> bool {
    status(world).await["CloudAssistantStatus"] == "true"
}

async fn heart_beat(world: &World) {
    let who = [(CLIENT_INSTANCE_ID, INSTANCE)];
    let (answered, _) = world.luban("GET", path::HEART_BEAT, &who, "").await;
    assert_eq!(answered, 200);
}

/// Waits for the relay to notice that the agent is not there any more.
async fn offline(world: &World) {
    world
        .until(|event| matches!(event.kind, EventKind::AgentOffline))
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_there_while_its_notify_channel_is_open() {
    let world = World::new().await;

    let before = status(&world).await;
    let agent = world.agent().await;
    let during = status(&world).await;
    drop(agent);
    offline(&world).await;
    let after = status(&world).await;

    assert_eq!(before["CloudAssistantStatus"], "false");
    assert_eq!(before["CloudAssistantVersion"], "");
    assert_eq!(during["CloudAssistantStatus"], "true");
    assert_eq!(during["SupportSessionManager"], true);
    assert_eq!(after["CloudAssistantStatus"], "false");
    // What it told stays known.
    assert_eq!(after["CloudAssistantVersion"], "2.2.4.1065");
}

#[tokio::test(start_paused = true)]
async fn a_heart_beat_alone_counts_for_150_s_of_link_time() {
    let world = World::new().await;

    heart_beat(&world).await;
    link::sleep(Duration::from_secs(100)).await;
    heart_beat(&world).await;
    link::sleep(Duration::from_millis(149_900)).await;
    let just = is_online(&world).await;
    let before = link::now();
    offline(&world).await;

    assert!(just);
    assert!(!is_online(&world).await);
    // The clock of the rules stands still all the while, and no guard had to fire.
    assert!(link::now().duration_since(before) < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_notify_channel_leaves_an_agent_there_as_long_as_it_beats() {
    let world = World::new().await;
    let agent = world.agent().await;
    heart_beat(&world).await;

    drop(agent);
    for _ in 0..5 {
        link::sleep(Duration::from_secs(60)).await;
        assert!(is_online(&world).await);
        heart_beat(&world).await;
    }
    link::sleep(Duration::from_secs(151)).await;

    assert!(!is_online(&world).await);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_away_gets_no_session_and_the_api_says_why() {
    let world = World::new().await;
    let parameters = format!("&InstanceId.1={INSTANCE}");

    let (away, refusal) = world.call("StartTerminalSession", &parameters).await;
    heart_beat(&world).await;
    let (there, _) = world.call("StartTerminalSession", &parameters).await;

    assert_eq!(
        (away, &refusal["Code"]),
        (403, &json!("Operation.Forbidden"))
    );
    assert_eq!(there, 200);
}
