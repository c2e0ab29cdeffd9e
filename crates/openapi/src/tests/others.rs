//! What the other actions refuse and let pass (ecs-api 3.2 to 3.15).

use super::{By, TestWorld, call, code, credentials, receive, sign};
use crate::{
    Action,
    action::{DescribeCloudAssistantSettings, SettingType, Switch},
    signature::Method,
};

/// The outcome of a call in cn-hangzhou: `ok`, or the code.
fn outcome(action: &str, more: &[(&str, &str)]) -> String {
    let parameters = [&[("RegionId", "cn-hangzhou")], more].concat();
    match call(action, &parameters) {
        Ok(_) => "ok".to_owned(),
        Err(failure) => failure.error.code_text(),
    }
}

/// An action, its parameters beside the region, and the outcome.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn each_action_has_its_own_codes() {
    let ids: Vec<(String, &str)> = (1..=51)
        .map(|n| (format!("InstanceId.{n}"), "i-1"))
        .collect();
    let ids: Vec<(&str, &str)> = ids
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let many = serde_json::to_string(&vec!["i-1"; 101]).expect("JSON");
    let cases: &[Case<'_>] = &[
        ("EndTerminalSession", &[], "MissingParameter.SessionId"),
        ("EndTerminalSession", &[("SessionId", "?")], "ok"),
        ("EndTerminalSession", &[("SessionId", &many)], "ok"),
        (
            "DescribeTerminalSessions",
            &[("MaxResults", "0")],
            "InvalidParameter.MaxResults",
        ),
        (
            "DescribeTerminalSessions",
            &[("MaxResults", "101")],
            "InvalidParameter.MaxResults",
        ),
        (
            "DescribeTerminalSessions",
            &[("MaxResults", "x")],
            "InvalidParameter.MaxResults",
        ),
        (
            "DescribeCloudAssistantStatus",
            &ids,
            "InstanceIds.ExceedLimit",
        ),
        ("DescribeCloudAssistantStatus", &ids[..50], "ok"),
        (
            "DescribeCloudAssistantStatus",
            &[("OSType", "linux")],
            "InvalidParameter.OSType",
        ),
        (
            "DescribeCloudAssistantStatus",
            &[("PageNumber", "0")],
            "InvalidParam.PageNumber",
        ),
        (
            "DescribeCloudAssistantStatus",
            &[("PageSize", "51")],
            "InvalidParam.PageSize",
        ),
        ("InstallCloudAssistant", &[], "MissingParameter.InstanceId"),
        ("InstallCloudAssistant", &ids, "InstanceIds.ExceedLimit"),
        (
            "CreateActivation",
            &[("InstanceName", "1a")],
            "InvalidParameter.InstanceName",
        ),
        (
            "CreateActivation",
            &[("InstanceCount", "1001")],
            "InvalidParameter.InstanceCount",
        ),
        (
            "CreateActivation",
            &[("TimeToLiveInHours", "5")],
            "InvalidParameter.TimeToLiveInHours",
        ),
        (
            "CreateActivation",
            &[("IpAddressRange", "x")],
            "InvalidParameter.IpAddressRange",
        ),
        (
            "CreateActivation",
            &[("Tag.1.Value", "v")],
            "InvalidTag.Mismatch",
        ),
        (
            "CreateActivation",
            &[("Tag.1.Key", "acs:x")],
            "InvalidParameter.Tag",
        ),
        (
            "CreateActivation",
            &[("ClientToken", "a b")],
            "InvalidClientToken.Malformed",
        ),
        ("CreateActivation", &[], "ok"),
        ("DisableActivation", &[], "MissingParameter.ActivationId"),
        (
            "DescribeManagedInstances",
            &[("OsType", "LINUX"), ("Connected", "True")],
            "ok",
        ),
        (
            "DescribeManagedInstances",
            &[("OsType", "BeOS")],
            "InvalidParameter.OsType",
        ),
        (
            "ModifyManagedInstance",
            &[("InstanceName", "-")],
            "MissingParameter.InstanceId",
        ),
        (
            "ModifyManagedInstance",
            &[("InstanceId", "mi-1"), ("InstanceName", "-x")],
            "InvalidInstanceName.Malformed",
        ),
        (
            "DescribeUserBusinessBehavior",
            &[],
            "MissingParameter.statusKey",
        ),
        (
            "ModifyUserBusinessBehavior",
            &[("statusKey", "k")],
            "MissingParameter.statusValue",
        ),
        (
            "ModifyUserBusinessBehavior",
            &[("statusKey", "k"), ("statusValue", "on")],
            "InvalidParameter",
        ),
        (
            "ModifyCloudAssistantSettings",
            &[],
            "MissingParameter.SettingType",
        ),
        (
            "ModifyCloudAssistantSettings",
            &[("SettingType", "Nonsense")],
            "InvalidParameter.SettingType",
        ),
        (
            "ModifyCloudAssistantSettings",
            &[("SettingType", "SessionManagerConfig")],
            "MissingParameter.SessionManagerConfig",
        ),
        (
            "ModifyCloudAssistantSettings",
            &[
                ("SettingType", "AgentUpgradeConfig"),
                ("ResourceUsageConfig", "{\"CpuLimit\":9}"),
            ],
            "InvalidParameter.CpuLimit",
        ),
        (
            "DescribeCloudAssistantSettings",
            &[("SettingType.1", "Nonsense")],
            "InvalidParameter.SettingType",
        ),
        (
            "DescribeInstances",
            &[("InstanceIds", "i-1,i-2")],
            "InvalidParameter",
        ),
        (
            "DescribeInstances",
            &[("InstanceIds", &many)],
            "InvalidParameter",
        ),
        ("DescribeInstances", &[("InstanceIds", "[\"i-1\"]")], "ok"),
        (
            "DescribeInstances",
            &[("Status", "running")],
            "InvalidStatus.NotFound",
        ),
        (
            "DescribeInstances",
            &[("ImageId", "x"), ("DryRun", "true")],
            "ok",
        ),
        (
            "DescribeInstanceStatus",
            &[("PageSize", "51")],
            "InvalidParam.PageSize",
        ),
        (
            "DescribeInstanceStatus",
            &[("MaxResults", "x"), ("PageNumber", "0")],
            "InvalidParam.PageNumber",
        ),
        (
            "DescribeRegions",
            &[("AcceptLanguage", "de")],
            "InvalidAcceptLanguage.NotFound",
        ),
        (
            "DescribeRegions",
            &[("ResourceType", "x")],
            "InvalidResourceType.NotFound",
        ),
    ];

    for (action, parameters, wanted) in cases {
        assert_eq!(
            outcome(action, parameters),
            *wanted,
            "{action} {parameters:?}"
        );
    }
}

#[test]
fn a_name_that_is_no_item_does_not_make_a_list() {
    for name in [
        "InstanceId.x",
        "InstanceId.0",
        "InstanceId.01",
        "InstanceId.-1",
        "InstanceId.",
    ] {
        let missing = outcome("StartTerminalSession", &[(name, "i-1")]);
        assert_eq!(missing, "MissingParameter.InstanceId", "{name}");
    }
}

#[test]
fn a_list_within_an_object_has_a_longest_too() {
    let windows = vec!["02:00-03:00"; 25];
    let config = serde_json::json!({ "AllowedUpgradeWindow": windows }).to_string();
    let parameters = [
        ("SettingType", "AgentUpgradeConfig"),
        ("AgentUpgradeConfig", &config),
    ];

    let refused = outcome("ModifyCloudAssistantSettings", &parameters);

    assert_eq!(refused, "InvalidParameter.AllowedUpgradeWindow");
}

#[test]
fn a_list_that_is_no_json_is_named() {
    let parameters = [("RegionId", "cn-hangzhou"), ("InstanceIds", "i-1,i-2")];

    let error = call("DescribeInstances", &parameters)
        .expect_err("a refusal")
        .error;

    assert_eq!(
        error.message(None),
        "The specified parameter \"InstanceIds\" is not valid."
    );
}

#[test]
fn an_ecs_action_wants_a_region_but_not_the_session_api() {
    let old = [("RegionId", "cn-old")];

    assert!(call("DescribeInstances", &old).is_ok());
    assert!(call("DescribeRegions", &[]).is_ok());
    assert_eq!(
        code(call("DescribeInstances", &[])),
        "MissingParameter.RegionId"
    );
    let refused = code(call("DescribeCloudAssistantStatus", &old));
    assert_eq!(refused, "RegionId.ApiNotSupported");
    let unknown = [("RegionId", "cn-nowhere")];
    assert_eq!(
        code(call("DescribeRegions", &unknown)),
        "InvalidRegionId.NotFound"
    );
}

#[test]
fn an_unknown_region_is_worded_by_the_action() {
    let message = |action| {
        let failure = call(action, &[("RegionId", "cn-nowhere")]).expect_err("a refusal");
        failure.error.message(failure.reply_to.action)
    };

    assert_eq!(
        message("DescribeTerminalSessions"),
        "The specified parameter RegionId does not exist."
    );
    assert_eq!(
        message("DescribeInstances"),
        "The RegionId provided does not exist in our records."
    );
}

#[test]
fn the_switch_that_is_off_stops_the_start_only() {
    let mut world = TestWorld::new();
    world.is_enabled = false;
    let parameters = [
        ("RegionId", "cn-hangzhou"),
        ("SettingType.1", "SessionManagerConfig"),
    ];
    let by = By::Acs3(Method::Post);
    let signed = sign(
        by,
        "DescribeCloudAssistantSettings",
        &parameters,
        &credentials(),
    );

    let call = receive(&signed, &world).expect("a call");

    let Action::DescribeCloudAssistantSettings(request) = call.action else {
        panic!("another action");
    };
    let setting_type = vec![SettingType::SessionManagerConfig];
    let region_id = "cn-hangzhou".parse().expect("a region");
    assert_eq!(
        request,
        DescribeCloudAssistantSettings {
            region_id,
            setting_type
        }
    );
}

#[test]
fn the_first_letter_of_a_name_may_have_either_case() {
    for names in [["statusKey", "statusValue"], ["StatusKey", "StatusValue"]] {
        let [key, value] = names;
        let parameters = [(key, "sessionManagerStatus"), (value, "disabled")];

        let call = call("ModifyUserBusinessBehavior", &parameters).expect("a call");

        let Action::ModifyUserBusinessBehavior(request) = call.action else {
            panic!("another action");
        };
        assert_eq!(request.status_value, Switch::Disabled);
        assert_eq!(call.region, None);
    }
}

#[test]
fn each_action_that_takes_a_token_has_fingerprints_of_its_own() {
    let twice = |action: &str, more: &[(&str, &str)]| {
        let parameters = [&[("RegionId", "cn-hangzhou"), ("ClientToken", "t")], more].concat();
        call(action, &parameters)
            .expect("a call")
            .idempotency
            .expect("a token")
            .fingerprint
    };
    let activation = |more: &[(&str, &str)]| twice("CreateActivation", more);

    assert_eq!(activation(&[("InstanceCount", "10")]), activation(&[]));
    assert_ne!(activation(&[("InstanceCount", "11")]), activation(&[]));
    let deregister = twice("DeregisterManagedInstance", &[("InstanceId", "mi-1")]);
    assert_ne!(deregister, activation(&[]));
}
