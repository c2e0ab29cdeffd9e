//! The RSA keys that agents sign with, and the texts they travel as.

use std::fmt;

use axt_proto::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::CryptoRng;
use rsa::{
    PrivateKey,
    pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey},
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, LineEnding},
};

/// Bits of a modulus, as the official agent generates it (wire-protocol 10.2).
const BITS: usize = 2_048;

/// The same for agents in memory, whom nobody else can reach: a fifth of the work to sign with.
const LIGHT_BITS: usize = 1_024;

/// A text that is no key of the form that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no usable {what}: {why}")]
pub struct MalformedKey {
    what: &'static str,
    why: String,
}

impl MalformedKey {
    fn new(what: &'static str, why: impl fmt::Display) -> Self {
        Self {
            what,
            why: why.to_string(),
        }
    }
}

/// An agent's private key.
#[derive(Clone)]
pub struct AgentKey(pub(super) PrivateKey);

impl AgentKey {
    /// A new key of 2,048 bits. Takes a fraction of a second of CPU: never on a thread that
    /// serves.
    ///
    /// # Errors
    /// When the generator of randomness fails.
    pub fn generate(random: &mut impl CryptoRng) -> Result<Self, MalformedKey> {
        Self::of_bits(random, BITS)
    }

    /// A new key of 1,024 bits, too short for a network: for thousands of simulated agents, which sign some
    /// requests each as they start.
    ///
    /// # Errors
    /// When the generator of randomness fails.
    pub fn generate_light(random: &mut impl CryptoRng) -> Result<Self, MalformedKey> {
        Self::of_bits(random, LIGHT_BITS)
    }

    fn of_bits(random: &mut impl CryptoRng, bits: usize) -> Result<Self, MalformedKey> {
        PrivateKey::new(random, bits)
            .map(Self)
            .map_err(|error| MalformedKey::new("new RSA key", error))
    }

    /// Reads PEM `RSA PRIVATE KEY` (PKCS#1), the official agent's `pri-key` file, or PEM
    /// `PRIVATE KEY` (PKCS#8), as OpenSSL writes it today.
    ///
    /// # Errors
    /// When the text is nothing of the kind.
    pub fn from_pem(pem: &str) -> Result<Self, MalformedKey> {
        PrivateKey::from_pkcs8_pem(pem)
            .or_else(|_| PrivateKey::from_pkcs1_pem(pem))
            .map(Self)
            .map_err(|error| MalformedKey::new("PEM of an RSA private key (PKCS#1 or #8)", error))
    }

    /// PEM `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pem(&self) -> Result<Secret, MalformedKey> {
        self.0
            .to_pkcs1_pem(LineEnding::LF)
            .map(|pem| Secret::new(pem.as_str()))
            .map_err(|error| MalformedKey::new("PEM of an RSA PRIVATE KEY (PKCS#1)", error))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_public_key())
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AgentKey(***)")
    }
}

/// The public half of an agent's key, which the relay remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(super) rsa::PublicKey);

impl PublicKey {
    /// Reads PEM `PUBLIC KEY` (SPKI).
    ///
    /// # Errors
    /// When the text is nothing of the kind.
    pub fn from_pem(pem: &str) -> Result<Self, MalformedKey> {
        rsa::PublicKey::from_public_key_pem(pem.trim())
            .map(Self)
            .map_err(|error| MalformedKey::new("PEM of a PUBLIC KEY (SPKI)", error))
    }

    /// PEM `PUBLIC KEY` (SPKI).
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pem(&self) -> Result<String, MalformedKey> {
        self.0
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| MalformedKey::new("PEM of a PUBLIC KEY (SPKI)", error))
    }

    /// Reads the `publicKey` of a registration: base64 of the PEM text (wire-protocol 10.2).
    ///
    /// # Errors
    /// When the text is no base64, or what it holds is no key.
    pub fn from_registration(text: &str) -> Result<Self, MalformedKey> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| MalformedKey::new("base64 of a public key", error))?;
        let pem = std::str::from_utf8(&bytes)
            .map_err(|error| MalformedKey::new("base64 of a public key", error))?;
        Self::from_pem(pem)
    }

    /// The `publicKey` of a registration.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_registration(&self) -> Result<String, MalformedKey> {
        self.to_pem().map(|pem| STANDARD.encode(pem))
    }
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::EncodePrivateKey;

    use super::*;

    #[test]
    fn a_key_reads_in_both_forms_that_openssl_writes() {
        let key = AgentKey::generate(&mut rand::rng()).expect("a key");
        let pkcs1 = key.to_pem().expect("PKCS#1");
        let pkcs8 = key.0.to_pkcs8_pem(LineEnding::LF).expect("PKCS#8");

        for pem in [pkcs1.expose(), pkcs8.as_str()] {
            let read = AgentKey::from_pem(pem).expect("reads");
            assert_eq!(read.public(), key.public());
        }
        assert!(AgentKey::from_pem("no key").is_err());
    }
}
