//! The metadata service, as an agent that is not registered reads it (wire-protocol 10, 10.1).

use axt_control::luban::{header::CLIENT_INSTANCE_ID, path};
use serde_json::json;

use crate::harness::{INSTANCE, World};

async fn declare(world: &World, declaration: serde_json::Value) {
    let declaration = declaration.to_string();
    let (status, _) = world.admin("POST", "/v1/instances", &declaration).await;
    assert_eq!(status, 201);
}

#[tokio::test(start_paused = true)]
async fn every_path_that_the_agent_reads_is_there_without_a_lines_end() {
    let world = World::new().await;
    let read = async |key: &str| world.metadata(&format!("/latest/meta-data/{key}")).await;

    assert_eq!(read("region-id").await, (200, "cn-hangzhou".to_owned()));
    assert_eq!(read("instance-id").await, (200, INSTANCE.to_owned()));
    assert_eq!(read("zone-id").await, (200, "cn-hangzhou-a".to_owned()));
    let name = read("instance/instance-name").await;
    assert_eq!(name, (200, INSTANCE.to_owned()));
    // Without a role there is nothing, above 400: the agent takes 400 for its answer.
    assert_eq!(read("ram/security-credentials/").await.0, 404);
    assert_eq!(world.metadata("/").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn the_list_names_what_there_is() {
    let world = World::new().await;

    let (_, list) = world.metadata("/latest/meta-data/").await;

    let names: Vec<&str> = list.lines().collect();
    assert!(names.contains(&"instance/instance-name"), "{list}");
    for name in names {
        let (status, value) = world.metadata(&format!("/latest/meta-data/{name}")).await;
        assert!(status == 404 || !value.is_empty(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_address_says_which_instance_asks_and_admits_its_agent() {
    let world = World::new().await;
    let who = async || world.metadata("/latest/meta-data/instance-id").await.1;

    let by_the_settings = who().await;
    declare(&world, json!({"id": "i-here", "intranet_ip": "127.0.0.1"})).await;
    let by_address = who().await;
    let (admitted, list) = world.luban("POST", path::TASK_LIST, &[], "").await;
    declare(&world, json!({"id": "i-twin", "internet_ip": "127.0.0.1"})).await;
    let by_two = who().await;
    let (refused, _) = world.luban("POST", path::TASK_LIST, &[], "").await;

    assert_eq!(by_the_settings, INSTANCE);
    assert_eq!(by_address, "i-here");
    assert!(admitted == 200 && list.contains("i-here"), "{list}");
    assert_eq!(by_two, INSTANCE);
    assert_eq!(refused, 403);
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_metadata_failed_is_told_apart_by_its_address() {
    let world = World::new().await;
    declare(&world, json!({"id": "i-here", "intranet_ip": "127.0.0.1"})).await;
    let nameless = [(CLIENT_INSTANCE_ID, "unknown")];

    let (status, list) = world.luban("POST", path::TASK_LIST, &nameless, "").await;

    assert!(status == 200 && list.contains("i-here"), "{list}");
}
