//! ClientTokens of every action that takes one, and through a restart (limits-and-semantics 4).

use axt_control::admin::RegionChange;
use axt_sandbox::{SandboxConfig, State};
use futures_util::future::select;

use crate::{
    calls::{call, change_region, refused, simulated, text},
    harness::{settings, start},
};

#[tokio::test(start_paused = true)]
async fn an_activation_is_made_once_for_its_token() {
    let sandbox = start(simulated()).await;
    let create = "CreateActivation";
    let token = ("ClientToken", "t-1");

    let first = call(&sandbox, create, &[token]).await;
    let same = call(&sandbox, create, &[token, ("InstanceCount", "10")]).await;
    let other = refused(&sandbox, create, &[token, ("InstanceCount", "11")]).await;
    let all = call(&sandbox, "DescribeActivations", &[]).await;

    assert_eq!(same["ActivationId"], first["ActivationId"]);
    assert_eq!(same["ActivationCode"], first["ActivationCode"]);
    assert_ne!(same["RequestId"], first["RequestId"]);
    assert_eq!(other.code, "IdempotentParameterMismatch");
    assert_eq!(all["TotalCount"], 1);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_activation_that_is_being_made_is_told_apart_from_one_that_is() {
    let sandbox = start(simulated()).await;
    let hold = |hold| RegionChange {
        hold_commit: Some(hold),
        ..RegionChange::default()
    };
    let token = [("ClientToken", "t-1")];
    let create = || Box::pin(sandbox.api().call("CreateActivation", &token));

    change_region(&sandbox, hold(true)).await;
    let (early, late) = select(create(), create()).await.factor_first();
    change_region(&sandbox, hold(false)).await;
    let made = late.await.expect("made");
    let again = create().await.expect("the same");

    let early = early.expect_err("refused").to_string();
    assert!(early.starts_with("IdempotentProcessing"), "{early}");
    assert_eq!(again["ActivationId"], made["ActivationId"]);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_gives_the_same_session_after_a_restart_and_after_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = || SandboxConfig {
        state: State::Kept(folder.path().to_owned()),
        ..settings()
    };
    let sandbox = start(kept()).await;
    let instance = sandbox.instance().to_string();
    let parameters = [
        ("InstanceId.1", instance.as_str()),
        ("ClientToken", "t-1"),
        ("CommandLine", "id"),
    ];
    let first = call(&sandbox, "StartTerminalSession", &parameters).await;
    let activation = call(&sandbox, "CreateActivation", &[("ClientToken", "t-1")]).await;
    sandbox.shutdown().await;

    let sandbox = start(kept()).await;
    let id = text(&first, "/SessionId");
    let again = call(&sandbox, "StartTerminalSession", &parameters).await;
    let other = [&parameters[..2], &[("CommandLine", "whoami")]].concat();
    let other = refused(&sandbox, "StartTerminalSession", &other).await;
    let same_activation = call(&sandbox, "CreateActivation", &[("ClientToken", "t-1")]).await;
    call(&sandbox, "EndTerminalSession", &[("SessionId", id)]).await;
    let ended = call(&sandbox, "StartTerminalSession", &parameters).await;

    for same in [&again, &ended] {
        assert_eq!(text(same, "/SessionId"), id);
        assert_eq!(same["SecurityToken"], first["SecurityToken"]);
        assert_eq!(same["WebSocketUrl"], first["WebSocketUrl"]);
    }
    assert_eq!(other.code, "IdempotentParameterMismatch");
    assert_eq!(same_activation["ActivationId"], activation["ActivationId"]);
    sandbox.shutdown().await;
}
