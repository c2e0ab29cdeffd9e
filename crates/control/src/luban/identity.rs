//! Who an agent is: the four headers on each of its requests, and their signature.
//!
//! Neither method, path, query nor body is signed, so a relay must refuse what is old or was seen
//! before (wire-protocol 10.1).

use std::time::Duration;

use axt_proto::InstanceId;
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use rsa::{
    pkcs1v15::{Signature, SigningKey, VerifyingKey},
    signature::{SignatureEncoding, Signer as _, Verifier as _},
};

use super::{
    header,
    key::{AgentKey, PublicKey},
};

/// How far an agent's clock may be from the relay's, either way (design, "Refused upgrades").
pub const CLOCK_SKEW: Duration = Duration::from_secs(15 * 60);

/// Bytes of a request id that are read at most; an official one is a UUID of 36.
const REQUEST_ID_MAX: usize = 128;

/// The identity headers of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub instance: InstanceId,
    /// When, in Unix milliseconds on the agent's clock.
    pub timestamp_ms: u64,
    /// Fresh for each request.
    pub request_id: String,
    /// Base64 of the signature.
    pub signature: String,
}

/// Identity headers that are there, but not of their form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity header {0} is missing or malformed")]
pub struct MalformedIdentity(pub &'static str);

impl Identity {
    /// Reads the headers; `get` looks one up by its lower-case name. `None` when the request has
    /// no identity at all, as an unregistered agent's.
    ///
    /// # Errors
    /// Names the header that is missing or malformed.
    pub fn read<'a>(
        get: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Result<Option<Self>, MalformedIdentity> {
        let Some(instance) = get(header::INSTANCE_ID) else {
            return Ok(None);
        };
        let need = |name| get(name).ok_or(MalformedIdentity(name));
        let request_id = need(header::REQUEST_ID)?;
        if request_id.is_empty() || request_id.len() > REQUEST_ID_MAX {
            return Err(MalformedIdentity(header::REQUEST_ID));
        }
        Ok(Some(Self {
            instance: instance
                .parse()
                .map_err(|_| MalformedIdentity(header::INSTANCE_ID))?,
            timestamp_ms: need(header::TIMESTAMP)?
                .parse()
                .map_err(|_| MalformedIdentity(header::TIMESTAMP))?,
            request_id: request_id.to_owned(),
            signature: need(header::SIGNATURE)?.to_owned(),
        }))
    }

    /// The headers, ready to be set.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, String); 4] {
        [
            (header::INSTANCE_ID, self.instance.to_string()),
            (header::TIMESTAMP, self.timestamp_ms.to_string()),
            (header::REQUEST_ID, self.request_id.clone()),
            (header::SIGNATURE, self.signature.clone()),
        ]
    }

    /// Whether the agent's clock is within [`CLOCK_SKEW`] of `now_ms`, the relay's wall time in
    /// Unix milliseconds.
    #[must_use]
    pub fn is_timely(&self, now_ms: u64) -> bool {
        u128::from(self.timestamp_ms.abs_diff(now_ms)) <= CLOCK_SKEW.as_millis()
    }

    fn signed_text(&self, machine_id: &str) -> String {
        let Self {
            instance,
            timestamp_ms,
            request_id,
            ..
        } = self;
        format!("{instance}{machine_id}{timestamp_ms}{request_id}")
    }
}

/// Signs an agent's requests. A signature costs about 2 ms, so sign ahead
/// ([`SignedAhead`](super::SignedAhead)).
#[derive(Clone, Debug)]
pub struct Signer {
    instance: InstanceId,
    machine_id: String,
    key: SigningKey<Md5>,
}

impl Signer {
    /// A signer for one instance.
    #[must_use]
    pub fn new(instance: InstanceId, machine_id: impl Into<String>, key: &AgentKey) -> Self {
        Self {
            instance,
            machine_id: machine_id.into(),
            key: SigningKey::new(key.0.clone()),
        }
    }

    /// Who it signs for.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// What it signs beside the instance's id.
    #[must_use]
    pub fn machine_id(&self) -> &str {
        &self.machine_id
    }

    /// Signs one request of `timestamp_ms` (Unix milliseconds) with a request id that was never
    /// used before.
    #[must_use]
    pub fn sign(&self, timestamp_ms: u64, request_id: impl Into<String>) -> Identity {
        let mut identity = Identity {
            instance: self.instance.clone(),
            timestamp_ms,
            request_id: request_id.into(),
            signature: String::new(),
        };
        let signature = self
            .key
            .sign(identity.signed_text(&self.machine_id).as_bytes());
        identity.signature = STANDARD.encode(signature.to_bytes());
        identity
    }
}

/// A signature that is not the instance's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match: another key, machine id, time or request id was signed")]
pub struct BadSignature;

/// Verifies one instance's requests.
#[derive(Clone, Debug)]
pub struct Verifier {
    machine_id: String,
    key: VerifyingKey<Md5>,
}

impl Verifier {
    /// A verifier with what the relay remembers of a registration. The machine id is never sent
    /// again (wire-protocol 10.1).
    #[must_use]
    pub fn new(machine_id: impl Into<String>, key: &PublicKey) -> Self {
        Self {
            machine_id: machine_id.into(),
            key: VerifyingKey::new(key.0.clone()),
        }
    }

    /// Checks the signature alone. Time and replay are the caller's business: see
    /// [`Identity::is_timely`].
    ///
    /// # Errors
    /// When the signature is no base64, of another length, or does not match.
    pub fn verify(&self, identity: &Identity) -> Result<(), BadSignature> {
        let bytes = STANDARD
            .decode(&identity.signature)
            .map_err(|_| BadSignature)?;
        let signature = Signature::try_from(bytes.as_slice()).map_err(|_| BadSignature)?;
        self.key
            .verify(
                identity.signed_text(&self.machine_id).as_bytes(),
                &signature,
            )
            .map_err(|_| BadSignature)
    }
}
