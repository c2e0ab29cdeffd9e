//! The 29 errors of the StartTerminalSession page, each with its code, HTTP status and message.

use std::collections::BTreeSet;

use axt_control::admin::{InstanceChange, InstanceDeclaration, InstanceStatus, RegionChange};
use axt_proto::Limits;
use axt_sandbox::Sandbox;
use futures_util::future::select;

use crate::{
    calls::{Parameters, call, change_region, limited, refused, simulated},
    harness::start,
};

/// Status, code and message, a row of the page each.
const PAGE: &str = include_str!("../../crates/openapi/src/tests/page.tsv");

const START: &str = "StartTerminalSession";

/// Starts a session on the sandbox's instance with `more`, and expects the page's row for `code`.
async fn expect(sandbox: &Sandbox, code: &str, more: Parameters<'_>) {
    let instance = sandbox.instance().to_string();
    let parameters = [&[("InstanceId.1", instance.as_str())], more].concat();
    expect_for(sandbox, code, &parameters).await;
}

/// The same, with whatever instance the parameters name.
async fn expect_for(sandbox: &Sandbox, code: &str, parameters: Parameters<'_>) {
    let rows = PAGE.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row[1] == code);
    let row = row.unwrap_or_else(|| panic!("{code} is not on the page"));
    let instance = sandbox.instance().as_str();

    let error = refused(sandbox, START, parameters).await;

    let what = format!("{parameters:?}");
    assert_eq!(error.code, code, "{what}");
    assert_eq!(error.status.to_string(), row[0], "{what}");
    assert_eq!(error.message, row[2].replace("%s", instance), "{what}");
    assert_eq!(error.request_id.len(), 36, "{what}");
}

async fn starts(sandbox: &Sandbox, more: Parameters<'_>) {
    let instance = sandbox.instance().to_string();
    let parameters = [&[("InstanceId.1", instance.as_str())], more].concat();
    call(sandbox, START, &parameters).await;
}

async fn change_instance(sandbox: &Sandbox, change: InstanceChange) {
    let changed = sandbox.admin().change_instance(sandbox.instance(), &change);
    changed.await.expect("changed");
}

#[test]
fn every_row_of_the_page_is_expected_somewhere_here() {
    let here = include_str!("errors.rs");
    let codes: BTreeSet<&str> = PAGE
        .lines()
        .filter_map(|row| row.split('\t').nth(1))
        .collect();

    assert_eq!(codes.len(), 29);
    for code in codes {
        assert!(here.contains(&format!("\"{code}\"")), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_and_too_long_values() {
    let sandbox = start(simulated()).await;
    let long = |length| "x".repeat(length);

    for port in ["0", "-1", "65536", "22.0", "abc", " 22", "+22"] {
        expect(&sandbox, "PortNumber.Invalid", &[("PortNumber", port)]).await;
    }
    for (code, name, value) in [
        (
            "InvalidParameter.ConnectionType",
            "ConnectionType",
            "internet".to_owned(),
        ),
        (
            "InvalidClientToken.Malformed",
            "ClientToken",
            "a b".to_owned(),
        ),
        ("InvalidClientToken.Malformed", "ClientToken", long(65)),
        ("Username.ExceedLimit", "Username", long(256)),
        (
            "InvalidCommandLine.LengthLimitExceeded",
            "CommandLine",
            long(513),
        ),
        (
            "InvalidTargetServer.LengthLimitExceeded",
            "TargetServer",
            long(129),
        ),
        (
            "InvalidPasswordName.LengthLimitExceeded",
            "PasswordName",
            long(256),
        ),
        (
            "InvalidParameter.EncryptionOptionsMode",
            "EncryptionOptions",
            r#"{"Enabled":true,"Mode":"kms"}"#.to_owned(),
        ),
    ] {
        expect(&sandbox, code, &[(name, &value)]).await;
    }
    starts(&sandbox, &[("CommandLine", &"字".repeat(512))]).await;
    starts(&sandbox, &[("PortNumber", "65535")]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn parameters_that_do_not_go_together() {
    let sandbox = start(simulated()).await;
    let two = ("InstanceId.2", "i-another");
    let (port, line, host) = (
        ("PortNumber", "22"),
        ("CommandLine", "id"),
        ("TargetServer", "db"),
    );
    let options = |json| ("EncryptionOptions", json);

    for (code, more) in [
        ("InvalidTargetServer.MissingPortNumber", &[host][..]),
        ("InvalidCommandLine.Conflict", &[line, port]),
        ("InvalidCommandLine.Conflict", &[line, port, host]),
        (
            "InvalidEncryptionOptionsMode.EncryptionDisabled",
            &[options(r#"{"Mode":"Auto"}"#)],
        ),
        (
            "InvalidEncryptionOptions.Conflict",
            &[options(r#"{"Enabled":true}"#), port],
        ),
        (
            "InvalidParameter.EncryptionOptionsKMSKeyId",
            &[options(r#"{"Enabled":true,"KMSKeyId":"key-1"}"#)],
        ),
        (
            "MissingParameter.EncryptionOptionsKMSKeyId",
            &[options(r#"{"Enabled":true,"Mode":"Kms"}"#)],
        ),
        ("InvalidInstanceIds.CountLimitExceeded", &[two, line]),
        ("InvalidInstanceIds.CountLimitExceeded", &[two, host, port]),
        ("InstanceIds.ExceedLimit", &[two]),
        ("InstanceIds.ExceedLimit", &[two, port]),
    ] {
        expect(&sandbox, code, more).await;
    }
    starts(&sandbox, &[port, options(r#"{"Enabled":false}"#)]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn regions_accounts_and_instances_that_are_not_there_or_switched_off() {
    let sandbox = start(simulated()).await;
    let supports = |api| RegionChange {
        api_supported: Some(api),
        ..RegionChange::default()
    };
    let switch = async |value| {
        let parameters = [
            ("statusKey", "sessionManagerStatus"),
            ("statusValue", value),
        ];
        call(&sandbox, "ModifyUserBusinessBehavior", &parameters).await;
    };

    let (nowhere, elsewhere) = (("RegionId", "cn-nowhere"), ("RegionId", "cn-beijing"));
    expect(&sandbox, "InvalidRegionId.NotFound", &[nowhere]).await;
    expect(&sandbox, "InvalidInstance.NotFound", &[elsewhere]).await;
    for nobody in ["i-nobody", "no id at all"] {
        let parameters = [("InstanceId.1", nobody)];
        expect_for(&sandbox, "InvalidInstance.NotFound", &parameters).await;
    }
    change_region(&sandbox, supports(false)).await;
    expect(&sandbox, "RegionId.ApiNotSupported", &[]).await;
    change_region(&sandbox, supports(true)).await;
    switch("disabled").await;
    expect(&sandbox, "UserBehavior.SessionManagerDisabled", &[]).await;
    switch("enabled").await;
    starts(&sandbox, &[]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_cannot_serve() {
    let sandbox = start(simulated()).await;
    let status = |status| InstanceChange {
        status: Some(status),
        ..InstanceChange::default()
    };
    let agentless = InstanceDeclaration::default();
    let agentless = sandbox.admin().declare_instance(&agentless).await;
    let agentless = agentless.expect("declared").to_string();

    let to_it = [("InstanceId.1", agentless.as_str())];
    expect_for(&sandbox, "Operation.Forbidden", &to_it).await;
    change_instance(&sandbox, status(InstanceStatus::Stopped)).await;
    expect(&sandbox, "Operation.Forbidden", &[]).await;
    change_instance(&sandbox, status(InstanceStatus::Running)).await;
    let encrypted = [("EncryptionOptions", r#"{"Enabled":true}"#)];
    expect(&sandbox, "UnsupportedAgentVersion.Encryption", &encrypted).await;
    starts(&sandbox, &[]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_region_or_a_security_group_that_does_not_let_it_through() {
    let sandbox = start(simulated()).await;
    let port = ("PortNumber", "22");
    let forwards = |forwarding| RegionChange {
        port_forwarding: Some(forwarding),
        ..RegionChange::default()
    };
    let denies = |ports: &[u16]| InstanceChange {
        denied_ports: Some(ports.to_vec()),
        ..InstanceChange::default()
    };

    change_region(&sandbox, forwards(false)).await;
    expect(&sandbox, "PortForwarding.NotSupported", &[port]).await;
    starts(&sandbox, &[]).await;
    change_region(&sandbox, forwards(true)).await;
    change_instance(&sandbox, denies(&[22])).await;
    let denied = "InvalidOperation.SecurityGroupRuleDenied";
    expect(&sandbox, denied, &[port]).await;
    starts(&sandbox, &[port, ("TargetServer", "db")]).await;
    change_instance(&sandbox, denies(&[])).await;
    starts(&sandbox, &[port]).await;
    let inside = ("ConnectionType", "Intranet");
    let unsupported = "InvalidOperation.ConnectionTypeUnsupported";
    expect(&sandbox, unsupported, &[inside]).await;
    let intranet = RegionChange {
        intranet: Some(true),
        ..RegionChange::default()
    };
    change_region(&sandbox, intranet).await;
    starts(&sandbox, &[inside]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn as_many_sessions_as_a_region_may_have() {
    let sandbox = start(limited(Limits {
        sessions_per_region: 1,
        ..Limits::default()
    }))
    .await;
    let first = sandbox.start_session().await.expect("a session");

    expect(&sandbox, "SessionCount.ExceedLimit", &[]).await;
    call(&sandbox, "EndTerminalSession", &[("SessionId", &first.id)]).await;

    starts(&sandbox, &[]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn as_many_connections_as_an_instance_may_have() {
    let sandbox = start(limited(Limits {
        connections_per_instance: 1,
        ..Limits::default()
    }))
    .await;
    let session = sandbox.start_session().await.expect("a session");
    starts(&sandbox, &[]).await;
    let terminal = sandbox.terminal(&session).await.expect("a terminal");

    expect(&sandbox, "SessionCount.ExceedLimit", &[]).await;

    drop(terminal);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_dispatch_that_fails_leaves_nothing_behind() {
    let sandbox = start(simulated()).await;
    let fails = |fails| RegionChange {
        dispatch_failure: Some(fails),
        ..RegionChange::default()
    };
    let token = [("ClientToken", "t-1")];

    change_region(&sandbox, fails(true)).await;
    expect(&sandbox, "InternalError.Dispatch", &token).await;
    let left = call(&sandbox, "DescribeTerminalSessions", &[]).await;
    change_region(&sandbox, fails(false)).await;

    assert_eq!(left["Sessions"]["Session"], serde_json::json!([]));
    starts(&sandbox, &token).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_token_of_another_call() {
    let sandbox = start(simulated()).await;

    starts(&sandbox, &[("ClientToken", "t-1")]).await;

    let other = [("ClientToken", "t-1"), ("Username", "root")];
    expect(&sandbox, "IdempotentParameterMismatch", &other).await;
    starts(&sandbox, &[("ClientToken", "T-1"), ("Username", "root")]).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_token_whose_first_call_is_under_way() {
    let sandbox = start(simulated()).await;
    let instance = sandbox.instance().to_string();
    let parameters = [("InstanceId.1", instance.as_str()), ("ClientToken", "t-1")];
    let hold = |hold| RegionChange {
        hold_commit: Some(hold),
        ..RegionChange::default()
    };
    let start = || Box::pin(sandbox.api().call(START, &parameters));

    change_region(&sandbox, hold(true)).await;
    // Whichever comes second is told about the first.
    let (early, late) = select(start(), start()).await.factor_first();
    let early = early.expect_err("refused").to_string();
    expect(&sandbox, "IdempotentProcessing", &[("ClientToken", "t-1")]).await;
    let other = [("ClientToken", "t-1"), ("PortNumber", "22")];
    expect(&sandbox, "IdempotentParameterMismatch", &other).await;
    change_region(&sandbox, hold(false)).await;
    let first = late.await.expect("started");
    let again = start().await.expect("the same");

    assert!(early.starts_with("IdempotentProcessing"), "{early}");
    assert_eq!(again["SessionId"], first["SessionId"]);
    sandbox.shutdown().await;
}
