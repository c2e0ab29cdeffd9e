//! What our own clients trust.

use std::sync::Arc;

use crate::transport::Stream;

/// TLS as our clients speak it. Cloning shares roots and sessions.
#[derive(Clone, Debug)]
pub struct ClientTls(#[allow(dead_code)] Arc<rustls::ClientConfig>);

/// A TLS handshake that failed, or a root that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("TLS with {host}: {why}")]
pub struct TlsError {
    /// Whom it was with.
    pub host: String,
    /// Why it failed, and what to do.
    pub why: String,
}

#[allow(missing_docs, clippy::todo, unused_variables)]
impl ClientTls {
    pub fn system() -> Self {
        todo!()
    }
    pub fn with_ca_pem(pem: &str) -> Result<Self, TlsError> {
        todo!()
    }
    pub async fn connect(&self, host: &str, stream: Stream) -> Result<Stream, TlsError> {
        todo!()
    }
}
