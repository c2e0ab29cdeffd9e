//! The development CA.

use std::{path::Path, sync::Arc};

use crate::wall::Wall;

/// The development CA. Cloning shares it.
#[derive(Clone, Debug)]
pub struct DevCa;

/// A CA that could not be opened, made or kept.
#[derive(Debug, thiserror::Error)]
#[error("the development CA: {0}")]
pub struct CaError(String);

#[allow(missing_docs, clippy::todo, unused_variables)]
impl DevCa {
    /// `names`: host names beside the built-in ones.
    pub fn open_or_create(dir: &Path, names: &[String], wall: &Wall) -> Result<Self, CaError> {
        todo!()
    }
    pub fn ephemeral(names: &[String], wall: &Wall) -> Result<Self, CaError> {
        todo!()
    }
    pub fn ca_pem(&self) -> &str {
        todo!()
    }
    pub fn write_bundle(&self, file: &Path) -> Result<(), CaError> {
        todo!()
    }
    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        todo!()
    }
}
