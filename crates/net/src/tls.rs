//! TLS: what our own clients trust, and what our servers show.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::transport::Stream;

/// For how many local addresses a server keeps a certificate of their own.
const ADDRESSES: usize = 64;

/// TLS as our clients speak it: TLS 1.2 and 1.3, no ALPN (wire-protocol 1). Cloning shares the
/// roots and the sessions that can be resumed.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

/// A TLS handshake that failed, or roots that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS with {host}: {why}")]
pub struct TlsError {
    /// Whom it was with.
    pub host: String,
    /// Why it failed, and what to do where that is known.
    pub why: String,
    /// Whether what the other end said was TLS, so that its certificate can be what is wrong.
    pub is_tls: bool,
}

/// A text that holds no certificate where one was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no CA certificate (PEM) that can be used: {0}")]
pub struct BadRoots(String);

impl ClientTls {
    /// Trusts the system's roots. They are read once in a process, from files: blocks then.
    #[must_use]
    pub fn system() -> Self {
        Self::trusting(system_store())
    }

    /// Trusts the system's roots and the certificates in `pem`.
    ///
    /// # Errors
    ///
    /// [`BadRoots`] when `pem` holds none, or one that is malformed.
    pub fn with_ca_pem(pem: &str) -> Result<Self, BadRoots> {
        let bad = |error: &dyn fmt::Display| BadRoots(error.to_string());
        let mut roots = system_store();
        let before = roots.len();
        for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let root = root.map_err(|error| bad(&error))?;
            roots.add(root).map_err(|error| bad(&error))?;
        }
        if roots.len() == before {
            return Err(BadRoots("there is no certificate in it".to_owned()));
        }
        Ok(Self::trusting(roots))
    }

    #[allow(clippy::expect_used)]
    fn trusting(roots: RootCertStore) -> Self {
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            // Depends on the provider and the versions alone, both fixed above.
            .expect("ring speaks the default versions");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(64);
        Self(Arc::new(config))
    }

    /// What it is for rustls.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    /// Speaks TLS on `stream`; `host` is who the other end has to be, a name or an IP address.
    /// Takes as long as the other end does: the caller has the deadline.
    ///
    /// # Errors
    ///
    /// [`TlsError`] with what is wrong with the other end's certificate, and what to do.
    pub async fn connect(&self, host: &str, stream: Stream) -> Result<Stream, TlsError> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let failed = |why: String| TlsError {
            host: host.to_owned(),
            why,
            is_tls: true,
        };
        let name = ServerName::try_from(host.to_owned());
        let name =
            name.map_err(|_| failed("this is neither a host name nor an IP address".into()))?;
        let connecting = TlsConnector::from(self.config()).connect(name, stream.reading_ahead());
        match connecting.await {
            Ok(session) => Ok(Stream::tls(session)),
            Err(error) => Err(TlsError {
                is_tls: !is_no_tls(&error),
                ..failed(explain(&error))
            }),
        }
    }
}

fn is_no_tls(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(rustls::Error::InvalidMessage(_)))
}

/// What went wrong in a handshake, in words that help.
fn explain(error: &io::Error) -> String {
    use rustls::{CertificateError as Bad, Error};

    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let Some(cause): Option<&Error> = cause else {
        return format!("the handshake was cut: {error}");
    };
    match cause {
        Error::InvalidCertificate(Bad::UnknownIssuer) => {
            "its certificate is not signed by a CA that is trusted here; \
             give the CA's certificate with --ca FILE"
                .to_owned()
        }
        Error::InvalidMessage(_) => {
            format!("the other end does not speak TLS ({cause}); is it http:// or ws://?")
        }
        _ => cause.to_string(),
    }
}

/// TLS as our servers speak it. Cloning shares it.
#[derive(Clone)]
pub struct ServerTls(Arc<Server>);

struct Server {
    config: Arc<ServerConfig>,
    per_address: Option<PerAddress>,
    made: Mutex<BTreeMap<IpAddr, Arc<ServerConfig>>>,
}

type PerAddress = Box<dyn Fn(&ServerConfig, IpAddr) -> ServerConfig + Send + Sync>;

impl ServerTls {
    /// The same for every connection, such as a user's own certificate.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self::with(config, None)
    }

    /// A variant of `config` for each address that is dialled and is not loopback.
    pub(crate) fn per_address(
        config: ServerConfig,
        variant: impl Fn(&ServerConfig, IpAddr) -> ServerConfig + Send + Sync + 'static,
    ) -> Self {
        Self::with(Arc::new(config), Some(Box::new(variant)))
    }

    fn with(config: Arc<ServerConfig>, per_address: Option<PerAddress>) -> Self {
        Self(Arc::new(Server {
            config,
            per_address,
            made: Mutex::default(),
        }))
    }

    /// What it is for rustls, on loopback.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.config)
    }

    /// Speaks TLS on a connection that has come in. Takes as long as the other end does: the
    /// caller has the deadline.
    ///
    /// # Errors
    ///
    /// The handshake's.
    pub async fn accept(&self, stream: Stream) -> io::Result<Stream> {
        let config = self.config_for(stream.local_addr().ip().to_canonical());
        let session = TlsAcceptor::from(config)
            .accept(stream.reading_ahead())
            .await?;
        Ok(Stream::tls(session))
    }

    fn config_for(&self, dialled: IpAddr) -> Arc<ServerConfig> {
        let per_address = self.0.per_address.as_ref();
        let Some(variant) = per_address.filter(|_| !dialled.is_loopback()) else {
            return Arc::clone(&self.0.config);
        };
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= ADDRESSES && !made.contains_key(&dialled) {
            made.clear();
        }
        let config = made.entry(dialled);
        Arc::clone(config.or_insert_with(|| Arc::new(variant(&self.0.config, dialled))))
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ServerTls")
    }
}

/// The system's roots, read once in a process.
pub(crate) fn system_roots() -> &'static [CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a part of the system's roots cannot be used");
        }
        found.certs
    })
}

fn system_store() -> RootCertStore {
    static STORE: OnceLock<RootCertStore> = OnceLock::new();
    let store = STORE.get_or_init(|| {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(system_roots().iter().cloned());
        store
    });
    store.clone()
}
