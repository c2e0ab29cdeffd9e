//! Commands from the API's call to its result, carried out by the official agent's peer (wire-protocol
//! 10.7): each report is its own, and what it would choke on fails the test.

use std::time::Duration;

use axt_net::link;
use axt_official::OfficialAgent;
use axt_proto::EventKind;

use crate::{harness::World, programs};

async fn world() -> (World, OfficialAgent) {
    let world = World::new().await;
    let agent = programs::agent(&world).await;
    (world, agent)
}

#[tokio::test(start_paused = true)]
async fn its_output_is_joined_and_its_exit_code_told() {
    let (world, _agent) = world().await;

    let script = "echo one\nsleep 5\necho two\nsleep 90\necho three\nexit 3";
    let parameters = "&Timeout=600&Username=dev&WorkingDir=/tmp";
    let id = world.run(script, parameters).await;
    world.until_status("Failed").await;

    let result = world.result(&id).await;
    assert_eq!(result["Output"], "one\ntwo\nthree\n");
    assert_eq!(result["ExitCode"], 3);
    assert_eq!(result["Dropped"], 0);
}

#[tokio::test(start_paused = true)]
async fn more_than_it_keeps_loses_its_front() {
    let (world, _agent) = world().await;

    let id = world.run("flood 30000\necho the end", "").await;
    world.until_status("Success").await;

    let result = world.result(&id).await;
    let output = result["Output"].as_str().expect("text");
    assert!(output.ends_with("xthe end\n"));
    let dropped = result["Dropped"].as_u64().expect("a number");
    let dropped = usize::try_from(dropped).expect("few");
    assert_eq!(output.len() + dropped, 30_008);
}

#[tokio::test(start_paused = true)]
async fn it_kills_what_is_over_its_time() {
    let (world, _agent) = world().await;

    let id = world.run("echo begun\nsleep 600", "&Timeout=10").await;
    world.until_status("Timeout").await;

    assert_eq!(world.result(&id).await["Output"], "begun\n");
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_it_stops() {
    let (world, _agent) = world().await;
    let id = world.run("echo begun\nsleep 600", "&Timeout=3600").await;
    link::sleep(Duration::from_secs(5)).await;

    let stop = format!("/v1/invocations/{id}/stop");
    let (status, answer) = world.admin("POST", &stop, "").await;
    assert_eq!(status, 200, "{answer}");
    world.until_status("Terminated").await;

    assert_eq!(world.result(&id).await["Output"], "begun\n");
}

#[tokio::test(start_paused = true)]
async fn what_it_finds_invalid_is_told_by_its_parameter() {
    let (world, _agent) = world().await;

    for (parameters, told) in [
        ("&WorkingDir=/no/such", "/no/such"),
        ("&Username=nobody-such", "nobody-such"),
    ] {
        let id = world.run("echo hi", parameters).await;
        let over = async {
            while world.result(&id).await["InvokeRecordStatus"] != "Failed" {
                link::sleep(Duration::from_millis(100)).await;
            }
        };
        let over = link::timeout(crate::peers::GUARD, over).await;
        over.expect("in time");

        let result = world.result(&id).await.to_string();
        assert!(result.contains(told), "{result}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_it_is_found_in_the_list_of_its_start() {
    let (world, agent) = world().await;
    drop(agent);
    let id = world.run("echo late", "").await;

    let _again = programs::started(&world, Duration::from_secs(3));
    world
        .until(|it| matches!(&it.kind, EventKind::RunEnded { .. }))
        .await;

    let result = world.result(&id).await;
    assert_eq!(result["Output"], "late\n", "{result}");
}
