//! The back channel itself: certificates, old TLS, client certificates, proxies.

use std::{path::PathBuf, sync::Arc};

use crate::support::{self, Fault, Story};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use userd_providers::{Kind, Provider, ProviderConfig, ProviderFault, Secret, build};

/// A certificate authority of our own and files for what it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { issuer, folder: tempfile::tempdir().unwrap() };
        authority.file("ca.pem", &authority.issuer.pem());
        authority
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for a name, and its key, as PEM.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate, key)
    }

    fn server(&self, name: &str, client_certificate: bool) -> TlsAcceptor {
        let (certificate, key) = self.sign(name);
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = if client_certificate {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
    }
}

/// A discovery document over TLS at `https://localhost:<port>`.
async fn discovery_over(tls: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let at = |path: &str| format!("{base}{path}");
    let document =
        json!({ "issuer": base, "authorization_endpoint": at("/a"), "token_endpoint": at("/t"), "jwks_uri": at("/j") });
    let body = document.to_string();
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = tls.accept(socket).await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    base
}

fn oidc(base: &str, change: impl FnOnce(&mut ProviderConfig)) -> Arc<dyn Provider> {
    let mut config = ProviderConfig::new("p", Kind::Oidc, "c");
    config.issuer = Some(base.to_owned());
    change(&mut config);
    build(&config, &support::dependencies()).unwrap_or_else(|e| panic!("{e}"))
}

async fn begin(provider: &dyn Provider) -> Result<(), ProviderFault> {
    let begin = userd_providers::Begin {
        redirect_uri: support::REDIRECT_URI,
        state: support::STATE,
        nonce: support::NONCE,
        pkce_challenge: "c",
        device_id: "device-1",
        locale: None,
        login_hint: None,
        now: support::now(),
    };
    provider.begin(&begin).await.map(drop)
}

/// AC-134: a valid chain for another host, or from an authority that nobody named, is refused.
#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let good = discovery_over(authority.server("localhost", false)).await;
    begin(&*oidc(&good, |c| c.ca_file = Some(authority.ca_file()))).await.unwrap();
    let refused = |provider: Arc<dyn Provider>| async move {
        let Err(ProviderFault::Unavailable(why)) = begin(&*provider).await else { panic!("accepted") };
        assert!(why.contains("certificate"), "{why}");
    };
    refused(oidc(&good, |_| {})).await;
    let another = Authority::new();
    refused(oidc(&good, |c| c.ca_file = Some(another.ca_file()))).await;
    let other_host = discovery_over(authority.server("idp.example", false)).await;
    refused(oidc(&other_host, |c| c.ca_file = Some(authority.ca_file()))).await;
}

/// AC-134: TLS 1.0 is not spoken, whatever the server proposes.
/// ASVS V12.3.1
#[tokio::test]
async fn a_server_that_speaks_only_old_tls_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4096];
        let _ = socket.read(&mut hello).await;
        // ServerHello, version 3.1, TLS_RSA_WITH_AES_128_CBC_SHA, no extensions.
        let mut answer = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
        answer.extend([7; 32]);
        answer.extend([0, 0, 0x2f, 0]);
        let _ = socket.write_all(&answer).await;
        let _ = socket.read(&mut hello).await;
    });
    let Err(ProviderFault::Unavailable(why)) = begin(&*oidc(&base, |_| {})).await else { panic!("accepted") };
    assert!(why.contains("peer is incompatible") || why.contains("TLS") || why.contains("version"), "{why}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_configured() {
    let authority = Authority::new();
    let base = discovery_over(authority.server("localhost", true)).await;
    let without = oidc(&base, |c| c.ca_file = Some(authority.ca_file()));
    assert!(matches!(begin(&*without).await, Err(ProviderFault::Unavailable(_))));
    let (certificate, key) = authority.sign("userd");
    let with = oidc(&base, |c| {
        c.ca_file = Some(authority.ca_file());
        c.client_certificate_file = Some(authority.file("client.pem", &certificate.pem()));
        c.client_key_file = Some(authority.file("client.key", &key.serialize_pem()));
    });
    begin(&*with).await.unwrap();
}

#[test]
fn half_a_client_certificate_is_refused_at_start() {
    let mut config = ProviderConfig::new("p", Kind::Oidc, "c");
    config.issuer = Some("https://idp.example".into());
    config.client_certificate_file = Some("/nonexistent".into());
    assert_eq!(build(&config, &support::dependencies()).err().unwrap().field, "client_key_file");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    config.client_certificate_file = None;
    config.ca_file = Some(empty);
    assert_eq!(build(&config, &support::dependencies()).err().unwrap().field, "ca_file");
}

/// ASVS V13.2.6
#[tokio::test]
async fn every_call_goes_through_the_configured_proxy() {
    let proxy = support::upstream(Kind::Oauth2).await;
    proxy.fail("*", Fault::Status(418, json!({ "error": "through_the_proxy" })));
    let address = proxy.base_url.clone();
    let story = Story::with(Kind::Yandex, |config| config.proxy = Some(Secret::new(address))).await;
    assert_eq!(support::slug(story.sign_in().await), "provider_error");
    assert_eq!(proxy.requests_to("/token").len(), 1);
    assert!(story.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_socks_proxy_is_spoken_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("socks5h://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(relay(client));
        }
    });
    let story = Story::with(Kind::Yandex, |config| config.proxy = Some(Secret::new(address))).await;
    assert_eq!(story.sign_in().await.unwrap().subject, "4242");
}

/// One SOCKS5 CONNECT to an IPv4 address (RFC 1928), without authentication.
async fn relay(mut client: TcpStream) {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.unwrap();
    let mut methods = vec![0; usize::from(greeting[1])];
    client.read_exact(&mut methods).await.unwrap();
    client.write_all(&[5, 0]).await.unwrap();
    let mut request = [0; 4];
    client.read_exact(&mut request).await.unwrap();
    let host = match request[3] {
        1 => {
            let mut ip = [0; 4];
            client.read_exact(&mut ip).await.unwrap();
            std::net::Ipv4Addr::from(ip).to_string()
        }
        _ => {
            let length = client.read_u8().await.unwrap();
            let mut name = vec![0; usize::from(length)];
            client.read_exact(&mut name).await.unwrap();
            String::from_utf8(name).unwrap()
        }
    };
    let port = client.read_u16().await.unwrap();
    let mut server = TcpStream::connect((host, port)).await.unwrap();
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
