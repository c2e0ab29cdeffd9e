//! The development CA: what makes `https://localhost:7080` and, once names point here,
//! `https://ecs.cn-hangzhou.aliyuncs.com` trusted by those who choose to trust it.
//!
//! Its certificate is limited to the names and networks of [`constraints`], so that a key which
//! leaks from a laptop is of no use against anything else. Server certificates are made when a
//! client names a host.

pub mod constraints;
mod folder;
mod mint;

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    path::PathBuf,
    sync::Arc,
};

use rustls::{crypto::ring, pki_types::ServerName};

use self::mint::{Mint, Resolver};
use crate::{tls::ServerTls, wall::Wall};

/// The development CA. Cloning shares it and the certificates that it has made.
#[derive(Clone, Debug)]
pub struct DevCa {
    ca_pem: Arc<str>,
    bundle_pem: Arc<str>,
    mint: Arc<Mint>,
}

/// A CA that could not be opened, made or kept.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file of the CA's folder.
    #[error("cannot use {}: {source}", .path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The CA that is there cannot vouch for a name, or no longer.
    #[error(
        "the CA in {} cannot vouch for `{name}` ({why}): remove that folder, so that a new one is made, and trust the new one",
        .folder.display()
    )]
    Unfit {
        /// The CA's folder.
        folder: PathBuf,
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
    /// A certificate or key that is malformed or cannot be made.
    #[error("the development CA's certificate: {0}")]
    Certificate(String),
}

impl DevCa {
    /// The CA kept in `folder` (created with mode 0700): `ca.pem`, `ca-key.pem` (0600) and
    /// `bundle.pem`, which holds the system's roots and this CA for programs that take one file.
    /// It may vouch for `names` too (host names and
    /// addresses), beside those of [`constraints`]. Blocks on files.
    ///
    /// # Errors
    ///
    /// [`CaError`]; in particular when the CA that is there was made without one of `names`.
    pub fn open_or_create(folder: &Path, names: &[String], wall: &Wall) -> Result<Self, CaError> {
        let names = mint::parse(names)?;
        let issuer = folder::open_or_create(folder, &names, wall)?;
        let ca = Self::with(&issuer, &names, wall)?;
        ca.check(folder, &names, wall)?;
        folder::write_bundle(folder, &ca.bundle_pem)?;
        Ok(ca)
    }

    /// A CA that is kept nowhere. Blocks on the files of the system's roots.
    ///
    /// # Errors
    ///
    /// [`CaError`] when the machine has no randomness or one of `names` is malformed.
    pub fn ephemeral(names: &[String], wall: &Wall) -> Result<Self, CaError> {
        let names = mint::parse(names)?;
        Self::with(&mint::new_issuer(&names, wall)?, &names, wall)
    }

    fn with(issuer: &folder::Kept, names: &[ServerName<'_>], wall: &Wall) -> Result<Self, CaError> {
        Ok(Self {
            ca_pem: Arc::from(issuer.ca_pem.as_str()),
            bundle_pem: Arc::from(folder::bundle(&issuer.ca_pem)),
            mint: Arc::new(Mint::new(issuer, names, wall)?),
        })
    }

    fn check(&self, folder: &Path, names: &[ServerName<'_>], wall: &Wall) -> Result<(), CaError> {
        let loopback = ServerName::IpAddress(IpAddr::from(Ipv4Addr::LOCALHOST).into());
        for name in names.iter().chain([&loopback]) {
            self.mint.check(name, wall).map_err(|why| CaError::Unfit {
                folder: folder.to_owned(),
                name: name.to_str().into_owned(),
                why,
            })?;
        }
        Ok(())
    }

    /// The CA's certificate, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The system's roots and the CA's certificate, PEM.
    #[must_use]
    pub fn bundle_pem(&self) -> &str {
        &self.bundle_pem
    }

    /// TLS for servers: a certificate for the host that the client names, else one for
    /// localhost, 127.0.0.1, ::1 and the address that the client has dialled.
    ///
    /// # Errors
    ///
    /// [`CaError`] when the machine has no randomness.
    pub fn server_tls(&self) -> Result<ServerTls, CaError> {
        let resolver = Arc::new(Resolver::new(Arc::clone(&self.mint), None));
        let builder = rustls::ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|error| CaError::Certificate(error.to_string()))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer =
            ring::Ticketer::new().map_err(|error| CaError::Certificate(error.to_string()))?;
        let mint = Arc::clone(&self.mint);
        let per_address = move |config: &rustls::ServerConfig, address: IpAddr| {
            let mut config = config.clone();
            config.cert_resolver = Arc::new(Resolver::new(Arc::clone(&mint), Some(address)));
            config
        };
        Ok(ServerTls::per_address(config, per_address))
    }
}

#[cfg(test)]
mod tests;
