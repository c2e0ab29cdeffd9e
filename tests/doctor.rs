//! `axt doctor`: every step that can fail is made to fail, and says so; no session is left behind.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // helpers of tests

#[path = "harness/examined.rs"]
mod examined;
mod harness;
#[path = "harness/process.rs"]
mod process;

use std::{net::TcpListener, sync::Arc};

use axt_agent::{Shells, shell::HelperProgram};
use axt_client::{
    api::permanent,
    doctor::{Examination, Outcome, Step},
};
use axt_control::admin::{
    InstanceChange, InstanceDeclaration, InstanceStatus, RegionChange, fault::Fault,
};
use axt_net::{
    tls::ClientTls,
    transport::{Dialer, MemoryNet},
    wall::Wall,
};
use axt_openapi::{AccessKey, Caller, Identity};
use axt_proto::{Limits, Secret};
use axt_sandbox::{Sandbox, SandboxConfig, Transport, Urls};
use examined::{Calling, examine, found, trouble};
use jiff::SignedDuration;
use process::{Home, stdout};
use serde_json::Value;
use tokio::sync::Notify;

use crate::harness::{settings, start};

/// On free ports, with shells that are no processes.
fn scripted() -> SandboxConfig {
    SandboxConfig {
        shells: Shells::Scripted,
        ..settings()
    }
}

/// The same with room for so many sessions.
fn with_room_for(sessions: u32) -> SandboxConfig {
    SandboxConfig {
        limits: Limits {
            sessions_per_region: sessions,
            ..Limits::default()
        },
        ..scripted()
    }
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_that_works_passes_each_step_and_keeps_no_session() {
    let sandbox = start(with_room_for(1)).await;

    let first = examine(found(&sandbox)).await;
    let second = examine(found(&sandbox)).await;

    for findings in [first, second] {
        let steps: Vec<Step> = findings.iter().map(|finding| finding.step).collect();
        assert_eq!(steps, Step::ALL);
        for finding in findings {
            assert!(
                matches!(finding.outcome, Outcome::Passed { .. }),
                "{finding:?}"
            );
        }
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_examination_that_is_given_up_leaves_no_session_either() {
    let sandbox = start(with_room_for(1)).await;
    let mut examination = Examination::of(Ok(found(&sandbox)));
    let opened = Arc::new(Notify::new());

    let running = examination.run(|finding| {
        if finding.step == Step::Websocket {
            opened.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = opened.notified() => {}
        _ = running => panic!("it should have been given up before the last step"),
    }
    examination.end().await;

    assert!(sandbox.start_session().await.is_ok());
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_where_nobody_listens_fails_before_tls() {
    let sandbox = start(scripted()).await;
    let endpoint = format!("https://127.0.0.1:{}", closed_port());

    let findings = examine(found(&sandbox).at(&endpoint)).await;

    let told = trouble(&findings, Step::Endpoint);
    assert!(told.contains("cannot reach 127.0.0.1:"), "{told}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_is_not_trusted_fails_at_tls() {
    let sandbox = start(scripted()).await;
    let mut subject = found(&sandbox);
    subject.network.tls = ClientTls::system();

    let findings = examine(subject.calling()).await;

    let told = trouble(&findings, Step::Tls);
    assert!(told.contains("--ca FILE"), "{told}");
    sandbox.shutdown().await;
}

/// In memory, where no second is spent.
async fn in_memory() -> (Sandbox, MemoryNet) {
    let sandbox = start(SandboxConfig {
        transport: Transport::Memory,
        ..scripted()
    })
    .await;
    let Dialer::Memory(net) = sandbox.network().dialer.clone() else {
        panic!("not in memory");
    };
    (sandbox, net)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_connections_and_says_nothing_fails_at_tls() {
    let (sandbox, net) = in_memory().await;
    let _silent = net.bind("silent", 443).expect("free");

    let findings = examine(found(&sandbox).at("https://silent")).await;

    let told = trouble(&findings, Step::Tls);
    assert!(told.contains("no answer within 10 s"), "{told}");
    assert!(told.contains("axt health"), "{told}");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_opens_no_channel_fails_at_the_last_step() {
    let (sandbox, _) = in_memory().await;
    let fault = Fault::from_words("drop_kick", []).expect("a fault");
    sandbox.admin().add_fault(&fault).await.expect("added");
    let plain = sandbox.api().endpoint().to_string();

    let findings = examine(found(&sandbox).at(&plain)).await;

    let told = trouble(&findings, Step::Shell);
    assert!(told.contains("AgentTimeout"), "{told}");
    assert!(told.contains("opens no channel"), "{told}");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_no_tls_fails_at_tls_and_no_certificate_is_blamed() {
    let (sandbox, _) = in_memory().await;

    // In memory the API's own address speaks none.
    let findings = examine(found(&sandbox)).await;

    let told = trouble(&findings, Step::Tls);
    assert!(told.contains("does not speak TLS"), "{told}");
    assert!(told.contains("--endpoint http://"), "{told}");
    assert!(!told.contains("--ca"), "{told}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_judged_by_key_secret_and_clock() {
    let sandbox = start(scripted()).await;
    let id = sandbox.ready().access_key_id.clone();
    let late = Wall::system().now() - SignedDuration::from_secs(20 * 60 + 30);
    let mut in_the_past = found(&sandbox);
    in_the_past.wall = Wall::fixed(late);

    let secret = permanent(id, Secret::new("hunter2"));
    let secret = examine(found(&sandbox).signing(secret)).await;
    let key = permanent("LTAInobody".into(), Secret::new("hunter2"));
    let key = examine(found(&sandbox).signing(key)).await;
    let clock = examine(in_the_past.calling()).await;
    let admin = sandbox.ready().admin.clone();
    let other_server = examine(found(&sandbox).at(&admin)).await;

    let secret = trouble(&secret, Step::Signature);
    assert!(secret.contains("SignatureDoesNotMatch"), "{secret}");
    assert!(!secret.contains("hunter2"), "{secret}");
    let key = trouble(&key, Step::Signature);
    assert!(key.contains("LTAInobody"), "{key}");
    let clock = trouble(&clock, Step::Signature);
    assert!(
        clock.contains("20 min") && clock.contains("behind"),
        "{clock}"
    );
    let other_server = trouble(&other_server, Step::Signature);
    assert!(other_server.contains("does not answer"), "{other_server}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_manager_that_is_off_or_not_there_fails() {
    let sandbox = start(scripted()).await;
    let switch = |value| {
        let parameters = [
            ("StatusKey", "sessionManagerStatus"),
            ("StatusValue", value),
        ];
        let api = sandbox.api().clone();
        async move {
            let switched = api.call("ModifyUserBusinessBehavior", &parameters).await;
            switched.expect("switched");
        }
    };

    switch("disabled").await;
    let off = examine(found(&sandbox)).await;
    switch("enabled").await;
    let change = RegionChange {
        api_supported: Some(false),
        ..RegionChange::default()
    };
    let region = sandbox.api().region().clone();
    sandbox
        .admin()
        .change_region(&region, &change)
        .await
        .expect("changed");
    let elsewhere = examine(found(&sandbox)).await;

    let off = trouble(&off, Step::SessionManager);
    assert!(off.contains("ModifyUserBusinessBehavior"), "{off}");
    let elsewhere = trouble(&elsewhere, Step::SessionManager);
    assert!(
        elsewhere.contains("RegionId.ApiNotSupported"),
        "{elsewhere}"
    );
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_to_be_named_to_be_there_and_to_run() {
    let sandbox = start(SandboxConfig {
        instances: 2,
        ..scripted()
    })
    .await;
    let instance = sandbox.instance().clone();

    let several = examine(found(&sandbox)).await;
    let unknown = examine(found(&sandbox).on("i-nobody")).await;
    let managed = examine(found(&sandbox).on("mi-nobody")).await;
    let change = InstanceChange {
        status: Some(InstanceStatus::Stopped),
        ..InstanceChange::default()
    };
    let changed = sandbox.admin().change_instance(&instance, &change).await;
    changed.expect("changed");
    let stopped = examine(found(&sandbox).on(instance.as_str())).await;

    let several = trouble(&several, Step::Instance);
    assert!(several.contains("-i INSTANCE"), "{several}");
    for (findings, id) in [(unknown, "i-nobody"), (managed, "mi-nobody")] {
        let told = trouble(&findings, Step::Instance);
        assert!(told.contains(&format!("no instance {id}")), "{told}");
    }
    let stopped = trouble(&stopped, Step::Instance);
    assert!(stopped.contains("is Stopped, not Running"), "{stopped}");
    assert!(stopped.contains("--status Running"), "{stopped}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_has_to_be_online_and_new_enough() {
    let sandbox = start(scripted()).await;
    let declaration = InstanceDeclaration {
        id: Some("i-away".parse().expect("an id")),
        ..InstanceDeclaration::default()
    };
    let away = sandbox.admin().declare_instance(&declaration).await;
    let away = away.expect("declared");
    let change = InstanceChange {
        agent_version: Some("2.2.3.256".to_owned()),
        ..InstanceChange::default()
    };
    let instance = sandbox.instance().clone();
    let changed = sandbox.admin().change_instance(&instance, &change).await;
    changed.expect("changed");

    let away = examine(found(&sandbox).on(away.as_str())).await;
    let old = examine(found(&sandbox).on(instance.as_str())).await;

    let away = trouble(&away, Step::Agent);
    assert!(away.contains("i-away is not online"), "{away}");
    let old = trouble(&old, Step::Agent);
    assert!(old.contains("too old: 2.2.3.256"), "{old}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_full_and_a_policy_that_denies_fail_at_the_start() {
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"ecs:Describe*","Resource":"*"}]}"#;
    let reader = AccessKey {
        secret: Secret::new("reader"),
        is_enabled: true,
        token: None,
        caller: Caller {
            account: "1000000000000001".parse().expect("an account"),
            access_key_id: "reader".to_owned(),
            identity: Identity::RamUser("reader".to_owned()),
            policy: Some(serde_json::from_str(policy).expect("a policy")),
        },
    };
    let sandbox = start(SandboxConfig {
        access_keys: vec![reader],
        ..with_room_for(1)
    })
    .await;
    sandbox.start_session().await.expect("the only one");

    let full = examine(found(&sandbox)).await;
    let key = permanent("reader".into(), Secret::new("reader"));
    let denied = examine(found(&sandbox).signing(key)).await;

    let full = trouble(&full, Step::Quotas);
    assert!(full.contains("SessionCount.ExceedLimit"), "{full}");
    let denied = trouble(&denied, Step::Quotas);
    assert!(denied.contains("Forbidden.RAM"), "{denied}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_url_that_leads_nowhere_fails_at_the_websocket() {
    let port = closed_port();
    let sandbox = start(SandboxConfig {
        urls: Urls {
            public: Some(format!("ws://127.0.0.1:{port}")),
            ..Urls::default()
        },
        ..scripted()
    })
    .await;

    let findings = examine(found(&sandbox)).await;

    let told = trouble(&findings, Step::Websocket);
    assert!(told.contains(&format!("127.0.0.1:{port}")), "{told}");
    assert!(!told.contains("token="), "{told}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_is_refused_says_why() {
    for (fault, code) in [
        ("connections_full", "SessionCount.ExceedLimit"),
        ("refuse_token", "InvalidSessionToken"),
    ] {
        let sandbox = start(scripted()).await;
        let fault = Fault::from_words(fault, []).expect("a fault");
        sandbox.admin().add_fault(&fault).await.expect("added");

        let findings = examine(found(&sandbox)).await;

        let told = trouble(&findings, Step::Websocket);
        assert!(told.contains(code), "{told}");
        assert!(!told.contains("token="), "{told}");
        sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_cannot_start_a_shell_fails_at_the_last_step() {
    let sandbox = start(SandboxConfig {
        shells: Shells::Real {
            helper: HelperProgram {
                path: "/nonexistent/axt".into(),
                args: Vec::new(),
            },
            keep_background: false,
        },
        ..settings()
    })
    .await;

    let findings = examine(found(&sandbox)).await;

    let told = trouble(&findings, Step::Shell);
    assert!(told.contains("OpenPtyFailed"), "{told}");
    sandbox.shutdown().await;
}

#[test]
fn the_command_passes_on_a_sandbox_that_runs_and_fails_without_one() {
    let home = Home::new();

    let without = home.run(&["doctor"]);
    let running = home.up(&["--ephemeral"]);
    let there = home.run(&["doctor"]);
    let there_as_json = home.run(&["doctor", "--json"]);
    drop(running);

    assert_eq!(without.status.code(), Some(1));
    let told = stdout(&without);
    assert!(told.starts_with("FAIL  settings"), "{told}");
    assert!(told.contains("hint: `axt up` starts one"), "{told}");
    assert!(told.ends_with("skip  shell\n"), "{told}");
    assert_eq!(there.status.code(), Some(0), "{}", stdout(&there));
    let lines = stdout(&there);
    assert!(lines.lines().all(|line| line.starts_with("ok ")), "{lines}");
    let report: Value = serde_json::from_str(&stdout(&there_as_json)).expect("JSON");
    assert_eq!(report["ok"], true);
    assert_eq!(report["steps"][9]["step"], "shell");
    assert_eq!(report["steps"][9]["status"], "passed");
}

#[test]
fn settings_that_are_wrong_fail_at_the_first_step() {
    let home = Home::new();
    std::fs::write(home.path("axt.toml"), "[client]\nendpiont = \"x\"\n").expect("written");

    let ran = home.run(&["doctor", "--json"]);

    assert_eq!(ran.status.code(), Some(1));
    let report: Value = serde_json::from_str(&stdout(&ran)).expect("JSON");
    assert_eq!(report["ok"], false);
    assert_eq!(report["steps"][0]["status"], "failed");
    let problem = report["steps"][0]["problem"].as_str().expect("a text");
    assert!(problem.contains("axt.toml:2"), "{problem}");
    assert_eq!(report["steps"][1]["status"], "skipped");
}
