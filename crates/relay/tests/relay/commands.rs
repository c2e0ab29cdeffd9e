//! Commands, carried out by an agent that reports as the official one does (wire-protocol 10.7).

use std::time::Duration;

use axt_control::luban::{SessionList, path};
use axt_net::link;
use axt_proto::{Event, EventKind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    harness::{INSTANCE, World},
    peers::Agent,
    programs,
};

impl World {
    /// RunCommand of a plain script; the id of the call.
    pub(crate) async fn run(&self, script: &str, parameters: &str) -> String {
        let content: String = form_urlencoded::byte_serialize(script.as_bytes()).collect();
        let (status, answer) = self
            .call(
                "RunCommand",
                &format!(
                    "&Type=RunShellScript&CommandContent={content}&InstanceId.1={INSTANCE}{parameters}"
                ),
            )
            .await;
        assert_eq!(status, 200, "{answer}");
        answer["InvokeId"].as_str().expect("an id").to_owned()
    }

    /// The one result of a call.
    pub(crate) async fn result(&self, invocation: &str) -> Value {
        let parameters = format!("&InvokeId={invocation}&ContentEncoding=PlainText");
        let (status, answer) = self.call("DescribeInvocationResults", &parameters).await;
        assert_eq!(status, 200, "{answer}");
        let results = &answer["Invocation"]["InvocationResults"]["InvocationResult"];
        assert_eq!(results.as_array().map(Vec::len), Some(1), "{answer}");
        results[0].clone()
    }

    pub(crate) async fn until_status(&self, wanted: &str) {
        let is_it = |event: &Event| matches!(&event.kind, EventKind::RunEnded { status, .. } if status == wanted);
        self.until(is_it).await;
    }
}

impl Agent {
    /// Fetches what it was kicked for, or with an empty id all that there is.
    async fn tasks(&self, reason: &str, id: &str) -> SessionList {
        let task = match id {
            "" => String::new(),
            id => format!("&taskId={id}"),
        };
        let body = self
            .post(&format!(
                "{}?reason={reason}{task}&currentTime=1&offset=0&timeZone=UTC",
                path::TASK_LIST
            ))
            .await;
        serde_json::from_slice(&body).expect("a list")
    }

    async fn report(&self, what: &str, id: &str, numbers: &str, output: &[u8]) {
        let path = format!(
            "{}{what}?taskId={id}&invokeVersion=1{numbers}",
            path::TASK_REPORT
        );
        self.post_body(&path, output).await;
    }

    /// Waits for the kick and says that the command runs.
    async fn begin(&mut self, id: &str) {
        assert_eq!(self.command().await, format!("kick_vm task run {id}"));
        self.report("running", id, "&start=1", b"").await;
    }
}

#[tokio::test(start_paused = true)]
async fn output_is_joined_from_the_pieces_that_an_agent_reports() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let id = world
        .run(
            "echo hi",
            "&Timeout=30&Username=bob&WorkingDir=/tmp&Name=greet",
        )
        .await;
    let pending = world.result(&id).await;

    assert_eq!(agent.command().await, format!("kick_vm task run {id}"));
    let list = agent.tasks("kickoff", &id).await;
    agent.report("running", &id, "&start=1", b"").await;
    let running = world.result(&id).await;
    // Cut in the middle of a character, as a reader of fixed blocks does.
    let text = "one 日 two".as_bytes();
    agent.report("running", &id, "&start=1", &text[..5]).await;
    agent.report("running", &id, "&start=1", &text[5..]).await;
    agent
        .report(
            "finish",
            &id,
            "&start=1&end=2&exitCode=3&dropped=7",
            b" three",
        )
        .await;
    let over = world.result(&id).await;

    assert_eq!(pending["InvocationStatus"], "Pending");
    assert_eq!(pending["StartTime"], "");
    let task = serde_json::to_value(&list.run[0]).expect("JSON");
    assert_eq!(
        task,
        json!({
            "task": {
                "taskID": id,
                "invokeVersion": 1,
                "commandId": task["task"]["commandId"],
                "commandName": "greet",
                "type": "RunShellScript",
                "commandContent": STANDARD.encode("echo hi"),
                "timeOut": "30",
                "workingDirectory": "/tmp",
                "username": "bob",
                "windowsPasswordName": "",
                "enableParameter": false,
                "builtInParameter": {},
                "args": "",
                "cron": "",
                "creationTime": 1_795_587_061_027_u64,
                "containerId": "",
                "containerName": "",
                "instanceId": INSTANCE,
            },
            "output": {"interval": 1000, "logQuota": 24576, "skipEmpty": true, "sendStart": true},
            "repeat": "Once",
        })
    );
    assert_eq!(running["InvocationStatus"], "Running");
    assert_eq!(running["InvokeRecordStatus"], "Running");
    assert_eq!(
        over,
        json!({
            "InstanceId": INSTANCE,
            "InvokeId": id,
            "CommandId": over["CommandId"],
            "InvocationStatus": "Failed",
            "InvokeRecordStatus": "Finished",
            "ExitCode": 3,
            "Output": "one 日 two three",
            "Dropped": 7,
            "ErrorCode": "ExitCodeNonzero",
            "ErrorInfo": "the command execution exit code is not zero.",
            "StartTime": "2026-11-25T06:11:01Z",
            "FinishedTime": "2026-11-25T06:11:01Z",
            "StopTime": "",
            "Username": "bob",
            "Repeats": 1,
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_repeated_because_its_answer_was_lost_is_joined_once() {
    let world = World::new().await;
    let mut agent = world.our_agent().await;
    let id = world.run("true", "").await;
    let list = agent.tasks("kickoff", &id).await;
    agent.begin(&id).await;

    for _ in 0..2 {
        let numbers = "&start=1&position=0";
        agent.report("running", &id, numbers, b"one ").await;
    }
    let numbers = "&start=1&end=2&exitCode=0&dropped=0&position=4";
    agent.report("finish", &id, numbers, b"two").await;

    assert!(list.run[0].axt.is_some_and(|granted| granted.position));
    assert_eq!(world.result(&id).await["Output"], "one two");
}

#[tokio::test(start_paused = true)]
async fn the_official_way_of_sending_a_public_key_ends_as_success() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let install =
        STANDARD.encode("acs-plugin-manager -e -P config_ecs_instance_connect --params --install");
    let install: String = form_urlencoded::byte_serialize(install.as_bytes()).collect();
    let run = format!(
        "&Type=RunShellScript&ContentEncoding=Base64&CommandContent={install}&Timeout=5&InstanceId.1={INSTANCE}"
    );
    let key =
        "%7B%22sshPublicKey%22%3A%22ssh-ed25519+AAAA+test%5Cn%22%2C%22username%22%3A%22bob%22%7D";
    let invoke = format!(
        "&CommandId=cmd-ACS-ECS-SendSshPublicKey-linux.sh&InstanceId.1={INSTANCE}&Parameters={key}"
    );

    let mut scripts = Vec::new();
    for (action, parameters) in [("RunCommand", run), ("InvokeCommand", invoke)] {
        let (status, answer) = world.call(action, &parameters).await;
        assert_eq!(status, 200, "{answer}");
        let id = answer["InvokeId"].as_str().expect("an id").to_owned();
        // The client reads the first result without looking whether there is one.
        assert_eq!(world.result(&id).await["InvocationStatus"], "Pending");
        agent.begin(&id).await;
        let task = agent.tasks("kickoff", &id).await;
        assert!(task.run.is_empty(), "it runs already");
        agent
            .report("finish", &id, "&start=1&end=2&exitCode=0&dropped=0", b"")
            .await;
        assert_eq!(world.result(&id).await["InvocationStatus"], "Success");
        scripts.push(id);
    }

    assert_ne!(scripts[0], scripts[1]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_installed_as_the_user_whose_it_is() {
    let world = World::new().await;
    let agent = world.agent().await;
    let key = "%7B%22sshPublicKey%22%3A%22ssh-ed25519+AAAA+test%22%2C%22username%22%3A%22bob%22%7D";
    let invoke = format!(
        "&CommandId=cmd-ACS-ECS-SendSshPublicKey-linux.sh&InstanceId.1={INSTANCE}&Parameters={key}"
    );

    world.call("InvokeCommand", &invoke).await;
    let list = agent.tasks("kickoff", "").await;

    let task = &list.run[0].task;
    let script = STANDARD.decode(&task.command_content).expect("Base64");
    let script = String::from_utf8(script).expect("a text");
    assert_eq!(task.username, "bob");
    assert!(script.contains("key='ssh-ed25519 AAAA test'"), "{script}");
}

#[tokio::test(start_paused = true)]
async fn what_is_to_run_as_root_is_not_refused_by_an_official_agent() {
    let world = World::new().await;
    let _agent = programs::agent(&world).await;
    let id = world.run("echo hi", "&Username=root").await;

    world.until_status("Success").await;

    let result = world.result(&id).await;
    assert_eq!(result["Output"], "hi\n");
    assert_eq!(result["Username"], "root");
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_ours_is_told_of_root_by_name() {
    let world = World::new().await;
    let agent = world.our_agent().await;
    world.run("true", "&Username=root").await;

    let list = agent.tasks("kickoff", "").await;

    assert_eq!(list.run[0].task.username, "root");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_no_agent_starts_is_aborted_after_a_minute() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let there = world.run("true", "").await;
    let (status, answer) = world
        .call(
            "RunCommand",
            "&Type=RunShellScript&CommandContent=true&InstanceId.1=i-box2",
        )
        .await;
    assert_eq!(status, 200, "{answer}");
    let away = answer["InvokeId"].as_str().expect("an id").to_owned();
    let before = link::now();

    world.until_status("Aborted").await;
    let waited = link::now().duration_since(before);
    assert_eq!(agent.command().await, format!("kick_vm task run {there}"));
    // Whoever comes too late is told to stop.
    assert_eq!(agent.command().await, format!("kick_vm task stop {there}"));
    let list = agent.tasks("kickoff", &there).await;
    let (there, away) = (world.result(&there).await, world.result(&away).await);

    assert!(waited >= Duration::from_secs(59), "{waited:?}");
    assert!(list.run.is_empty());
    assert_eq!(list.stop.len(), 1);
    assert_eq!(there["ErrorCode"], "DeliveryTimeout");
    assert_eq!(away["ErrorCode"], "ClientNotRunning");
    assert_eq!(away["InvokeRecordStatus"], "Failed");
    assert!(away.get("ExitCode").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_comes_within_the_minute_finds_what_waits_for_it() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    agent.go_away();
    world
        .until(|event| matches!(event.kind, EventKind::AgentOffline))
        .await;
    let id = world.run("true", "").await;

    agent.notify().await;
    let kick = agent.command().await;
    let list = agent.tasks("kickoff", &id).await;

    assert_eq!(kick, format!("kick_vm task run {id}"));
    assert_eq!(list.run[0].task.task_id, id);
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_agent_falls_silent_is_an_error_after_its_time() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let id = world.run("sleep 10", "&Timeout=100").await;
    agent.begin(&id).await;
    let before = link::now();

    world.until_status("Error").await;
    let waited = link::now().duration_since(before);
    let over = world.result(&id).await;
    // Its late word changes nothing.
    agent.report("finish", &id, "&exitCode=0", b"late").await;
    let later = world.result(&id).await;

    assert!(waited >= Duration::from_secs(159), "{waited:?}");
    assert_eq!(over["ErrorCode"], "ClientNotResponse");
    assert_eq!(later, over);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_told_listed_and_reported() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let id = world.run("sleep 10", "").await;
    agent.begin(&id).await;

    let stop = format!("/v1/invocations/{id}/stop");
    let (status, _) = world.admin("POST", &stop, "").await;
    let told = agent.command().await;
    let list = agent.tasks("kickoff", &id).await;
    let stopping = world.result(&id).await;
    agent
        .report(
            "stopped",
            &id,
            "&start=1&end=2&exitcode=143&dropped=0&result=killed",
            b"last words",
        )
        .await;
    let over = world.result(&id).await;
    let (unknown, _) = world.admin("POST", "/v1/invocations/t-none/stop", "").await;

    assert_eq!((status, unknown), (200, 404));
    assert_eq!(told, format!("kick_vm task stop {id}"));
    assert_eq!(list.stop[0].task.task_id, id);
    assert_eq!(stopping["InvocationStatus"], "Stopping");
    assert_eq!(over["InvocationStatus"], "Terminated");
    assert_eq!(over["InvokeRecordStatus"], "Stopped");
    assert_eq!(over["Output"], "last words");
    assert_eq!(over["StopTime"], "2026-11-25T06:11:01Z");
}

#[tokio::test(start_paused = true)]
async fn what_ran_under_an_agents_earlier_process_is_interrupted() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let running = world.run("sleep 10", "").await;
    agent.begin(&running).await;
    let waiting = world.run("true", "").await;

    let list = agent.tasks("startup&cold_start=false", "").await;

    assert_eq!(list.run.len(), 1);
    assert_eq!(list.run[0].task.task_id, waiting);
    let over = world.result(&running).await;
    assert_eq!(over["InvocationStatus"], "Error");
    assert_eq!(over["ErrorCode"], "ExecutionInterrupted");
}

#[tokio::test(start_paused = true)]
async fn each_end_that_an_agent_reports_has_its_status() {
    let world = World::new().await;
    let mut agent = world.agent().await;
    let numbers = "&start=1&end=2&exitCode=0&dropped=0";
    let cases = [
        ("finish", numbers.to_owned(), "Success", ""),
        ("timeout", numbers.to_owned(), "Timeout", "ExecutionTimeout"),
        (
            "error",
            format!("{numbers}&errCode=X&errDesc=no+room"),
            "Error",
            "ExecutionException",
        ),
        (
            "invalid",
            "&param=workingDirectory&value=%2Fnope".to_owned(),
            "Invalid",
            "DirectoryNotExists",
        ),
        (
            "invalid",
            "&param=UsernameOrPasswordInvalid&value=x".to_owned(),
            "Invalid",
            "AccountNotExists",
        ),
        (
            "invalid",
            "&param=TypeInvalid&value=RunBatScript".to_owned(),
            "Invalid",
            "CommandNotApplicable",
        ),
    ];

    for (report, query, status, code) in cases {
        let id = world.run("true", "").await;
        agent.command().await;
        agent.report(report, &id, &query, b"").await;
        let over = world.result(&id).await;

        assert_eq!(over["InvocationStatus"], status, "{report} {over}");
        assert_eq!(over["ErrorCode"], code, "{report} {over}");
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_are_filled_in_by_the_service_and_the_command_is_kept() {
    let world = World::new().await;
    let agent = world.agent().await;
    let script: String =
        form_urlencoded::byte_serialize(b"echo {{who}} {{ACS::InstanceId}}").collect();
    let run = format!(
        "&Type=RunShellScript&CommandContent={script}&KeepCommand=true&EnableParameter=true&Parameters=%7B%22who%22%3A%22bob%22%7D&InstanceId.1={INSTANCE}"
    );

    let (_, made) = world.call("RunCommand", &run).await;
    let command = made["CommandId"].as_str().expect("an id");
    let invoke = format!("&CommandId={command}&InstanceId.1={INSTANCE}");
    let eve = "&Parameters=%7B%22who%22%3A%22eve%22%7D";
    let (again, _) = world.call("InvokeCommand", &format!("{invoke}{eve}")).await;
    let (status, refusal) = world.call("InvokeCommand", &invoke).await;
    let list = agent.tasks("kickoff", "").await;

    let mut scripts: Vec<String> = list
        .run
        .iter()
        .map(|one| STANDARD.decode(&one.task.command_content).expect("Base64"))
        .map(|script| String::from_utf8(script).expect("a text"))
        .collect();
    scripts.sort();
    assert_eq!(again, 200);
    assert_eq!(scripts, ["echo bob i-box1", "echo eve i-box1"]);
    assert_eq!(
        (status, refusal["Code"].as_str()),
        (400, Some("InvalidParameter.Parameters"))
    );
}
