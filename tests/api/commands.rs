//! Commands through the real listener, carried out by our agent (ecs-api 3.16).

use axt_sandbox::Sandbox;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    calls::{Parameters, call, refused, simulated, text},
    harness::{sandbox, start, until},
};

/// RunCommand of a shell script on the sandbox's instance.
async fn run(sandbox: &Sandbox, script: &str, more: Parameters<'_>) -> Value {
    let instance = sandbox.instance().to_string();
    let parameters = [
        ("Type", "RunShellScript"),
        ("CommandContent", script),
        ("InstanceId.1", instance.as_str()),
    ];
    call(sandbox, "RunCommand", &[&parameters, more].concat()).await
}

/// The result of a call once it is over.
async fn result(sandbox: &Sandbox, called: &Value) -> Value {
    let id = text(called, "/InvokeId");
    until("the command's end", async || {
        let answer = call(sandbox, "DescribeInvocationResults", &[("InvokeId", id)]).await;
        let result = answer.pointer("/Invocation/InvocationResults/InvocationResult/0")?;
        let is_over = !["Pending", "Running"].contains(&text(result, "/InvocationStatus"));
        is_over.then(|| result.clone())
    })
    .await
}

fn output(result: &Value) -> String {
    let output = STANDARD.decode(text(result, "/Output")).expect("Base64");
    String::from_utf8(output).expect("a text")
}

#[tokio::test]
async fn a_command_is_really_run() {
    let sandbox = sandbox().await;
    let script = STANDARD.encode("echo out; pwd; echo err >&2; exit 3");
    let more = [("ContentEncoding", "Base64"), ("WorkingDir", "/tmp")];

    let called = run(&sandbox, &script, &more).await;
    let over = result(&sandbox, &called).await;
    let status = call(&sandbox, "DescribeCloudAssistantStatus", &[]).await;

    assert_eq!(text(&over, "/InvocationStatus"), "Failed");
    assert_eq!(over["ExitCode"], 3);
    assert_eq!(output(&over), "out\n/tmp\nerr\n");
    let agent = &status["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"][0];
    assert_eq!(agent["InvocationCount"], 1);
    assert_eq!(agent["ActiveTaskCount"], 0);
    assert_eq!(agent["LastInvokedTime"], over["StartTime"]);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_command_that_is_over_its_time_or_not_as_it_should_be_says_so() {
    let sandbox = sandbox().await;
    for (script, more, status, code) in [
        (
            "echo begun; sleep 9999",
            &[("Timeout", "1")][..],
            "Timeout",
            "ExecutionTimeout",
        ),
        (
            "true",
            &[("WorkingDir", "/no/such")],
            "Invalid",
            "DirectoryNotExists",
        ),
        (
            "true",
            &[("Username", "no-such-user")],
            "Invalid",
            "AccountNotExists",
        ),
    ] {
        let called = run(&sandbox, script, more).await;
        let over = result(&sandbox, &called).await;

        assert_eq!(text(&over, "/InvocationStatus"), status, "{over}");
        assert_eq!(text(&over, "/ErrorCode"), code, "{over}");
        assert_eq!(output(&over).contains("begun"), status == "Timeout");
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn what_the_official_client_has_run_before_it_sends_a_key_succeeds() {
    let sandbox = sandbox().await;
    let install =
        STANDARD.encode("acs-plugin-manager -e -P config_ecs_instance_connect --params --install");
    let more = [("ContentEncoding", "Base64"), ("Timeout", "5")];

    let called = run(&sandbox, &install, &more).await;
    let over = result(&sandbox, &called).await;

    assert_eq!(text(&over, "/InvocationStatus"), "Success", "{over}");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_runs_nothing_again() {
    let sandbox = start(simulated()).await;
    let token = [("ClientToken", "once")];

    let first = run(&sandbox, "echo hi", &token).await;
    let again = run(&sandbox, "echo hi", &token).await;
    let other = refused(
        &sandbox,
        "RunCommand",
        &[
            ("Type", "RunShellScript"),
            ("CommandContent", "echo ho"),
            ("InstanceId.1", sandbox.instance().as_str()),
            ("ClientToken", "once"),
        ],
    )
    .await;
    let over = result(&sandbox, &first).await;

    assert_eq!(first["InvokeId"], again["InvokeId"]);
    assert_eq!(first["CommandId"], again["CommandId"]);
    assert_eq!(other.code, "IdempotentParameterMismatch");
    assert_eq!(output(&over), "hi\n");
    let all = call(&sandbox, "DescribeInvocationResults", &[]).await;
    assert_eq!(all["Invocation"]["TotalCount"], 1);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn results_are_listed_newest_first_by_pages_of_either_scheme_and_filtered() {
    let sandbox = start(simulated()).await;
    let mut ids = Vec::new();
    for code in ["0", "1", "0"] {
        let called = run(&sandbox, &format!("exit {code}"), &[]).await;
        result(&sandbox, &called).await;
        ids.push(text(&called, "/InvokeId").to_owned());
        let moved = sandbox.clock().advance(std::time::Duration::from_secs(1));
        moved.await.expect("moved");
    }
    let page = async |parameters: Parameters<'_>| {
        let answer = call(&sandbox, "DescribeInvocationResults", parameters).await;
        let results = answer["Invocation"]["InvocationResults"]["InvocationResult"].clone();
        let results = results.as_array().cloned().expect("a list");
        let ids = results.iter().map(|one| text(one, "/InvokeId").to_owned());
        (
            ids.collect::<Vec<_>>(),
            text(&answer, "/Invocation/NextToken").to_owned(),
        )
    };

    let (first, next) = page(&[("MaxResults", "2")]).await;
    let (second, last) = page(&[("MaxResults", "2"), ("NextToken", &next)]).await;
    let (old, _) = page(&[("PageNumber", "2"), ("PageSize", "2")]).await;
    let (finished, _) = page(&[("InvokeRecordStatus", "Finished")]).await;
    let (stopped, _) = page(&[("InvokeRecordStatus", "Stopped")]).await;
    let (nobody, _) = page(&[("InstanceId", "i-nobody")]).await;
    let error = refused(&sandbox, "DescribeInvocationResults", &[("PageSize", "0")]).await;

    assert_eq!(first, [ids[2].as_str(), &ids[1]]);
    assert_eq!((second, last), (vec![ids[0].clone()], String::new()));
    assert_eq!(old, [ids[0].as_str()]);
    assert_eq!(finished.len(), 3);
    assert_eq!((stopped.len(), nobody.len()), (0, 0));
    assert_eq!(
        (error.status, error.code.as_str()),
        (403, "InvalidParam.PageSize")
    );
    sandbox.shutdown().await;
}
