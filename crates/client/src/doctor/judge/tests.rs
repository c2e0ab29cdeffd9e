use serde_json::json;

use super::*;
use crate::{
    api::permanent,
    discover::{Origin, Origins},
};

fn target() -> Target {
    Target {
        endpoint: "https://localhost:7080".into(),
        region: "cn-hangzhou".parse().expect("valid"),
        credentials: permanent("LTAIx".into(), axt_proto::Secret::new("hunter2")),
        ca: None,
        instances: Vec::new(),
        origins: Origins {
            endpoint: Origin::Ready,
            region: Origin::Ready,
            key: Origin::Named,
        },
    }
}

fn api_error(code: &str) -> ApiError {
    ApiError {
        code: code.to_owned(),
        message: "what the server signed".to_owned(),
        request_id: "R".to_owned(),
        status: 400,
    }
}

/// What is said of an answer by a server whose clock shows 06:00.
fn signed(answer: Result<Value, ApiError>, now: &str) -> Verdict {
    let server_time = Some("2026-11-25T06:00:00Z".parse().expect("a time"));
    let answered = Answered {
        answer,
        server_time,
    };
    signature(&Ok(answered), now.parse().expect("a time"), &target())
}

#[test]
fn a_clock_that_is_wrong_is_told_by_how_much() {
    let expired = || Err(api_error("InvalidTimeStamp.Expired"));

    let ahead = signed(expired(), "2026-11-25T06:16:05Z").expect_err("refused");
    let behind = signed(expired(), "2026-11-25T05:00:00Z").expect_err("refused");
    let drifting = signed(Ok(json!({})), "2026-11-25T06:05:00Z").expect("accepted");

    assert_eq!(
        ahead.problem,
        "this machine's clock is 16 min 5 s ahead of the server's (InvalidTimeStamp.Expired)"
    );
    assert!(behind.problem.contains("60 min 0 s behind the server's"));
    assert!(drifting.contains("5 min 0 s ahead of"), "{drifting}");
}

#[test]
fn a_wrong_secret_is_told_without_what_was_signed() {
    let now = "2026-11-25T06:00:00Z";

    let wrong = signed(Err(api_error("SignatureDoesNotMatch")), now).expect_err("refused");

    assert!(wrong.problem.contains("LTAIx [flags or settings]"));
    assert!(!wrong.problem.contains("what the server signed"));
    assert!(!format!("{wrong:?}").contains("hunter2"));
}

#[test]
fn a_key_that_may_not_look_is_no_fault_of_the_way() {
    let forbidden = || Err(CallError::Api(api_error("Forbidden.RAM")));
    let instance: InstanceId = "i-1".parse().expect("valid");
    let region = target().region;

    assert!(signed(Err(api_error("Forbidden.RAM")), "2026-11-25T06:00:00Z").is_ok());
    assert!(session_manager(&region, forbidden(), forbidden()).is_ok());
    assert!(running(&instance, forbidden()).is_ok());
    assert!(agent(&instance, forbidden()).is_ok());
}

#[test]
fn an_agent_is_online_and_new_enough() {
    let instance: InstanceId = "i-1".parse().expect("valid");
    let status = |online: &str, supports: bool| {
        let status = json!({
            "InstanceId": "i-1", "CloudAssistantStatus": online,
            "CloudAssistantVersion": "2.2.3.256", "SupportSessionManager": supports
        });
        let list = json!({"InstanceCloudAssistantStatus": [status]});
        agent(
            &instance,
            Ok(json!({"InstanceCloudAssistantStatusSet": list})),
        )
    };

    assert!(status("true", true).is_ok());
    let old = status("true", false).expect_err("too old");
    let away = status("false", false).expect_err("away");
    assert!(old.problem.contains("too old: 2.2.3.256"), "{old:?}");
    assert!(away.problem.contains("not online"), "{away:?}");
}

#[test]
fn a_host_is_told_without_the_token() {
    assert_eq!(host("wss://h:7443/session?sessionId=s&token=t"), "h:7443");
    assert_eq!(host("ws://[::1]:80?token=t"), "[::1]:80");
}
