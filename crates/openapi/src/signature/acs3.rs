//! The ACS3-HMAC-SHA256 signature: a header over chosen headers (ecs-api 2.2).

use axt_proto::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Credentials, FORM, Method, Outgoing, Signed, canonical_query, format_time};
use crate::VERSION;

/// What the Authorization header starts with.
pub const SCHEME: &str = "ACS3-HMAC-SHA256";

/// The Authorization header, taken apart. A part that is missing is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// The access key's id.
    pub credential: &'a str,
    /// The names of the signed headers, joined by `;`, as sent.
    pub signed_headers: &'a str,
    /// The signature in hexadecimal.
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes the header apart; `None` when it is of another scheme.
    #[must_use]
    pub fn parse(header: &'a str) -> Option<Self> {
        let mut parsed = Self::default();
        for part in header.strip_prefix(SCHEME)?.split(',') {
            match part.trim().split_once('=') {
                Some(("Credential", value)) => parsed.credential = value.trim(),
                Some(("SignedHeaders", value)) => parsed.signed_headers = value.trim(),
                Some(("Signature", value)) => parsed.signature = value.trim(),
                _ => {}
            }
        }
        Some(parsed)
    }

    /// The names of the signed headers.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.signed_headers
            .split(';')
            .filter(|name| !name.is_empty())
    }
}

/// What is signed, before it is hashed. `headers` are those of the call, in any order and case.
#[must_use]
pub fn canonical_request<'a>(
    method: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
    headers: &[(&str, &[u8])],
    signed_headers: &str,
    content_sha256: &str,
) -> String {
    let query = canonical_query(query);
    let names = signed_headers.split(';').filter(|name| !name.is_empty());
    let canonical_headers: String = names
        .map(|name| {
            let mut values: Vec<String> = headers
                .iter()
                .filter(|(this, _)| this.eq_ignore_ascii_case(name))
                .map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned())
                .collect();
            values.sort_unstable();
            format!("{}:{}\n", name.to_ascii_lowercase(), values.join(","))
        })
        .collect();
    format!("{method}\n/\n{query}\n{canonical_headers}\n{signed_headers}\n{content_sha256}")
}

/// What the signature is made over: the scheme and the hash of the canonical request.
#[must_use]
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{SCHEME}\n{}", sha256(canonical_request.as_bytes()))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The signature of a string, in hexadecimal.
#[must_use]
pub fn signature(secret: &Secret, string_to_sign: &str) -> String {
    mac(secret, string_to_sign)
        .map(|mac| hex::encode(mac.finalize().into_bytes()))
        .unwrap_or_default()
}

/// Whether the signature, in hexadecimal, is that of the string. Takes as long for a wrong one as
/// for the right one.
#[must_use]
pub fn fits(secret: &Secret, string_to_sign: &str, signature: &str) -> bool {
    let Ok(bytes) = hex::decode(signature) else {
        return false;
    };
    mac(secret, string_to_sign).is_some_and(|mac| mac.verify_slice(&bytes).is_ok())
}

/// The secret is the key. HMAC takes keys of any length, so there is always a result.
fn mac(secret: &Secret, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// Signs a call and asks for JSON.
#[must_use]
pub fn sign(call: &Outgoing<'_>, credentials: &Credentials) -> Signed {
    let pairs = || {
        call.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    };
    let text = canonical_query(pairs());
    let (target, body) = match call.method {
        Method::Get if text.is_empty() => ("/".to_owned(), String::new()),
        Method::Get => (format!("/?{text}"), String::new()),
        Method::Post => ("/".to_owned(), text),
    };
    let content_sha256 = sha256(body.as_bytes());
    // In the order of their names, which is the order in which they are signed.
    let mut headers: Vec<(&'static str, String)> = vec![("accept", "application/json".to_owned())];
    if call.method == Method::Post {
        headers.push(("content-type", FORM.to_owned()));
    }
    headers.push(("host", call.host.to_owned()));
    if credentials.security_token.is_some() {
        headers.push(("x-acs-accesskey-id", credentials.access_key_id.clone()));
    }
    headers.push(("x-acs-action", call.action.to_owned()));
    headers.push(("x-acs-content-sha256", content_sha256.clone()));
    headers.push(("x-acs-date", format_time(call.now)));
    if let Some(token) = &credentials.security_token {
        headers.push(("x-acs-security-token", token.expose().to_owned()));
    }
    headers.push(("x-acs-signature-nonce", call.nonce.to_owned()));
    headers.push(("x-acs-version", VERSION.to_owned()));

    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lent: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let query = pairs().filter(|_| call.method == Method::Get);
    let canonical = canonical_request(call.method.as_str(), query, &lent, &names, &content_sha256);
    let signature = signature(&credentials.secret, &string_to_sign(&canonical));
    let authorization = format!(
        "{SCHEME} Credential={},SignedHeaders={names},Signature={signature}",
        credentials.access_key_id
    );
    headers.push(("authorization", authorization));
    Signed {
        method: call.method.as_str(),
        target,
        headers,
        body,
    }
}
