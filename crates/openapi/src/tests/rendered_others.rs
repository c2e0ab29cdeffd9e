//! What the answers of the other actions look like, in JSON and in XML (ecs-api 3).

use axt_proto::Secret;

use super::rendered::both;
use crate::{
    action,
    answer::{
        Activation, Connection, CreateActivation, DeleteActivation, DeregisterManagedInstance,
        DescribeActivations, DescribeCloudAssistantSettings, DescribeInstanceStatus,
        DescribeManagedInstances, DescribeTerminalSessions, DescribeUserBusinessBehavior,
        DisableActivation, InstanceStatus, ManagedInstance, ModifyManagedInstance, OssDelivery,
        RenamedInstance, Session, SlsDelivery, Tag,
    },
};

fn tag() -> Tag {
    Tag {
        tag_key: "env".to_owned(),
        tag_value: "test".to_owned(),
    }
}

#[test]
fn sessions_with_their_connections() {
    let connection = |status, reason: Option<&str>, detail: Option<&str>| Connection {
        instance_id: "i-1".to_owned(),
        status,
        start_time: "2026-11-25T06:00:01Z".to_owned(),
        end_time: reason.map(|_| "2026-11-25T06:10:00Z".to_owned()),
        closed_reason: reason.map(str::to_owned),
        failed_detail: detail.map(str::to_owned),
    };
    let forward = Session {
        session_id: "s-hz1".to_owned(),
        creation_time: "2026-11-25T06:00:00Z".to_owned(),
        port_number: Some(22),
        target_server: Some("db".to_owned()),
        identity_type: "RAMUser".to_owned(),
        principal_id: "2".to_owned(),
        client_ip: Some("127.0.0.1".to_owned()),
        username: Some("root".to_owned()),
        connections: vec![
            connection("Connected", None, None),
            connection("Failed", Some("OpenPtyFailed"), Some("no user `bob`")),
        ]
        .into(),
    };
    let untouched = Session {
        session_id: "s-hz2".to_owned(),
        identity_type: "Account".to_owned(),
        ..Session::default()
    };

    insta::assert_snapshot!(both(DescribeTerminalSessions {
        next_token: String::new(),
        sessions: vec![forward, untouched].into(),
    }));
}

#[test]
fn a_new_activation() {
    insta::assert_snapshot!(both(CreateActivation {
        activation_id: "EB5173B0-8E80-564E-AAD1-313541200001".to_owned(),
        activation_code: Secret::new("a-hzCODE"),
    }));
}

#[test]
fn activations_in_all_three_forms() {
    let activation = Activation {
        activation_id: "A".to_owned(),
        instance_count: 10,
        time_to_live_in_hours: 4,
        ip_address_range: "0.0.0.0/0".to_owned(),
        ..Activation::default()
    };
    let listed = Activation {
        disabled: Some(false),
        tags: Some(vec![tag(), tag()]),
        ..activation.clone()
    };
    let plain = Activation {
        disabled: Some(false),
        tags: Some(Vec::new()),
        ..activation.clone()
    };
    let disabled = Activation {
        disabled: Some(true),
        ..activation.clone()
    };

    insta::assert_snapshot!(
        [
            both(DescribeActivations {
                page_number: 1,
                page_size: 10,
                total_count: 2,
                next_token: String::new(),
                activation_list: vec![listed, plain],
            }),
            both(DisableActivation {
                activation: disabled
            }),
            both(DeleteActivation { activation }),
        ]
        .join("\n")
    );
}

#[test]
fn managed_instances_in_all_three_forms() {
    let instance = ManagedInstance {
        instance_id: "mi-hz1".to_owned(),
        instance_name: "web-001".to_owned(),
        ..ManagedInstance::default()
    };
    let listed = ManagedInstance {
        connected: Some(true),
        tags: Some(vec![tag()]),
        ..instance.clone()
    };
    let renamed = RenamedInstance {
        instance_id: "mi-hz1".to_owned(),
        instance_name: "web".to_owned(),
    };

    insta::assert_snapshot!(
        [
            both(DescribeManagedInstances {
                page_number: 1,
                page_size: 10,
                total_count: 1,
                next_token: String::new(),
                instances: vec![listed],
            }),
            both(DeregisterManagedInstance { instance }),
            both(ModifyManagedInstance { instance: renamed }),
        ]
        .join("\n")
    );
}

#[test]
fn the_switch_of_the_account() {
    insta::assert_snapshot!(both(DescribeUserBusinessBehavior {
        status_value: "enabled"
    }));
}

#[test]
fn settings_of_every_type() {
    let upgrade: action::AgentUpgradeConfig = serde_json::from_str(
        r#"{"Enabled":true,"AllowedUpgradeWindow":["02:00-03:00","04:00-05:00"],
            "BootstrapUpgrade":true,"DisableUpgrade":false}"#,
    )
    .expect("a config");
    let oss = serde_json::from_str(r#"{"Enabled":true,"BucketName":"b"}"#).expect("a config");
    let sls = serde_json::from_str(r#"{"Enabled":false}"#).expect("a config");
    let usage = serde_json::from_str(
        r#"{"CpuLimit":20,"MemoryLimit":"50MB","OverloadLimit":3,"LogFileCountLimit":30,
            "LogSizeLimit":"100MB","KeepScriptFile":false}"#,
    )
    .expect("a config");

    insta::assert_snapshot!(both(DescribeCloudAssistantSettings {
        session_manager_config: Some(action::SessionManagerConfig {
            session_manager_enabled: true,
        }),
        oss_delivery_configs: Some(
            vec![OssDelivery {
                delivery_type: "SessionManager",
                config: oss
            }]
            .into(),
        ),
        sls_delivery_configs: Some(
            vec![SlsDelivery {
                delivery_type: "Invocation",
                config: sls
            }]
            .into(),
        ),
        agent_upgrade_config: Some(upgrade.into()),
        resource_usage_config: Some(usage),
    }));
}

#[test]
fn the_state_of_instances() {
    let running = InstanceStatus {
        instance_id: "i-1".to_owned(),
        status: "Running".to_owned(),
    };

    insta::assert_snapshot!(both(DescribeInstanceStatus {
        total_count: 1,
        page_number: 1,
        page_size: 10,
        instance_statuses: vec![running].into(),
    }));
}
