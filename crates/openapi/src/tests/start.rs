//! StartTerminalSession: each error that needs no knowledge of what exists, and their order
//! (limits-and-semantics 3, steps 1 to 5).

use super::{By, TestWorld, call, code, credentials, receive, sign};
use crate::{
    Action,
    action::{ConnectionType, EncryptionMode, StartTerminalSession},
    signature::Method,
};

const GOOD: [(&str, &str); 2] = [("RegionId", "cn-hangzhou"), ("InstanceId.1", "i-1")];

fn start(more: &[(&str, &str)]) -> Result<StartTerminalSession, String> {
    let parameters = [&GOOD[..], more].concat();
    match call("StartTerminalSession", &parameters) {
        Ok(call) => match call.action {
            Action::StartTerminalSession(request) => Ok(request),
            other => panic!("another action: {other:?}"),
        },
        Err(failure) => Err(failure.error.code_text()),
    }
}

fn refused(more: &[(&str, &str)]) -> String {
    start(more).expect_err("a refusal")
}

#[test]
fn a_request_with_several_faults_gets_the_one_that_the_order_names() {
    let long = "x".repeat(600);
    // From the last check to the first: each fault added is found before those that were there.
    let faults: [(&str, &[(&str, &str)]); 14] = [
        ("InstanceIds.ExceedLimit", &[("InstanceId.2", "i-2")]),
        (
            "MissingParameter.EncryptionOptionsKMSKeyId",
            &[
                ("EncryptionOptions.Mode", "Kms"),
                ("EncryptionOptions.Enabled", "true"),
            ],
        ),
        ("InvalidEncryptionOptions.Conflict", &[("PortNumber", "22")]),
        ("InvalidCommandLine.Conflict", &[("CommandLine", "ls")]),
        (
            "InvalidParameter.EncryptionOptionsMode",
            &[("EncryptionOptions.Mode", "kms")],
        ),
        (
            "InvalidPasswordName.LengthLimitExceeded",
            &[("PasswordName", &long)],
        ),
        ("Operation.Forbidden", &[("TargetServer", "a b")]),
        (
            "InvalidTargetServer.LengthLimitExceeded",
            &[("TargetServer", &long)],
        ),
        (
            "InvalidCommandLine.LengthLimitExceeded",
            &[("CommandLine", &long)],
        ),
        ("Username.ExceedLimit", &[("Username", &long)]),
        ("InvalidClientToken.Malformed", &[("ClientToken", &long)]),
        (
            "InvalidParameter.ConnectionType",
            &[("ConnectionType", "internet")],
        ),
        ("PortNumber.Invalid", &[("PortNumber", "0")]),
        (
            "MissingParameter.InstanceId",
            &[("InstanceId.1", ""), ("InstanceId.2", "")],
        ),
    ];
    let mut given: Vec<(&str, &str)> = GOOD.to_vec();
    for (wanted, fault) in faults {
        for (name, _) in fault {
            given.retain(|(other, _)| other != name);
        }
        given.extend(fault);
        assert_eq!(code(call("StartTerminalSession", &given)), wanted);
    }
    let mut world = TestWorld::new();
    world.is_enabled = false;
    for (wanted, region) in [
        ("UserBehavior.SessionManagerDisabled", "cn-hangzhou"),
        ("RegionId.ApiNotSupported", "cn-old"),
        ("InvalidRegionId.NotFound", "cn-nowhere"),
        ("InvalidRegionId.NotFound", "no region"),
        ("MissingParameter.RegionId", ""),
    ] {
        world.nonces.borrow_mut().clear();
        given.retain(|(name, _)| *name != "RegionId");
        given.push(("RegionId", region));
        let signed = sign(
            By::Rpc(Method::Post),
            "StartTerminalSession",
            &given,
            &credentials(),
        );
        assert_eq!(code(receive(&signed, &world)), wanted);
    }
}

#[test]
fn a_port_is_a_plain_decimal_number() {
    for bad in [
        "0",
        "-1",
        "65536",
        "22.0",
        "abc",
        " 22",
        "+22",
        "99999999999999999999",
    ] {
        assert_eq!(
            refused(&[("PortNumber", bad)]),
            "PortNumber.Invalid",
            "{bad}"
        );
    }
    let port = |text| start(&[("PortNumber", text)]).expect("a port").port_number;
    assert_eq!(port("1"), Some(1));
    assert_eq!(port("65535"), Some(65_535));
}

#[test]
fn lengths_are_counted_in_characters() {
    let just = "汉".repeat(512);
    let over = "汉".repeat(513);

    assert!(start(&[("CommandLine", &just)]).is_ok());
    assert_eq!(
        refused(&[("CommandLine", &over)]),
        "InvalidCommandLine.LengthLimitExceeded"
    );
    let server = "s".repeat(128);
    assert!(start(&[("TargetServer", &server), ("PortNumber", "1")]).is_ok());
}

#[test]
fn a_client_token_is_printable_ascii() {
    let just = "~".repeat(64);

    let request = start(&[("ClientToken", &just)]).expect("a call");
    assert_eq!(request.client_token, Some(just));
    for bad in ["a b", "é", "tab\t", &"x".repeat(65)] {
        assert_eq!(
            refused(&[("ClientToken", bad)]),
            "InvalidClientToken.Malformed",
            "{bad}"
        );
    }
}

#[test]
fn a_target_server_needs_a_port_and_stands_without_brackets() {
    let missing = refused(&[("TargetServer", "db")]);
    assert_eq!(missing, "InvalidTargetServer.MissingPortNumber");
    for good in ["10.0.0.7", "fe80::1", "db.internal"] {
        assert!(
            start(&[("TargetServer", good), ("PortNumber", "3306")]).is_ok(),
            "{good}"
        );
    }
    for bad in ["[fe80::1]", "db:3306", "a/b", "a b", "a\u{1}b"] {
        let code = refused(&[("TargetServer", bad), ("PortNumber", "3306")]);
        assert_eq!(code, "Operation.Forbidden", "{bad}");
    }
}

#[test]
fn more_than_one_instance_has_two_codes() {
    let two = ("InstanceId.2", "i-1");

    assert_eq!(refused(&[two]), "InstanceIds.ExceedLimit");
    assert_eq!(
        refused(&[two, ("PortNumber", "22")]),
        "InstanceIds.ExceedLimit"
    );
    let limit = "InvalidInstanceIds.CountLimitExceeded";
    assert_eq!(refused(&[two, ("CommandLine", "ls")]), limit);
    assert_eq!(
        refused(&[two, ("TargetServer", "db"), ("PortNumber", "1")]),
        limit
    );
}

#[test]
fn encryption_options_are_judged_as_the_page_says() {
    let outcome = |json: &str| start(&[("EncryptionOptions", json)]);
    let refused = |json: &str| outcome(json).expect_err("a refusal");

    for fine in [
        "{}",
        r#"{"Enabled":false}"#,
        r#"{"Enabled":"False"}"#,
        r#"{"Enabled":null}"#,
    ] {
        let options = outcome(fine).expect("a call").encryption_options;
        assert_eq!((options.enabled, options.mode), (false, None), "{fine}");
    }
    let enabled = outcome(r#"{"Enabled":true}"#)
        .expect("a call")
        .encryption_options;
    assert_eq!(enabled.mode, Some(EncryptionMode::Auto));
    let kms = outcome(r#"{"Enabled": true, "KMSKeyId": "key-test", "Mode": "Kms"}"#);
    assert_eq!(
        kms.expect("a call")
            .encryption_options
            .kms_key_id
            .as_deref(),
        Some("key-test")
    );

    let disabled = "InvalidEncryptionOptionsMode.EncryptionDisabled";
    assert_eq!(refused(r#"{"Mode":"Auto"}"#), disabled);
    let key = "InvalidParameter.EncryptionOptionsKMSKeyId";
    assert_eq!(refused(r#"{"KMSKeyId":"k"}"#), key);
    assert_eq!(refused(r#"{"Enabled":true,"KMSKeyId":"k"}"#), key);
    assert_eq!(
        refused(r#"{"Enabled":true,"Mode":"Kms","KMSKeyId":"key-of-others"}"#),
        key
    );
    assert_eq!(
        refused(r#"{"Enabled":true,"Mode":"Kms","KMSKeyId":"a b"}"#),
        key
    );
    let missing = "MissingParameter.EncryptionOptionsKMSKeyId";
    assert_eq!(refused(r#"{"Enabled":true,"Mode":"Kms"}"#), missing);
    for malformed in [
        "x",
        "[]",
        "1",
        r#"{"Enabled":"yes"}"#,
        r#"{"Enabled":[true]}"#,
        "{",
    ] {
        assert_eq!(refused(malformed), "InvalidParameter", "{malformed}");
    }
}

#[test]
fn an_object_comes_as_json_or_dotted_but_not_both() {
    let dotted = start(&[
        ("EncryptionOptions.Enabled", "TRUE"),
        ("EncryptionOptions.Mode", "Auto"),
    ]);
    assert!(dotted.expect("a call").encryption_options.enabled);

    let both = [
        ("EncryptionOptions", "{}"),
        ("EncryptionOptions.Enabled", "true"),
    ];
    assert_eq!(refused(&both), "InvalidParameter");
}

#[test]
fn encryption_that_is_off_goes_with_a_port() {
    let off = [
        ("EncryptionOptions", r#"{"Enabled":false}"#),
        ("PortNumber", "22"),
    ];
    assert_eq!(start(&off).expect("a call").port_number, Some(22));

    let on = [
        ("EncryptionOptions", r#"{"Enabled":true}"#),
        ("PortNumber", "22"),
    ];
    assert_eq!(refused(&on), "InvalidEncryptionOptions.Conflict");
}

#[test]
fn empty_is_absent_and_unknown_names_are_told() {
    let parameters = [
        &GOOD[..],
        &[
            ("PortNumber", ""),
            ("InstanceId.7", ""),
            ("InstanceId.x", "i-9"),
            ("instanceIds", "i-9"),
            ("OwnerId", "1"),
            (
                "EncryptionOptions",
                r#"{"Enabled":false,"Surplus":{"A":1}}"#,
            ),
        ],
    ]
    .concat();

    let call = call("StartTerminalSession", &parameters).expect("a call");

    assert_eq!(
        call.ignored,
        ["EncryptionOptions.Surplus.A", "InstanceId.x", "InstanceIds"]
    );
}

#[test]
fn list_numbers_are_taken_in_numeric_order_and_gaps_close_up() {
    let Err(failure) = call(
        "DescribeCloudAssistantStatus",
        &[
            ("RegionId", "cn-hangzhou"),
            ("InstanceId", "i-1"),
            ("InstanceId.1", "i-2"),
        ],
    ) else {
        panic!("two firsts that differ");
    };
    assert_eq!(failure.error.code_text(), "InvalidParameter");

    let call = call(
        "DescribeCloudAssistantStatus",
        &[
            ("RegionId", "cn-hangzhou"),
            ("InstanceId.10", "i-c"),
            ("InstanceId.9", "i-b"),
            ("InstanceId", "i-a"),
        ],
    )
    .expect("a call");
    let Action::DescribeCloudAssistantStatus(request) = call.action else {
        panic!("another action");
    };
    assert_eq!(request.instance_id, ["i-a", "i-b", "i-c"]);
}

#[test]
fn a_default_is_the_same_request_as_its_absence() {
    let fingerprint = |more: &[(&str, &str)]| {
        let parameters = [&GOOD[..], &[("ClientToken", "t")], more].concat();
        let call = call("StartTerminalSession", &parameters).expect("a call");
        call.idempotency.expect("a token").fingerprint
    };
    let plain = fingerprint(&[]);

    assert_eq!(fingerprint(&[("ConnectionType", "Internet")]), plain);
    assert_eq!(
        fingerprint(&[("EncryptionOptions", r#"{ "Enabled" : false }"#)]),
        plain
    );
    assert_eq!(fingerprint(&[("OwnerId", "1"), ("Unknown", "x")]), plain);
    assert_ne!(fingerprint(&[("ConnectionType", "Intranet")]), plain);
    assert_ne!(fingerprint(&[("Username", "root")]), plain);
    let auto = fingerprint(&[("EncryptionOptions", r#"{"Mode":"Auto","Enabled":true}"#)]);
    assert_eq!(fingerprint(&[("EncryptionOptions.Enabled", "true")]), auto);
}

#[test]
fn the_instance_and_the_connection_type_are_what_was_said() {
    let request = start(&[("ConnectionType", "Intranet")]).expect("a call");

    assert_eq!(request.instance_id(), "i-1");
    assert_eq!(request.connection_type, ConnectionType::Intranet);
}
