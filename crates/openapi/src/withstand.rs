//! What any bytes at all are put through as a call: by the property tests of this crate, and by the
//! fuzz target `api` in `fuzz/`. It panics only if what it tries does.

use std::{fmt, sync::OnceLock};

use axt_proto::{AccountId, RegionId, Secret, Tick};
use jiff::Timestamp;

use crate::{
    AccessKey, Caller, Failure, Identity, NonceState, Now, Policy, Received, RegionState, World,
    read, render,
};

/// A call as a person would write it down: `METHOD TARGET`, headers, an empty line, the body. Bytes that
/// are none of that are a call too, if a poor one: all there is counts as some part of it.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, &'a [u8])>,
    body: &'a [u8],
}

/// A promise that a call has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

impl<'a> Written<'a> {
    /// Takes bytes apart.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let (head, body) = split_at(bytes, b"\n\n");
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
        let (method, target) = first.split_once(' ').unwrap_or(("POST", &first));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.map(|line| {
            let (name, value) = split_at(line, b":");
            (String::from_utf8_lossy(name).trim().to_owned(), value)
        });
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.collect(),
            body,
        }
    }
}

/// What stands before and after the first `mark`.
fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> (&'a [u8], &'a [u8]) {
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    let Some((before, rest)) = at.and_then(|at| bytes.split_at_checked(at)) else {
        return (bytes, &[]);
    };
    (before, rest.get(mark.len()..).unwrap_or_default())
}

/// Reads a call from the bytes, once as anybody's, and once as if nobody had to sign: for no stranger
/// gets past a signature, and behind it is most of what reads.
///
/// # Errors
/// What did not hold.
pub fn call(bytes: &[u8]) -> Result<(), Broken> {
    let written = Written::new(bytes);
    let headers: Vec<(&str, &[u8])> = written
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let received = Received {
        method: &written.method,
        path: &written.path,
        query: &written.query,
        headers: &headers,
        body: written.body,
        is_tls: false,
    };
    received_call(&received, &Trial { is_open: false })?;
    received_call(&received, &Trial { is_open: true })
}

/// Reads a call in a world, and renders what it is refused with: a documented 4xx.
///
/// # Errors
/// What did not hold.
pub fn received_call(received: &Received<'_>, world: &dyn World) -> Result<(), Broken> {
    let failure = match read(received, world, noon()) {
        Ok(call) => {
            // What is done with a call that was read.
            let _ = (call.action.to_json(), call.action.idempotency());
            return Ok(());
        }
        Err(failure) => failure,
    };
    let Failure {
        error, reply_to, ..
    } = *failure;
    let status = error.status(reply_to.action);
    if !(400..500).contains(&status) {
        return Err(Broken(format!("{status} is no 4xx: {error}")));
    }
    let rendered = render::error(&reply_to, "ID", "http://localhost", &error);
    let body =
        std::str::from_utf8(&rendered.body).map_err(|_| Broken("an answer is UTF-8".to_owned()))?;
    let is_whole = body.contains(&error.code_text());
    if rendered.status != status || !is_whole {
        return Err(Broken(format!(
            "the answer does not say {}: {body}",
            error.code_text()
        )));
    }
    Ok(())
}

/// 2026-11-25T06:00:00Z, when the vectors of ecs-api 4 are signed.
fn noon() -> Now {
    let wall = Timestamp::from_second(1_795_586_400).unwrap_or_default();
    Now {
        wall,
        rule: Tick::from_millis(1_795_586_400_000),
    }
}

/// A world with the key of ecs-api 4, in which calls may be let in unsigned.
struct Trial {
    is_open: bool,
}

fn caller() -> Option<&'static Caller> {
    static CALLER: OnceLock<Option<Caller>> = OnceLock::new();
    let make = || {
        let policy = r#"{"Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"acs:ecs:*:*:instance/*"}]}"#;
        Some(Caller {
            account: "1000000000000001".parse().ok()?,
            access_key_id: "testid".to_owned(),
            identity: Identity::RamUser("ram-1".to_owned()),
            policy: serde_json::from_str::<Policy>(policy).ok(),
        })
    };
    CALLER.get_or_init(make).as_ref()
}

impl World for Trial {
    fn access_key(&self, id: &str) -> Option<AccessKey> {
        let caller = caller().filter(|caller| caller.access_key_id == id)?;
        Some(AccessKey {
            secret: Secret::new("testsecret"),
            is_enabled: true,
            token: None,
            caller: caller.clone(),
        })
    }

    fn remember_nonce(&self, _: &str, _: &str) -> NonceState {
        NonceState::Fresh
    }

    fn region(&self, region: &RegionId) -> RegionState {
        match region.as_str() {
            "cn-hangzhou" => RegionState::Available,
            "cn-beijing" => RegionState::ApiNotSupported,
            _ => RegionState::Unknown,
        }
    }

    fn session_manager_enabled(&self, _: &AccountId) -> bool {
        true
    }

    fn unsigned_caller(&self) -> Option<Caller> {
        let caller = caller().filter(|_| self.is_open)?;
        // What a policy says is tried on who signs.
        Some(Caller {
            policy: None,
            ..caller.clone()
        })
    }
}
