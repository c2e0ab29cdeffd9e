//! Machines that have registered: whether they are there, and how they are turned away
//! (wire-protocol 10.2, ecs-api 3.9 to 3.11).

use std::time::Duration;

use axt_control::luban::{AgentKey, Signer, path};
use axt_net::{
    link,
    tls::ClientTls,
    ws::{self, Incoming},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::harness::World;

/// A Windows machine that has registered.
struct Machine<'a> {
    world: &'a World,
    id: String,
    signer: Signer,
}

impl<'a> Machine<'a> {
    async fn register(world: &'a World) -> Self {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/data/golden-vectors.json"))
                .expect("the vectors are JSON");
        let pem = golden["signing_key"]["private_key_pem"].as_str();
        let key = AgentKey::from_pem(pem.expect("a key")).expect("a key");
        let (_, activation) = world.call("CreateActivation", "").await;
        let told = json!({
            "activationCode": activation["ActivationCode"],
            "activationId": activation["ActivationId"],
            "machineId": "m", "regionId": "cn-hangzhou", "instanceName": "", "hostname": "vm",
            "intranetIp": "<nil>", "osVersion": "Windows_10", "osType": "windows",
            "agentVersion": "2.1.3.300",
            "publicKey": key.public().to_registration().expect("encodes"),
        });
        let told = told.to_string();
        let (_, reply) = world.luban("POST", path::REGISTER, &[], &told).await;
        let reply: Value = serde_json::from_str(&reply).expect("JSON");
        let id = reply["instanceId"].as_str().expect("an id").to_owned();
        let signer = Signer::new(id.parse().expect("valid"), "m", &key);
        Self { world, id, signer }
    }

    /// The headers of one request.
    fn headers(&self, request_id: &str) -> Vec<(&'static str, String)> {
        let mut headers = self
            .signer
            .sign(1_795_587_061_000, request_id)
            .headers()
            .to_vec();
        headers.push(("user-agent", "windows_amd64/2.1.3.300".to_owned()));
        headers
    }

    async fn calls(&self, method: &str, path: &str, request_id: &str) -> u16 {
        let headers = self.headers(request_id);
        let headers: Vec<(&'static str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.world.luban(method, path, &headers, "").await.0
    }

    /// What the API says of it.
    async fn described(&self) -> Value {
        let (_, answer) = self.world.call("DescribeManagedInstances", "").await;
        answer["Instances"][0].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_machines_presence_is_its_connected_member_and_its_agents_status() {
    let world = World::new().await;
    let machine = Machine::register(&world).await;

    let before = machine.described().await;
    let beat = machine.calls("GET", path::HEART_BEAT, "request-1").await;
    let during = machine.described().await;
    let parameters = format!("&InstanceId.1={}&OSType=Windows", machine.id);
    let (_, agents) = world
        .call("DescribeCloudAssistantStatus", &parameters)
        .await;
    link::sleep(Duration::from_secs(151)).await;
    let after = machine.described().await;

    assert_eq!(beat, 200);
    assert_eq!(before["OsType"], "windows");
    let connected = [&before, &during, &after].map(|told| told["Connected"].clone());
    assert_eq!(connected, [json!(false), json!(true), json!(false)]);
    let agent = &agents["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"][0];
    assert_eq!(agent["OSType"], "Windows");
    assert_eq!(agent["CloudAssistantStatus"], "true");
    // Later than 2.1.3.256 is enough there, which on Linux would be too old.
    assert_eq!(agent["SupportSessionManager"], true);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_the_api_deregisters_is_told_so_before_its_channel_closes() {
    let world = World::new().await;
    let machine = Machine::register(&world).await;
    let headers = machine.headers("request-1").into_iter();
    let headers: HeaderMap = headers
        .map(|(name, value)| {
            let value = HeaderValue::from_str(&value).expect("a header");
            (HeaderName::from_static(name), value)
        })
        .collect();
    let mut agent = world.agent_with(&machine.id, headers).await;

    let parameters = format!("&InstanceId={}", machine.id);
    let (status, _) = world.call("DeregisterManagedInstance", &parameters).await;
    agent.expect_dismissal().await;
    let obeyed = machine.calls("POST", path::DEREGISTER, "request-2").await;

    assert_eq!(status, 200);
    // The official agent obeys by deregistering what is gone; a refusal would be reported as an error.
    assert_eq!(obeyed, 200);
    assert_eq!(
        machine.calls("GET", path::HEART_BEAT, "request-3").await,
        403
    );
}

/// Between its admission and the open channel there is time to be deregistered in: whatever comes first, no
/// channel stays open that leads to nobody.
#[tokio::test(start_paused = true)]
async fn a_machine_that_is_deregistered_while_it_dials_keeps_no_channel() {
    for head_start in 0..60 {
        let world = World::new().await;
        let machine = Machine::register(&world).await;
        let headers: HeaderMap = machine
            .headers("request-1")
            .into_iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_str(&value).expect("a header");
                (HeaderName::from_static(name), value)
            })
            .collect();
        let url = format!("ws://localhost:7443{}", path::NOTIFY);
        let (dialer, tls) = (world.network().dialer, ClientTls::system());
        let parameters = format!("&InstanceId={}", machine.id);

        let dialling = async {
            for _ in 0..head_start {
                tokio::task::yield_now().await;
            }
            ws::connect(&dialer, &tls, &url, headers).await
        };
        let deregistering = world.call("DeregisterManagedInstance", &parameters);
        let (dialled, (status, _)) = tokio::join!(dialling, deregistering);

        assert_eq!(status, 200);
        // Refused is as good.
        if let Ok((socket, _)) = dialled {
            let (mut reader, _writer) = socket.split();
            let over = async { while let Ok(Incoming::Data(_)) = reader.next().await {} };
            let over = link::timeout(Duration::from_secs(20), over).await;
            assert!(over.is_ok(), "open for good, {head_start} steps behind");
        }
    }
}
