//! Who calls: accounts, keys with policies, temporary keys, and no authentication at all.

use axt_client::{Api, api::ApiError};
use axt_net::{http::HttpClient, wall::Wall};
use axt_openapi::{AccessKey, Caller, Credentials, Identity, world::StsToken};
use axt_proto::{AccountId, Secret, Tick};
use axt_sandbox::{AccountSettings, Sandbox, SandboxConfig};
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::{
    calls::{NOW_MS, Parameters, call, refused, simulated, text},
    harness::start,
};

const OWN: &str = "1000000000000001";
const OTHER: &str = "1000000000000002";

/// A key whose secret is its id.
fn key(id: &str, account: &str, identity: Identity, policy: Option<&str>) -> AccessKey {
    AccessKey {
        secret: Secret::new(id),
        is_enabled: true,
        token: None,
        caller: Caller {
            account: account.parse().expect("an account"),
            access_key_id: id.to_owned(),
            identity,
            policy: policy.map(|text| serde_json::from_str(text).expect("a policy")),
        },
    }
}

fn owner(id: &str, account: &str) -> AccessKey {
    key(id, account, Identity::Account(account.to_owned()), None)
}

fn user(id: &str, policy: &str) -> AccessKey {
    key(id, OWN, Identity::RamUser(id.to_owned()), Some(policy))
}

async fn with_keys(keys: Vec<AccessKey>) -> Sandbox {
    start(SandboxConfig {
        access_keys: keys,
        ..simulated()
    })
    .await
}

/// The API for whoever has that key, and its STS token if it has one.
fn api(sandbox: &Sandbox, id: &str, token: Option<&str>) -> Api {
    let network = sandbox.network();
    let credentials = Credentials {
        access_key_id: id.to_owned(),
        secret: Secret::new(id),
        security_token: token.map(Secret::new),
    };
    let wall = Wall::fixed("2026-11-25T06:11:01Z".parse().expect("a time"));
    Api::new(
        HttpClient::new(network.dialer.clone(), network.tls.clone()),
        &sandbox.ready().api_http,
        sandbox.ready().region.clone(),
        credentials,
        wall,
    )
    .expect("an endpoint")
}

async fn refusal(api: &Api, action: &str, parameters: Parameters<'_>) -> ApiError {
    match api.call(action, parameters).await {
        Err(axt_client::api::CallError::Api(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_lets_a_user_do_what_it_says_and_the_record_says_who() {
    let reader = user(
        "reader",
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ecs:Describe*","Resource":"*"}]}"#,
    );
    let starter = user(
        "starter",
        r#"{"Statement":[{"Effect":"Allow","Action":"ecs:*TerminalSession*","Resource":"*"}]}"#,
    );
    let sandbox = with_keys(vec![reader, starter]).await;
    let there = [("InstanceId.1", sandbox.instance().as_str())];

    let error = refusal(
        &api(&sandbox, "reader", None),
        "StartTerminalSession",
        &there,
    )
    .await;
    let started = api(&sandbox, "starter", None)
        .call("StartTerminalSession", &there)
        .await;
    let listed = api(&sandbox, "reader", None)
        .call("DescribeTerminalSessions", &[])
        .await;

    assert_eq!((error.code.as_str(), error.status), ("Forbidden.RAM", 403));
    let (started, listed) = (started.expect("started"), listed.expect("listed"));
    let record = &listed["Sessions"]["Session"][0];
    assert_eq!(record["SessionId"], started["SessionId"]);
    assert_eq!(text(record, "/IdentityType"), "RAMUser");
    assert_eq!(text(record, "/PrincipalId"), "starter");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_ended_by_whoever_may_touch_its_instance_and_is_there_for_nobody_else() {
    let elsewhere = user(
        "elsewhere",
        r#"{"Statement":[{"Effect":"Allow","Action":"ecs:EndTerminalSession",
            "Resource":"acs:ecs:*:*:instance/i-another"}]}"#,
    );
    let sandbox = with_keys(vec![elsewhere, owner("stranger", OTHER)]).await;
    let session = sandbox.start_session().await.expect("a session");
    let it = [("SessionId", session.id.as_str())];
    let end = "EndTerminalSession";

    let forbidden = refusal(&api(&sandbox, "elsewhere", None), end, &it).await;
    let unknown = refusal(&api(&sandbox, "stranger", None), end, &it).await;
    let there = [("InstanceId.1", sandbox.instance().as_str())];
    let foreign = api(&sandbox, "stranger", None);
    let foreign = refusal(&foreign, "StartTerminalSession", &there).await;

    assert_eq!(
        (forbidden.code.as_str(), forbidden.status),
        ("Operation.Forbidden", 403)
    );
    assert_eq!(unknown.code, "InvalidSessionId.NotFound");
    assert_eq!(foreign.code, "InvalidInstance.NotFound");
    call(&sandbox, end, &it).await;
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_key_and_a_temporary_one_past_its_time_are_refused() {
    let disabled = AccessKey {
        is_enabled: false,
        ..owner("disabled", OWN)
    };
    let temporary = AccessKey {
        token: Some(StsToken {
            token: Secret::new("sts+/="),
            expires: Tick::from_millis(NOW_MS + 3_600_000),
        }),
        ..owner("temporary", OWN)
    };
    let sandbox = with_keys(vec![disabled, temporary]).await;
    let temporary = api(&sandbox, "temporary", Some("sts+/="));
    let describe = "DescribeRegions";

    let disabled = refusal(&api(&sandbox, "disabled", None), describe, &[]).await;
    let bare = refusal(&api(&sandbox, "temporary", None), describe, &[]).await;
    let unknown = refusal(&api(&sandbox, "unknown", None), describe, &[]).await;
    let good = temporary.call(describe, &[]).await;
    let hour = std::time::Duration::from_secs(3_600);
    sandbox.clock().advance(hour).await.expect("moved");
    let expired = refusal(&temporary, describe, &[]).await;

    assert_eq!(disabled.code, "InvalidAccessKeyId.Inactive");
    assert_eq!(bare.code, "InvalidSecurityToken.MismatchWithAccessKey");
    assert_eq!(
        (unknown.code.as_str(), unknown.status),
        ("InvalidAccessKeyId.NotFound", 404)
    );
    assert!(good.is_ok(), "{good:?}");
    assert_eq!(expired.code, "InvalidSecurityToken.Expired");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_kms_key_has_to_be_one_of_the_accounts() {
    let account: AccountId = OWN.parse().expect("an account");
    let settings = AccountSettings {
        kms_keys: Some(["key-1".to_owned()].into()),
        ..AccountSettings::default()
    };
    let sandbox = start(SandboxConfig {
        accounts: [(account, settings)].into(),
        ..simulated()
    })
    .await;
    let instance = sandbox.instance().to_string();
    let with = async |key: &str, more: &[(&str, &str)]| {
        let options = format!(r#"{{"Enabled":true,"Mode":"Kms","KMSKeyId":"{key}"}}"#);
        let good = [
            ("InstanceId.1", instance.as_str()),
            ("EncryptionOptions", &options),
        ];
        let parameters = [&good, more].concat();
        refused(&sandbox, "StartTerminalSession", &parameters)
            .await
            .code
    };
    let two = [("InstanceId.2", "i-another")];

    let unknown = "InvalidParameter.EncryptionOptionsKMSKeyId";
    assert_eq!(with("key-2", &[]).await, unknown);
    assert_eq!(
        with("key-2", &two).await,
        unknown,
        "before the number of ids"
    );
    assert_eq!(with("key-1", &two).await, "InstanceIds.ExceedLimit");
    assert_eq!(
        with("key-1", &[]).await,
        "UnsupportedAgentVersion.Encryption"
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn without_authentication_only_programs_that_name_this_machine_are_served() {
    let sandbox = start(SandboxConfig {
        no_auth: true,
        ..simulated()
    })
    .await;
    let network = sandbox.network();
    let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
    let typed = async |headers: &[(&str, &str)]| {
        let uri = format!(
            "{}/?Action=DescribeRegions&Format=JSON",
            sandbox.ready().api_http
        );
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::new()).expect("a request");
        let answer = http.send(request).await.expect("an answer");
        let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
        (answer.status().as_u16(), body["Code"].clone())
    };

    let missing = (400, Value::from("MissingAccessKeyId"));
    assert_eq!(typed(&[]).await, (200, Value::Null));
    assert_eq!(typed(&[("host", "127.0.0.1:7080")]).await.0, 200);
    assert_eq!(typed(&[("host", "rebound.example")]).await, missing);
    assert_eq!(typed(&[("origin", "http://localhost:7080")]).await, missing);
    sandbox.shutdown().await;
}
