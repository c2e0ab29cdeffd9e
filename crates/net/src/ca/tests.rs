use std::os::unix::fs::PermissionsExt;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{
    tls::{ClientTls, TlsError},
    transport::{Dialer, MemoryNet},
};

/// A TLS handshake in memory, and five bytes through it.
async fn greet(ca: &DevCa, client: &ClientTls, host: &str) -> Result<(), TlsError> {
    let net = MemoryNet::new();
    let listener = net.bind("localhost", 443).unwrap();
    let server = ca.server_tls().unwrap();
    let accepting = async {
        let stream = listener.accept().await.unwrap();
        if let Ok(mut stream) = server.accept(stream).await {
            stream.write_all(b"hello").await.unwrap();
            stream.flush().await.unwrap();
        }
    };
    let dialling = async {
        let stream = Dialer::memory(&net).dial("localhost", 443).await.unwrap();
        let mut stream = client.connect(host, stream).await?;
        let mut read = [0; 5];
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"hello");
        Ok(())
    };
    tokio::join!(accepting, dialling).1
}

#[tokio::test]
async fn a_client_that_trusts_the_ca_is_greeted_under_every_permitted_name() {
    let ca = DevCa::ephemeral(&["relay".to_owned()], &Wall::system()).unwrap();
    let client = ClientTls::with_ca_pem(ca.ca_pem()).unwrap();

    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "relay",
        "ecs.cn-hangzhou.aliyuncs.com",
        "cn-hangzhou.axt.aliyuncs.com",
    ] {
        greet(&ca, &client, host).await.expect(host);
    }
}

/// Programs written in Go offer HTTP/2 first, and their websockets nothing (wire-protocol 1).
#[tokio::test]
async fn a_client_that_offers_another_version_of_http_is_told_the_one_that_is_spoken() {
    let ca = DevCa::ephemeral(&[], &Wall::system()).unwrap();
    let server = ca.server_tls().unwrap();
    let pem = ca.ca_pem();
    let mut roots = rustls::RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }

    for (offered, spoken) in [
        (
            vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Some(&b"http/1.1"[..]),
        ),
        (Vec::new(), None),
    ] {
        let net = MemoryNet::new();
        let listener = net.bind("localhost", 443).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(ring::default_provider().into());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = offered;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let accepting = async {
            let stream = listener.accept().await.unwrap();
            server.accept(stream).await.unwrap()
        };
        let dialling = async {
            let stream = Dialer::memory(&net).dial("localhost", 443).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, stream).await.unwrap()
        };
        let (_server, client) = tokio::join!(accepting, dialling);

        let (_, connection) = client.get_ref();
        assert_eq!(connection.alpn_protocol(), spoken);
        let version = connection.protocol_version();
        assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_3));
    }
}

#[tokio::test]
async fn the_ca_cannot_vouch_for_other_names() {
    let ca = DevCa::ephemeral(&[], &Wall::system()).unwrap();
    let client = ClientTls::with_ca_pem(ca.ca_pem()).unwrap();

    let refusal = greet(&ca, &client, "example.com").await.unwrap_err();

    assert!(refusal.why.contains("NameConstraintViolation"), "{refusal}");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_ca_is_told_what_to_do() {
    let ca = DevCa::ephemeral(&[], &Wall::system()).unwrap();

    let refusal = greet(&ca, &ClientTls::system(), "localhost")
        .await
        .unwrap_err();

    assert!(refusal.to_string().contains("--ca FILE"), "{refusal}");
}

#[test]
fn a_folder_keeps_its_ca_and_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ca");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    let first = DevCa::open_or_create(&folder, &[], &Wall::system()).unwrap();
    let again = DevCa::open_or_create(&folder, &[], &Wall::system()).unwrap();

    assert_eq!(first.ca_pem(), again.ca_pem());
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("ca-key.pem")), 0o600);
    let bundle = std::fs::read_to_string(folder.join("bundle.pem")).unwrap();
    assert!(bundle.ends_with(first.ca_pem()));
}

#[test]
fn a_ca_made_without_a_name_says_so() {
    let folder = tempfile::tempdir().unwrap();
    DevCa::open_or_create(folder.path(), &[], &Wall::system()).unwrap();

    let refusal = DevCa::open_or_create(folder.path(), &["relay".to_owned()], &Wall::system());

    let text = refusal.unwrap_err().to_string();
    assert!(
        text.contains("`relay`") && text.contains("remove that folder"),
        "{text}"
    );
}

#[test]
fn an_address_outside_the_networks_can_be_added() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["192.0.2.7".to_owned(), "2001:db8::7".to_owned()];

    let made = DevCa::open_or_create(folder.path(), &names, &Wall::system());
    let again = DevCa::open_or_create(folder.path(), &names, &Wall::system());
    let other = DevCa::open_or_create(folder.path(), &["192.0.2.8".to_owned()], &Wall::system());

    // Each opening has checked that a client would take the certificate.
    made.unwrap();
    again.unwrap();
    assert!(matches!(other, Err(CaError::Unfit { .. })));
}

#[test]
fn roots_that_are_none_are_refused() {
    let refusal = ClientTls::with_ca_pem("no certificate").unwrap_err();

    assert!(
        refusal
            .to_string()
            .contains("there is no certificate in it")
    );
}
