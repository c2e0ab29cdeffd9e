//! The ready file: how a client on this machine finds the sandbox.

use axt_proto::{InstanceId, RegionId, Secret};
use serde::{Deserialize, Serialize};

/// The contents of `ready.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyFile {
    /// Base URL of the API, plain.
    pub api_http: String,
    /// Base URL of the API, with TLS.
    pub api_https: String,
    /// Base URL of session URLs.
    pub axt: String,
    /// Base URL of the admin API.
    pub admin: String,
    /// Base URL of the metadata service, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// The process that wrote it.
    pub pid: u32,
    /// The default region.
    pub region: RegionId,
    /// An access key that works.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: Secret,
    /// The file with the certificate to trust.
    pub ca_cert: String,
    /// The instances that were started with it.
    pub instances: Vec<ReadyInstance>,
}

/// An instance in the ready file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyInstance {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_reads_and_its_secret_stays_out_of_debug_output() {
        let text = r#"{"api_http": "http://127.0.0.1:7080", "api_https": "https://localhost:7080",
            "axt": "wss://localhost:7443", "admin": "http://127.0.0.1:7090", "pid": 4711,
            "region": "cn-hangzhou", "access_key_id": "id", "access_key_secret": "hunter2",
            "ca_cert": "/x/ca.pem", "instances": [{"id": "i-1", "name": "local-1"}]}"#;

        let ready: ReadyFile = serde_json::from_str(text).expect("reads");

        assert_eq!(ready.access_key_secret.expose(), "hunter2");
        assert!(!format!("{ready:?}").contains("hunter2"));
    }
}
