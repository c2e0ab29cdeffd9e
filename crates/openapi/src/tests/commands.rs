//! Commands: what is refused and what passes, and what the answers look like (ecs-api 3.16).

use super::{call, rendered::both};
use crate::{
    Action, ActionName, ErrorCode,
    action::ContentEncoding,
    answer::{
        DescribeInvocationResults, InvocationPage, InvocationResult, InvokeCommand, RunCommand,
    },
};

const PLAIN: [(&str, &str); 4] = [
    ("RegionId", "cn-hangzhou"),
    ("Type", "RunShellScript"),
    ("CommandContent", "echo hi"),
    ("InstanceId.1", "i-1"),
];

/// The outcome of RunCommand with some parameters changed: `ok`, or the code.
fn run(changes: &[(&str, &str)]) -> String {
    let kept = PLAIN
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let parameters: Vec<(&str, &str)> = kept.chain(changes).copied().collect();
    outcome("RunCommand", &parameters)
}

fn outcome(action: &str, parameters: &[(&str, &str)]) -> String {
    match call(action, parameters) {
        Ok(_) => "ok".to_owned(),
        Err(failure) => failure.error.code_text(),
    }
}

#[test]
fn each_parameter_of_run_command_has_its_code() {
    let long = |length: usize| "a".repeat(length);
    // 12,288 bytes are 16,384 of Base64.
    let (fits, too_long) = (long(12_288), long(12_289));
    let encoded = "YWFh".repeat(4_096);
    let encoded_too_long = "YWFh".repeat(4_097);
    for (changes, expected) in [
        (&[][..], "ok"),
        (&[("Type", "")], "MissingParameter.Type"),
        (&[("Type", "RunPythonScript")], "InvalidCmdType.NotFound"),
        (&[("Type", "runshellscript")], "InvalidCmdType.NotFound"),
        (&[("CommandContent", "")], "MissingParameter.CommandContent"),
        (&[("CommandContent", &fits)], "ok"),
        (&[("CommandContent", &too_long)], "CmdContent.ExceedLimit"),
        (
            &[("CommandContent", &encoded), ("ContentEncoding", "base64")],
            "ok",
        ),
        (
            &[
                ("CommandContent", &encoded_too_long),
                ("ContentEncoding", "Base64"),
            ],
            "CmdContent.ExceedLimit",
        ),
        (&[("ContentEncoding", "Base64")], "CmdContent.DecodeError"),
        (
            &[("ContentEncoding", "hex")],
            "InvalidParameter.ContentEncoding",
        ),
        (&[("InstanceId.1", "")], "MissingParameter.InstanceId"),
        (&[("InstanceId.51", "i-1")], "ok"),
        (&[("Timeout", "5")], "ok"),
        (&[("Timeout", "0")], "InvalidParameter.Timeout"),
        (&[("Timeout", "86401")], "InvalidParameter.Timeout"),
        (&[("Username", &long(256))], "Username.ExceedLimit"),
        (&[("Name", &long(129))], "CmdName.ExceedLimit"),
        (&[("Description", &long(513))], "CmdDesc.ExceedLimit"),
        (&[("WorkingDir", &long(201))], "InvalidParameter.WorkingDir"),
        (&[("RepeatMode", "Once"), ("Timed", "False")], "ok"),
        (&[("RepeatMode", "Period")], "Operation.Forbidden"),
        (&[("Timed", "true")], "Operation.Forbidden"),
        (&[("Frequency", "0 * * * * *")], "Operation.Forbidden"),
        (&[("ContainerId", "c")], "Operation.Forbidden"),
        (&[("ContainerName", "c")], "Operation.Forbidden"),
        (&[("OssOutputDelivery", "oss://x")], "Operation.Forbidden"),
        (&[("Parameters", r#"{"a":"b"}"#)], "Parameter.Disabled"),
        (
            &[("Parameters", r#"{"a":"b"}"#), ("EnableParameter", "true")],
            "ok",
        ),
        (
            &[("Parameters", "[]"), ("EnableParameter", "true")],
            "InvalidParameter",
        ),
    ] {
        assert_eq!(run(changes), expected, "{changes:?}");
    }
}

#[test]
fn more_than_fifty_instances_are_the_last_thing_to_be_complained_about() {
    let ids: Vec<String> = (1..=51).map(|n| format!("InstanceId.{n}")).collect();
    let ids: Vec<(&str, &str)> = ids.iter().map(|name| (name.as_str(), "i-1")).collect();
    let wrong = [&ids[..], &[("ContentEncoding", "Base64")]].concat();

    assert_eq!(run(&ids), "InstanceIds.ExceedLimit");
    assert_eq!(run(&ids[..50]), "ok");
    assert_eq!(run(&wrong), "CmdContent.DecodeError");
}

#[test]
fn a_script_is_the_same_whichever_way_it_came() {
    let read = |encoding: &str, content: &str| {
        let parameters = [
            PLAIN[0],
            PLAIN[1],
            PLAIN[3],
            ("CommandContent", content),
            ("ContentEncoding", encoding),
        ];
        match call("RunCommand", &parameters).expect("a call").action {
            Action::RunCommand(request) => request.script_base64().expect("Base64"),
            other => panic!("{other:?}"),
        }
    };

    assert_eq!(read("PlainText", "echo hi"), read("Base64", "ZWNobyBoaQ=="));
}

#[test]
fn results_are_asked_for_in_base64_and_have_page_codes_of_their_own() {
    let region = ("RegionId", "cn-hangzhou");
    let page = [region, ("PageSize", "51")];
    let failure = call("DescribeInvocationResults", &page).expect_err("a refusal");
    let action = Some(ActionName::DescribeInvocationResults);

    assert_eq!(failure.error.code(), ErrorCode::InvalidParamPageSize);
    assert_eq!(failure.error.status(action), 403);
    let all = call("DescribeInvocationResults", &[region]).expect("a call");
    let Action::DescribeInvocationResults(request) = all.action else {
        panic!("{:?}", all.action);
    };
    assert_eq!(request.content_encoding, ContentEncoding::Base64);
    assert_eq!(
        outcome(
            "DescribeInvocationResults",
            &[region, ("InvokeRecordStatus", "running")]
        ),
        "InvalidParameter.InvokeRecordStatus"
    );
}

#[test]
fn answers_about_commands() {
    let result = InvocationResult {
        instance_id: "i-1".to_owned(),
        invoke_id: "t-hz1".to_owned(),
        command_id: "c-hz1".to_owned(),
        invocation_status: "Failed",
        invoke_record_status: "Finished",
        exit_code: Some(3),
        output: "aGk=".to_owned(),
        error_code: "ExitCodeNonzero".to_owned(),
        error_info: "the command execution exit code is not zero.".to_owned(),
        start_time: "2026-11-25T06:00:00Z".to_owned(),
        repeats: 1,
        ..InvocationResult::default()
    };

    insta::assert_snapshot!(
        [
            both(RunCommand {
                command_id: "c-hz1".to_owned(),
                invoke_id: "t-hz1".to_owned(),
            }),
            both(InvokeCommand {
                invoke_id: "t-hz1".to_owned(),
            }),
            both(DescribeInvocationResults {
                invocation: InvocationPage {
                    total_count: 1,
                    page_number: 1,
                    page_size: 10,
                    next_token: String::new(),
                    invocation_results: vec![result].into(),
                },
            }),
        ]
        .join("\n")
    );
}
