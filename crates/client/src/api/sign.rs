//! Stands in until `axt_openapi::signature` can sign.

use axt_proto::Secret;
use jiff::Timestamp;

pub(crate) const VERSION: &str = "2014-05-26";

/// A key to sign with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret,
    /// The token of a temporary key.
    pub security_token: Option<Secret>,
}

pub(crate) struct Outgoing<'a> {
    pub(crate) host: &'a str,
    pub(crate) action: &'a str,
    pub(crate) version: &'a str,
    pub(crate) parameters: &'a [(&'a str, &'a str)],
    pub(crate) nonce: &'a str,
    pub(crate) at: Timestamp,
}

pub(crate) struct Signed {
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
}

pub(crate) fn acs3(outgoing: &Outgoing<'_>, _: &Credentials) -> Signed {
    let _ = (outgoing.nonce, outgoing.at, outgoing.parameters);
    Signed {
        query: String::new(),
        headers: vec![
            ("host".into(), outgoing.host.into()),
            ("x-acs-action".into(), outgoing.action.into()),
            ("x-acs-version".into(), outgoing.version.into()),
        ],
    }
}
