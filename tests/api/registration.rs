//! Machines that register with an activation code, as the official agent does (wire-protocol 10.2,
//! ecs-api 3.6 to 3.11).

use std::time::Duration;

use axt_control::luban::{AgentKey, Signer, path};
use axt_net::http::HttpClient;
use axt_proto::{InstanceId, Limits};
use axt_sandbox::Sandbox;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    calls::{NOW_MS, call, limited, refused, simulated, text},
    harness::start,
};

/// The golden vectors' key and the registration that an official agent sent with it.
struct Official {
    key: AgentKey,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Official {
    fn new() -> Self {
        let golden: Value = serde_json::from_str(include_str!("../data/golden-vectors.json"))
            .expect("the vectors are JSON");
        let pem = text(&golden, "/signing_key/private_key_pem");
        let vectors = golden["vectors"].as_array().expect("a list");
        let register = vectors.iter().find(|one| one["name"] == "http_register");
        let register = &register.expect("there")["decoded"];
        let headers = register["headers"].as_array().expect("a list");
        Self {
            key: AgentKey::from_pem(pem).expect("a key"),
            headers: headers
                .iter()
                .map(|pair| (text(pair, "/0").to_owned(), text(pair, "/1").to_owned()))
                .filter(|(name, _)| name == "User-Agent" || name == "Content-Type")
                .collect(),
            body: serde_json::from_str(text(register, "/body")).expect("JSON"),
        }
    }

    fn machine_id(&self) -> &str {
        text(&self.body, "/machineId")
    }

    /// The captured call, for an activation of the sandbox's.
    async fn register(
        &self,
        sandbox: &Sandbox,
        activation: &Value,
        name: &str,
    ) -> (StatusCode, Value) {
        let mut body = self.body.clone();
        body["activationId"] = activation["ActivationId"].clone();
        body["activationCode"] = activation["ActivationCode"].clone();
        body["regionId"] = json!("cn-hangzhou");
        body["instanceName"] = json!(name);
        self.send(sandbox, "POST", path::REGISTER, &[], body.to_string())
            .await
    }

    /// A later call of a registered agent, signed.
    async fn signed(
        &self,
        sandbox: &Sandbox,
        (method, path): (&str, &str),
        instance: &InstanceId,
        request_id: &str,
    ) -> (StatusCode, Value) {
        let signer = Signer::new(instance.clone(), self.machine_id(), &self.key);
        let identity = signer.sign(NOW_MS, request_id);
        let headers = identity.headers();
        self.send(sandbox, method, path, &headers, String::new())
            .await
    }

    async fn send(
        &self,
        sandbox: &Sandbox,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> (StatusCode, Value) {
        let network = sandbox.network();
        let http = HttpClient::new(network.dialer.clone(), network.tls.clone());
        let uri = format!("{}{path}", sandbox.ready().api_http);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Bytes::from(body)).expect("a request");
        let answer = http.send(request).await.expect("an answer");
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status(), body)
    }
}

fn instance(reply: &Value) -> InstanceId {
    text(reply, "/instanceId").parse().expect("an id")
}

async fn activation(sandbox: &Sandbox, more: &[(&str, &str)]) -> Value {
    call(sandbox, "CreateActivation", more).await
}

async fn managed(sandbox: &Sandbox) -> Value {
    let answer = call(sandbox, "DescribeManagedInstances", &[]).await;
    answer["Instances"].clone()
}

const HEART_BEAT: (&str, &str) = ("GET", path::HEART_BEAT);

#[tokio::test(start_paused = true)]
async fn the_captured_registration_makes_an_instance_whose_agent_is_let_in_by_its_key() {
    let sandbox = start(simulated()).await;
    let official = Official::new();
    let activation = activation(
        &sandbox,
        &[("InstanceName", "box"), ("ResourceGroupId", "rg-1")],
    )
    .await;

    let (status, reply) = official.register(&sandbox, &activation, "").await;
    assert_eq!((status, &reply["code"]), (StatusCode::OK, &json!(200)));
    let id = instance(&reply);
    assert!(id.as_str().starts_with("mi-hz"), "{id}");
    let before = managed(&sandbox).await;
    let (status, beat) = official.signed(&sandbox, HEART_BEAT, &id, "r-1").await;
    let (again, _) = official.signed(&sandbox, HEART_BEAT, &id, "r-1").await;
    let after = managed(&sandbox).await;

    assert_eq!(status, StatusCode::OK, "{beat}");
    assert_eq!(again, StatusCode::UNAUTHORIZED, "replayed");
    assert_eq!(before[0]["Connected"], false);
    assert_eq!(
        after,
        json!([{
            "InstanceId": id,
            "InstanceName": "box-01",
            "Hostname": official.body["hostname"],
            "OsType": "linux",
            "OsVersion": official.body["osVersion"],
            "AgentVersion": "2.2.3.500",
            "IntranetIp": "10.99.0.1",
            "InternetIp": "127.0.0.1",
            "MachineId": official.machine_id(),
            "ActivationId": activation["ActivationId"],
            "RegistrationTime": "2026-11-25T06:11:01Z",
            "InvocationCount": 0,
            "ResourceGroupId": "rg-1",
            "Connected": true,
            "Tags": [
                {"TagKey": "env", "TagValue": "dev"},
                {"TagKey": "team", "TagValue": "a"},
            ],
        }])
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn another_machine_or_key_does_not_pass_for_the_registered_one() {
    let sandbox = start(simulated()).await;
    let official = Official::new();
    let activation = activation(&sandbox, &[]).await;
    let (_, reply) = official.register(&sandbox, &activation, "one").await;
    let id = instance(&reply);

    let elsewhere = Signer::new(id, "another machine", &official.key);
    let identity = elsewhere.sign(NOW_MS, "r-1");
    let headers = identity.headers();
    let (forged, _) = official
        .send(&sandbox, "GET", path::HEART_BEAT, &headers, String::new())
        .await;
    let nobody = "mi-hz0000".parse().expect("an id");
    let (unknown, _) = official.signed(&sandbox, HEART_BEAT, &nobody, "r-2").await;

    assert_eq!(
        (forged, unknown),
        (StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN)
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn sessions_start_on_a_managed_instance_as_on_any_other() {
    let sandbox = start(simulated()).await;
    let official = Official::new();
    let activation = activation(&sandbox, &[]).await;
    let (_, reply) = official.register(&sandbox, &activation, "one").await;
    let id = instance(&reply);
    let it = ("InstanceId.1", id.as_str());
    let start_session = "StartTerminalSession";

    let offline = refused(&sandbox, start_session, &[it]).await;
    official.signed(&sandbox, HEART_BEAT, &id, "r-1").await;
    call(&sandbox, start_session, &[it]).await;
    let inside = [it, ("ConnectionType", "Intranet")];
    let inside = refused(&sandbox, start_session, &inside).await;
    let agents = call(&sandbox, "DescribeCloudAssistantStatus", &[it]).await;

    assert_eq!(offline.code, "Operation.Forbidden");
    assert_eq!(inside.code, "InvalidOperation.ConnectionTypeUnsupported");
    let set = &agents["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"];
    assert_eq!(set[0]["CloudAssistantStatus"], "true");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_renamed_and_leaves_by_its_agents_own_wish() {
    let sandbox = start(simulated()).await;
    let official = Official::new();
    let activation = activation(&sandbox, &[]).await;
    let (_, reply) = official.register(&sandbox, &activation, "one").await;
    let id = instance(&reply);
    let by_id = [("ActivationId", text(&activation, "/ActivationId"))];

    let renamed = [("InstanceId", id.as_str()), ("InstanceName", "two")];
    let renamed = call(&sandbox, "ModifyManagedInstance", &renamed).await;
    let listed = managed(&sandbox).await;
    let in_use = refused(&sandbox, "DeleteActivation", &by_id).await;
    let leave = ("POST", path::DEREGISTER);
    let (status, left) = official.signed(&sandbox, leave, &id, "r-1").await;
    let (gone, _) = official.signed(&sandbox, HEART_BEAT, &id, "r-2").await;
    let counts = call(&sandbox, "DescribeActivations", &by_id).await;

    assert_eq!(
        renamed["Instance"],
        json!({"InstanceId": id, "InstanceName": "two"})
    );
    assert_eq!(listed[0]["InstanceName"], "two");
    assert_eq!(
        (in_use.code.as_str(), in_use.status),
        ("ActivationId.InUse", 403)
    );
    assert_eq!((status, left), (StatusCode::OK, json!({"code": 200})));
    assert_eq!(gone, StatusCode::FORBIDDEN);
    assert_eq!(managed(&sandbox).await, json!([]));
    let list = &counts["ActivationList"][0];
    assert_eq!(
        (&list["RegisteredCount"], &list["DeregisteredCount"]),
        (&json!(1), &json!(1))
    );
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_turned_away_once_for_its_token_and_its_sessions_end() {
    let sandbox = start(simulated()).await;
    let official = Official::new();
    let activation = activation(&sandbox, &[]).await;
    let (_, reply) = official.register(&sandbox, &activation, "one").await;
    let id = instance(&reply);
    official.signed(&sandbox, HEART_BEAT, &id, "r-1").await;
    call(
        &sandbox,
        "StartTerminalSession",
        &[("InstanceId.1", id.as_str())],
    )
    .await;
    let deregister = "DeregisterManagedInstance";
    let it = [("InstanceId", id.as_str()), ("ClientToken", "t-1")];

    let first = call(&sandbox, deregister, &it).await;
    let again = call(&sandbox, deregister, &it).await;
    let without_token = refused(&sandbox, deregister, &it[..1]).await;
    let (refused_agent, _) = official.signed(&sandbox, HEART_BEAT, &id, "r-2").await;
    let own = sandbox.instance().to_string();
    let declared = refused(&sandbox, deregister, &[("InstanceId", &own)]).await;

    assert_eq!(first["Instance"]["InstanceId"], id.as_str());
    assert_eq!(first["Instance"].get("Connected"), None);
    assert_eq!(again["Instance"], first["Instance"]);
    for error in [without_token, declared] {
        assert_eq!(
            (error.code.as_str(), error.status),
            ("InvalidInstance.NotFound", 404)
        );
    }
    assert_eq!(refused_agent, StatusCode::FORBIDDEN);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_the_activation_does_not_cover_is_refused_above_400() {
    let sandbox = start(limited(Limits {
        activations_per_region: 20,
        ..Limits::default()
    }))
    .await;
    let official = Official::new();
    let refusal = async |activation: &Value| {
        let (status, reply) = official.register(&sandbox, activation, "box").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{reply}");
        assert_ne!(reply["code"], 200);
        assert!(
            !reply
                .to_string()
                .contains(text(activation, "/ActivationCode"))
        );
        text(&reply, "/message").to_owned()
    };

    let good = activation(&sandbox, &[("InstanceCount", "1")]).await;
    let mut wrong = good.clone();
    wrong["ActivationCode"] = json!("a-hzwrong");
    let mut unknown = good.clone();
    unknown["ActivationId"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(refusal(&wrong).await, refusal(&unknown).await);
    let (status, _) = official.register(&sandbox, &good, "box").await;
    assert_eq!(status, StatusCode::OK);
    assert!(refusal(&good).await.contains("as many instances"));

    let disabled = activation(&sandbox, &[]).await;
    let by_id = [("ActivationId", text(&disabled, "/ActivationId"))];
    call(&sandbox, "DisableActivation", &by_id).await;
    assert!(refusal(&disabled).await.contains("disabled"));

    let elsewhere = [("IpAddressRange", "10.0.0.0/8")];
    let elsewhere = activation(&sandbox, &elsewhere).await;
    assert!(refusal(&elsewhere).await.contains("range"));

    let short = activation(&sandbox, &[("TimeToLiveInHours", "1")]).await;
    let hour = sandbox.clock().advance(Duration::from_secs(3_600)).await;
    hour.expect("moved");
    assert!(refusal(&short).await.contains("expired"));
    sandbox.shutdown().await;
}
