//! Who has sent a request, by its headers alone (wire-protocol 10.1).

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axt_control::luban::{Identity, PublicKey, Verifier};
use axt_net::wall::Wall;
use http::HeaderMap;

use super::{Registered, is_address};

/// How old a signature may be: the official agent makes one for each request.
const FRESH: Duration = Duration::from_secs(61);

/// The agent that is known, and the request ids that it has used.
#[derive(Debug)]
pub(super) struct Known {
    agent: Registered,
    verifier: Verifier,
    used: Mutex<BTreeSet<String>>,
    wall: Wall,
}

impl Known {
    pub(super) fn new(agent: Registered, wall: Wall) -> Self {
        let key = PublicKey::from_pem(&agent.public_key).expect("a public key");
        Self {
            verifier: Verifier::new(agent.machine_id.clone(), &key),
            agent,
            used: Mutex::default(),
            wall,
        }
    }

    pub(super) fn agent(&self) -> &Registered {
        &self.agent
    }

    /// What is wrong with the identity of a request.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let get = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let identity = Identity::read(get).map_err(|error| error.to_string())?;
        let identity = identity.ok_or("it is not signed")?;
        if identity.instance.as_str() != self.agent.instance {
            return Err(format!("it is {}'s", identity.instance));
        }
        let id = &identity.request_id;
        let is_uuid = uuid::Uuid::try_parse(id).is_ok_and(|it| it.hyphenated().to_string() == *id);
        if !is_uuid {
            return Err(format!("its request id `{id}` is no lower-case UUID"));
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.insert(id.clone()) {
            return Err("its request id was used before".to_owned());
        }
        let now_ms = u64::try_from(self.wall.now().as_millisecond()).unwrap_or_default();
        let age = now_ms.abs_diff(identity.timestamp_ms);
        if Duration::from_millis(age) > FRESH {
            return Err(format!("it was signed {age} ms ago"));
        }
        if get("x-client-ip").is_some_and(|ip| !is_address(ip)) {
            return Err("its X-Client-IP is none".to_owned());
        }
        self.verifier
            .verify(&identity)
            .map_err(|error| error.to_string())
    }
}
