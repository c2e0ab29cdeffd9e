//! Each of the other actions, carried out.

use std::time::Duration;

use axt_control::admin::{InstanceChange, InstanceDeclaration, InstanceStatus};
use axt_proto::Limits;
use axt_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::{
    calls::{call, limited, refused, simulated, text},
    harness::{start, until},
};

const DESCRIBE: &str = "DescribeTerminalSessions";

/// The ids on a page, and the token of the next one.
fn page(answer: &Value) -> (Vec<&str>, &str) {
    let sessions = answer["Sessions"]["Session"].as_array().expect("a list");
    let ids = sessions.iter().map(|one| text(one, "/SessionId"));
    (ids.collect(), text(answer, "/NextToken"))
}

async fn a_second_later(sandbox: &Sandbox) {
    let moved = sandbox.clock().advance(Duration::from_secs(1)).await;
    moved.expect("moved");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_newest_first_and_by_pages() {
    let sandbox = start(simulated()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(sandbox.start_session().await.expect("a session").id);
        a_second_later(&sandbox).await;
    }

    let first = call(&sandbox, DESCRIBE, &[("MaxResults", "2")]).await;
    let (newest, next) = page(&first);
    let rest = [("MaxResults", "2"), ("NextToken", next)];
    let second = call(&sandbox, DESCRIBE, &rest).await;
    let one = call(&sandbox, DESCRIBE, &[("SessionId", &ids[1])]).await;
    let nobody = call(&sandbox, DESCRIBE, &[("InstanceId", "i-nobody")]).await;
    let foreign = [("InstanceId", "i-nobody"), ("NextToken", next)];
    let error = refused(&sandbox, DESCRIBE, &foreign).await;

    assert_eq!(newest, [&ids[2], &ids[1]]);
    assert_eq!(page(&second), (vec![ids[0].as_str()], ""));
    assert_eq!(page(&one), (vec![ids[1].as_str()], ""));
    assert_eq!(page(&nobody), (vec![], ""));
    assert_eq!(error.code, "InvalidParameter.NextToken");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_tells_who_what_and_how_its_connections_went() {
    let sandbox = start(simulated()).await;
    let instance = sandbox.instance().to_string();
    let session = sandbox.start_session().await.expect("a session");
    let forward = [
        ("InstanceId.1", instance.as_str()),
        ("PortNumber", "22"),
        ("TargetServer", "db"),
    ];
    a_second_later(&sandbox).await;
    call(&sandbox, "StartTerminalSession", &forward).await;
    let mut terminal = sandbox.terminal(&session).await.expect("a terminal");
    terminal.type_line("echo hello").await.expect("typed");
    terminal.expect("hello").await.expect("an answer");

    let live = call(&sandbox, DESCRIBE, &[]).await;
    call(
        &sandbox,
        "EndTerminalSession",
        &[("SessionId", &session.id)],
    )
    .await;
    let only = [("SessionId", session.id.as_str())];
    let ended = until("the connection's end", async || {
        let answer = call(&sandbox, DESCRIBE, &only).await;
        let connection = answer.pointer("/Sessions/Session/0/Connections/Connection/0")?;
        (connection["Status"] != "Connected").then(|| connection.clone())
    })
    .await;

    assert_eq!(
        live["Sessions"]["Session"],
        json!([
            {
                "SessionId": live["Sessions"]["Session"][0]["SessionId"],
                "CreationTime": "2026-11-25T06:11:02Z",
                "PortNumber": 22,
                "TargetServer": "db",
                "IdentityType": "Account",
                "PrincipalId": "1000000000000001",
                "ClientIP": "127.0.0.1",
                "Connections": {"Connection": []},
            },
            {
                "SessionId": session.id,
                "CreationTime": "2026-11-25T06:11:01Z",
                "IdentityType": "Account",
                "PrincipalId": "1000000000000001",
                "ClientIP": "127.0.0.1",
                "Connections": {"Connection": [{
                    "InstanceId": instance,
                    "Status": "Connected",
                    "StartTime": "2026-11-25T06:11:02Z",
                }]},
            },
        ])
    );
    assert_eq!(ended["Status"], "Terminated");
    assert_eq!(ended["ClosedReason"], "EndTerminalSession");
    assert_eq!(ended["EndTime"], "2026-11-25T06:11:02Z");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_may_be_ended_again_and_an_unknown_one_is_not_found() {
    let sandbox = start(simulated()).await;
    let session = sandbox.start_session().await.expect("a session");
    let end = "EndTerminalSession";

    call(&sandbox, end, &[("SessionId", &session.id)]).await;
    call(&sandbox, end, &[("SessionId", &session.id)]).await;
    let unknown = refused(&sandbox, end, &[("SessionId", "s-hz0")]).await;
    let elsewhere = [
        ("SessionId", session.id.as_str()),
        ("RegionId", "cn-beijing"),
    ];
    let elsewhere = refused(&sandbox, end, &elsewhere).await;

    for error in [unknown, elsewhere] {
        assert_eq!(error.code, "InvalidSessionId.NotFound");
        assert_eq!(error.message, "The specified SessionId does not exist.");
        assert_eq!(error.status, 404);
    }
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn states_and_agents_of_instances_agree_with_what_starts() {
    let sandbox = start(simulated()).await;
    let instance = sandbox.instance().to_string();
    let agentless = InstanceDeclaration::default();
    let agentless = sandbox.admin().declare_instance(&agentless).await;
    let agentless = agentless.expect("declared").to_string();
    let stopped = InstanceChange {
        status: Some(InstanceStatus::Stopped),
        ..InstanceChange::default()
    };
    let changed = sandbox
        .admin()
        .change_instance(sandbox.instance(), &stopped);
    changed.await.expect("changed");

    let named = [
        ("InstanceId.1", instance.as_str()),
        ("InstanceId.2", "i-no"),
    ];
    let states = call(&sandbox, "DescribeInstanceStatus", &named).await;
    let all = call(&sandbox, "DescribeInstanceStatus", &[("PageSize", "1")]).await;
    let both = [
        ("InstanceId.1", instance.as_str()),
        ("InstanceId.2", agentless.as_str()),
    ];
    let agents = call(&sandbox, "DescribeCloudAssistantStatus", &both).await;

    assert_eq!(
        states["InstanceStatuses"]["InstanceStatus"],
        json!([{"InstanceId": instance, "Status": "Stopped"}])
    );
    assert_eq!(
        (&all["TotalCount"], &all["PageSize"]),
        (&json!(2), &json!(1))
    );
    let set = agents["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"].clone();
    let of = |id: &str| {
        let set = set.as_array().expect("a list");
        let one = set.iter().find(|one| one["InstanceId"] == id);
        let one = one.expect("listed");
        (
            one["CloudAssistantStatus"].clone(),
            one["SupportSessionManager"].clone(),
        )
    };
    assert_eq!(of(&instance), (json!("true"), json!(true)));
    assert_eq!(of(&agentless), (json!("false"), json!(false)));
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_asked_for_on_instances_that_are_there() {
    let sandbox = start(simulated()).await;
    let instance = sandbox.instance().to_string();
    let install = "InstallCloudAssistant";
    let there = ("InstanceId.1", instance.as_str());

    call(&sandbox, install, &[there]).await;
    let error = refused(&sandbox, install, &[there, ("InstanceId.2", "i-no")]).await;

    assert_eq!(error.code, "InvalidInstance.NotFound");
    assert_eq!(error.message, "The specified instance does not exist.");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn both_views_of_the_switch_show_one_value() {
    let sandbox = start(simulated()).await;
    let key = ("statusKey", "sessionManagerStatus");
    let old = async || {
        let answer = call(&sandbox, "DescribeUserBusinessBehavior", &[key]).await;
        text(&answer, "/StatusValue").to_owned()
    };
    let new = async |region| {
        let asked = [
            ("SettingType.1", "SessionManagerConfig"),
            ("RegionId", region),
        ];
        let answer = call(&sandbox, "DescribeCloudAssistantSettings", &asked).await;
        answer["SessionManagerConfig"]["SessionManagerEnabled"].clone()
    };

    assert_eq!(
        (old().await.as_str(), new("cn-beijing").await),
        ("enabled", json!(true))
    );
    let off = [
        ("SettingType", "SessionManagerConfig"),
        ("SessionManagerConfig", r#"{"SessionManagerEnabled":false}"#),
    ];
    call(&sandbox, "ModifyCloudAssistantSettings", &off).await;
    assert_eq!(
        (old().await.as_str(), new("cn-beijing").await),
        ("disabled", json!(false))
    );
    let on = [key, ("statusValue", "enabled")];
    call(&sandbox, "ModifyUserBusinessBehavior", &on).await;
    assert_eq!(
        (old().await.as_str(), new("cn-hangzhou").await),
        ("enabled", json!(true))
    );
    let unknown = [("statusKey", "another")];
    let unknown = call(&sandbox, "DescribeUserBusinessBehavior", &unknown).await;
    assert_eq!(unknown["StatusValue"], "");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn settings_without_effect_are_given_back_and_have_their_defaults_before() {
    let sandbox = start(simulated()).await;
    let asked = [
        ("SettingType.1", "AgentUpgradeConfig"),
        ("SettingType.2", "SessionManagerDelivery"),
        ("SettingType.3", "InvocationDelivery"),
    ];
    let describe = "DescribeCloudAssistantSettings";

    let before = call(&sandbox, describe, &asked).await;
    for parameters in [
        [
            ("SettingType", "AgentUpgradeConfig"),
            (
                "AgentUpgradeConfig",
                r#"{"Enabled":true,"AllowedUpgradeWindow":["02:00-04:00"]}"#,
            ),
        ],
        [
            ("SettingType", "InvocationDelivery"),
            ("OssDeliveryConfig", r#"{"Enabled":true,"BucketName":"b"}"#),
        ],
    ] {
        call(&sandbox, "ModifyCloudAssistantSettings", &parameters).await;
    }
    let after = call(&sandbox, describe, &asked).await;

    assert_eq!(before["AgentUpgradeConfig"]["BootstrapUpgrade"], true);
    assert_eq!(before["ResourceUsageConfig"]["CpuLimit"], 20);
    assert_eq!(before["OssDeliveryConfigs"]["OssDeliveryConfig"], json!([]));
    assert_eq!(before.get("SessionManagerConfig"), None);
    let windows = &after["AgentUpgradeConfig"]["AllowedUpgradeWindows"];
    assert_eq!(windows["AllowedUpgradeWindow"], json!(["02:00-04:00"]));
    assert_eq!(
        after["OssDeliveryConfigs"]["OssDeliveryConfig"],
        json!([{"DeliveryType": "Invocation", "Enabled": true, "BucketName": "b"}])
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn activations_are_made_listed_disabled_and_deleted() {
    let sandbox = start(limited(Limits {
        activations_per_region: 2,
        ..Limits::default()
    }))
    .await;
    let create = "CreateActivation";
    let spec = [
        ("InstanceName", "box"),
        ("Description", "of a test"),
        ("Tag.1.Key", "env"),
        ("Tag.1.Value", "dev"),
    ];

    let made = call(&sandbox, create, &spec).await;
    let id = text(&made, "/ActivationId");
    a_second_later(&sandbox).await;
    let second = call(&sandbox, create, &[]).await;
    let full = refused(&sandbox, create, &[]).await;
    let listed = call(&sandbox, "DescribeActivations", &[]).await;
    let tagged = [("Tag.1.Key", "env"), ("Tag.1.Value", "dev")];
    let tagged = call(&sandbox, "DescribeActivations", &tagged).await;
    let by_id = [("ActivationId", id)];
    let disabled = call(&sandbox, "DisableActivation", &by_id).await;
    call(&sandbox, create, &[]).await;
    let deleted = call(&sandbox, "DeleteActivation", &by_id).await;
    let gone = refused(&sandbox, "DisableActivation", &by_id).await;

    assert!(text(&made, "/ActivationCode").starts_with("a-hz"));
    assert_eq!(
        (full.code.as_str(), full.status),
        ("ActivationCount.ExceedLimit", 403)
    );
    let list = listed["ActivationList"].as_array().expect("a plain list");
    assert_eq!(list[0]["ActivationId"], second["ActivationId"]);
    assert_eq!(
        tagged["ActivationList"],
        json!([{
            "ActivationId": id,
            "Disabled": false,
            "InstanceCount": 10,
            "RegisteredCount": 0,
            "DeregisteredCount": 0,
            "TimeToLiveInHours": 4,
            "CreationTime": "2026-11-25T06:11:01Z",
            "IpAddressRange": "0.0.0.0/0",
            "InstanceName": "box",
            "Description": "of a test",
            "Tags": [{"TagKey": "env", "TagValue": "dev"}],
        }])
    );
    assert!(!listed.to_string().contains(text(&made, "/ActivationCode")));
    assert_eq!(disabled["Activation"]["Disabled"], true);
    assert_eq!(disabled["Activation"].get("Tags"), None);
    assert_eq!(deleted["Activation"].get("Disabled"), None);
    assert_eq!(
        (gone.code.as_str(), gone.status),
        ("InvalidActivationId.NotFound", 404)
    );
    sandbox.shutdown().await;
}
