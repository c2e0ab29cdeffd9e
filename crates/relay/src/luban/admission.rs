//! Who an agent is, proved by its signature (wire-protocol 10.1).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axt_control::luban::{
    Identity, PublicKey, Verifier,
    header::CLIENT_INSTANCE_ID,
    identity::{CLOCK_SKEW, MalformedIdentity},
};
use axt_proto::InstanceId;
use axum::http::{HeaderMap, StatusCode};

use super::turns::Turns;
use crate::{nonces::Nonce, relay::Shared};

/// Why an agent is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("The request is not signed, and this relay lets no unsigned agent in.")]
    Unsigned,
    #[error("The request's identity is malformed: {0}.")]
    Malformed(#[from] MalformedIdentity),
    #[error(
        "The agent's clock says {agent_ms} and the relay's {relay_ms} (Unix milliseconds): they may \
         be {} minutes apart. Set the agent's clock.",
        CLOCK_SKEW.as_secs() / 60
    )]
    Clock { agent_ms: u64, relay_ms: u64 },
    #[error("The signature does not match the key that the instance {0} was declared with.")]
    Signature(InstanceId),
    #[error("The request id was used before.")]
    Replayed,
    #[error("There is no instance {0} with a key to verify its agent by.")]
    UnknownInstance(String),
    #[error("The relay is stopping, or has too much to remember: try again in a moment.")]
    Busy,
}

impl Refusal {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Unsigned
            | Self::Malformed(_)
            | Self::Clock { .. }
            | Self::Signature(_)
            | Self::Replayed => StatusCode::UNAUTHORIZED,
            Self::UnknownInstance(_) => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Unsigned => "MissingSignature",
            Self::Malformed(_) => "MalformedIdentity",
            Self::Clock { .. } => "ClockSkew",
            Self::Signature(_) => "SignatureDoesNotMatch",
            Self::Replayed => "RequestIdUsed",
            Self::UnknownInstance(_) => "UnknownInstance",
            Self::Busy => "Busy",
        }
    }
}

/// Keys that were read once already, and the turns in which signatures are checked by them.
#[derive(Debug, Default)]
pub(crate) struct Verifiers {
    known: Mutex<HashMap<InstanceId, (Declared, Arc<Verifier>)>>,
    turns: Turns,
}

/// What an instance was declared with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Declared {
    machine_id: String,
    public_key: String,
}

impl Verifiers {
    fn get(&self, instance: &InstanceId, declared: Declared) -> Option<Arc<Verifier>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, verifier)) = known.get(instance)
            && *of == declared
        {
            return Some(Arc::clone(verifier));
        }
        let key = PublicKey::from_pem(&declared.public_key)
            .or_else(|_| PublicKey::from_registration(&declared.public_key));
        match key {
            Ok(key) => {
                let verifier = Arc::new(Verifier::new(declared.machine_id.clone(), &key));
                known.insert(instance.clone(), (declared, Arc::clone(&verifier)));
                Some(verifier)
            }
            Err(error) => {
                tracing::warn!(%instance, %error, "the instance's public key cannot be used");
                None
            }
        }
    }
}

/// Finds out who sent a request.
pub(super) async fn admit(
    shared: &Shared,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> Result<InstanceId, Refusal> {
    let get = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(identity) = Identity::read(get)? else {
        return unsigned(shared, get(CLIENT_INSTANCE_ID), peer).await;
    };
    let now = shared.wall.now();
    let relay_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let unknown = || Refusal::UnknownInstance(identity.instance.to_string());
    let asked = identity.instance.clone();
    let declared = shared
        .desk
        .ask(move |desk| {
            let spec = &desk.registry.instance(&asked)?.spec;
            Some(Declared {
                machine_id: spec.machine_id.clone().unwrap_or_default(),
                public_key: spec.public_key.clone()?,
            })
        })
        .await
        .map_err(|_| Refusal::Busy)?
        .ok_or_else(unknown)?;
    let verifier = shared
        .verifiers
        .get(&identity.instance, declared)
        .ok_or_else(unknown)?;
    if !identity.is_timely(relay_ms) {
        return Err(Refusal::Clock {
            agent_ms: identity.timestamp_ms,
            relay_ms,
        });
    }
    let verify = || verifier.verify(&identity);
    let verified = shared.verifiers.turns.take(verify).await;
    verified
        .map_err(|_| Refusal::Busy)?
        .map_err(|_| Refusal::Signature(identity.instance.clone()))?;
    // After the signature, so that a stranger cannot burn ids.
    let nonces = &shared.surroundings.nonces;
    match nonces.take(identity.instance.as_str(), &identity.request_id, now) {
        Nonce::Fresh => Ok(identity.instance),
        Nonce::Used => Err(Refusal::Replayed),
        Nonce::Full => Err(Refusal::Busy),
    }
}

/// What an agent calls itself whose metadata service did not tell it (wire-protocol 10.1).
const NAMELESS: &str = "unknown";

/// An agent that never registered and is told apart by its own word, or else by where it comes
/// from (wire-protocol 10.1, 12.18), where the settings allow it. Whoever has a key has to use it.
async fn unsigned(
    shared: &Shared,
    named: Option<&str>,
    peer: Option<IpAddr>,
) -> Result<InstanceId, Refusal> {
    if !shared.allow_unsigned {
        return Err(Refusal::Unsigned);
    }
    let named = named.filter(|named| !named.is_empty() && *named != NAMELESS);
    let named = named.map(|named| named.chars().take(80).collect::<String>());
    let from = peer.map(|peer| peer.to_canonical().to_string());
    let unknown = Refusal::UnknownInstance(named.clone().or(from).unwrap_or_default());
    let found = shared
        .desk
        .ask(move |desk| {
            let spec = match (named, peer) {
                (Some(named), _) => {
                    let id = named.parse().ok()?;
                    desk.registry.instance(&id).map(|instance| &instance.spec)
                }
                (None, Some(peer)) => desk.instance_at(peer),
                (None, None) => None,
            };
            spec.map(|spec| (spec.id.clone(), spec.public_key.is_some()))
        })
        .await
        .map_err(|_| Refusal::Busy)?;
    match found {
        Some((instance, false)) => Ok(instance),
        Some((_, true)) => Err(Refusal::Unsigned),
        None => Err(unknown),
    }
}
