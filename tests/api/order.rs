//! A call with several faults gets the error that the documented order names
//! (limits-and-semantics 3): one call with every fault, of which the first is mended again and again.

use std::collections::BTreeMap;

use axt_control::admin::{InstanceChange, InstanceStatus, RegionChange};
use axt_proto::Limits;
use axt_sandbox::Sandbox;

use crate::{
    calls::{call, change_region, limited, refused},
    harness::start,
};

const START: &str = "StartTerminalSession";

/// What takes the first fault away.
enum Mend {
    Set(&'static str, &'static str),
    Drop(&'static str),
    SessionManager(&'static str),
    Instance(InstanceChange),
    Region(RegionChange),
    EndSession,
}

use Mend::{Drop, EndSession, Instance, Region, SessionManager, Set};

fn running() -> Mend {
    Instance(InstanceChange {
        status: Some(InstanceStatus::Running),
        ..InstanceChange::default()
    })
}

fn nothing_denied() -> Mend {
    Instance(InstanceChange {
        denied_ports: Some(Vec::new()),
        ..InstanceChange::default()
    })
}

fn forwarding() -> Mend {
    Region(RegionChange {
        port_forwarding: Some(true),
        ..RegionChange::default()
    })
}

fn intranet() -> Mend {
    Region(RegionChange {
        intranet: Some(true),
        ..RegionChange::default()
    })
}

fn dispatching() -> Mend {
    Region(RegionChange {
        dispatch_failure: Some(false),
        ..RegionChange::default()
    })
}

/// The order: what the call is refused with, and what is mended then.
fn steps() -> Vec<(&'static str, Vec<Mend>)> {
    let options = |json| Set("EncryptionOptions", json);
    vec![
        (
            "MissingParameter.RegionId",
            vec![Set("RegionId", "cn-nowhere")],
        ),
        (
            "InvalidRegionId.NotFound",
            vec![Set("RegionId", "cn-beijing")],
        ),
        (
            "RegionId.ApiNotSupported",
            vec![Set("RegionId", "cn-hangzhou")],
        ),
        (
            "UserBehavior.SessionManagerDisabled",
            vec![SessionManager("enabled")],
        ),
        (
            "MissingParameter.InstanceId",
            vec![
                Set("InstanceId.1", "i-nobody"),
                Set("InstanceId.2", "i-none"),
            ],
        ),
        ("PortNumber.Invalid", vec![Drop("PortNumber")]),
        (
            "InvalidParameter.ConnectionType",
            vec![Set("ConnectionType", "Intranet")],
        ),
        (
            "InvalidClientToken.Malformed",
            vec![Set("ClientToken", "used")],
        ),
        ("Username.ExceedLimit", vec![Set("Username", "root")]),
        (
            "InvalidCommandLine.LengthLimitExceeded",
            vec![Set("CommandLine", "id")],
        ),
        (
            "InvalidTargetServer.LengthLimitExceeded",
            vec![Set("TargetServer", "db")],
        ),
        (
            "InvalidPasswordName.LengthLimitExceeded",
            vec![Drop("PasswordName")],
        ),
        ("InvalidParameter", vec![options(r#"{"Mode":"kms"}"#)]),
        (
            "InvalidParameter.EncryptionOptionsMode",
            vec![options(r#"{"Mode":"Kms"}"#)],
        ),
        (
            "InvalidTargetServer.MissingPortNumber",
            vec![Set("PortNumber", "22")],
        ),
        ("InvalidCommandLine.Conflict", vec![Drop("CommandLine")]),
        (
            "InvalidEncryptionOptionsMode.EncryptionDisabled",
            vec![options(r#"{"Enabled":true,"Mode":"Kms"}"#)],
        ),
        (
            "InvalidEncryptionOptions.Conflict",
            vec![
                Drop("PortNumber"),
                Drop("TargetServer"),
                Set("CommandLine", "id"),
            ],
        ),
        (
            "MissingParameter.EncryptionOptionsKMSKeyId",
            vec![options(
                r#"{"Enabled":true,"Mode":"Auto","KMSKeyId":"key-1"}"#,
            )],
        ),
        (
            "InvalidParameter.EncryptionOptionsKMSKeyId",
            vec![options(r#"{"Enabled":true}"#)],
        ),
        (
            "InvalidInstanceIds.CountLimitExceeded",
            vec![Drop("CommandLine")],
        ),
        ("InstanceIds.ExceedLimit", vec![Drop("InstanceId.2")]),
        (
            "IdempotentParameterMismatch",
            vec![Set("ClientToken", "fresh")],
        ),
        ("InvalidInstance.NotFound", vec![Set("InstanceId.1", HERE)]),
        ("Operation.Forbidden", vec![running()]),
        (
            "UnsupportedAgentVersion.Encryption",
            vec![Drop("EncryptionOptions"), Set("PortNumber", "22")],
        ),
        ("PortForwarding.NotSupported", vec![forwarding()]),
        (
            "InvalidOperation.ConnectionTypeUnsupported",
            vec![intranet()],
        ),
        (
            "InvalidOperation.SecurityGroupRuleDenied",
            vec![nothing_denied()],
        ),
        ("SessionCount.ExceedLimit", vec![EndSession]),
        ("InternalError.Dispatch", vec![dispatching()]),
    ]
}

/// Stands for the sandbox's instance.
const HERE: &str = "HERE";

/// Everything wrong that can be wrong at once; gives the session that is in the way.
async fn spoil(sandbox: &Sandbox) -> String {
    let instance = sandbox.instance().to_string();
    let used = [("InstanceId.1", instance.as_str()), ("ClientToken", "used")];
    let session = call(sandbox, START, &used).await;
    let elsewhere = "cn-beijing".parse().expect("a region");
    let without_api = RegionChange {
        api_supported: Some(false),
        ..RegionChange::default()
    };
    let changed = sandbox.admin().change_region(&elsewhere, &without_api);
    changed.await.expect("changed");
    let failing = RegionChange {
        port_forwarding: Some(false),
        dispatch_failure: Some(true),
        ..RegionChange::default()
    };
    change_region(sandbox, failing).await;
    let stopped = InstanceChange {
        status: Some(InstanceStatus::Stopped),
        denied_ports: Some(vec![22]),
        ..InstanceChange::default()
    };
    mend(sandbox, &mut BTreeMap::new(), "", Instance(stopped)).await;
    mend(
        sandbox,
        &mut BTreeMap::new(),
        "",
        SessionManager("disabled"),
    )
    .await;
    session["SessionId"].as_str().expect("an id").to_owned()
}

async fn mend(sandbox: &Sandbox, call_of: &mut BTreeMap<&str, String>, session: &str, mend: Mend) {
    match mend {
        Set(name, HERE) => {
            call_of.insert(name, sandbox.instance().to_string());
        }
        Set(name, value) => {
            call_of.insert(name, value.to_owned());
        }
        Drop(name) => {
            call_of.remove(name);
        }
        SessionManager(value) => {
            let switch = [
                ("statusKey", "sessionManagerStatus"),
                ("statusValue", value),
            ];
            call(sandbox, "ModifyUserBusinessBehavior", &switch).await;
        }
        Instance(change) => {
            let changed = sandbox.admin().change_instance(sandbox.instance(), &change);
            changed.await.expect("changed");
        }
        Region(change) => change_region(sandbox, change).await,
        EndSession => {
            call(sandbox, "EndTerminalSession", &[("SessionId", session)]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_all_faults_the_one_that_the_order_names_is_answered() {
    let sandbox = start(limited(Limits {
        sessions_per_region: 1,
        ..Limits::default()
    }))
    .await;
    let session = spoil(&sandbox).await;
    let mut faulty = BTreeMap::from([
        ("RegionId", String::new()),
        ("PortNumber", "0".to_owned()),
        ("ConnectionType", "internet".to_owned()),
        ("ClientToken", "a b".to_owned()),
        ("Username", "x".repeat(256)),
        ("CommandLine", "x".repeat(513)),
        ("TargetServer", "x".repeat(129)),
        ("PasswordName", "x".repeat(256)),
        ("EncryptionOptions", "no JSON".to_owned()),
    ]);

    for (number, (code, mends)) in steps().into_iter().enumerate() {
        let parameters: Vec<_> = pairs(&faulty).collect();
        let error = refused(&sandbox, START, &parameters).await;

        assert_eq!(error.code, code, "step {number}: {parameters:?}");
        for one in mends {
            mend(&sandbox, &mut faulty, &session, one).await;
        }
    }
    let parameters: Vec<_> = pairs(&faulty).collect();
    call(&sandbox, START, &parameters).await;
    sandbox.shutdown().await;
}

fn pairs<'a>(call: &'a BTreeMap<&str, String>) -> impl Iterator<Item = (&'a str, &'a str)> {
    call.iter().map(|(name, value)| (*name, value.as_str()))
}
