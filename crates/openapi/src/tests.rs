//! Tests of the crate as a whole: calls in, answers out. What they share stands here.

mod bytes;
mod captures;
mod commands;
mod drift;
mod help;
mod official;
mod order;
mod others;
mod pages;
mod rendered;
mod rendered_others;
mod start;
mod vectors;

use std::{cell::RefCell, collections::HashSet, time::Duration};

use axt_proto::{AccountId, RegionId, Secret, Tick};
use jiff::Timestamp;

use crate::{
    AccessKey, ActionName, Call, Caller, Credentials, Failure, Identity, NonceState, Now, Policy,
    RateState, Received, RegionState, World, read,
    signature::{Method, Outgoing, Signed, acs3, rpc},
    world::StsToken,
};

/// A world with one key and two regions, in which a test changes what it is about.
struct TestWorld {
    key_id: &'static str,
    key: AccessKey,
    is_enabled: bool,
    enforces_tls: bool,
    rate: RateState,
    unsigned: Option<Caller>,
    nonces: RefCell<HashSet<(String, String)>>,
}

impl TestWorld {
    fn new() -> Self {
        Self {
            key_id: "testid",
            key: AccessKey {
                secret: Secret::new("testsecret"),
                is_enabled: true,
                token: None,
                caller: caller(),
            },
            is_enabled: true,
            enforces_tls: false,
            rate: RateState::Within,
            unsigned: None,
            nonces: RefCell::default(),
        }
    }

    fn with_policy(text: &str) -> Self {
        let mut world = Self::new();
        let policy: Policy = serde_json::from_str(text).expect("a policy");
        world.key.caller.policy = Some(policy);
        world.key.caller.identity = Identity::RamUser("ram-1".to_owned());
        world
    }

    fn with_token(token: &str, expires: Tick) -> Self {
        let mut world = Self::new();
        world.key.token = Some(StsToken {
            token: Secret::new(token),
            expires,
        });
        world
    }
}

fn caller() -> Caller {
    Caller {
        account: account(),
        access_key_id: "testid".to_owned(),
        identity: Identity::Account("1000000000000001".to_owned()),
        policy: None,
    }
}

fn account() -> AccountId {
    "1000000000000001".parse().expect("an account")
}

impl World for TestWorld {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        (id == self.key_id).then(|| self.key.clone())
    }

    fn remember_nonce(&self, access_key_id: &str, nonce: &str) -> NonceState {
        let pair = (access_key_id.to_owned(), nonce.to_owned());
        if self.nonces.borrow_mut().insert(pair) {
            NonceState::Fresh
        } else {
            NonceState::Used
        }
    }

    fn region(&self, region: &RegionId) -> RegionState {
        match region.as_str() {
            "cn-hangzhou" | "cn-dev-1" => RegionState::Available,
            "cn-old" => RegionState::ApiNotSupported,
            _ => RegionState::Unknown,
        }
    }

    fn session_manager_enabled(&self, _: &AccountId) -> bool {
        self.is_enabled
    }

    fn has_kms_key(&self, _: &AccountId, key: &str) -> bool {
        key != "key-of-others"
    }

    fn rate(&self, _: &Caller, _: ActionName) -> RateState {
        self.rate
    }

    fn enforces_tls(&self) -> bool {
        self.enforces_tls
    }

    fn unsigned_caller(&self) -> Option<Caller> {
        self.unsigned.clone()
    }
}

/// 2026-11-25T06:00:00Z, when every test call is made.
fn noon() -> Now {
    at("2026-11-25T06:00:00Z")
}

fn at(time: &str) -> Now {
    let wall: Timestamp = time.parse().expect("a time");
    let millis = u64::try_from(wall.as_millisecond()).expect("after 1970");
    Now {
        wall,
        rule: Tick::from_millis(millis),
    }
}

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "testid".to_owned(),
        secret: Secret::new("testsecret"),
        security_token: None,
    }
}

/// How a test call is signed.
#[derive(Clone, Copy, Debug)]
enum By {
    Rpc(Method),
    Acs3(Method),
}

fn sign(by: By, action: &str, parameters: &[(&str, &str)], credentials: &Credentials) -> Signed {
    let parameters: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let call = |method| Outgoing {
        method,
        host: "127.0.0.1:7080",
        action,
        parameters: &parameters,
        nonce: "nonce-0001",
        now: noon().wall,
    };
    match by {
        By::Rpc(method) => rpc::sign(&call(method), credentials),
        By::Acs3(method) => acs3::sign(&call(method), credentials),
    }
}

/// Reads a signed call in a world, at noon.
fn receive(signed: &Signed, world: &TestWorld) -> Result<Call, Box<Failure>> {
    receive_at(signed, world, noon())
}

fn receive_at(signed: &Signed, world: &TestWorld, now: Now) -> Result<Call, Box<Failure>> {
    let (path, query) = signed
        .target
        .split_once('?')
        .unwrap_or((&signed.target, ""));
    let headers: Vec<(&str, &[u8])> = signed
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let received = Received {
        method: signed.method,
        path,
        query,
        headers: &headers,
        body: signed.body.as_bytes(),
        is_tls: false,
    };
    read(&received, world, now)
}

/// Reads a call of the owner of the test key: what comes after authentication.
fn call(action: &str, parameters: &[(&str, &str)]) -> Result<Call, Box<Failure>> {
    let signed = sign(By::Acs3(Method::Post), action, parameters, &credentials());
    receive(&signed, &TestWorld::new())
}

/// `Code` of the refusal.
fn code(outcome: Result<Call, Box<Failure>>) -> String {
    outcome.expect_err("a refusal").error.code_text()
}

fn minute() -> Duration {
    Duration::from_secs(60)
}
