//! Making certificates.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::{
    RootCertStore,
    client::WebPkiServerVerifier,
    client::danger::ServerCertVerifier,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{CaError, constraints, folder::Kept};
use crate::wall::Wall;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Before now, for clocks that are behind ours.
const SLACK: SignedDuration = SignedDuration::from_hours(24 * 2);
/// How many days a CA lasts.
const CA_DAYS: i32 = 3_650;
/// How many days a server's certificate lasts; from 826 on, Apple's programs refuse it.
const LEAF_DAYS: i32 = 800;
/// How many certificates are kept. A client that asks for ever new names has them made anew.
const CACHE: usize = 256;

impl From<rcgen::Error> for CaError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

impl From<rustls::Error> for CaError {
    fn from(error: rustls::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// The names and addresses that a CA may vouch for beside the built-in ones.
pub(super) fn parse(names: &[String]) -> Result<Vec<ServerName<'static>>, CaError> {
    let parse = |name: &String| {
        let parsed = ServerName::try_from(name.clone());
        parsed.map_err(|_| {
            CaError::Certificate(format!("`{name}` is neither a host name nor an IP address"))
        })
    };
    names.iter().map(parse).collect()
}

/// A new CA.
pub(super) fn new_issuer(names: &[ServerName<'_>], wall: &Wall) -> Result<Kept, CaError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    lasting(&mut params, wall, CA_DAYS);
    // Two CAs of one name in one bundle would be taken for each other.
    let serial: u32 = rand::random();
    let name = format!("axt development CA {serial:08x}");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(constraints::with(names));
    Ok(Kept {
        ca_pem: params.self_signed(&key)?.pem(),
        key_pem: key.serialize_pem(),
    })
}

fn lasting(params: &mut CertificateParams, wall: &Wall, days: i32) {
    let date = |at: Timestamp| {
        let date = jiff::tz::Offset::UTC.to_datetime(at).date();
        let [month, day] = [date.month(), date.day()].map(|n| u8::try_from(n).unwrap_or(1));
        date_time_ymd(date.year().into(), month, day)
    };
    let after = |span: SignedDuration| wall.now().saturating_add(span).unwrap_or(Timestamp::MAX);
    params.not_before = date(after(-SLACK));
    params.not_after = date(after(DAY * days));
}

/// The CA's key at work.
pub(super) struct Mint {
    ca: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    /// All servers' certificates are for one key: making one costs one signature.
    key: KeyPair,
    wall: Wall,
    /// Addresses that this CA may vouch for beside the built-in ones.
    addresses: Vec<IpAddr>,
    made: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Mint {
    pub(super) fn new(kept: &Kept, names: &[ServerName<'_>], wall: &Wall) -> Result<Self, CaError> {
        let ca = CertificateDer::from_pem_slice(kept.ca_pem.as_bytes());
        let ca = ca.map_err(|error| CaError::Certificate(error.to_string()))?;
        let key = KeyPair::from_pem(&kept.key_pem)?;
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&ca, key)?,
            ca,
            key: KeyPair::generate()?,
            wall: wall.clone(),
            addresses: constraints::addresses_in(names).collect(),
            made: Mutex::default(),
        })
    }

    /// The certificate for `host`, made if it is not there yet.
    fn for_host(&self, host: &str) -> Result<Arc<CertifiedKey>, CaError> {
        let host = host.to_ascii_lowercase();
        let name = host.as_str().try_into()?;
        self.cached(&host, vec![SanType::DnsName(name)])
    }

    /// The certificate for clients that name no host; `address` is what they have dialled.
    fn for_address(&self, address: Option<IpAddr>) -> Result<Arc<CertifiedKey>, CaError> {
        let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let is_permitted = |ip: &IpAddr| constraints::permit(*ip) || self.addresses.contains(ip);
        let dialled = address.filter(|ip| is_permitted(ip) && !loopback.contains(ip));
        let addresses = loopback.into_iter().chain(dialled).map(SanType::IpAddress);
        let localhost = SanType::DnsName("localhost".try_into()?);
        let key = dialled
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
            .to_string();
        self.cached(&key, addresses.chain([localhost]).collect())
    }

    fn cached(&self, key: &str, names: Vec<SanType>) -> Result<Arc<CertifiedKey>, CaError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = made.get(key) {
            return Ok(Arc::clone(certificate));
        }
        if made.len() >= CACHE {
            made.clear();
        }
        let certificate = Arc::new(self.make(names)?);
        made.insert(key.to_owned(), Arc::clone(&certificate));
        Ok(certificate)
    }

    fn make(&self, names: Vec<SanType>) -> Result<CertifiedKey, CaError> {
        let mut params = CertificateParams::default();
        lasting(&mut params, &self.wall, LEAF_DAYS);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "axt");
        params.subject_alt_names = names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&self.key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        Ok(CertifiedKey::new(
            vec![certificate.der().clone(), self.ca.clone()],
            ring::sign::any_supported_type(&key)?,
        ))
    }

    /// Whether a client that trusts the CA takes its certificate for `name`, now.
    pub(super) fn check(&self, name: &ServerName<'_>, wall: &Wall) -> Result<(), String> {
        let text = |error: rustls::Error| error.to_string();
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone()).map_err(text)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
            .build()
            .map_err(|error| error.to_string())?;
        let certificate = match name {
            ServerName::IpAddress(address) => self.for_address(Some((*address).into())),
            name => self.for_host(&name.to_str()),
        };
        let certificate = certificate.map_err(|error| error.to_string())?;
        let certificate = certificate.end_entity_cert().map_err(text)?;
        let since_epoch = u64::try_from(wall.now().as_second()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(since_epoch));
        verifier
            .verify_server_cert(certificate, &[], name, &[], now)
            .map(drop)
            .map_err(text)
    }
}

impl fmt::Debug for Mint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Mint")
    }
}

/// Picks the certificate for a connection.
#[derive(Debug)]
pub(super) struct Resolver {
    mint: Arc<Mint>,
    /// The address that the connection's client has dialled, where it matters.
    dialled: Option<IpAddr>,
}

impl Resolver {
    pub(super) const fn new(mint: Arc<Mint>, dialled: Option<IpAddr>) -> Self {
        Self { mint, dialled }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name();
        let certificate = match host {
            Some(host) => self.mint.for_host(host),
            None => self.mint.for_address(self.dialled),
        };
        certificate
            .inspect_err(|error| tracing::warn!(host, %error, "no certificate for a client"))
            .ok()
    }
}
