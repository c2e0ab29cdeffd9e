//! The CA's files.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use rustls::pki_types::ServerName;

use super::{CaError, mint};
use crate::wall::Wall;

/// A CA as it is kept.
pub(super) struct Kept {
    pub(super) ca_pem: String,
    pub(super) key_pem: String,
}

/// What is in the folder; a new CA, written there, when there is none.
pub(super) fn open_or_create(
    folder: &Path,
    names: &[ServerName<'_>],
    wall: &Wall,
) -> Result<Kept, CaError> {
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.map_err(|source| at(folder, source))?;
    if let (Some(ca_pem), Some(key_pem)) = (
        read(&folder.join("ca.pem"))?,
        read(&folder.join("ca-key.pem"))?,
    ) {
        return Ok(Kept { ca_pem, key_pem });
    }
    let kept = mint::new_issuer(names, wall)?;
    // The certificate last: with it, the CA is there.
    write(&folder.join("ca-key.pem"), &kept.key_pem, 0o600)?;
    write(&folder.join("ca.pem"), &kept.ca_pem, 0o644)?;
    Ok(kept)
}

pub(super) fn write_bundle(folder: &Path, bundle: &str) -> Result<(), CaError> {
    write(&folder.join("bundle.pem"), bundle, 0o644)
}

/// The system's roots and the CA, PEM. Where `SSL_CERT_FILE` points at such a bundle already, it
/// counts as the system's.
pub(super) fn bundle(ca_pem: &str) -> String {
    let ours = pem::parse(ca_pem).ok();
    let system = crate::tls::system_roots();
    let others = system.iter().filter(|root| {
        ours.as_ref()
            .is_none_or(|ours| ours.contents() != root.as_ref())
    });
    let mut bundle: String = others
        .map(|root| pem::encode(&pem::Pem::new("CERTIFICATE", root.as_ref())).replace("\r\n", "\n"))
        .collect();
    bundle.push_str(ca_pem);
    bundle
}

fn read(path: &Path) -> Result<Option<String>, CaError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, error)),
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CaError> {
    let aside = path.with_extension("pem.new");
    let written = (|| {
        // A leftover would keep its own mode.
        match fs::remove_file(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    })();
    written.map_err(|source| at(path, source))
}

fn at(path: &Path, source: io::Error) -> CaError {
    CaError::File {
        path: path.to_owned(),
        source,
    }
}
