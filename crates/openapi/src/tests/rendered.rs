//! What answers and errors look like, in JSON and in XML (ecs-api 1.4).

use std::time::Duration;

use axt_proto::Secret;

use crate::{
    ActionName, Answer, ApiError, ErrorCode, Format, Rendered, ReplyTo,
    answer::{
        CloudAssistantStatus, DescribeCloudAssistantStatus, DescribeInstances, DescribeRegions,
        EndTerminalSession, Instance, Region, StartTerminalSession, Tag, session_url,
    },
    error::AccessDenied,
    policy::Judgement,
    render,
};

const ID: &str = "EB5173B0-8E80-564E-AAD1-313541200001";

fn reply_to(format: Format, action: ActionName) -> ReplyTo {
    ReplyTo {
        format,
        host: "127.0.0.1:7080".to_owned(),
        action: Some(action),
    }
}

fn text(rendered: Rendered) -> String {
    String::from_utf8(rendered.body).expect("UTF-8")
}

/// Both forms, one below the other.
pub(super) fn both(answer: impl Into<Answer>) -> String {
    let answer = answer.into();
    [Format::Json, Format::Xml]
        .map(|format| {
            text(render::answer(
                &reply_to(format, answer.action()),
                ID,
                &answer,
            ))
        })
        .join("\n")
}

fn both_errors(action: ActionName, error: &ApiError) -> String {
    [Format::Json, Format::Xml]
        .map(|format| {
            text(render::error(
                &reply_to(format, action),
                ID,
                "http://127.0.0.1:7080",
                error,
            ))
        })
        .join("\n")
}

#[test]
fn a_started_session() {
    let session_id = "s-hz023od0x9abcd1".parse().expect("a session");
    let token = Secret::new("d86c2df2-d19c-4bd8-b817-a19ef1230000");
    let web_socket_url = session_url("wss://cn-hangzhou.axt.aliyuncs.com", &session_id, &token);

    insta::assert_snapshot!(both(StartTerminalSession {
        session_id,
        security_token: token,
        web_socket_url,
    }));
}

#[test]
fn an_ended_session() {
    insta::assert_snapshot!(both(EndTerminalSession {}));
}

#[test]
fn the_state_of_agents() {
    let online = CloudAssistantStatus {
        instance_id: "i-1".to_owned(),
        cloud_assistant_status: CloudAssistantStatus::word(true),
        cloud_assistant_version: "2.2.4.1065".to_owned(),
        os_type: "Linux".to_owned(),
        last_heartbeat_time: Some("2026-11-25T06:00:00Z".to_owned()),
        support_session_manager: true,
        ..CloudAssistantStatus::default()
    };
    let offline = CloudAssistantStatus {
        instance_id: "i-2".to_owned(),
        cloud_assistant_status: CloudAssistantStatus::word(false),
        ..CloudAssistantStatus::default()
    };

    insta::assert_snapshot!(both(DescribeCloudAssistantStatus {
        page_number: 1,
        page_size: 10,
        total_count: 2,
        next_token: String::new(),
        instance_cloud_assistant_status_set: vec![online, offline].into(),
    }));
}

#[test]
fn instances_with_names_that_people_choose() {
    let instance = Instance {
        instance_id: "i-1".to_owned(),
        instance_name: "<a & \"b\"> '汉'\u{7}".to_owned(),
        tags: vec![Tag {
            tag_key: "env".to_owned(),
            tag_value: "test".to_owned(),
        }]
        .into(),
        cpu: 2,
        memory: 4_096,
        device_available: true,
        ..Instance::default()
    };

    insta::assert_snapshot!(both(DescribeInstances {
        total_count: 1,
        page_number: 1,
        page_size: 10,
        next_token: String::new(),
        instances: vec![instance].into(),
    }));
}

#[test]
fn an_empty_list_keeps_its_wrapper() {
    insta::assert_snapshot!(both(DescribeRegions::default()));
}

#[test]
fn a_list_repeats_its_element() {
    let region = |id: &str| Region {
        region_id: id.to_owned(),
        local_name: id.to_owned(),
        region_endpoint: "127.0.0.1:7080".to_owned(),
        status: "available",
    };

    insta::assert_snapshot!(both(DescribeRegions {
        regions: vec![region("cn-hangzhou"), region("cn-beijing")].into(),
    }));
}

#[test]
fn an_error_with_markup_in_its_message() {
    let error = ApiError::new(ErrorCode::InvalidParameterNamed).with("a<b>&'c'");

    insta::assert_snapshot!(both_errors(ActionName::DescribeInstances, &error));
}

#[test]
fn a_denied_action_says_what_was_denied() {
    let detail = AccessDenied::new(
        ActionName::StartTerminalSession,
        &super::caller(),
        Judgement::ExplicitDeny,
    );
    let error = ApiError::new(ErrorCode::ForbiddenRam).denied(detail);

    insta::assert_snapshot!(both_errors(ActionName::StartTerminalSession, &error));
}

#[test]
fn an_action_words_a_code_in_its_own_way() {
    let error = ApiError::new(ErrorCode::InvalidInstanceNotFound);

    assert_eq!(
        error.message(Some(ActionName::StartTerminalSession)),
        "The specified instances not found."
    );
    assert_eq!(
        error.message(Some(ActionName::DescribeCloudAssistantStatus)),
        "The specified instance does not exist."
    );
}

#[test]
fn the_headers_are_those_that_clients_compare() {
    let wait = Duration::from_millis(1_200);
    let error = ApiError::new(ErrorCode::ThrottlingUser).retry_after(wait);
    let reply_to = reply_to(Format::Xml, ActionName::DescribeRegions);

    let rendered = render::error(&reply_to, ID, "http://127.0.0.1:7080", &error);

    assert_eq!(rendered.status, 400);
    assert_eq!(
        rendered.headers,
        [
            ("content-type", "text/xml;charset=utf-8".to_owned()),
            ("x-acs-request-id", ID.to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("x-acs-retry-after", "1200".to_owned()),
        ]
    );
}

#[test]
fn the_table_of_errors() {
    let rows: Vec<String> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let entry = code.entry();
            format!(
                "{} {}\n    {}\n    {}. {}",
                entry.status, entry.code, entry.message, entry.when, entry.hint
            )
        })
        .collect();

    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn a_code_is_found_by_what_callers_see() {
    assert_eq!(
        ErrorCode::find("Operation.Forbidden"),
        [ErrorCode::OperationForbidden]
    );
    assert_eq!(
        ErrorCode::find("MissingParameter.InstanceId"),
        [ErrorCode::MissingParameter]
    );
    assert_eq!(ErrorCode::find("SignatureDoesNotMatch").len(), 2);
    assert_eq!(ErrorCode::find("Nonsense"), []);
}

#[test]
fn the_29_errors_of_the_page_are_in_the_table_to_the_letter() {
    let page = include_str!("page.tsv");
    let mut count = 0;
    for line in page.lines() {
        let [status, code, message] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let action = Some(ActionName::StartTerminalSession);
        let entries: Vec<_> = ErrorCode::find(code)
            .iter()
            .map(|it| it.entry_for(action))
            .collect();
        assert!(
            entries.iter().any(|entry| {
                entry.status.to_string() == status && entry.message.replace("{0}", "%s") == message
            }),
            "{line}: {entries:?}"
        );
        count += 1;
    }
    assert_eq!(count, 29);
}
