//! The RPC signature: a parameter among parameters (ecs-api 2.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::{Credentials, FORM, Method, Outgoing, Signed, canonical_query, encode, format_time};
use crate::VERSION;
use axt_proto::Secret;

/// The digest under the signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// What every SDK uses.
    #[default]
    HmacSha1,
    /// Accepted too.
    HmacSha256,
}

impl Algorithm {
    /// The algorithm that SignatureMethod names.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        match name {
            "HMAC-SHA1" => Some(Self::HmacSha1),
            "HMAC-SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }
}

/// `METHOD&%2F&…`: what is signed. `Signature` itself is left out of the parameters.
#[must_use]
pub fn string_to_sign<'a>(
    method: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let others = parameters
        .into_iter()
        .filter(|(name, _)| *name != "Signature");
    format!("{method}&%2F&{}", encode(&canonical_query(others)))
}

/// The signature of a string, in Base64.
#[must_use]
pub fn signature(algorithm: Algorithm, secret: &Secret, string_to_sign: &str) -> String {
    let bytes = match algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(secret, string_to_sign)
            .map(|mac| mac.finalize().into_bytes().to_vec()),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(secret, string_to_sign)
            .map(|mac| mac.finalize().into_bytes().to_vec()),
    };
    STANDARD.encode(bytes.unwrap_or_default())
}

/// Whether the signature, in Base64, is that of the string. Takes as long for a wrong one as for the
/// right one.
#[must_use]
pub fn fits(algorithm: Algorithm, secret: &Secret, string_to_sign: &str, signature: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(signature) else {
        return false;
    };
    match algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(secret, string_to_sign)
            .is_some_and(|mac| mac.verify_slice(&bytes).is_ok()),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(secret, string_to_sign)
            .is_some_and(|mac| mac.verify_slice(&bytes).is_ok()),
    }
}

/// `secret&` is the key. HMAC takes keys of any length, so there is always a result.
fn mac<M: Mac + KeyInit>(secret: &Secret, text: &str) -> Option<M> {
    let key = format!("{}&", secret.expose());
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// Signs a call with HMAC-SHA1 and asks for JSON.
#[must_use]
pub fn sign(call: &Outgoing<'_>, credentials: &Credentials) -> Signed {
    let time = format_time(call.now);
    let mut parameters: Vec<(&str, &str)> = call
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain([
            ("AccessKeyId", credentials.access_key_id.as_str()),
            ("Action", call.action),
            ("Format", "JSON"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", call.nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &time),
            ("Version", VERSION),
        ])
        .collect();
    if let Some(token) = &credentials.security_token {
        parameters.push(("SecurityToken", token.expose()));
    }
    let method = call.method.as_str();
    let string = string_to_sign(method, parameters.iter().copied());
    let signature = signature(Algorithm::HmacSha1, &credentials.secret, &string);
    parameters.push(("Signature", &signature));
    let text = canonical_query(parameters);
    let host = ("host", call.host.to_owned());
    match call.method {
        Method::Get => Signed {
            method,
            target: format!("/?{text}"),
            headers: vec![host],
            body: String::new(),
        },
        Method::Post => Signed {
            method,
            target: "/".to_owned(),
            headers: vec![host, ("content-type", FORM.to_owned())],
            body: text,
        },
    }
}
