//! The official agent's peers, in a sandbox that declares their instances.

#![allow(dead_code)] // each test target uses some of it
#![allow(clippy::expect_used)] // helpers of tests

use std::sync::OnceLock;

use axt_control::luban::{AgentKey, Signer};
use axt_official::{AgentSetup, Network, OfficialAgent, agent::Who};
use axt_proto::{EventKind, InstanceId};
use axt_sandbox::{InstanceSpec, Sandbox, SandboxConfig};

use crate::harness::until;

const MACHINE: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4";

/// One key for all of their agents: making one takes a while.
fn key() -> &'static AgentKey {
    static KEY: OnceLock<AgentKey> = OnceLock::new();
    KEY.get_or_init(|| AgentKey::generate(&mut rand::rng()).expect("a key"))
}

fn id(number: usize) -> InstanceId {
    format!("i-official{number:04}").parse().expect("valid")
}

/// Settings of a region with so many instances whose agents are the official one's peers.
pub(crate) fn theirs(count: usize, settings: SandboxConfig) -> SandboxConfig {
    let public_key = key().public().to_pem().expect("PEM");
    let declared = (0..count).map(|number| InstanceSpec {
        machine_id: Some(MACHINE.to_owned()),
        public_key: Some(public_key.clone()),
        ..InstanceSpec::new(
            id(number),
            settings.account.clone(),
            settings.region.clone(),
        )
    });
    SandboxConfig {
        instances: 0,
        declared: declared.collect(),
        ..settings
    }
}

pub(crate) fn network(sandbox: &Sandbox) -> Network {
    let network = sandbox.network();
    Network::new(network.dialer.clone(), network.tls.clone())
}

/// The peer of one instance's official agent.
pub(crate) fn official(sandbox: &Sandbox, number: usize) -> OfficialAgent {
    OfficialAgent::start(setup(sandbox, number), network(sandbox))
}

/// How it is set up; its shells are scripted.
pub(crate) fn setup(sandbox: &Sandbox, number: usize) -> AgentSetup {
    let signer = Signer::new(id(number), MACHINE, key());
    let who = Who::Registered(Box::new(signer));
    AgentSetup {
        machine_id: MACHINE.to_owned(),
        // `wss` becomes `https`, and `ws` `http`.
        ..AgentSetup::new(sandbox.ready().axt.replacen("ws", "http", 1), who)
    }
}

/// Waits until agents have come online so often.
pub(crate) async fn online(sandbox: &Sandbox, count: usize) {
    until("online", async || {
        let events = sandbox.events(0).await;
        let came = events.iter().filter(|it| it.kind == EventKind::AgentOnline);
        (came.count() >= count).then_some(())
    })
    .await;
}
