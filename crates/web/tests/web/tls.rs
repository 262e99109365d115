//! The listener's TLS, scanned as a stranger would: versions, suites, key exchanges, and plain HTTP on its port.

use std::sync::Arc;

use rustls::{
    CipherSuite, NamedGroup, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use userd_web::server::{ServerOptions, tls};

use crate::socket_server::Server;

/// A server with a certificate of its own, and the roots that know it.
async fn server() -> (Server, RootCertStore) {
    server_with(ServerOptions::default()).await
}

pub async fn server_with(options: ServerOptions) -> (Server, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let options = ServerOptions { tls: Some(tls::from_files(&chain, &key).unwrap()), ..options };
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (Server::start(options).await, roots)
}

async fn shake_hands(
    server: &Server,
    roots: &RootCertStore,
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    TlsConnector::from(Arc::new(client)).connect("localhost".try_into().unwrap(), server.connect().await).await
}

/// The newest version is taken; of the older one only suites with forward secrecy and authenticated encryption.
/// ASVS V12.1.1, V12.1.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_version_is_preferred_and_every_suite_is_forward_secret() {
    let (server, roots) = server().await;
    let both = shake_hands(&server, &roots, aws_lc_rs::default_provider(), &[&TLS12, &TLS13]).await.unwrap();
    assert_eq!(both.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let mut taken = Vec::new();
    for suite in aws_lc_rs::ALL_CIPHER_SUITES {
        let provider = CryptoProvider { cipher_suites: vec![*suite], ..aws_lc_rs::default_provider() };
        let versions = [suite.version()];
        if let Ok(stream) = shake_hands(&server, &roots, provider, &versions).await {
            taken.push(stream.get_ref().1.negotiated_cipher_suite().unwrap().suite());
        }
    }
    assert!(taken.contains(&CipherSuite::TLS13_AES_256_GCM_SHA384) && taken.len() >= 5, "{taken:?}");
    for suite in taken {
        let name = format!("{suite:?}");
        assert!(name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_"), "{name}");
        assert!(name.contains("GCM") || name.contains("CHACHA20_POLY1305"), "{name}");
    }
}

/// ASVS V11.6.2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_exchanged_over_approved_groups_the_hybrid_one_included() {
    let (server, roots) = server().await;
    let mut taken = Vec::new();
    for group in aws_lc_rs::ALL_KX_GROUPS {
        let provider = CryptoProvider { kx_groups: vec![*group], ..aws_lc_rs::default_provider() };
        if shake_hands(&server, &roots, provider, &[&TLS13]).await.is_ok() {
            taken.push(group.name());
        }
    }
    for group in [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::X25519MLKEM768] {
        assert!(taken.contains(&group), "{group:?} of {taken:?}");
    }
    let approved = [
        NamedGroup::X25519,
        NamedGroup::secp256r1,
        NamedGroup::secp384r1,
        NamedGroup::X25519MLKEM768,
        NamedGroup::secp256r1MLKEM768,
        NamedGroup::MLKEM768,
        NamedGroup::MLKEM1024,
    ];
    assert!(taken.iter().all(|group| approved.contains(group)), "{taken:?}");
}

/// A `ClientHello` of this version as far as a server must read to refuse it: two suites, no extensions.
fn hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.push(0);
    // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA
    body.extend([0, 4, 0xc0, 0x13, 0x00, 0x2f]);
    body.extend([1, 0]);
    let mut message = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    message.extend(body);
    let mut record = vec![22, 3, 1, 0, u8::try_from(message.len()).unwrap()];
    record.extend(message);
    record
}

/// ASVS V12.1.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_before_1_2_are_refused() {
    let (server, _) = server().await;
    for minor in 0..=2 {
        let mut stream = server.connect().await;
        stream.write_all(&hello(minor)).await.unwrap();
        let mut answer = Vec::new();
        // Some servers reset instead; either way nothing was agreed on.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer[0] == 21, "an alert or nothing for 3.{minor}: {answer:?}");
    }
}

/// Whoever sends a token in the clear is told nothing, and not sent on to where it would be sent again.
/// ASVS V4.1.2, V12.2.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_on_the_port_of_tls_is_not_redirected() {
    let (server, _) = server().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.windows(4).any(|part| part == b"HTTP"), "{:?}", String::from_utf8_lossy(&answer));
}
