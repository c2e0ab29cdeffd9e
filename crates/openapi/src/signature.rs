//! Both signatures, for either end: what is signed, how, and whether it fits (ecs-api 2.1, 2.2, 4).

pub mod acs3;
pub mod rpc;

use std::fmt;

use axt_proto::Secret;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a client signs with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret: Secret,
    /// The STS token of a temporary key.
    pub security_token: Option<Secret>,
}

/// A call that a client is about to sign.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// How the parameters travel.
    pub method: Method,
    /// The Host header, with the port if it is not the scheme's own.
    pub host: &'a str,
    /// The action.
    pub action: &'a str,
    /// The action's parameters, RegionId among them.
    pub parameters: &'a [(String, String)],
    /// A text of 1 to 128 characters that was never used before.
    pub nonce: &'a str,
    /// The time of the signature.
    pub now: Timestamp,
}

/// The methods of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Everything in the query.
    Get,
    /// The action's parameters in a form body.
    Post,
}

impl Method {
    /// The method as HTTP has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A signed call, ready to be sent as it is. `Debug` tells neither parameters nor signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The method.
    pub method: &'static str,
    /// `/`, and the query if there is one.
    pub target: String,
    /// Every header that belongs to the call, `host` included.
    pub headers: Vec<(&'static str, String)>,
    /// The body, often empty.
    pub body: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        out.debug_struct("Signed")
            .field("method", &self.method)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// What a form body is called.
const FORM: &str = "application/x-www-form-urlencoded";

/// What stays as it is in a signature: `A–Z a–z 0–9 - _ . ~`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes as both signatures want it, which every decoder understands too.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// `k=v&k=v` of encoded names and values, sorted by the encoded name (then value).
fn canonical_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut encoded: Vec<(String, String)> = pairs
        .into_iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    encoded.sort_unstable();
    let joined: Vec<String> = encoded
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// Writes a time as signatures have it, `2026-11-25T06:00:00Z`.
#[must_use]
pub fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a time of exactly that form.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    // The parser is lenient about digits and spaces; the form is not.
    let fits = text.len() == 20
        && text
            .bytes()
            .zip(*b"0000-00-00T00:00:00Z")
            .all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                _ => byte == form,
            });
    if !fits {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_exactly_one_form() {
        let time = parse_time("2026-11-25T06:00:00Z").expect("a time");

        assert_eq!(format_time(time), "2026-11-25T06:00:00Z");
        for bad in [
            "",
            "2026-11-25 06:00:00Z",
            "2026-11-25T06:00Z",
            "2026-11-25T06:00:00z",
            "2026-13-25T06:00:00Z",
            "2026-11-25T06:00:00+00:00",
            "2026-11-25T06:00:00.0Z",
            "2026-11-25T25:00:00Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_unreserved_characters_stay_as_they_are() {
        assert_eq!(encode("aZ09-_.~"), "aZ09-_.~");
        assert_eq!(encode(" *'+/汉"), "%20%2A%27%2B%2F%E6%B1%89");
    }
}
